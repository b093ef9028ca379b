"""Many files: one after the other, or by several processes where that is worth their start."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ..findings import UsageError
from .run import Checked, Task, check_file

WORTHWHILE = 16
"""Files for each process from which a pool pays for its start."""


def check_files(tasks: Sequence[Task], jobs: int | None = None) -> Iterator[Checked]:
    """Each file checked, in the order of the tasks; `jobs` None: as many processes as are worthwhile."""
    processes = min(_processors(), len(tasks) // WORTHWHILE) if jobs is None else min(jobs, len(tasks))
    if processes < 2 or any(task.path == "-" for task in tasks):
        yield from map(check_file, tasks)
        return
    yield from _in_processes(tasks, processes)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_processes(tasks: Sequence[Task], processes: int) -> Iterator[Checked]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_all_start_methods, get_context

    from . import expect, published_claims, rules  # noqa: F401  (forked processes share what is imported here)

    # A forked process starts in a millisecond with everything imported; this program has one thread.
    method = "fork" if "fork" in get_all_start_methods() else "spawn"
    chunk = max(1, len(tasks) // (processes * 8))
    with ProcessPoolExecutor(processes, mp_context=get_context(method)) as pool:
        try:
            yield from pool.map(check_file, tasks, chunksize=chunk)
        except BrokenProcessPool:
            raise UsageError("a process of the check was ended from outside", "try --jobs 1") from None
