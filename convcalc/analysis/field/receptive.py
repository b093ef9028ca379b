"""The receptive field of every node: one pass over the graph, in integers (Fractions after upsampling).

Followed are the space axes of the network's input. Rules:
- An axis behind a global pool, a linear layer or a broadcast sees one interval from every position: its jump
  is None, and no window that slides over it later makes it larger.
- Paths that join are united. Where their jumps differ no interval moves with the position any more; where
  their centres differ the union is larger than each path. Both are recorded in `notes`, neither is an error.
- Flattening keeps what an element sees, but not along one axis; only reading all of them sees everything.
- A node that several inputs of the network reach is followed from the first of them (or from `origin`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...geometry import IDENTITY, AdaptiveWindow
from .advance import AxisField, advance, joined, source, spread

if TYPE_CHECKING:
    from ...layers.base import Layer, Shape, Shapes
    from ...network import Network

Fields = tuple[AxisField, ...]


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


class Step(NamedTuple):
    """A layer as the pass needs it, for inputs of given shapes."""

    kept: bool
    """Every axis is its input's, unmoved."""
    view: bool
    maps: tuple[tuple[int, object] | None, ...]
    """Input axis -> (output axis, its map or None for the whole axis); None where no output axis follows it."""
    data: int | None


def receptive_fields(network: Network, origin: int | None = None) -> ReceptiveFields:
    """The receptive field of every node, from the first input of the network that reaches it, or from `origin`.

    Linear in layers and edges. `origin` is the index of an input's node.
    """
    nodes = network.nodes
    fields: list[Fields | None] = []
    origins: list[int] = []
    notes: list[Note] = []
    steps: dict[tuple[int, Shapes], Step] = {}
    for index, (name, layer, inputs, shape) in enumerate(nodes):
        if layer is None:
            followed = origin is None or origin == index
            origins.append(index if followed else -1)
            fields.append(tuple([source(axis) for axis in range(1, len(shape))]) if followed else None)
            continue
        shapes = tuple([nodes[i].shape for i in inputs])
        key = (id(layer), shapes)
        step = steps.get(key)
        if step is None:
            step = steps[key] = _step(layer, shapes)
        read = inputs[: step.data] if step.data is not None else inputs
        start = _origin(origins, read)
        origins.append(start)
        if start < 0:
            fields.append(None)
            continue
        sizes = nodes[start].shape
        found: Fields | None = None
        first = -1
        for which, i in enumerate(read):
            if origins[i] != start:
                continue
            arrived = fields[i]
            assert arrived is not None
            passed = _passed(step, arrived, shapes[which], shape, sizes)
            if found is None:
                found, first = passed, i
            elif passed != found:
                found = _join(found, passed, shape, sizes, notes, name, (nodes[first].name, nodes[i].name))
        fields.append(found)
    return ReceptiveFields(fields, origins, notes)


def _origin(origins: Sequence[int], read: Sequence[int]) -> int:
    """The first input of the network that reaches what is read; −1 where none does."""
    if len(read) == 1:
        return origins[read[0]]
    return min([origins[i] for i in read if origins[i] >= 0], default=-1)


def _step(layer: Layer, shapes: Shapes) -> Step:
    links = layer.axes(shapes)
    maps: list[tuple[int, object] | None] = [None] * max(len(shape) for shape in shapes)
    for axis, link in enumerate(links):
        if link is not None:
            everything = isinstance(link.map, AdaptiveWindow) and link.map.output == 1
            maps[link.source] = (axis, None if everything else link.map)
    kept = all(link is not None and link == (axis, IDENTITY) for axis, link in enumerate(links))
    return Step(kept and len(links) == len(shapes[0]), layer.is_view, tuple(maps), layer.data_inputs)


def _passed(step: Step, fields: Fields, read: Shape, shape: Shape, sizes: Shape) -> Fields:
    """The fields of one input behind the layer."""
    if step.kept and read == shape:
        return fields
    return tuple([_along(step, field, read, shape, size) for field, size in zip(fields, sizes[1:], strict=True)])


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


def _join(
    a: Fields, b: Fields, shape: Shape, sizes: Shape, notes: list[Note], name: str, paths: tuple[str, str]
) -> Fields:
    """The union of two paths' fields; what differs in step or place is noted."""
    return tuple(
        [
            one if one == other else _join_axis(one, other, axis, shape, size, notes, name, paths)
            for axis, (one, other, size) in enumerate(zip(a, b, sizes[1:], strict=True), start=1)
        ]
    )


def _join_axis(
    a: AxisField,
    b: AxisField,
    axis: int,
    shape: Shape,
    size: int,
    notes: list[Note],
    name: str,
    paths: tuple[str, str],
) -> AxisField:
    if a.jump is not None and b.jump is not None:
        if a.jump == b.jump and a.axis == b.axis:
            if a.first + a.last != b.first + b.last:
                message = (
                    f"on axis {axis} the field of {paths[0]} is centred {_offset(a, b)} pixels from that of "
                    f"{paths[1]}: the union is larger than both"
                )
                notes.append(Note("misaligned", name, message, paths))
            return joined(a, b)
        message = f"on axis {axis} {paths[0]} moves by {a.jump} pixels a position and {paths[1]} by {b.jump}"
        notes.append(Note("unequal_jumps", name, message, paths))
    one, other = (spread(f, shape[f.axis] if f.axis is not None else 1, size) for f in (a, b))
    first, last = min(one.first, other.first), max(one.last, other.last)
    return AxisField(None, first, last, None, last - first + 1, None, one.exact and other.exact)


def _offset(a: AxisField, b: AxisField) -> str:
    from fractions import Fraction

    return str(abs(Fraction(a.first + a.last - b.first - b.last) / 2))
