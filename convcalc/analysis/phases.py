"""What the positions of an axis see where it repeats: the patterns of receptive fields behind upsampling.

Behind a transposed convolution or a resize the fields of neighbouring positions differ in more than their place (each
reads floor(k/s) or ceil(k/s) inputs), but the pattern repeats: position q + period sees what q sees, moved by `step`.
The first inputs and the last inputs that positions see pass a layer on their own, each wherever they lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import gcd, lcm
from typing import NamedTuple

from .seen import LARGEST_PERIOD, Reads

Interval = tuple[int, int]

MOST_READ = 8
"""Intervals that are united for one of a long pattern, on average."""
SHORT = 256
"""Intervals that are united for a short pattern."""
MOST_REMEMBERED = 64
"""What layers and joins have made of patterns, wherever these lie; a long pattern takes half a megabyte."""


class Pattern(NamedTuple):
    """What the positions 0 … period − 1 see, wherever it lies: the first of them that sees anything sees (0, 0)."""

    step: int
    intervals: tuple[Interval | None, ...]
    """The firsts count from that position's first, the lasts from its last; None for a position that sees nothing."""
    monotone: bool
    """Whether every position sees something, and neither end ever moves back."""
    most: int | None
    """How much more than that position the one sees that sees most; None where none sees anything."""


class Phases(NamedTuple):
    """The intervals that the positions of an axis see: a pattern in its place."""

    first: int
    last: int
    """What the first position sees that sees anything."""
    pattern: Pattern

    @property
    def intervals(self) -> tuple[Interval | None, ...]:
        """What the positions 0 … period − 1 see; None for a position that sees nothing."""
        return tuple([self.at(position) for position in range(self.period)])

    @property
    def period(self) -> int:
        """Positions after which the pattern repeats."""
        return len(self.pattern.intervals)

    @property
    def step(self) -> int:
        """How far what is seen moves from one period to the next."""
        return self.pattern.step

    def at(self, position: int) -> Interval | None:
        """What one position sees."""
        intervals = self.pattern.intervals
        turns, phase = divmod(position, len(intervals))
        interval = intervals[phase]
        if interval is None:
            return None
        moved = turns * self.pattern.step
        return self.first + interval[0] + moved, self.last + interval[1] + moved

    def moved(self, first: int, last: int) -> Phases:
        """The same pattern with its ends elsewhere, by so much."""
        return self if self.pattern.most is None else Phases(self.first + first, self.last + last, self.pattern)

    @property
    def effort(self) -> int:
        """The intervals, by what it takes to follow them."""
        return self.period * (1 if self.pattern.monotone else MOST_READ)

    @property
    def size(self) -> int:
        """The most that any position sees, from its first to its last input."""
        most = self.pattern.most
        return 0 if most is None else self.last - self.first + most + 1


def placed(step: int, intervals: Sequence[Interval | None]) -> Phases:
    """These intervals, which the positions 0 … period − 1 see, and those behind moved by the step.

    >>> placed(4, [None, (3, 5), (2, 9)])
    Phases(first=3, last=5, pattern=Pattern(step=4, intervals=(None, (0, 0), (-1, 4)), monotone=False, most=5))
    """
    seen = [interval for interval in intervals if interval is not None]
    first, last = seen[0] if seen else (0, 0)
    counted = tuple([None if found is None else (found[0] - first, found[1] - last) for found in intervals])
    most = max([b - a - (last - first) for a, b in seen], default=None)
    return Phases(first, last, Pattern(step, counted, _never_back(step, intervals), most))


def _never_back(step: int, intervals: Sequence[Interval | None]) -> bool:
    """Whether every position sees something, and neither end ever moves back."""
    last = intervals[-1]
    if last is None:
        return False
    first, end = last[0] - step, last[1] - step
    for interval in intervals:
        if interval is None or interval[0] < first or interval[1] < end:
            return False
        first, end = interval
    return True


def straight(first: int, last: int, jump: int) -> Phases:
    """The pattern of a field that no upsampling has reached: one interval, moving by the jump."""
    return Phases(first, last, Pattern(jump, ((0, 0),), True, 0))


def through(before: Phases, reads: Reads) -> Phases | None:
    """The pattern behind one more layer; None where it is too long to tabulate.

    Of many inputs that a position reads the outermost decide: the first and the last, or as many as a period has on
    either side where the pattern has gaps.
    """
    if not reads.taps:
        return None
    period, monotone = before.period, before.pattern.monotone
    turns = period // gcd(period, reads.shift)
    outermost = 1 if monotone else period
    ends = [tap if len(tap) <= 2 * outermost else (*tap[:outermost], *tap[-outermost:]) for tap in reads.taps]
    length = turns * reads.period
    if length > LARGEST_PERIOD or turns * sum(map(len, ends)) > max(SHORT, MOST_READ * length):
        return None
    found: list[Interval | None] = []
    for turn in range(turns):
        moved = turn * reads.shift
        for tap in ends:
            seen = [interval for t in tap if (interval := before.at(t + moved)) is not None]
            if monotone and seen:
                found.append((seen[0][0], seen[-1][1]))
            else:
                found.append((min([a for a, _ in seen]), max([b for _, b in seen])) if seen else None)
    return placed(turns * reads.shift // period * before.step, found)


def union(a: Phases, b: Phases) -> Phases | None:
    """The pattern of two paths of one jump that join; None where its period would be above `LARGEST_PERIOD`."""
    found = _united(a.pattern, b.moved(-a.first, -a.last))
    return None if found is None else found.moved(a.first, a.last)


@lru_cache(maxsize=MOST_REMEMBERED)
def _united(pattern: Pattern, other: Phases) -> Phases | None:
    """The union of a pattern whose ends lie at 0 and another one."""
    one = Phases(0, 0, pattern)
    period = lcm(one.period, other.period)
    if period > LARGEST_PERIOD:
        return None
    found: list[Interval | None] = []
    for q in range(period):
        x, y = one.at(q), other.at(q)
        found.append((min(x[0], y[0]), max(x[1], y[1])) if x and y else x or y)
    return placed(period // one.period * one.step, found)
