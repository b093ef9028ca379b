"""The table of Keras's operations, and those that move numbers about, reduce axes or multiply.

`keras.ops` in models of Keras 3, TensorFlow's functions in those of Keras 2. Axes count the batch here. Source:
keras/src/ops/numpy.py, keras/src/ops/nn.py of Keras 3; the class TFOpLambda of Keras 2, whose functions are those of
TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import prod

from ...models.document import Malformed, is_integer, shown
from ...models.making import Fields
from ..builder import Builder, Unsupported, Use
from ..graph import Array, Slice
from ..tensor import Tensor, plain
from .activation import along
from .arguments import given, number, whole, wholes
from .axes import reduced, selected, split, squeezed, unsqueezed, without
from .elementwise import ELEMENTWISE, Rule
from .join import concatenated
from .layout import permuted, resolved
from .norm import rescaled
from .pool import resized


def _along(kind: str) -> Rule:
    return lambda builder, use: along(builder, kind, use.tensor, whole(given(use, 1, "axis"), "axis", -1))


def _reduction(kind: str, **more: object) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor:
        axis = given(use, 1, "axis")
        keep = given(use, 2, "keepdims", "keep_dims") is True
        return reduced(builder, kind, use.tensor, None if axis is None else wholes(axis, "axis"), keep, **more)

    return rule


def _argmax(builder: Builder, use: Use) -> Tensor:
    tensor, axis = use.tensor, whole(given(use, 1, "axis"), "axis", -1)
    dim = builder.axis(tensor, axis)
    keep = given(use, 2, "keepdims") is True
    fields: Fields = {"dim": dim, "keepdim": True} if keep else {"dim": dim}
    return builder.emit("argmax", fields, tensor, order=tensor.order if keep else without(tensor.order, [dim]))


def _reshape(builder: Builder, use: Use) -> Tensor:
    """The batch comes first: a size that is open, or one that the network does not know."""
    tensor, target = use.tensor, given(use, 1, "newshape", "shape")
    if not isinstance(target, (list, tuple)) or not target:
        raise Malformed(f"the shape is {shown(target)}")
    first, *rest = target
    if not all(map(is_integer, rest)):
        raise Unsupported("its shape is computed")
    open_ = -1 in rest and is_integer(first) and first != -1
    if open_ or (-1 not in rest and prod(rest) != prod(tensor.shape)):
        raise Unsupported("it merges the batch with other axes")
    return builder.reshaped(tensor, resolved(tensor, tuple(rest)))


def _transpose(builder: Builder, use: Use) -> Tensor:
    tensor = use.tensor
    axes = given(use, 1, "axes", "perm")
    order = wholes(axes, "axes") if axes is not None else list(reversed(range(tensor.rank + 1)))
    return _permuted(builder, tensor, [axis % (tensor.rank + 1) for axis in order])


def _permuted(builder: Builder, tensor: Tensor, axes: list[int]) -> Tensor:
    if not axes or axes[0] != 0:
        raise Unsupported("it moves the batch axis")
    return permuted(builder, tensor, [axis - 1 for axis in axes[1:]])


def _swapaxes(builder: Builder, use: Use) -> Tensor:
    tensor = use.tensor
    axes = list(range(tensor.rank + 1))
    one, other = (whole(given(use, place, f"axis{place}"), "axis") % len(axes) for place in (1, 2))
    axes[one], axes[other] = axes[other], axes[one]
    return _permuted(builder, tensor, axes)


def _moveaxis(builder: Builder, use: Use) -> Tensor:
    tensor = use.tensor
    count = tensor.rank + 1
    sources = [axis % count for axis in wholes(given(use, 1, "source"), "source")]
    targets = [axis % count for axis in wholes(given(use, 2, "destination"), "destination")]
    axes = [axis for axis in range(count) if axis not in sources]
    for target, source in sorted(zip(targets, sources, strict=False)):
        axes.insert(target, source)
    return _permuted(builder, tensor, axes)


def _expand_dims(builder: Builder, use: Use) -> Tensor:
    tensor = use.tensor
    for axis in sorted(wholes(given(use, 1, "axis"), "axis")):
        place = axis if axis >= 0 else axis + tensor.rank + 2
        if place == 0:
            raise Unsupported("it works on the batch axis")
        tensor = unsqueezed(builder, tensor, place - 1)
    return tensor


def _squeeze(builder: Builder, use: Use) -> Tensor:
    tensor, axis = use.tensor, given(use, 1, "axis")
    if axis is None:
        return squeezed(builder, tensor, [place for place, size in enumerate(tensor.sizes, start=1) if size == 1])
    return squeezed(builder, tensor, wholes(axis, "axis"))


def _concatenate(builder: Builder, use: Use) -> Tensor:
    axis = next((value for value in (given(use, 1, "axis"), use.named.get("axis")) if value is not None), -1)
    return concatenated(builder, use.tensors, whole(axis, "axis"))


def _stack(builder: Builder, use: Use) -> Tensor:
    inputs = builder.aligned(use.tensors)
    axis = whole(given(use, 1, "axis"), "axis", 0)
    place = axis if axis >= 0 else axis + inputs[0].rank + 2
    if place == 0:
        raise Unsupported("it works on the batch axis")
    rows = [unsqueezed(builder, tensor, place - 1) for tensor in inputs]
    return builder.emit("concat", {"dim": builder.axis(rows[0], place)}, *rows)


def _split(builder: Builder, use: Use) -> list[Tensor]:
    tensor, axis = use.tensor, whole(given(use, 2, "axis"), "axis", 0)
    parts = given(use, 1, "indices_or_sections", "num_or_size_splits")
    size = tensor.shape[builder.axis(tensor, axis)]
    if is_integer(parts):
        if parts < 1 or size % parts:
            raise Malformed(f"{parts} parts of an axis of {size}")
        return split(builder, tensor, axis, [size // parts] * parts)
    places = wholes(parts, "indices")
    if use.config.class_name == "TFOpLambda":
        return split(builder, tensor, axis, places)
    ends = [0, *places, size]
    return split(builder, tensor, axis, [after - before for before, after in pairwise(ends)])


def _get_item(builder: Builder, use: Use) -> Tensor:
    """Brackets: slices, positions, new axes, and what stands for all that are left."""
    tensor, key = use.tensor, given(use, 1, "key", "slice_spec")
    keys = list(key) if isinstance(key, (list, tuple)) and not isinstance(key, Slice) else [key]
    taken = sum(1 for entry in keys if entry is not None and entry != "...")
    if "..." in keys:
        place = keys.index("...")
        keys[place : place + 1] = [Slice(None, None, None)] * (tensor.rank + 1 - taken)
    if not keys or not _is_all(keys[0]):
        raise Unsupported("it takes part of the batch")
    place, result = 0, tensor
    for entry in keys[1:]:
        if entry is None:
            result = unsqueezed(builder, result, place)
            place += 1
        elif is_integer(entry):
            if place >= result.rank:
                raise Malformed("it has more positions than there are axes")
            result = selected(builder, result, place, entry)
        elif isinstance(entry, Slice):
            if place >= result.rank:
                raise Malformed("it has more slices than there are axes")
            result = _sliced(builder, result, place, entry)
            place += 1
        else:
            raise Unsupported("it takes positions that are computed")
    return result if result is not tensor else builder.emit("identity", {}, tensor)


def _is_all(entry: object) -> bool:
    return isinstance(entry, Slice) and entry == (None, None, None)


def _sliced(builder: Builder, tensor: Tensor, place: int, entry: Slice) -> Tensor:
    if _is_all(entry):
        return tensor
    if not all(part is None or is_integer(part) for part in entry):
        raise Unsupported("it takes positions that are computed")
    step = whole(entry.step, "step", 1)
    if step < 1:
        raise Unsupported("it reads an axis backwards")
    fields: Fields = {"dim": tensor.order[place], "start": whole(entry.start, "start", 0)}
    if entry.stop is not None:
        fields["stop"] = whole(entry.stop, "stop")
    if step > 1:
        fields["step"] = step
    return builder.emit("slice", fields, tensor)


def _pad(builder: Builder, use: Use) -> Tensor:
    tensor, width = use.tensor, given(use, 1, "pad_width", "paddings")
    mode = str(given(use, 2, "mode") or "constant").lower()
    modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    if mode not in modes:
        raise Unsupported(f"the language has no padding {mode}")
    pairs = [wholes(pair, "pad_width") for pair in width] if isinstance(width, (list, tuple)) else []
    if len(pairs) != tensor.rank + 1 or any(len(pair) != 2 for pair in pairs):
        raise Malformed(f"pad_width must be a pair for each axis, not {shown(width)}")
    if any(pairs[0]):
        raise Unsupported("it pads the batch")
    kept = next((axis for axis in (tensor.order.index(0), *range(tensor.rank)) if not any(pairs[axis + 1])), None)
    if kept is None or tensor.rank < 2:
        raise Unsupported("it pads every axis, the channels too")
    order = tensor.order
    if order[kept] != 0:
        others = iter(range(1, tensor.rank))
        order = tuple([0 if axis == kept else next(others) for axis in range(tensor.rank)])
    read = builder.arranged(tensor, order)
    sides = tuple([(pairs[order.index(axis) + 1][0], pairs[order.index(axis) + 1][1]) for axis in range(1, read.rank)])
    fields: Fields = {"padding": sides}
    if mode != "constant":
        fields["mode"] = modes[mode]
    value = number(use.named.get("constant_values"))
    if value:
        fields["value"] = value
    return builder.emit("pad", fields, read)


def _roll(builder: Builder, use: Use) -> Tensor:
    tensor, axis = use.tensor, given(use, 2, "axis")
    if axis is None:
        raise Unsupported("it works on the batch axis")
    dims = tuple([builder.axis(tensor, one) for one in wholes(axis, "axis")])
    shifts = wholes(given(use, 1, "shift"), "shift")
    return builder.emit("roll", {"shifts": tuple(shifts * (len(dims) // len(shifts) or 1)), "dims": dims}, tensor)


def _flip(builder: Builder, use: Use) -> Tensor:
    tensor, axis = use.tensor, given(use, 1, "axis")
    if axis is None:
        raise Unsupported("it works on the batch axis")
    return builder.emit("flip", {"dims": tuple([builder.axis(tensor, one) for one in wholes(axis, "axis")])}, tensor)


def _repeat(builder: Builder, use: Use) -> Tensor:
    tensor, axis = use.tensor, given(use, 2, "axis")
    if axis is None:
        raise Unsupported("it works on the batch axis")
    repeats, dim = whole(given(use, 1, "repeats"), "repeats"), builder.axis(tensor, whole(axis, "axis"))
    return builder.emit("repeat_interleave", {"repeats": repeats, "dim": dim}, tensor)


def _tile(builder: Builder, use: Use) -> Tensor:
    tensor = use.tensor
    times = wholes(given(use, 1, "repeats", "multiples"), "repeats")
    times = [1] * (tensor.rank + 1 - len(times)) + times
    if len(times) != tensor.rank + 1 or times[0] != 1:
        raise Unsupported("it repeats the batch")
    reps = tuple([times[tensor.order.index(axis) + 1] for axis in range(tensor.rank)])
    return builder.emit("tile", {"reps": reps}, tensor)


def _broadcast_to(builder: Builder, use: Use) -> Tensor:
    tensor, target = use.tensor, given(use, 1, "shape")
    if not isinstance(target, (list, tuple)) or len(target) != tensor.rank + 1 or not all(map(is_integer, target[1:])):
        raise Unsupported("its shape is computed")
    shape = tuple([whole(target[tensor.order.index(axis) + 1], "shape") for axis in range(tensor.rank)])
    return builder.emit("expand", {"shape": shape}, tensor)


def _matmul(builder: Builder, use: Use) -> Tensor:
    one, other = given(use, 0, "x1", "a"), given(use, 1, "x2", "b")
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)):
        raise Unsupported("it multiplies by a constant")
    if one.rank != other.rank or one.rank < 2:
        raise Unsupported("it multiplies over the batch")
    left, right = (
        _turned(builder, tensor, use.named.get(name) is True or use.settings.get(name) is True)
        for tensor, name in ((one, "transpose_a"), (other, "transpose_b"))
    )
    return builder.emit("matmul", {}, left, right, order=plain(one.rank))


def _turned(builder: Builder, tensor: Tensor, turned: bool) -> Tensor:
    """The tensor as Keras holds it, its last two axes exchanged if asked for."""
    want = plain(tensor.rank)
    if turned:
        want = (*want[:-2], want[-1], want[-2])
    return builder.arranged(tensor, want)._replace(order=plain(tensor.rank))


def _einsum(builder: Builder, use: Use) -> Tensor:
    """A product that its subscripts name: its cost is known."""
    subscripts = str(given(use, len(use.arguments), "subscripts", "equation") or use.arguments[:1])
    inputs, _, output = subscripts.replace(" ", "").partition("->")
    sizes: dict[str, int] = {}
    for letters, tensor in zip(inputs.split(","), use.tensors, strict=False):
        sizes.update(zip(letters[1:], tensor.sizes, strict=False))
    known = "." not in inputs and all(letter in sizes for letter in output[1:])
    macs = prod(sizes.values()) if known else 0
    shapes = [tuple([sizes[letter] for letter in output[1:]])] if known else []
    raise Unsupported(f"the language has no product {subscripts[:60]}", macs=macs, sizes=shapes)


def _resize(builder: Builder, use: Use) -> Tensor:
    size = wholes(given(use, 1, "size"), "size")
    mode = resized(str(given(use, 2, "interpolation", "method") or "bilinear"))
    for place, name in enumerate(("antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio"), start=3):
        if given(use, place, name) is True:
            raise Unsupported(f"the language has no resizing with {name}")
    if use.tensor.rank != 3 or len(size) != 2:
        raise Malformed(f"it resizes images, not {list(use.tensor.sizes)}")
    return builder.emit("upsample", {"size": tuple(size), "mode": mode}, builder.first(use.tensor, use.settings))


def _normalize(builder: Builder, use: Use) -> Tensor:
    axis = wholes(given(use, 1, "axis"), "axis") if given(use, 1, "axis") is not None else [-1]
    return normalized(builder, use.tensor, axis, number(given(use, 2, "order")) or 2.0)


def normalized(builder: Builder, tensor: Tensor, axes: Sequence[int], order: float = 2.0) -> Tensor:
    """x over its norm along axes, which is no smaller than 10⁻⁶."""
    length = reduced(builder, "norm", tensor, axes, True, **({} if order == 2 else {"p": order}))
    return builder.emit("div", {}, tensor, builder.emit("clamp", {"min": 1e-6}, length))


def _depth_to_space(builder: Builder, use: Use) -> Tensor:
    """Blocks of channels become squares of positions; TensorFlow has the channels inside the blocks."""
    tensor, block = use.tensor, whole(given(use, 1, "block_size"), "block_size")
    if tensor.rank != 3 or block < 1 or tensor.sizes[-1] % block**2:
        raise Malformed(f"blocks of {block} of {list(tensor.sizes)}")
    height, width, channels = tensor.sizes
    apart = builder.reshaped(tensor, (height, width, block, block, channels // block**2))
    mixed = permuted(builder, apart, [0, 2, 1, 3, 4])
    return builder.reshaped(mixed, (height * block, width * block, channels // block**2))


def _space_to_depth(builder: Builder, use: Use) -> Tensor:
    tensor, block = use.tensor, whole(given(use, 1, "block_size"), "block_size")
    if tensor.rank != 3 or block < 1 or tensor.sizes[0] % block or tensor.sizes[1] % block:
        raise Malformed(f"blocks of {block} of {list(tensor.sizes)}")
    height, width, channels = tensor.sizes
    apart = builder.reshaped(tensor, (height // block, block, width // block, block, channels))
    mixed = permuted(builder, apart, [0, 2, 1, 3, 4])
    return builder.reshaped(mixed, (height // block, width // block, channels * block**2))


def _bias_add(builder: Builder, use: Use) -> Tensor:
    value = given(use, 1, "bias")
    if not isinstance(value, Array) or not isinstance(value.value, list):
        raise Unsupported("its addend is computed")
    numbers = [float(entry) for entry in value.value if isinstance(entry, (int, float))]
    return rescaled(builder, use.tensor, [1.0], numbers)


OPERATIONS: dict[str, Rule] = {
    **ELEMENTWISE,
    "Softmax": _along("softmax"),
    "LogSoftmax": _along("log_softmax"),
    "Mean": _reduction("mean"),
    "Sum": _reduction("sum"),
    "Max": _reduction("amax"),
    "Min": _reduction("amin"),
    "Prod": _reduction("prod"),
    "Var": _reduction("var", correction=0),
    "Std": _reduction("std", correction=0),
    "Logsumexp": _reduction("logsumexp"),
    "Argmax": _argmax,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Swapaxes": _swapaxes,
    "Moveaxis": _moveaxis,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "Concatenate": _concatenate,
    "Stack": _stack,
    "Split": _split,
    "GetItem": _get_item,
    "Pad": _pad,
    "Roll": _roll,
    "Flip": _flip,
    "Repeat": _repeat,
    "Tile": _tile,
    "BroadcastTo": _broadcast_to,
    "Matmul": _matmul,
    "Einsum": _einsum,
    "Resize": _resize,
    "Normalize": _normalize,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
    "BiasAdd": _bias_add,
}
"""Class in keras.src.ops -> its rule."""

TENSORFLOW: Mapping[str, str] = {
    "add": "Add",
    "subtract": "Subtract",
    "sub": "Subtract",
    "multiply": "Multiply",
    "mul": "Multiply",
    "truediv": "TrueDivide",
    "divide": "TrueDivide",
    "realdiv": "TrueDivide",
    "pow": "Power",
    "neg": "Negative",
    "negative": "Negative",
    "abs": "Absolute",
    "concat": "Concatenate",
    "reduce_mean": "Mean",
    "reduce_sum": "Sum",
    "reduce_max": "Max",
    "reduce_min": "Min",
    "reduce_prod": "Prod",
    "reduce_variance": "Var",
    "reduce_std": "Std",
    "reduce_logsumexp": "Logsumexp",
    "clip_by_value": "Clip",
    "getitem": "GetItem",
    "reverse": "Flip",
    "l2_normalize": "Normalize",
    "resize": "Resize",
    "bias_add": "BiasAdd",
    **{
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_"): name
        for name in OPERATIONS
    },
}
"""Last part of the name of a function of TensorFlow's -> the operation of Keras's that it is."""


def lambda_of(use: Use) -> Rule:
    """The rule of a function that a layer of Keras 2 calls. Raises `Unsupported`."""
    function = use.settings.text("function", "") or "getitem"  # which SlicingOpLambda need not name
    name = TENSORFLOW.get(function.rpartition(".")[2])
    if name is None:
        raise Unsupported(f"the language has no {function[:60]}")
    return OPERATIONS[name]
