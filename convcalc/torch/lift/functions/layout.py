"""Functions that move all numbers about: views, permutations, joins, repetitions, borders."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ....models.making import Fields, Unsupported
from ..builder import Builder, shortest
from ..values import Activation, Constant, Padded, Pairs, Place, Value
from .axes import axis_of, spatial
from .record import Function, Rule


def _alias(b: Builder) -> Value:
    """The same numbers."""
    return b.viewed(b.given("input"), b.output())


def _whole(b: Builder) -> Value:
    """The same numbers, where they are whole already or name rows of a table."""
    integer = "int" in b.tape.tensors[b.read_tensor("input")].dtype
    if not integer and b.only_reader(b.call.outputs[0]) != "embedding":
        raise Unsupported("it cuts off fractions")
    return _alias(b)


def _filled(b: Builder) -> Constant:
    """A new tensor of which only sizes and type are taken from the input."""
    return Constant(b.call.outputs[0], b.output())


def permuted(b: Builder, value: Activation, order: Sequence[int]) -> Activation:
    """The value with its axes in another order; axes of size 1 alone change places without a layer."""
    axes = tuple([value.sizes.axis(axis) for axis in order])
    if sorted(axes) != list(range(value.sizes.rank)):
        raise Unsupported(f"its order {list(order)} is none of {value.sizes.rank} axes")
    sizes = value.sizes.permuted(axes)
    place = value.place and value.place._replace(axis=axes.index(value.place.axis))
    wide = [axis for axis in axes if max(value.sizes.first[axis], value.sizes.second[axis]) > 1]
    if wide == sorted(wide) and value.place == place:
        return Activation(value.step, sizes, place, b.call.scope)
    kept = [own for own in (value.axis(axis) for axis in axes) if own is not None]
    if kept == sorted(kept):
        return Activation(b.settled(value), sizes, place, b.call.scope)
    merged = _shuffled(b, value, kept) or _normalized(b, value, kept)
    if merged is not None:
        return b.seen(merged, sizes, place)
    return b.seen(b.layer("permute", {"dims": tuple(kept)}, b.settled(value)), sizes, place)


def _shuffled(b: Builder, value: Activation, order: Sequence[int]) -> int | None:
    """The channels of groups dealt out in turn, where the first axis was cut into groups and they change places."""
    source, shape = b.steps[value.step].shape, value.shape
    cut = len(shape) == len(source) + 1 > 2 and shape[2:] == source[1:] and shape[0] * shape[1] == source[0]
    if not cut or list(order) != [1, 0, *range(2, len(shape))]:
        return None
    return b.layer("channel_shuffle", {"groups": shape[0]}, value.step)


def _normalized(b: Builder, value: Activation, order: Sequence[int]) -> int | None:
    """A norm of the channels between two permutations that undo each other: `layer_norm` of the axis 0."""
    last = len(b.steps) - 1
    norm = b.steps[last]
    if value.step != last or norm.shape != value.shape or not b.only_reader(b.read_tensor("input")):
        return None
    before = b.steps[norm.inputs[0]] if norm.layer is not None and norm.inputs else None
    if before is None or before.layer is None or norm.layer is None:
        return None
    fields, first = norm.layer.fields(), before.layer.fields().get("dims")
    if norm.layer.family != "LayerNorm" or before.layer.family != "Permute" or first is None:
        return None
    if fields.keys() & {"normalized_shape", "dim"} or first[-1] != 0 or [first[n] for n in order] != sorted(order):
        return None
    del b.steps[last]
    made = b.layer("layer_norm", {"dim": 0, **fields}, before.inputs[0], weights=norm.weights)
    b.steps[made].scope = norm.scope
    return made


def _permute(b: Builder) -> Activation:
    return permuted(b, b.activation("input"), b.integers("dims") or ())


def _transpose(b: Builder) -> Activation:
    value = b.activation("input")
    order = list(range(value.sizes.rank))
    one, other = value.sizes.axis(b.integer("dim0")), value.sizes.axis(b.integer("dim1"))
    order[one], order[other] = order[other], order[one]
    return permuted(b, value, order)


def _matrix_transpose(b: Builder) -> Activation:
    value = b.activation("input")
    rank = value.sizes.rank
    if rank < 2:
        return value
    return permuted(b, value, (*range(rank - 2), rank - 1, rank - 2))


def _reversed(b: Builder) -> Activation:
    value = b.activation("input")
    return permuted(b, value, tuple(reversed(range(value.sizes.rank))))


def _movedim(b: Builder) -> Activation:
    value = b.activation("input")
    source, destination = b.integers("source") or (), b.integers("destination") or ()
    there = {value.sizes.axis(to): value.sizes.axis(axis) for axis, to in zip(source, destination, strict=True)}
    left = iter([axis for axis in range(value.sizes.rank) if axis not in there.values()])
    return permuted(b, value, [there[axis] if axis in there else next(left) for axis in range(value.sizes.rank)])


def _flip(b: Builder) -> Activation:
    value = b.activation("input")
    axes = tuple([axis_of(value, dim) for dim in b.integers("dims") or ()])
    return b.made(b.layer("flip", {"dims": axes}, b.settled(value)), value.place)


def _roll(b: Builder) -> Activation:
    value = b.activation("input")
    shifts, dims = b.integers("shifts") or (), b.integers("dims") or ()
    if not dims:
        raise Unsupported("it rolls all axes as one")
    axes = tuple([axis_of(value, dim) for dim in dims])
    return b.made(b.layer("roll", {"shifts": shifts, "dims": axes}, b.settled(value)), value.place)


# Joins


def _cat(b: Builder) -> Value:
    values = [b.active(value) for value in b.several("tensors") if 0 not in value.sizes.first]
    output = b.output()
    axis = output.axis(b.integer("dim"))
    if len(values) == 1:
        return values[0]._replace(sizes=output)
    places = {value.place for value in values if value.place is not None}
    if not places:
        steps = [b.settled(value) for value in values]
        return b.made(b.layer("concat", {"dim": axis} if axis else {}, *steps), None)
    if len(places) > 1:
        raise Unsupported("its inputs have the batch in different places")
    (place,) = places
    if axis == place.axis:
        return _cat_outside(b, values, place)
    steps = [b.settled(value, *beside(value, place)) for value in values]
    own = axis if place.folded or axis < place.axis else axis - 1
    return b.made(b.layer("concat", {"dim": own} if own else {}, *steps), place)


def beside(value: Activation, place: Place) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of a value, in both runs, beside others that have the batch in that place."""
    if value.place is not None or place.folded:
        return value.shape, value.second
    if value.sizes.first[place.axis] != 1:
        raise Unsupported("it puts what is the same for every example beside the batch")
    return tuple((*dims[: place.axis], *dims[place.axis + 1 :]) for dims in value.sizes[:2])  # type: ignore[return-value]


def _cat_outside(b: Builder, values: Sequence[Activation], place: Place) -> Activation:
    """Along the axis of the batch: the inputs stand outside of it."""
    axis = place.axis
    if any(value.place is None for value in values):
        raise Unsupported("it joins along the batch")
    if any(value.sizes.first[axis] != place.inner for value in values):
        raise Unsupported("it joins along the batch what stands outside of it already")
    steps = [b.settled(value, value.sizes.first) for value in values]
    made = b.layer("concat", {"dim": axis} if axis else {}, *steps)
    return b.made(made, Place(axis, place.inner, folded=True))


def _stack(b: Builder) -> Activation:
    values = [b.active(value) for value in b.several("tensors")]
    places = {value.place for value in values}
    if len(places) > 1:
        raise Unsupported("its inputs have the batch in different places")
    (place,) = places
    axis = b.output().axis(b.integer("dim"))
    steps = [b.settled(value) for value in values]
    own = axis
    if place is not None:
        if not place.folded and axis > place.axis:
            own = axis - 1
        if axis <= place.axis:
            place = place._replace(axis=place.axis + 1)
    return b.made(b.layer("stack", {"dim": own} if own else {}, *steps), place)


# Repetitions


def _expand(b: Builder) -> Value:
    value, output = b.given("input"), b.output()
    absent = output.rank - value.sizes.rank
    source = b.active(value)
    place = source.place and source.place._replace(axis=source.place.axis + absent)
    if prod(value.sizes.first) == prod(output.first):
        return Activation(source.step, output, place, b.call.scope)
    wanted: list[int] = []
    for axis, size in enumerate(output.first):
        if place is not None and axis == place.axis:
            if place.folded:
                wanted.append(-1)
            continue
        own = axis - absent
        kept = own >= 0 and source.sizes.first[own] == size
        wanted.append(-1 if kept else size)
    return b.made(b.layer("expand", {"shape": tuple(wanted)}, b.settled(source)), place)


def _repeat(b: Builder) -> Value:
    value, output = b.given("input"), b.output()
    repeats = b.integers("repeats") or ()
    absent = output.rank - value.sizes.rank
    source = b.active(value)
    place = source.place and source.place._replace(axis=source.place.axis + absent)
    repeats = (1,) * (output.rank - len(repeats)) + repeats
    if place is not None and repeats[place.axis] != 1:
        raise Unsupported("it repeats the batch")
    if prod(repeats) == 1:
        return Activation(source.step, output, place, b.call.scope)
    own = tuple(n for axis, n in enumerate(repeats) if place is None or place.folded or axis != place.axis)
    return b.made(b.layer("tile", {"reps": own}, b.settled(source)), place)


def _repeat_interleave(b: Builder) -> Activation:
    value = b.activation("input")
    repeats = b.integer("repeats")
    if b.arguments.get("dim") is None:
        raise Unsupported("it repeats all axes as one")
    axis, place = value.sizes.axis(b.integer("dim")), value.place
    if place is not None and axis == place.axis:
        shape, second = value.sizes.first, (*value.second[:axis], value.second[axis] if place.folded else 1)
        source = b.settled(value, shape, (*second, *value.sizes.second[axis + 1 :]))
        if shape[axis] == 1:
            made = b.layer("expand", {"shape": tuple(repeats if n == axis else -1 for n in range(len(shape)))}, source)
        else:
            made = b.layer("repeat_interleave", {"repeats": repeats, "dim": axis}, source)
        return b.made(made, Place(axis, place.inner * repeats, folded=True))
    own = axis_of(value, axis)
    return b.made(b.layer("repeat_interleave", {"repeats": repeats, "dim": own}, b.settled(value)), value.place)


# Between channels and space


def _shuffle(kind: str, field: str, argument: str) -> Rule:
    def rule(b: Builder) -> Activation:
        source = spatial(b, b.activation("input"), None)
        made = b.layer(kind, {field: b.integer(argument)}, source.step, leading=source.leading)
        return b.made(made, source.place)

    return rule


def _pad(b: Builder) -> Value:
    """Pairs for the last axes, the last one first."""
    value, output = b.activation("input"), b.output()
    pads = b.integers("pad") or ()
    first = _pairs(pads, value.sizes.rank)
    second = _pairs(b.second_integers("pad", len(pads)) or pads, value.sizes.rank)
    mode, number = b.word("mode", "constant"), b.scalar(b.arguments.get("value")) or 0.0
    padded = Padded(value, output, first, second, number)
    if mode == "constant":
        reader = b.only_reader(b.call.outputs[0])
        of_space = not any(any(pair) for pair in (*first[:2], *second[:2]))
        plain = min(min(pair) for pair in (*first, *second)) >= 0
        if plain and of_space and reader in (MAXIMA if number == float("-inf") else WINDOWED if number == 0 else ()):
            return padded
        return b.bordered(padded)
    own = {axis_of(value, axis): pair for axis, pair in enumerate(first) if pair != (0, 0)}
    if not own:
        return value._replace(sizes=output)
    if 0 in own:
        raise Unsupported(f"it pads the first axis in the mode {mode}")
    padding = shortest(tuple([own.get(axis, (0, 0)) for axis in range(1, len(value.shape))]))
    fields: Fields = {"padding": padding, "mode": mode}
    return b.made(b.layer("pad", fields, b.settled(value)), value.place)


def _pairs(pads: Sequence[int], rank: int) -> Pairs:
    """(before, after) of each axis, of pairs for the last axes, the last one first."""
    pairs = [(pads[n], pads[n + 1]) for n in range(0, len(pads), 2)]
    return (*((0, 0),) * (rank - len(pairs)), *reversed(pairs))


WINDOWED = {"conv1d", "conv2d", "conv3d", "convolution", "_convolution", "avg_pool1d", "avg_pool2d", "avg_pool3d"}
"""Functions whose window takes in a border of zeros."""
MAXIMA = {"max_pool1d", "max_pool2d", "max_pool3d", "max_pool2d_with_indices", "max_pool3d_with_indices"}
"""Functions whose window takes in a border of −∞."""


VIEW = "input *shape"
CASTS = (
    "contiguous clone detach to float half double type type_as bfloat16 alias data real _to_copy lift_fresh_copy "
    "lift_fresh detach_copy requires_grad cuda cpu positive resolve_conj resolve_neg identity dequantize "
    "fake_quantize_per_tensor_affine fake_quantize_per_channel_affine fused_moving_avg_obs_fake_quant"
)
FUNCTIONS = (
    *(Function(name, "input *rest", _alias, views=True) for name in CASTS.split()),
    Function("long int", "input *rest", _whole, views=True),
    Function("view reshape view_copy _unsafe_view unsafe_view", VIEW, _alias, views=True),
    Function("view_as reshape_as", "input other", _alias, views=True),
    Function("flatten", "input start_dim=0 end_dim=-1", _alias, views=True),
    Function("unflatten", "input dim *sizes", _alias, views=True),
    Function("squeeze", "input *dim", _alias, views=True),
    Function("unsqueeze", "input dim", _alias, views=True),
    Function("ravel", "input", _alias, views=True),
    Function(
        "new_zeros new_ones new_full new_empty new_tensor zeros_like ones_like full_like empty_like rand_like "
        "randn_like",
        "input *rest",
        _filled,
    ),
    Function("permute permute_copy", "input *dims", _permute),
    Function("transpose swapaxes swapdims", "input dim0 dim1", _transpose),
    Function("t T", "input", _reversed),
    Function("mT adjoint", "input", _matrix_transpose),
    Function("movedim moveaxis", "input source destination", _movedim),
    Function("flip", "input *dims", _flip),
    Function("roll", "input shifts dims=None", _roll),
    Function("cat concat concatenate", "tensors dim=0", _cat),
    Function("stack", "tensors dim=0", _stack),
    Function("expand broadcast_to", "input *size", _expand, views=True),
    Function("expand_as", "input other", _expand, views=True),
    Function("repeat", "input *repeats", _repeat, views=True),
    Function("tile", "input *repeats", _repeat, views=True),
    Function("repeat_interleave", "input repeats dim=None output_size=None", _repeat_interleave),
    Function("pixel_shuffle", "input upscale_factor", _shuffle("pixel_shuffle", "upscale_factor", "upscale_factor")),
    Function(
        "pixel_unshuffle", "input downscale_factor", _shuffle("pixel_unshuffle", "downscale_factor", "downscale_factor")
    ),
    Function("channel_shuffle native_channel_shuffle", "input groups", _shuffle("channel_shuffle", "groups", "groups")),
    Function("pad", "input pad mode=None value=None", _pad),
    Function("constant_pad_nd", "input pad value=None", _pad),
)
