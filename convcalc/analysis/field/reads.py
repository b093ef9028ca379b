"""Which inputs one output position of an axis reads, for every kind of axis map, without clipping at the borders.

All maps repeat: where the position grows by `period`, the inputs that it reads move by `shift`. A convolution
has period 1 and shift s, a transposed one period s and shift 1, a resize from i to o period o/g and shift i/g
with g = gcd(i, o).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from ...geometry import AdaptiveWindow, AxisMap, Resize, TransposedWindow, Window, adaptive_window

LARGEST_PERIOD = 4096
"""Positions up to which a map is tabulated; beyond, only its bounds are known."""

Rational = int | Fraction


class Reads(NamedTuple):
    """The reading of one axis: position q reads from `first` + q·ratio to `last` + q·ratio at the most."""

    ratio: Rational
    first: Rational
    last: Rational
    taps: tuple[Sequence[int], ...]
    """The inputs that the positions of one period read; empty where the period is above `LARGEST_PERIOD`."""
    shift: int
    """How far the inputs move from one period to the next."""
    fixed: bool
    """Whether all positions read the same inputs."""

    @property
    def period(self) -> int:
        """Positions after which the pattern repeats."""
        return len(self.taps)


def whole(value: Rational) -> Rational:
    """The value as an int where it is one.

    >>> whole(Fraction(4, 2)), whole(Fraction(1, 2))
    (2, Fraction(1, 2))
    """
    return value.numerator if value.denominator == 1 else value


def ratio(axis_map: AxisMap) -> Rational:
    """Inputs by which the reading moves from one output position to the next.

    >>> ratio(Window(3, 2)), ratio(TransposedWindow(2, 2))
    (2, Fraction(1, 2))
    """
    match axis_map:
        case Window():
            return axis_map.stride
        case TransposedWindow():
            return whole(Fraction(1, axis_map.stride))
        case AdaptiveWindow():
            return whole(Fraction(axis_map.size, axis_map.output))
    if axis_map.align_corners:
        return whole(Fraction(axis_map.size - 1, axis_map.output - 1)) if axis_map.output > 1 else 0
    if axis_map.scale is not None:
        return whole(1 / Fraction(axis_map.scale))
    return whole(Fraction(axis_map.size, axis_map.output))


def taps(axis_map: AxisMap, position: int) -> Sequence[int]:
    """The inputs that one output position reads, those beyond the borders included, in rising order.

    Resizing: PyTorch aten/src/ATen/native/UpSample.h; taps of weight 0 are none, and an index clamped to the
    border stands for the one beyond it.

    >>> list(taps(Window(3, 2, 1, 1), 0)), list(taps(TransposedWindow(3, 2, 1, 1), 1))
    ([-1, 0, 1], [0, 1])
    """
    match axis_map:
        case Window(k, s, before, _, d):
            start = position * s - before
            return range(start, start + d * (k - 1) + 1, d)
        case TransposedWindow(k, s, before, _, d, _):
            reached = (position + before - t * d for t in reversed(range(k)))
            return [place // s for place in reached if place % s == 0]
        case AdaptiveWindow(size, output):
            return range(*adaptive_window(size, output, position))
    return _interpolated(axis_map, position)


def _interpolated(resize: Resize, position: int) -> Sequence[int]:
    step = ratio(resize)
    if resize.mode == "nearest":
        return (int(position * step // 1),)
    if resize.mode == "nearest-exact":
        return (int((position + Fraction(1, 2)) * step // 1),)
    place = position * step if resize.align_corners else (position + Fraction(1, 2)) * step - Fraction(1, 2)
    left = int(place // 1)
    if place == left:
        return (left,)
    return range(left, left + 2) if resize.mode == "linear" else range(left - 1, left + 3)


@lru_cache(maxsize=4096)
def reads(axis_map: AxisMap) -> Reads:
    """The reading of an axis map.

    >>> reads(Window(7, 2, 3, 3))[:3], reads(TransposedWindow(2, 2))[:3]
    ((2, -3, 3), (Fraction(1, 2), Fraction(-1, 2), 0))
    """
    step = ratio(axis_map)
    if type(axis_map) is Window:
        tap = taps(axis_map, 0)
        return Reads(step, tap[0], tap[-1], (tap,), axis_map.stride, False)
    if isinstance(axis_map, Resize) and (step == 0 or axis_map.size == 1):
        return Reads(step, 0, 0, ((0,),), 0, True)
    period = step.denominator
    if period > LARGEST_PERIOD:
        assert isinstance(axis_map, (Resize, AdaptiveWindow))
        reach = 3 if isinstance(axis_map, Resize) and axis_map.mode == "cubic" else 2
        return Reads(step, -reach, step + reach, (), step.numerator, False)
    table = tuple(taps(axis_map, q) for q in range(period))
    first = min(tap[0] - q * step for q, tap in enumerate(table) if tap)
    last = max(tap[-1] - q * step for q, tap in enumerate(table) if tap)
    return Reads(step, whole(first), whole(last), table, step.numerator, False)
