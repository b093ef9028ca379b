"""The numbers of a sweep in pieces of about a second of work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

FIRST = 16
"""Candidates of the first pieces, of which it is learnt how long one takes."""
MOST = 50_000
"""Candidates of a piece, however quick they are: what a chunk holds is bounded."""
SECONDS = 1.0
"""What a piece should take."""
GROWTH = 4
"""How much longer a piece may be than those before it."""


class Pieces:
    """What is left to do of ranges of numbers, given out from their beginning."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._ranges = deque(ranges)
        self._left = sum(stop - start for start, stop in self._ranges)
        self._length = FIRST

    @property
    def worthwhile(self) -> int:
        """How many places have something to do."""
        return -(-self._left // FIRST)

    def take(self, places: int) -> tuple[int, int] | None:
        """The next piece, for one of so many places that work at once; None where nothing is left.

        Towards the end pieces get shorter, so that all places are at work.

        >>> pieces = Pieces([(0, 20), (40, 80)])
        >>> pieces.take(1), pieces.take(1), pieces.take(1), pieces.take(1)
        ((0, 16), (16, 20), (40, 56), (56, 72))
        >>> pieces.take(1), pieces.take(1)
        ((72, 80), None)
        """
        if not self._ranges:
            return None
        start, stop = self._ranges.popleft()
        length = min(self._length, max(-(-self._left // places), FIRST))
        if start + length < stop:
            self._ranges.appendleft((start + length, stop))
            stop = start + length
        self._left -= stop - start
        return start, stop

    def learn(self, count: int, seconds: float) -> None:
        """How long a piece took."""
        fitting = int(count * SECONDS / max(seconds, 1e-6))
        if fitting < self._length or count >= self._length:
            self._length = max(1, min(fitting, GROWTH * self._length, MOST))
