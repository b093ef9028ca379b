"""Python's cyclic garbage collector while a large network is built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY_OBJECTS = 10_000
"""Built ones that count as old; to find out whether the caller froze something is a walk through all of that."""


@contextmanager
def without_collector() -> Iterator[None]:
    """The cyclic collector stands still, since many small objects are built that all stay alive; then it is as before.

    What has been built counts as old then, where it is much: otherwise the next allocation would go through all of it.

    >>> with without_collector():
    ...     gc.isenabled()
    False
    """
    collecting = gc.isenabled()
    gc.disable()
    before, *_ = gc.get_count()
    try:
        yield
    finally:
        if collecting:
            built = gc.get_count()[0] - before
            if built > MANY_OBJECTS and not gc.get_freeze_count():  # what the caller froze stays frozen
                gc.freeze()
                gc.unfreeze()
            gc.enable()
