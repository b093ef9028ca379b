"""Memory that is freed stays with the process, for the next array."""

from __future__ import annotations

import numpy as np

KEPT_BYTES = 16 << 20


def keep_freed_memory() -> None:
    """Let the allocator keep freed arrays of up to `KEPT_BYTES` instead of giving their memory back to the system.

    The system zeroes every page that it hands out: for the arrays of a network that takes a quarter of the time
    of its layers. The C library of Linux gives back what it mapped for a large block, and raises the size from
    which it does so to that of the largest block freed (mallopt(3), M_MMAP_THRESHOLD). So one is allocated here and
    freed, never touched. Elsewhere this has no effect.
    """
    np.empty(KEPT_BYTES, np.uint8)
