"""Receptive fields after upsampling: exact, one interval for each position of a repeating pattern.

Behind a convolution the field of position q is [u + q·j, v + q·j]. Behind a transposed convolution or a resize
the fields of neighbouring positions differ in more than their place (each reads floor(k/s) or ceil(k/s)
inputs), but the pattern repeats: position q + period sees what q sees, moved by `step`.
"""

from __future__ import annotations

from math import gcd, lcm
from typing import NamedTuple

from .reads import LARGEST_PERIOD, Reads

Interval = tuple[int, int]


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
    def size(self) -> int:
        """The most that any position sees, from its first to its last input."""
        return max([interval[1] - interval[0] + 1 for interval in self.intervals if interval is not None], default=0)


def _phases(step: int, intervals: list[Interval | None]) -> Phases:
    seen = [interval for interval in intervals if interval is not None]
    monotone = len(seen) == len(intervals)
    if monotone:
        following = [*seen[1:], (seen[0][0] + step, seen[0][1] + step)]
        monotone = all(a[0] <= b[0] and a[1] <= b[1] for a, b in zip(seen, following, strict=True))
    return Phases(step, tuple(intervals), monotone)


def straight(first: int, last: int, jump: int) -> Phases:
    """The pattern of a field that no upsampling has reached: one interval, moving by the jump."""
    return Phases(jump, ((first, last),), True)


def through(before: Phases, reads: Reads) -> Phases | None:
    """The pattern behind one more layer; None where its period would be above `LARGEST_PERIOD`."""
    if not reads.taps:
        return None
    period = len(before.intervals)
    turns = period // gcd(period, reads.shift)
    if turns * reads.period > LARGEST_PERIOD:
        return None
    found: list[Interval | None] = []
    for turn in range(turns):
        moved = turn * reads.shift
        for tap in reads.taps:
            ends = (tap[0], tap[-1]) if before.monotone and len(tap) > 2 else tap
            seen = [interval for t in ends if (interval := before.at(t + moved)) is not None]
            found.append((min([a for a, _ in seen]), max([b for _, b in seen])) if seen else None)
    return _phases(turns * reads.shift // period * before.step, found)


def union(a: Phases, b: Phases) -> Phases | None:
    """The pattern of two paths of one jump that join; None where its period would be above `LARGEST_PERIOD`."""
    period = lcm(len(a.intervals), len(b.intervals))
    if period > LARGEST_PERIOD:
        return None
    found: list[Interval | None] = []
    for q in range(period):
        one, other = a.at(q), b.at(q)
        found.append((min(one[0], other[0]), max(one[1], other[1])) if one and other else one or other)
    return _phases(period // len(a.intervals) * a.step, found)
