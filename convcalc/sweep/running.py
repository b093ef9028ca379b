"""A plan carried out: chunks of candidates, worked out here, by processes or by a cluster, and kept one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic, process_time
from typing import NamedTuple, Protocol

from ..interruption import exit_code, interruptible
from ..units import counted
from .chunks import Chunk, Worker
from .faults import FullDisk, quoted
from .pieces import Pieces
from .plan import Plan
from .store import Store


class Progress(NamedTuple):
    """How far a sweep is."""

    tried: int
    """Candidates that are done, those of earlier calls among them."""
    candidates: int
    """Those of the space, or the most that may be tried."""
    fitting: int
    wanted: int | None
    """How many that fit are wanted; None where all candidates are tried."""
    here: int
    """Candidates that this call has done."""
    seconds: float
    """Since it began."""

    @property
    def rate(self) -> float:
        """Candidates a second."""
        return self.here / max(self.seconds, 1e-9)

    @property
    def share(self) -> float:
        """The share of what is done that fits."""
        return self.fitting / max(self.tried, 1)


class Outcome(NamedTuple):
    """What a call has done."""

    here: int
    """Candidates that it worked out."""
    seconds: float
    lacking: int
    """How many fewer fit than were wanted, all tries made."""


class Interrupted(KeyboardInterrupt):
    """A sweep that a signal ended; what is kept, and how to go on."""

    def __init__(self, exit_code: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message
        self.hint = hint


class Hands(Protocol):
    """Who works out chunks."""

    def places(self) -> int:
        """How many chunks may be under way."""

    def start(self, start: int, stop: int) -> None:
        """Take a chunk."""

    def wait(self) -> tuple[Chunk, float]:
        """The next chunk that is done, and the seconds that it took."""


class Here:
    """This process, one chunk at a time."""

    def __init__(self, plan: Plan) -> None:
        self._worker = Worker(plan)
        self._taken: list[tuple[int, int]] = []

    def places(self) -> int:
        """One."""
        return 1

    def start(self, start: int, stop: int) -> None:
        """Take a chunk."""
        self._taken.append((start, stop))

    def wait(self) -> tuple[Chunk, float]:
        """Work out the chunk that was taken."""
        began = process_time()
        return self._worker.chunk(*self._taken.pop(0)), process_time() - began


def sweep(
    plan: Plan,
    *,
    store: Store,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Do what is missing of a plan and keep it, a chunk of about a second at a time.

    `jobs` processes of this machine, or the workers of a Dask scheduler, do the work; this process alone writes. Which
    rows there are, and what they say, depends on the plan alone. Raises Interrupted for ^C and SIGTERM, and UsageError
    for a full disk, workers that keep dying and a cluster that does not answer; what was kept before stays.
    """
    if store.finished():
        return _outcome(store, 0, 0.0)
    began, before = monotonic(), store.tried
    try:
        pieces = Pieces(store.missing())
        with interruptible(), _hands(plan, min(jobs, pieces.worthwhile), scheduler) as hands:
            for chunk in _chunks(hands, pieces, store.finished):
                store.add(chunk)
                if progress is not None:
                    here = store.tried - before
                    size, wanted = plan.space.size, plan.wanted
                    progress(Progress(store.tried, size, store.fitting, wanted, here, monotonic() - began))
    except KeyboardInterrupt as error:
        raise Interrupted(exit_code(error), f"stopped: {_kept(store)}", _go_on(store)) from None
    except FullDisk as error:
        raise FullDisk(f"{error.message}: {_kept(store)}", error.hint) from None
    return _outcome(store, store.tried - before, monotonic() - began)


def _outcome(store: Store, here: int, seconds: float) -> Outcome:
    return Outcome(max(here, 0), seconds, max((store.plan.wanted or 0) - store.fitting, 0))


def _chunks(hands: Hands, pieces: Pieces, finished: Callable[[], bool]) -> Iterator[Chunk]:
    """Chunks as they are done; the next one is under way before this one is kept."""
    under_way = 0
    while True:
        places = hands.places()
        while under_way < places and (piece := pieces.take(places)) is not None:
            hands.start(*piece)
            under_way += 1
        if not under_way:
            return
        chunk, seconds = hands.wait()
        pieces.learn(chunk.stop - chunk.start, seconds)
        if (piece := pieces.take(places)) is not None:
            hands.start(*piece)
        else:
            under_way -= 1
        yield chunk
        if finished():
            return


def _kept(store: Store) -> str:
    """How much of a run is kept, in words."""
    if store.path is None:
        return "nothing is kept"
    return f"{store.tried:,} of {counted(store.plan.space.size, 'candidate')} are in {quoted(store.path)}"


def _go_on(store: Store) -> str:
    if store.path is None:
        return "-o run.sqlite keeps what is done"
    return "the same command with --resume goes on"


@contextmanager
def _hands(plan: Plan, jobs: int, scheduler: str | None) -> Iterator[Hands]:
    """Who works out the chunks of a plan."""
    found: AbstractContextManager[Hands]
    if scheduler is not None:
        from .cluster import Cluster

        found = Cluster(plan, scheduler)
    elif jobs > 1:
        from .processes import Processes

        found = Processes(plan, jobs)
    else:
        yield Here(plan)
        return
    with found as hands:
        yield hands
