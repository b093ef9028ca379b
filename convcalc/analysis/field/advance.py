"""The receptive field of one axis, and how it grows through one axis map or a join.

A field is kept in the coordinates of the network's input, padding as negative positions: output position q
sees [u + q·j, v + q·j], from u = v = 0 and j = 1 at the input.
Source: Araujo, Norris & Sim 2019, Computing Receptive Fields of Convolutional Neural Networks, Distill
(10.23915/distill.00021), whose r, S and P are v − u + 1, j and −u.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from ...geometry import Window, formula
from .phases import Phases, straight, through, union
from .reads import Rational, Reads, reads, whole

DISTILL = "Araujo, Norris & Sim 2019, Distill, 10.23915/distill.00021"


class AxisField(NamedTuple):
    """What the positions of one output axis see of one axis of the network's input."""

    axis: int | None
    """The output axis along which the field moves; None where it does not."""
    first: Rational
    last: Rational
    """What position 0 sees, or every position where the field does not move. After upsampling bounds, the
    tightest of the form u + q·j; `phases` is then exact."""
    jump: Rational | None
    """Input pixels between neighbouring positions; None where the field does not move along one axis."""
    size: Rational
    """From the first to the last input that one position sees; the most of all positions where they differ."""
    phases: Phases | None = None
    exact: bool = True
    """False where only bounds are known: a resize whose pattern is too long to tabulate."""

    def at(self, position: int) -> tuple[Rational, Rational] | None:
        """The first and last input that one position sees, those in the padding included; None for nothing."""
        if self.phases is not None:
            return self.phases.at(position)
        moved = 0 if self.jump is None else position * self.jump
        return self.first + moved, self.last + moved

    @property
    def start(self) -> Rational:
        """The first input that position 0 sees, negative inside the padding."""
        return (self.at(0) or (self.first, self.last))[0]

    @property
    def centre(self) -> Rational:
        """The middle of what position 0 sees."""
        first, last = self.at(0) or (self.first, self.last)
        return whole(Fraction(first + last) / 2)


@formula("u", "u - pl*j", DISTILL)
def field_first(first: Rational, before: int, jump: Rational) -> Rational:
    """The first input that position 0 of a window's output sees; `first` and `jump` are those of its input.

    >>> field_first(-3, before=1, jump=4)
    -7
    """
    return first - before * jump


@formula("v", "v + (d*(k - 1) - pl)*j", DISTILL)
def field_last(last: Rational, kernel_size: int, before: int, dilation: int, jump: Rational) -> Rational:
    """The last input that position 0 of a window's output sees.

    >>> field_last(7, 3, before=1, dilation=1, jump=4)
    11
    """
    return last + (dilation * (kernel_size - 1) - before) * jump


@formula("j", "j*s", DISTILL)
def field_jump(jump: Rational, stride: int) -> Rational:
    """Input pixels between neighbouring positions of a window's output.

    >>> field_jump(4, stride=2)
    8
    """
    return jump * stride


@formula("r", "v - u + 1", DISTILL)
def field_size(first: Rational, last: Rational) -> Rational:
    """Extent of the receptive field, in pixels of the input.

    >>> field_size(-3, 3)
    7
    """
    return last - first + 1


def source(axis: int) -> AxisField:
    """The field of an axis of the network's input: every position sees itself."""
    return AxisField(axis, 0, 0, 1, 1)


def spread(field: AxisField, positions: int, size: int) -> AxisField:
    """The field of something that reads all `positions` of an axis: one interval for all, within the input."""
    if field.jump is None:
        return field._replace(axis=None, size=max(field_size(field.first, field.last), 0))
    if field.phases is not None:
        seen = [interval for q in range(positions) if (interval := field.phases.at(q)) is not None]
        first: Rational = min([a for a, _ in seen], default=0)
        last: Rational = max([b for _, b in seen], default=-1)
    else:
        first, last = field.first, field.last + (positions - 1) * field.jump
    first, last = max(first, 0), min(last, size - 1)
    return AxisField(None, first, last, None, max(field_size(first, last), 0), None, field.exact)


def advance(field: AxisField, axis: int, axis_map: object, positions: int, size: int) -> AxisField:
    """The field behind an axis map whose output axis is `axis`.

    `positions` are those of the axis that is read, `size` the network's input's. A field that does not move
    stays as it is, whatever window slides over it.
    """
    jump = field.jump
    if jump is None:
        return field
    if type(axis_map) is Window and field.phases is None and field.exact:
        kernel_size, stride, before, _, dilation = axis_map
        first = field_first(field.first, before, jump)
        last = field_last(field.last, kernel_size, before, dilation, jump)
        return AxisField(axis, first, last, field_jump(jump, stride), field_size(first, last))
    found = reads(axis_map)
    if found.fixed:
        return spread(field, 1, size)
    return _advance(field, axis, found)


def _advance(field: AxisField, axis: int, found: Reads) -> AxisField:
    jump = field.jump
    assert jump is not None
    first, last = whole(field.first + found.first * jump), whole(field.last + found.last * jump)
    moved = whole(jump * found.ratio)
    bounds = AxisField(axis, first, last, moved, field_size(first, last), None, False)
    before = _pattern(field)
    return _settled(bounds, None if before is None else through(before, found))


def _pattern(field: AxisField) -> Phases | None:
    """The field as a pattern; None where only bounds are known."""
    if field.phases is not None or not field.exact:
        return field.phases
    assert isinstance(field.first, int) and isinstance(field.last, int) and isinstance(field.jump, int)
    return straight(field.first, field.last, field.jump)


def _settled(bounds: AxisField, phases: Phases | None) -> AxisField:
    """The bounds with their pattern; a pattern of one interval is the field itself."""
    if phases is None:
        return bounds._replace(size=bounds.size // 1)
    if len(phases.intervals) == 1 and phases.intervals[0] is not None:
        first, last = phases.intervals[0]
        return AxisField(bounds.axis, first, last, bounds.jump, field_size(first, last))
    return bounds._replace(size=phases.size, phases=phases, exact=True)


def joined(a: AxisField, b: AxisField) -> AxisField:
    """The union of the fields of two paths of one jump on one axis."""
    first, last = min(a.first, b.first), max(a.last, b.last)
    bounds = AxisField(a.axis, first, last, a.jump, field_size(first, last), None, a.exact and b.exact)
    if a.phases is None and b.phases is None:
        return bounds
    one, other = _pattern(a), _pattern(b)
    return _settled(bounds._replace(exact=False), None if one is None or other is None else union(one, other))
