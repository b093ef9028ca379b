"""Chunks worked out by processes of this machine; one that dies is replaced, and its chunk done again.

They are programs of their own rather than forks or `multiprocessing`: what they need is in the plan, nothing of this
process is shared with them, and the script that called this is not run again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType

from ..findings import UsageError, debugging
from .chunks import Chunk, read_answer
from .plan import Plan

MOST_JOBS = 256
"""Processes of one sweep."""
MOST_DEATHS = 3
"""How often a process may die of the same chunk."""
LOOK = 0.5
"""Seconds after which waiting looks whether ^C was pressed, where the system does not say so."""
PACKAGES = Path(__file__).parents[2]
"""Where this package lies."""
PROGRAM = "import sys; sys.path.append(sys.argv[1]); from convcalc.sweep.worker import main; main()"


class _Process:
    """One process, with a thread that passes on what it answers."""

    def __init__(self, plan: str, answers: Queue[tuple[_Process, bytes]]) -> None:
        self.piece: tuple[int, int] | None = None
        """What it is at."""
        # -P: the folder that is worked in holds untrusted files, and nothing is imported from it. A group of its own:
        # ^C is for the coordinator, which ends all.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM, str(PACKAGES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if debugging() else subprocess.DEVNULL,
            process_group=0 if os.name == "posix" else None,
        )
        self._send(plan)
        self._reader = Thread(target=self._read, args=(answers,), daemon=True)
        self._reader.start()

    def start(self, piece: tuple[int, int]) -> None:
        """Give it a chunk."""
        self.piece = piece
        self._send(list(piece))

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # It has died, which its reader says.
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self, answers: Queue[tuple[_Process, bytes]]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answers.put((self, line))
        answers.put((self, b""))


class Processes:
    """So many processes, ended when this is left. Raises UsageError for more than `MOST_JOBS`."""

    def __init__(self, plan: Plan, jobs: int) -> None:
        if jobs > MOST_JOBS:
            hint = "one for each core is quickest; --scheduler takes the cores of other machines"
            raise UsageError(f"{jobs:,} processes are more than {MOST_JOBS}", hint)
        self._plan = json.dumps(plan.to_dict())
        self._jobs = jobs
        self._answers: Queue[tuple[_Process, bytes]] = Queue()
        self._processes: list[_Process] = []
        self._deaths: Counter[tuple[int, int]] = Counter()

    def __enter__(self) -> Processes:
        try:
            for _ in range(self._jobs):
                self._add()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _add(self) -> _Process:
        try:
            made = _Process(self._plan, self._answers)
        except OSError as error:
            raise UsageError(
                f"cannot start a process: {(error.strerror or str(error)).lower()}", "fewer --jobs"
            ) from None
        self._processes.append(made)
        return made

    def _end(self) -> None:
        while self._processes:
            self._processes.pop().end()

    def places(self) -> int:
        """As many as there are processes."""
        return self._jobs

    def start(self, start: int, stop: int) -> None:
        """Give a chunk to a process that has none."""
        next(process for process in self._processes if process.piece is None).start((start, stop))

    def wait(self) -> tuple[Chunk, float]:
        """The next chunk that is done. Raises UsageError where processes keep dying of one."""
        while True:
            process, line = self._next()
            if process not in self._processes:
                continue
            if not line:
                self._replace(process)
                continue
            process.piece = None
            return read_answer(line)

    def _next(self) -> tuple[_Process, bytes]:
        while True:
            with suppress(Empty):
                return self._answers.get(timeout=LOOK)

    def _replace(self, process: _Process) -> None:
        """A process has died: another one takes its place, and its chunk."""
        self._processes.remove(process)
        process.end()
        piece = process.piece or (-1, -1)
        self._deaths[piece] += 1
        if self._deaths[piece] >= MOST_DEATHS:
            where = f" at candidates {piece[0]} to {piece[1] - 1}" if process.piece else ""
            raise UsageError(
                f"{MOST_DEATHS} processes were ended from outside{where}",
                "is there enough memory? --jobs 1 takes least",
            )
        another = self._add()
        if process.piece is not None:
            another.start(process.piece)
