"""The receptive field of every node: one pass over the graph, in integers (Fractions after upsampling).

A field is kept axis by axis in the coordinates of the network's input, padding as negative positions: output position q
sees [u + q·j, v + q·j], from u = v = 0 and j = 1 at the input.
Source: Araujo, Norris & Sim 2019, Computing Receptive Fields of Convolutional Neural Networks, Distill
(10.23915/distill.00021), whose r, S and P are v − u + 1, j and −u.

Behind a transposed convolution or a resize the fields of neighbouring positions differ in more than their place: what
they see is a pattern that repeats (`phases.py`).

Followed are the space axes of the network's input. Rules:
- An axis behind a global pool, a linear layer or a broadcast sees one interval from every position: its jump
  is None, and no window that slides over it later makes it larger.
- Paths that join are united. Where their jumps differ no interval moves with the position any more; where
  their centres differ the union is larger than each path. Both are recorded in `notes`, neither is an error.
- Local fields leave out global context: where a path that sees one interval from every position joins one that moves
  (the gate of squeeze and excitation, a pooled branch), the union is that of the paths that move. Without it every
  later field is the whole input.
- Flattening keeps what an element sees, but not along one axis; only reading all of them sees everything.
- A node that several inputs of the network reach is followed from the first of them (or from `origin`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, overload

from ..collector import without_collector
from ..geometry import IDENTITY, AxisMap, Window, formula
from ..network import works
from .field_steps import Reading, Step, reading
from .phases import MOST_REMEMBERED, Pattern, Phases, straight, through, union
from .seen import Rational, reads, whole

if TYPE_CHECKING:
    from ..layers.base import Shape
    from ..network import Network, Node


MOST_TABULATED = 500_000
"""Intervals of patterns that one pass tabulates."""

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

    def bounded(self) -> AxisField:
        """The field without its pattern: the most that a position sees stays exact, its place becomes a bound."""
        return self if self.phases is None else self._replace(phases=None, exact=False)

    @property
    def start(self) -> Rational:
        """The first input that position 0 sees, negative inside the padding."""
        return self.first if self.phases is None else (self.at(0) or (self.first, self.last))[0]

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


def sources(axes: int) -> Fields:
    """The fields of so many space axes of the network's input."""
    return _settled_axes([source(axis) for axis in range(1, axes + 1)])


def spread(field: AxisField, positions: int, size: int) -> AxisField:
    """The field of something that reads all `positions` of an axis: one interval for all, within the input."""
    if field.jump is None:
        return field._replace(axis=None, size=max(field_size(field.first, field.last), 0))
    if field.phases is not None:
        period = min(positions, field.phases.period)
        outermost = {*range(period), *range(positions - period, positions)}
        seen = [interval for q in outermost if (interval := field.phases.at(q)) is not None]
        first: Rational = min([a for a, _ in seen], default=0)
        last: Rational = max([b for _, b in seen], default=-1)
    else:
        first, last = field.first, field.last + (positions - 1) * field.jump
    first, last = max(first, 0), min(last, size - 1)
    return AxisField(None, first, last, None, max(field_size(first, last), 0), None, field.exact)


def advance(field: AxisField, axis: int, axis_map: AxisMap, positions: int, size: int) -> AxisField:
    """The field behind an axis map whose output axis is `axis`.

    `positions` are those of the axis that is read, `size` the network's input's. A field that does not move
    stays as it is, whatever window slides over it.
    """
    _, first, last, jump, _, phases, exact = field
    if jump is None:
        return field
    if type(axis_map) is Window and phases is None and exact:
        kernel_size, stride, before, _, dilation = axis_map
        first = field_first(first, before, jump)
        last = field_last(last, kernel_size, before, dilation, jump)
        return AxisField(axis, first, last, field_jump(jump, stride), field_size(first, last))
    behind = _behind(axis_map, jump, None if phases is None else phases.pattern, exact)
    if behind is None:
        return spread(field, 1, size)
    to_first, to_last, moved, seen = behind
    if seen is not None:
        seen = seen.moved(*_ends(field))
    return _settled(axis, whole(first + to_first), whole(last + to_last), moved, seen)


class _Behind(NamedTuple):
    """What a layer makes of a field, wherever it lies."""

    first: Rational
    last: Rational
    """By how much it moves the ends of the field."""
    jump: Rational
    phases: Phases | None
    """What is seen behind it of a pattern whose ends lie at 0; None where only bounds are known."""


@lru_cache(maxsize=MOST_REMEMBERED)
def _behind(axis_map: AxisMap, jump: Rational, pattern: Pattern | None, exact: bool) -> _Behind | None:
    """What an axis map makes of fields of this jump that have this pattern, or none; None where all positions read the
    same inputs."""
    found = reads(axis_map)
    if found.fixed:
        return None
    if pattern is None and exact:
        assert isinstance(jump, int)
        pattern = straight(0, 0, jump).pattern
    seen = None if pattern is None else through(Phases(0, 0, pattern), found)
    return _Behind(found.first * jump, found.last * jump, whole(jump * found.ratio), seen)


def _ends(field: AxisField) -> tuple[int, int]:
    """Where a field lies that has a pattern, or is one interval."""
    if field.phases is not None:
        return field.phases.first, field.phases.last
    assert isinstance(field.first, int) and isinstance(field.last, int)
    return field.first, field.last


def _pattern(field: AxisField) -> Phases | None:
    """The field as a pattern; None where only bounds are known."""
    if field.phases is not None or not field.exact:
        return field.phases
    assert isinstance(field.jump, int)
    return straight(*_ends(field), field.jump)


def _settled(
    axis: int | None, first: Rational, last: Rational, jump: Rational | None, seen: Phases | None
) -> AxisField:
    """The field of which these bounds are known, and what is seen; a pattern of one interval is the field itself."""
    if seen is None:
        return AxisField(axis, first, last, jump, field_size(first, last) // 1, None, False)
    if len(seen.pattern.intervals) > 1 or seen.pattern.most is None:
        return AxisField(axis, first, last, jump, seen.size, seen)
    return AxisField(axis, seen.first, seen.last, jump, field_size(seen.first, seen.last))


def joined(a: AxisField, b: AxisField) -> AxisField:
    """The union of the fields of two paths of one jump on one axis."""
    axis, first, last, jump, _, phases, exact = a
    _, other_first, other_last, _, _, other_phases, other_exact = b
    first, last = min(first, other_first), max(last, other_last)
    if phases is None and other_phases is None:
        return AxisField(axis, first, last, jump, field_size(first, last), None, exact and other_exact)
    one, other = _pattern(a), _pattern(b)
    return _settled(axis, first, last, jump, None if one is None or other is None else union(one, other))


class Square(Sequence[AxisField]):
    """Fields that are the same on all axes, each along a space axis: what is followed on the first holds for all."""

    __slots__ = ("axes", "first")

    def __init__(self, first: AxisField, axes: tuple[int, ...]) -> None:
        self.first = first
        """The field on the first of the axes."""
        self.axes = axes
        """The output axes along which they move."""

    @overload
    def __getitem__(self, index: int) -> AxisField: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[AxisField, ...]: ...
    def __getitem__(self, index: int | slice) -> AxisField | tuple[AxisField, ...]:
        return tuple(self)[index] if isinstance(index, slice) else self.first._replace(axis=self.axes[index])

    def __iter__(self) -> Iterator[AxisField]:
        return iter([self.first._replace(axis=axis) for axis in self.axes])

    def __len__(self) -> int:
        return len(self.axes)

    def __eq__(self, other: object) -> bool:
        return type(other) is Square and self.first == other.first and self.axes == other.axes

    def __hash__(self) -> int:
        return hash((self.first, self.axes))

    def __repr__(self) -> str:
        return f"Square{tuple(self)}"


Fields = tuple[AxisField, ...] | Square
"""What is seen of each space axis of the network's input."""


class Note(NamedTuple):
    """Paths that join although what they see differs in step or in place."""

    kind: Literal["unequal_jumps", "misaligned"]
    node: str
    message: str
    paths: tuple[str, str]
    """The nodes that end the two paths."""


class ReceptiveFields(NamedTuple):
    """The fields of all nodes, in the order of the nodes."""

    fields: list[Fields | None]
    """For each node, its field on each space axis of the input that it is followed from; None where none reaches it."""
    origins: list[int]
    """For each node, the input of the network that it is followed from; −1 where none reaches it."""
    notes: list[Note]


class Following:
    """One pass from the front to the back: what it has noted, and how many intervals of patterns it has tabulated."""

    def __init__(self, local: bool = False, nodes: Sequence[Node] = ()) -> None:
        self.local = local
        """Whether global context is left out."""
        self.nodes = nodes
        """Those of the network, whose names notes have."""
        self.notes: list[Note] = []
        self.tabulated = 0

    def behind(
        self, layer: Reading, arrived: Sequence[Fields | None], sizes: Shape, name: str = "", read: Sequence[int] = ()
    ) -> Fields | None:
        """The fields behind a layer of what arrives at the inputs that it reads as data, None where none is followed.

        `sizes` is the shape of the network's input that is followed, `read` are the nodes that end the paths.
        """
        ways, shapes, shape = layer
        found: Fields | None = None
        first = -1
        for which, fields in enumerate(arrived):
            if fields is None:
                continue
            passed = self.through(ways[which if len(ways) > 1 else 0], fields, shapes[which], shape, sizes)
            if found is None:
                found, first = passed, which
            elif passed == found:
                continue
            elif type(found) is type(passed) is Square and _are_aligned(found, passed):
                found = Square(joined(found.first, passed.first), found.axes)
            else:
                ends = (self.nodes[read[first]].name, self.nodes[read[which]].name) if read else ("", "")
                found = _join(found, passed, shape, sizes, _Join(name, ends, self.notes, self.local))
        return found

    def through(self, step: Step, fields: Fields, read: Shape, shape: Shape, sizes: Shape) -> Fields:
        """The fields of one input, of shape `read`, behind a layer whose output has `shape`."""
        if self.tabulated > MOST_TABULATED:
            fields = _settled_axes([field.bounded() for field in fields])
        if step.kept and read == shape:
            return fields
        if step.slides is not None and type(fields) is Square:
            first = fields.first
            if step.still and first.phases is None and first.exact:
                return fields
            made = advance(first, fields.axes[0], step.slides, read[1], sizes[1])
            if made.jump is not None:  # what stands still is cut to its own axis of the input
                if made.phases is not None:
                    self.tabulated += made.phases.effort * len(fields)
                return Square(made, fields.axes)
        passed = [_along(step, field, read, shape, size) for field, size in zip(fields, sizes[1:], strict=True)]
        self.tabulated += sum([field.phases.effort for field in passed if field.phases is not None])
        return _settled_axes(passed)


def receptive_fields(network: Network, origin: int | None = None, local: bool = False) -> ReceptiveFields:
    """The receptive field of every node, from the first input of the network that reaches it, or from `origin`.

    Linear in layers and edges. `origin` is the index of an input's node; `local` leaves out global context. Patterns
    are followed as long as the network has fewer than `MOST_TABULATED` intervals of them; behind, fields are bounds.
    """
    with without_collector():
        return _receptive_fields(network, origin, local)


def _receptive_fields(network: Network, origin: int | None, local: bool) -> ReceptiveFields:
    nodes = network.nodes
    fields: list[Fields | None] = []
    origins: list[int] = []
    numbers, different = works(network)
    readings = [None, *[reading(*work) if work[1] else None for work in different]]
    kept = [found is not None and found.kept for found in readings]
    following = Following(local, nodes)
    for index, ((name, layer, inputs, shape, _, _), number) in enumerate(zip(nodes, numbers, strict=True)):
        if kept[number] and following.tabulated <= MOST_TABULATED:
            origins.append(origins[inputs[0]])
            fields.append(fields[inputs[0]])
            continue
        if layer is None:
            followed = origin is None or origin == index
            origins.append(index if followed else -1)
            fields.append(sources(len(shape) - 1) if followed else None)
            continue
        found = readings[number]
        if found is None:
            origins.append(-1)
            fields.append(None)
            continue
        ways, shapes, _ = found
        read = inputs[: ways[0].data]
        passed: Fields | None = None
        if len(read) == 1:
            start, arriving = origins[read[0]], fields[read[0]]
            if arriving is not None:
                passed = following.through(ways[0], arriving, shapes[0], shape, nodes[start].shape)
        else:
            start = min([origins[i] for i in read if origins[i] >= 0], default=-1)
            arrived = [fields[i] if origins[i] == start else None for i in read]
            passed = following.behind(found, arrived, nodes[start].shape, name, read)
        origins.append(start)
        fields.append(passed)
    return ReceptiveFields(fields, origins, following.notes)


def _settled_axes(fields: Sequence[AxisField]) -> Fields:
    """The fields of all axes, square where they are."""
    axes = tuple([field.axis for field in fields if field.axis])
    seen = {field[1:] for field in fields}
    return Square(fields[0], axes) if len(seen) == 1 and len(axes) == len(fields) else tuple(fields)


def _along(step: Step, field: AxisField, read: Shape, shape: Shape, size: int) -> AxisField:
    axis = field.axis
    if axis is None:
        # What was flattened is seen whole by whatever does not keep its elements apart.
        return field if step.kept or step.view else spread(field, 1, size)
    moved = step.maps[axis]
    if moved is None:
        hull = spread(field, read[axis], size)
        return hull._replace(size=field.size) if step.view else hull
    to, axis_map = moved
    if axis_map is None:
        return spread(field, read[axis], size)
    if read[axis] == 1 and axis_map == IDENTITY and shape[to] > 1:
        return spread(field, 1, size)
    return advance(field, to, axis_map, read[axis], size)


def _are_aligned(a: Square, b: Square) -> bool:
    """Whether the fields of two paths move alike, along the same axes and about the same centre."""
    one, other = a.first, b.first
    if one.jump is None or one.jump != other.jump or one.first + one.last != other.first + other.last:
        return False
    return a.axes == b.axes


class _Join(NamedTuple):
    """Two paths that join."""

    node: str
    paths: tuple[str, str]
    """The nodes that end them."""
    notes: list[Note]
    """Where it is noted that they differ in step or place."""
    local: bool
    """Whether a path that does not move is left out."""


def _join(a: Fields, b: Fields, shape: Shape, sizes: Shape, join: _Join) -> Fields:
    """The union of two paths' fields; what differs in step or place is noted."""
    return _settled_axes(
        [
            one if one == other else _join_axis(one, other, axis, shape, size, join)
            for axis, (one, other, size) in enumerate(zip(a, b, sizes[1:], strict=True), start=1)
        ]
    )


def _join_axis(a: AxisField, b: AxisField, axis: int, shape: Shape, size: int, join: _Join) -> AxisField:
    paths = join.paths
    if join.local and (a.jump is None) != (b.jump is None):
        return b if a.jump is None else a
    if a.jump is not None and b.jump is not None:
        if a.jump == b.jump and a.axis == b.axis:
            if a.first + a.last != b.first + b.last:
                message = (
                    f"on axis {axis} the field of {paths[0]} is centred {_offset(a, b)} pixels from that of "
                    f"{paths[1]}: the union is larger than both"
                )
                join.notes.append(Note("misaligned", join.node, message, paths))
            return joined(a, b)
        if a.jump != b.jump:
            message = f"on axis {axis} {paths[0]} moves by {a.jump} pixels a position and {paths[1]} by {b.jump}"
            join.notes.append(Note("unequal_jumps", join.node, message, paths))
    one, other = (spread(f, shape[f.axis] if f.axis is not None else 1, size) for f in (a, b))
    first, last = min(one.first, other.first), max(one.last, other.last)
    return AxisField(None, first, last, None, last - first + 1, None, one.exact and other.exact)


def _offset(a: AxisField, b: AxisField) -> str:
    return str(abs(Fraction(a.first + a.last - b.first - b.last) / 2))
