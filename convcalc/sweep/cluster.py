"""Chunks worked out by the workers of a Dask scheduler.

A chunk is a pure function of the plan's text and two numbers, so that any worker may do it, and do it again. As many
are under way as keep all workers busy. A chunk whose workers die is tried again elsewhere; a scheduler without workers
is waited for, since clusters grow when there is work.
"""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections import Counter
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from time import monotonic
from types import TracebackType
from typing import Any

from ..findings import UsageError
from ..hints import installing
from ..language.names import shown
from ..version import __version__
from .chunks import Chunk, answer, read_answer
from .plan import Plan

PATIENCE = 15
"""Seconds in which a scheduler has to answer."""
AHEAD = 2
"""Chunks under way for each thread of the workers: one that is done leaves no worker without the next."""
LOOK = 2.0
"""Seconds after which the workers are counted again."""
MOST_DEATHS = 3
"""How often a chunk is given out anew, whatever became of it."""
LOGGER = logging.getLogger("distributed")
EXAMPLE = "for example --scheduler tcp://127.0.0.1:8786"
_ADDRESS = re.compile(r"[a-z]+://[^\s/]+:\d{1,5}", re.ASCII)


class Cluster:
    """The workers of a scheduler; connected when this is entered."""

    def __init__(self, plan: Plan, address: str) -> None:
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"--scheduler takes the address of a scheduler, not {shown(address)}", EXAMPLE)
        if find_spec("distributed") is None:
            raise UsageError("--scheduler needs Dask, which is not installed", installing("cluster"))
        self._plan = json.dumps(plan.to_dict())
        self._address = address
        self._client: Any = None
        self._done: Any = None
        self._pieces: dict[Any, tuple[int, int]] = {}
        """Future -> its chunk."""
        self._attempts: Counter[tuple[int, int]] = Counter()
        self._numbers = count()
        self._places = AHEAD
        self._counted_at = 0.0
        self._level = logging.NOTSET

    def __enter__(self) -> Cluster:
        from distributed import Client, as_completed

        # What its workers and connections go through is told by this program, in its own words.
        self._level = LOGGER.level
        LOGGER.setLevel(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._client = Client(  # type: ignore[no-untyped-call]
                    self._address, timeout=PATIENCE, set_as_default=False
                )
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            LOGGER.setLevel(self._level)
            said = f"no scheduler answers at {shown(self._address)}"
            why = " ".join(str(error).split())[:200]
            raise UsageError(f"{said}: {why}", "dask scheduler starts one") from None
        self._done = as_completed(loop=self._client.loop)  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Exception):  # What is given up is not waited for, whatever the cluster says of it.
            self._client.cancel(list(self._pieces), force=True)
        with suppress(Exception):
            self._client.close(timeout=PATIENCE)
        LOGGER.setLevel(self._level)

    def places(self) -> int:
        """Some for each thread of the workers that there are now."""
        if monotonic() - self._counted_at > LOOK:
            try:
                threads = sum(self._client.nthreads().values())
            except (OSError, RuntimeError, ValueError) as error:
                raise self._gone(error) from None
            self._places = AHEAD * max(threads, 1)
            self._counted_at = monotonic()
        return self._places

    def start(self, start: int, stop: int) -> None:
        """Give out a chunk."""
        # A key of its own: what an earlier call of this program left there is no answer.
        key = f"convcalc-{self._client.id}-{next(self._numbers)}"
        try:
            future = self._client.submit(answer, self._plan, __version__, start, stop, key=key, pure=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise self._gone(error) from None
        self._pieces[future] = (start, stop)
        self._done.add(future)

    def wait(self) -> tuple[Chunk, float]:
        """The next chunk that is done. Raises UsageError where its workers keep dying, or nobody answers."""
        while True:
            future = next(self._done)
            piece = self._pieces.pop(future)
            if future.status == "finished":
                return self._read(future)
            self._again(piece, future)

    def _read(self, future: Any) -> tuple[Chunk, float]:
        try:
            return read_answer(future.result())
        except OSError as error:
            raise self._gone(error) from None
        finally:
            future.release()

    def _again(self, piece: tuple[int, int], future: Any) -> None:
        """Give out a chunk anew whose workers died, or left with it."""
        if self._client.status != "running":
            raise self._gone(None)
        error = None
        with suppress(Exception):  # Of a future that was given up there is none.
            error = future.exception(timeout=PATIENCE)
        if isinstance(error, ImportError):
            hint = f"install the same everywhere: {installing('cluster', __version__)}"
            raise UsageError(f"the cluster cannot import convcalc: {error}", hint)
        self._attempts[piece] += 1
        if self._attempts[piece] >= MOST_DEATHS:
            why = f": {' '.join(str(error).split())[:200]}" if error else ""
            where = f"candidates {piece[0]} to {piece[1] - 1}"
            message = f"no worker of {shown(self._address)} gets through {where}{why}"
            raise UsageError(message, "have they enough memory?")
        self.start(*piece)

    def _gone(self, error: Exception | None) -> UsageError:
        why = f": {' '.join(str(error).split())[:200]}" if error and str(error) else ""
        return UsageError(f"the scheduler at {shown(self._address)} no longer answers{why}", "--resume goes on")
