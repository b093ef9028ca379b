"""What the positions of an axis see where it repeats: the patterns of receptive fields behind upsampling.

Behind a transposed convolution or a resize the fields of neighbouring positions differ in more than their place (each
reads floor(k/s) or ceil(k/s) inputs), but the pattern repeats: position q + period sees what q sees, moved by `step`.
"""

from __future__ import annotations

from math import gcd, lcm
from typing import NamedTuple

from .seen import LARGEST_PERIOD, Reads

Interval = tuple[int, int]

MOST_READ = 8
"""Intervals that are united for one of a long pattern, on average."""
SHORT = 256
"""Intervals that are united for a short pattern."""


class Phases(NamedTuple):
    """The intervals that the positions 0 … period − 1 see; None for a position that sees nothing."""

    step: int
    intervals: tuple[Interval | None, ...]
    monotone: bool
    """Whether every position sees something, and neither end ever moves back."""

    def at(self, position: int) -> Interval | None:
        """What one position sees."""
        turns, phase = divmod(position, len(self.intervals))
        interval = self.intervals[phase]
        return None if interval is None else (interval[0] + turns * self.step, interval[1] + turns * self.step)

    @property
    def effort(self) -> int:
        """The intervals, by what it takes to follow them."""
        return len(self.intervals) * (1 if self.monotone else MOST_READ)

    @property
    def size(self) -> int:
        """The most that any position sees, from its first to its last input."""
        return max([interval[1] - interval[0] + 1 for interval in self.intervals if interval is not None], default=0)


def pattern(step: int, intervals: list[Interval | None]) -> Phases:
    """The pattern of these intervals."""
    return Phases(step, tuple(intervals), _never_back(step, intervals))


def _never_back(step: int, intervals: list[Interval | None]) -> bool:
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
    return Phases(jump, ((first, last),), True)


def through(before: Phases, reads: Reads) -> Phases | None:
    """The pattern behind one more layer; None where it is too long to tabulate.

    Of many inputs that a position reads the outermost decide: the first and the last, or as many as a period has on
    either side where the pattern has gaps.
    """
    if not reads.taps:
        return None
    period = len(before.intervals)
    turns = period // gcd(period, reads.shift)
    outermost = 1 if before.monotone else period
    ends = [tap if len(tap) <= 2 * outermost else (*tap[:outermost], *tap[-outermost:]) for tap in reads.taps]
    length = turns * reads.period
    if length > LARGEST_PERIOD or turns * sum(map(len, ends)) > max(SHORT, MOST_READ * length):
        return None
    found: list[Interval | None] = []
    for turn in range(turns):
        moved = turn * reads.shift
        for tap in ends:
            seen = [interval for t in tap if (interval := before.at(t + moved)) is not None]
            if before.monotone and seen:
                found.append((seen[0][0], seen[-1][1]))
            else:
                found.append((min([a for a, _ in seen]), max([b for _, b in seen])) if seen else None)
    return pattern(turns * reads.shift // period * before.step, found)


def union(a: Phases, b: Phases) -> Phases | None:
    """The pattern of two paths of one jump that join; None where its period would be above `LARGEST_PERIOD`."""
    period = lcm(len(a.intervals), len(b.intervals))
    if period > LARGEST_PERIOD:
        return None
    found: list[Interval | None] = []
    for q in range(period):
        one, other = a.at(q), b.at(q)
        found.append((min(one[0], other[0]), max(one[1], other[1])) if one and other else one or other)
    return pattern(period // len(a.intervals) * a.step, found)
