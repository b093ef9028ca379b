"""Operators that move all numbers about: reshaping, transposing, joining, repeating."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, prod

from ...geometry import Window
from ...layers.base import Shape
from ...layers.opaque import broadcast
from ...models.making import Fields, Unsupported, spelled
from ..builder import Builder
from ..messages import FLOATS, SMALL, Malformed
from ..values import Activation, Call, Constant, Numbers, counted, strides
from .folding import broadcast_to, repeated, taken
from .record import Operator, kept, same, viewed

INTEGERS = frozenset({2, 3, 4, 5, 6, 7, 12, 13})
"""Data types of integers."""


def _alias(b: Builder) -> Activation:
    """The same numbers."""
    return b.activation()


def _cast(call: Call, shape: Shape) -> Constant:
    """Which numbers are integers decides how they are divided."""
    value, to = call.constant(), call.node.integer("to")
    if to in INTEGERS:
        return Constant(shape, _whole(value.numbers))
    return _as_floats(value) if to in FLOATS else value


def _cast_like(call: Call, shape: Shape) -> Constant | None:
    """To the type of the second input, where its numbers show it; what flows is of floats."""
    if isinstance(call.given(0), Activation):
        return None
    value, like = call.constant(), call.value(1)
    if isinstance(like, Activation):
        return _as_floats(value)
    if not isinstance(like, Constant) or not like.numbers:
        return value
    return _as_floats(value) if isinstance(like.numbers[0], float) else Constant(shape, _whole(value.numbers))


def _whole(numbers: Numbers | None) -> Numbers | None:
    """Numbers cut to integers; None where one is none."""
    return tuple(map(int, numbers)) if numbers is not None and all(map(isfinite, numbers)) else None


def _as_floats(value: Constant) -> Constant:
    numbers = value.numbers
    return value if numbers is None or value.floating else value.become(value.shape, tuple(map(float, numbers)))


def reshaped(shape: Shape, target: Sequence[int], allow_zero: bool = False) -> Shape:
    """The shape that Reshape gives: 0 copies a size, one −1 follows from the rest.

    >>> reshaped((2, 3, 4), [0, -1])
    (2, 12)
    """
    sizes = list(target)
    for axis, size in enumerate(sizes):
        if size == 0 and not allow_zero:
            if axis >= len(shape):
                raise Malformed(f"shape {list(target)} copies axis {axis}, which {list(shape)} does not have")
            sizes[axis] = shape[axis]
    total, known = prod(shape), prod(size for size in sizes if size != -1)
    unknown = sizes.count(-1)
    if unknown > 1 or any(size < -1 for size in sizes):
        raise Malformed(f"shape {list(target)} is not one")
    if unknown and known and total % known == 0:
        sizes[sizes.index(-1)] = total // known
    elif unknown or known != total:
        raise Malformed(f"the {total} numbers of {list(shape)} do not fit the shape {list(target)}")
    return tuple(sizes)


def _target(call: Call) -> tuple[int, ...]:
    """What a Reshape asks for."""
    return call.node.integers("shape") or call.integers(1, "sizes")


def _reshape_dims(call: Call) -> Shape:
    return reshaped(call.dims(), _target(call), bool(call.node.integer("allowzero")))


def _reshape(b: Builder) -> Activation:
    """Those that end a channel shuffle, a pixel shuffle or a group norm become one layer with what is before them."""
    value = b.activation()
    if b.node.integers("shape") is None and b.constant(1) is None:
        raise Malformed("its shape is missing")
    dims = _reshape_dims(b.call)
    return _shuffle(b, value, dims) or _group_norm(b, value, dims) or b.relayout(value, dims, target=_target(b.call))


def _shuffle(b: Builder, value: Activation, dims: Shape) -> Activation | None:
    """What Reshape, Transpose, Reshape do together, where that is a channel or pixel shuffle."""
    permuted = b.steps[value.step]
    if permuted.family != "Permute" or not value.batched or dims[:1] != value.dims[:1]:
        return None
    spread = b.steps[permuted.inputs[0]]
    if spread.family not in ("Reshape", "Flatten"):
        return None
    source, order = b.steps[spread.inputs[0]], permuted.fields["dims"]
    start, middle, end = source.shape, spread.shape, dims[1:]
    made: tuple[str, Fields] | None = None
    if end == start and middle == (middle[0], start[0] // middle[0], *start[1:]):
        if order == (1, 0, *range(2, len(middle))):
            made = ("channel_shuffle", {"groups": middle[0]})
    elif len(start) == 3 and len(middle) == 5 and middle[1] == middle[2] and order == (0, 3, 1, 4, 2):
        factor = middle[1]
        if middle[3:] == start[1:] and end == (middle[0], start[1] * factor, start[2] * factor):
            made = ("pixel_shuffle", {"upscale_factor": factor})
    if made is None:
        return None
    return b.emit(made[0], made[1], Activation(spread.inputs[0], (dims[0], *start)))


def _group_norm(b: Builder, value: Activation, dims: Shape) -> Activation | None:
    """PyTorch's group norm: an instance norm of [groups, rest], brought back to the shape from before."""
    norm = b.steps[value.step]
    if norm.family != "InstanceNorm" or not value.batched or dims[:1] != value.dims[:1]:
        return None
    grouped = b.steps[norm.inputs[0]]
    if grouped.family != "Reshape" or b.steps[grouped.inputs[0]].shape != dims[1:]:
        return None
    eps = {name: number for name, number in norm.fields.items() if name == "eps"}
    fields = {"num_groups": grouped.shape[0], "affine": False, **eps}
    return b.emit("group_norm", fields, Activation(grouped.inputs[0], dims))


def _flatten_dims(call: Call) -> Shape:
    dims, axis = call.dims(), call.node.integer("axis", 1)
    if not -len(dims) <= axis <= len(dims):
        raise Malformed(f"axis {axis} does not exist in {list(dims)}")
    axis += len(dims) if axis < 0 else 0
    return (prod(dims[:axis]), prod(dims[axis:]))


def _flatten(b: Builder) -> Activation:
    return b.relayout(b.activation(), _flatten_dims(b.call))


def squeezed(shape: Shape, axes: Sequence[int] | None) -> Shape:
    """A shape without the axes (by default all of size 1).

    >>> squeezed((1, 3, 1), [0])
    (3, 1)
    """
    gone = _gone(shape, axes)
    if any(shape[axis] != 1 for axis in gone):
        raise Malformed(f"axes {sorted(gone)} of {list(shape)} are not all 1")
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


def _gone(shape: Shape, axes: Sequence[int] | None) -> set[int]:
    if axes is None:
        return {axis for axis, size in enumerate(shape) if size == 1}
    return {counted(axis, len(shape)) for axis in axes}


def _squeeze_dims(call: Call) -> Shape:
    return squeezed(call.dims(), call.axes())


def own_axis(value: Activation, axis: int, what: str) -> int:
    """An axis of ONNX's dims as the language counts it. Raises `Unsupported` where it is the batch."""
    if value.batched and not axis:
        raise Unsupported(f"it {what} the batch")
    return axis - value.batched


def _squeeze(b: Builder) -> Activation:
    """Without the batch axis the rest goes on unbatched."""
    value = b.activation()
    dims, gone = _squeeze_dims(b.call), _gone(value.dims, b.call.axes())
    if gone and len(dims) > 1 + value.batched and not (value.batched and 0 in gone):
        return b.emit("squeeze", {"dim": tuple(sorted(axis - value.batched for axis in gone))}, value)
    return b.relayout(value, dims, batched=value.batched and 0 not in gone)


def unsqueezed(shape: Shape, axes: Sequence[int]) -> Shape:
    """A shape with axes of size 1 put in at these positions of the result.

    >>> unsqueezed((3,), [0, -1])
    (1, 3, 1)
    """
    rank = len(shape) + len(axes)
    new = {counted(axis, rank) for axis in axes}
    if len(new) != len(axes):
        raise Malformed(f"axes {list(axes)} name one twice")
    sizes = iter(shape)
    return tuple(1 if axis in new else next(sizes) for axis in range(rank))


def _unsqueeze_axes(call: Call) -> tuple[int, ...]:
    axes = call.axes()
    if axes is None:
        raise Malformed("its axes are missing")
    return axes


def _unsqueeze_dims(call: Call) -> Shape:
    return unsqueezed(call.dims(), _unsqueeze_axes(call))


def _unsqueeze(b: Builder) -> Activation:
    """A new first axis of an unbatched value becomes the batch."""
    value, dims = b.activation(), _unsqueeze_dims(b.call)
    axes = sorted(axis % len(dims) for axis in _unsqueeze_axes(b.call))
    if len(axes) == 1 and axes[0] and value.shape:
        return b.emit("unsqueeze", {"dim": axes[0] - value.batched}, value)
    return b.relayout(value, dims, batched=(axes[:1] == [0]) != value.batched)


def _order(call: Call) -> tuple[int, ...]:
    """The order of a Transpose; by default the reverse."""
    rank = len(call.dims())
    order = call.node.integers("perm") or tuple(reversed(range(rank)))
    if sorted(order) != list(range(rank)):
        raise Malformed(f"perm {list(order)} is no order of {rank} axes")
    return order


def _transpose_dims(call: Call) -> Shape:
    dims = call.dims()
    return tuple(dims[axis] for axis in _order(call))


def _transposed(call: Call, shape: Shape) -> Constant:
    value = call.constant()
    own = strides(value.shape)
    return value.become(shape, taken(value, [own[axis] for axis in _order(call)], [range(size) for size in shape]))


VIEWS = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze"})
"""Families that give the same numbers in the same order."""


def seen_as(b: Builder, value: Activation, dims: Shape, *, batched: bool = True) -> Activation:
    """The same numbers in the same order under other dims: a value from before where it has these, else a reshape."""
    shape = dims[1:] if batched else dims
    number = value.step
    while b.steps[number].family in VIEWS and b.steps[number].shape != shape:
        (number,) = b.steps[number].inputs
    if b.steps[number].shape == shape:
        return Activation(number, dims, batched)
    return b.relayout(value, dims, batched=batched)


def _transpose(b: Builder) -> Activation:
    """One that keeps the batch first, or that moves axes of size 1 alone, so that all numbers stay in order."""
    value, order = b.activation(), _order(b.call)
    if order == tuple(range(len(order))):
        return value
    if not value.batched and len(value.dims) > 1:
        wide = [axis for axis in order if value.dims[axis] != 1]
        if wide == sorted(wide):
            dims = _transpose_dims(b.call)
            return seen_as(b, value, dims, batched=dims[0] == 1)
    if value.batched and order[0] != 0:
        raise Unsupported("it moves the batch")
    return b.emit("permute", {"dims": tuple(axis - 1 for axis in order[1:]) if value.batched else order}, value)


def _concat_dims(call: Call) -> Shape:
    first, axis = call.dims(), call.axis(1)
    shapes = [value.dims for value in call.inputs if value is not None]
    if any(len(shape) != len(first) for shape in shapes):
        raise Malformed("its inputs have different ranks")
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def _concatenated(call: Call, shape: Shape) -> Constant:
    parts, axis = [value for value in call.inputs if isinstance(value, Constant)], call.axis(1)
    if any(part.numbers is None for part in parts) or prod(shape) > SMALL:
        return Constant(shape, floating=any(part.floating for part in parts))
    numbers: list[float] = []
    for row in range(prod(shape[:axis])):
        for part in parts:
            width = prod(part.shape[axis:])
            numbers += (part.numbers or ())[row * width : (row + 1) * width]
    return Constant(shape, tuple(numbers))


def _concat(b: Builder) -> Activation:
    """Of activations and constants, which are layers of their own; two slices of one tensor may be a `roll`."""
    given = [b.call.given(position) for position in range(max(len(b.call.inputs), 1))]
    flows = any(isinstance(value, Activation) and value.batched for value in given)
    values = [value if isinstance(value, Activation) else b.parameter(value) for value in given if 0 not in value.dims]
    if flows:
        values = [b.batched(value) if value.dims[:1] == (1,) and not value.batched else value for value in values]
    if len(values) == 1:
        return values[0]
    if len({value.batched for value in values}) > 1:
        raise Unsupported("it joins inputs with and without a batch")
    dim = own_axis(values[0], b.call.axis(1), "joins along")
    return _rolled(b, values, dim) or b.emit("concat", spelled("concat", {"dim": dim}), *values)


def _cut_of(b: Builder, value: Activation) -> tuple[int, int, range] | None:
    """(step, axis, positions) of which a value is a part, where it is a part of one axis without gaps."""
    step = b.steps[value.step]
    if step.layer is None or step.layer.batch_axes or step.node.op not in ("Slice", "Split", "Gather"):
        return None
    source = b.steps[step.inputs[0]].shape
    changed = [axis for axis, (a, c) in enumerate(zip(source, step.shape, strict=False)) if a != c]
    links = step.layer.axes((source,))
    link = links[changed[0]] if len(changed) == 1 and len(source) == len(step.shape) else None
    if link is None or not isinstance(link.map, Window) or link.map.stride != 1:
        return None
    start = -link.map.before
    return step.inputs[0], changed[0], range(start, start + step.shape[changed[0]])


def _rolled(b: Builder, values: Sequence[Activation], dim: int) -> Activation | None:
    """What leaves at the end of an axis put before the rest of it, or the other way round."""
    cuts = [cut for value in values if (cut := _cut_of(b, value)) is not None]
    if len(values) != 2 or len(cuts) != 2:
        return None
    (step, axis, last), (other, along, first) = cuts
    shape = b.steps[step].shape
    whole = range(shape[axis])
    if (step, axis) != (other, along) or axis != dim or (first, last) != (whole[: last.start], whole[last.start :]):
        return None
    batched = values[0].batched
    source = Activation(step, (values[0].dims[0], *shape) if batched else shape, batched)
    return _with_roll_before(b, source, len(last) if len(last) < len(first) else -len(first), dim)


def _with_roll_before(b: Builder, value: Activation, shift: int, dim: int) -> Activation:
    """One roll of this one and of the one whose output these parts alone are."""
    before = b.steps[value.step]
    read = sum(b.uses[name] for name in before.node.outputs)
    if before.family != "Roll" or read > 2:
        return b.emit("roll", {"shifts": (shift,), "dims": (dim,)}, value)
    fields = before.fields
    source = value._replace(step=before.inputs[0])
    shifts, dims = (*_integers(fields["shifts"]), shift), (*_integers(fields["dims"]), dim)
    return b.emit("roll", {"shifts": shifts, "dims": dims}, source)


def _integers(value: object) -> tuple[int, ...]:
    assert isinstance(value, tuple)
    return value


def _expand(b: Builder) -> Activation:
    """Axes of size 1 repeated; new ones stand before the others."""
    value, dims = b.activation(), _expand_dims(b.call)
    if dims == value.dims:
        return value
    if value.batched and dims[: 1 + len(dims) - len(value.dims)] != value.dims[:1]:
        raise Unsupported("it repeats the batch")
    return b.emit("expand", {"shape": dims[int(value.batched) :]}, value)


def _tile(b: Builder) -> Activation:
    """Of axes other than the batch."""
    value, dims = b.activation(), _tile_dims(b.call)
    if dims == value.dims:
        return value
    repeats = b.call.integers(1, "repeats")
    if value.batched and repeats[0] != 1:
        raise Unsupported("it repeats the batch")
    if 0 in repeats:
        raise Malformed(f"it leaves nothing of {list(value.dims)}")
    return b.emit("tile", {"reps": repeats[int(value.batched) :]}, value)


def _expand_dims(call: Call) -> Shape:
    return broadcast(call.dims(), call.integers(1, "sizes"))


def _tile_dims(call: Call) -> Shape:
    dims, repeats = call.dims(), call.integers(1, "repeats")
    if len(repeats) != len(dims) or any(n < 0 for n in repeats):
        raise Malformed(f"its repeats {list(repeats)} do not fit {list(dims)}")
    return tuple(size * n for size, n in zip(dims, repeats, strict=True))


OPERATORS = (
    Operator("Identity", _alias, dims=kept, fold=same),
    Operator("Cast", _alias, dims=kept, fold=_cast),
    Operator("CastLike", _alias, dims=kept, fold=_cast_like, inputs=(2, 2), reads_dims=True),
    Operator("Reshape", _reshape, dims=_reshape_dims, fold=viewed, inputs=(1, 2)),
    Operator("Flatten", _flatten, dims=_flatten_dims, fold=viewed),
    Operator("Squeeze", _squeeze, dims=_squeeze_dims, fold=viewed, inputs=(1, 2)),
    Operator("Unsqueeze", _unsqueeze, dims=_unsqueeze_dims, fold=viewed, inputs=(1, 2)),
    Operator("Transpose", _transpose, dims=_transpose_dims, fold=_transposed),
    Operator("Concat", _concat, dims=_concat_dims, fold=_concatenated, inputs=(1, None)),
    Operator("Expand", _expand, dims=_expand_dims, fold=broadcast_to, inputs=(2, 2)),
    Operator("Tile", _tile, dims=_tile_dims, fold=repeated, inputs=(2, 3)),
)
