"""Keras layers: one table from the layers of the language to what builds them.

Source: Keras 3 on TensorFlow, channels last, for TensorFlow convolves so on a CPU. An order names, for each axis that
Keras holds (without the batch), the axis of the network that it is; images are (1, 2, 0). Layers that only relabel
axes change the order and cost nothing; what needs another order permutes. Every mapper says in which order its
output's axes are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import TYPE_CHECKING, NamedTuple

from ..geometry import adaptive_step, same_padding
from ..geometry.dialects import keras_refuses, keras_valid
from ..layers.kind_table import BATCHED, KindTable, Refused
from ..layers.spatial import one_an_axis
from .program import OPAQUE, UNSAID, Argument, Call, Code, Inline, Step, keywords, optional, positional, scalar
from .windows import Pads, border_pads, counted_pads, declared_pads, fitted_pads, overhangs, split_pads

if TYPE_CHECKING:
    from ..layers.activation import (
        CELU,
        ELU,
        GLU,
        Gelu,
        Hardtanh,
        LeakyReLU,
        PReLU,
        Softmax,
        Softplus,
        Threshold,
    )
    from ..layers.arithmetic import Clamp, Pow, Rescale
    from ..layers.base import Layer, Reduction, Shape, Shapes
    from ..layers.batched import Batched
    from ..layers.border import Crop, Pad
    from ..layers.constant import Parameter
    from ..layers.conv import Conv, ConvTranspose, SeparableConv
    from ..layers.embedding import Embedding
    from ..layers.formed import Formed
    from ..layers.join import Concat, Gate, Split
    from ..layers.layout import (
        Expand,
        Flip,
        IndexSelect,
        RepeatInterleave,
        Roll,
        Select,
        Slice,
        Squeeze,
        Stack,
        Tile,
        Unsqueeze,
    )
    from ..layers.linear import Linear
    from ..layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm, Scale
    from ..layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
    from ..layers.product import MatMul, MultiheadAttention, ScaledDotProductAttention
    from ..layers.recurrent import GRU, LSTM, RNN
    from ..layers.reduce import Argmax, Deviation, Norm, Reduce
    from ..layers.resize import Upsample
    from ..layers.shape import Dropout, Flatten, Permute, Reshape, StochasticDepth
    from ..layers.shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle

Order = tuple[int, ...]


class Mapped(NamedTuple):
    """What a layer becomes, and the order of its output."""

    steps: list[Step]
    order: Order


Mapper = Callable[..., Mapped]
"""(layer, input shapes, output shape, input orders) -> steps and output order. Raises `Refused`."""
Steps = Callable[..., list[Step]]
"""(layer, input shapes, output shape) -> the steps, from channels last to channels last. Raises `Refused`."""

NAME = Argument("name", "")
"""The path of a layer with weights: written where the layer stands."""


def is_named(call: Call) -> bool:
    """Whether a layer carries a path of the spec: it is the one that holds weights.

    >>> is_named(Call("layers.ZeroPadding2D")), is_named(Call("layers.PReLU", (NAME,)))
    (False, True)
    """
    return NAME in call.arguments


def channels_last(axes: int) -> Order:
    """The order of images and sequences.

    >>> channels_last(3), channels_last(1)
    ((1, 2, 0), (0,))
    """
    return (*range(1, axes), 0) if axes else ()


def permuted(have: Order, want: Order) -> list[Step]:
    """The step that brings one order into another, if one is needed.

    >>> permuted((1, 2, 0), (0, 1, 2))[0].arguments[0].value
    (3, 1, 2)
    """
    if have == want:
        return []
    dims = tuple(have.index(axis) + 1 for axis in want)
    return [Call("layers.Permute", (Argument("dims", dims, positional=True),))]


def _sides(pads: Pads) -> object:
    """Keras's padding argument: one number where all sides agree."""
    sides = {side for pair in pads for side in pair}
    return sides.pop() if len(sides) == 1 else pads[0] if len(pads) == 1 else pads


def _says_same(pads: Pads, layer: Conv | SeparableConv | MaxPool, shape: Shape) -> bool:
    """Whether these pads are Keras's `same` for an input of any size, as with strides of 1 or windows of 1."""
    windows = list(zip(shape[1:], layer.windows(shape), strict=True))
    points = all(window.kernel_size == 1 for _, window in windows)
    return (points or set(layer.stride) == {1}) and pads == tuple(
        same_padding(i, w.kernel_size, 1, w.dilation) for i, w in windows
    )


def _bordered(pads: Pads, mode: str, value: float = 0.0) -> list[Step]:
    """Padding and cropping."""
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if not any(map(any, pads)):
        return []
    if mode in names:
        return [Inline("bordered({0}, {pads}, {mode})", keywords(pads=pads, mode=names[mode]))]
    grown, cut = split_pads(pads)
    steps: list[Step] = []
    if any(map(any, grown)):
        if value == 0:
            steps.append(Call(f"layers.ZeroPadding{len(pads)}D", positional(padding=_sides(grown))))
        else:
            sides = ((0, 0), *grown, (0, 0))
            template = "ops.pad({0}, {pads}, constant_values={value})"
            steps.append(Inline(template, keywords(pads=sides, value=float(value))))
    if any(map(any, cut)):
        steps.append(Call(f"layers.Cropping{len(pads)}D", positional(cropping=_sides(cut))))
    return steps


def _padding(layer: Conv | SeparableConv, shape: Shape) -> tuple[list[Step], str]:
    """What pads before a convolution, and the convolution's own padding."""
    if max(layer.stride) > 1 and max(layer.dilation) > 1:
        raise Refused("Keras has no convolution with a stride and a dilation above 1")
    mode = layer.border_mode
    if layer.padding == "same" and mode == "zeros":
        return [], "same"
    pads = declared_pads(layer.windows(shape))
    if mode == "zeros" and _says_same(pads, layer, shape):
        return [], "same"
    return _bordered(pads, mode), "valid"


FORMS = ("standardize", "gain", "fixed")
"""Fields that say how weights come about; the layers that form them take them."""
ONE_WEIGHT = "Keras's convolutions have one weight for all examples"


def _formed(layer: Formed, name: str, plain: str, arguments: tuple[Argument, ...]) -> Call:
    """Keras's layer, or the one that forms its weights before it multiplies with them."""
    given = dict(layer)
    if not any(given[field] for field in FORMS):
        return Call(f"layers.{plain}", arguments)
    *others, path = arguments
    return Call(name, (*others, *(optional(field, given[field], False) for field in FORMS), path))


def _is_formed(layer: Formed) -> bool:
    given = dict(layer)
    return any(given[field] for field in FORMS)


def _conv(layer: Conv, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.weight is not None:
        raise Refused(ONE_WEIGHT)
    before, padding = _padding(layer, inputs[0])
    channels = inputs[0][0]
    common = (
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("strides", scalar(layer.stride), 1),
        optional("padding", padding, "valid"),
        optional("dilation_rate", scalar(layer.dilation), 1),
        optional("use_bias", layer.bias, True),
    )
    depthwise = layer.groups == channels > 1 and layer.rank < 3 and len(set(layer.stride)) == 1
    depthwise = depthwise and not _is_formed(layer)
    if depthwise:
        multiplier = optional("depth_multiplier", layer.out_channels // channels, 1)
        return [*before, Call(f"layers.DepthwiseConv{layer.rank}D", (*common, multiplier, NAME))]
    arguments = (*positional(filters=layer.out_channels), *common, optional("groups", layer.groups, 1), NAME)
    return [*before, _formed(layer, "FormedConv", f"Conv{layer.rank}D", arguments)]


def _conv_transpose(layer: ConvTranspose, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.weight is not None:
        raise Refused(ONE_WEIGHT)
    if layer.groups > 1:
        raise Refused("Keras has no transposed convolution with groups")
    windows = layer.windows(inputs[0])
    if keras_refuses(windows):
        raise Refused("Keras has no transposed convolution with a stride and a dilation above 1")
    valid = [] if layer.padding == "same" else keras_valid(windows)
    extra = [axis.output_padding for axis in valid if axis.output_padding is not None]
    if extra and any(more >= window.stride for more, window in zip(extra, windows, strict=True)):
        raise Refused("Keras takes an output_padding below the stride")
    cut = tuple((-before, -after) for _, (before, after) in valid)
    arguments = (
        *positional(filters=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("strides", scalar(layer.stride), 1),
        optional("padding", "valid" if valid else "same", "valid"),
        optional("output_padding", scalar(extra) if extra else None, None),
        optional("dilation_rate", scalar(layer.dilation), 1),
        optional("use_bias", layer.bias, True),
        NAME,
    )
    made = _formed(layer, "FormedConvTranspose", f"Conv{layer.rank}DTranspose", arguments)
    return [made, *_bordered(cut, "constant")]


def _separable(layer: SeparableConv, inputs: Shapes, output: Shape) -> list[Step]:
    before, padding = _padding(layer, inputs[0])
    if len(set(layer.stride)) > 1:
        raise Refused("Keras has separable convolutions with one stride for all axes")
    arguments = (
        *positional(filters=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("strides", scalar(layer.stride), 1),
        optional("padding", padding, "valid"),
        optional("dilation_rate", scalar(layer.dilation), 1),
        optional("depth_multiplier", layer.depth_multiplier, 1),
        optional("use_bias", layer.bias, True),
        NAME,
    )
    return [*before, Call(f"layers.SeparableConv{layer.rank}D", arguments)]


def _pool(name: str, layer: MaxPool | AvgPool, padding: str = "valid") -> Call:
    arguments = (
        *keywords(pool_size=scalar(layer.kernel_size), strides=scalar(layer.stride)),
        optional("padding", padding, "valid"),
    )
    return Call(f"layers.{name}Pooling{layer.rank}D", arguments)


def _max_pool(layer: MaxPool, inputs: Shapes, output: Shape) -> list[Step]:
    if max(layer.dilation) > 1:
        raise Refused("Keras has no dilated pool")
    if layer.padding == "same" and not layer.ceil_mode:
        return [_pool("Max", layer, "same")]
    pads = fitted_pads(layer.windows(inputs[0]), inputs[0], output)
    if _says_same(pads, layer, inputs[0]):
        return [_pool("Max", layer, "same")]
    return [*_bordered(pads, "constant", float("-inf")), _pool("Max", layer)]


def _avg_pool(layer: AvgPool, inputs: Shapes, output: Shape) -> list[Step]:
    windows = layer.windows(inputs[0])
    declared, pads = declared_pads(windows), fitted_pads(windows, inputs[0], output)
    if layer.divisor_override is not None:
        factor = keywords(factor=prod(layer.kernel_size) / layer.divisor_override)
        return [*_bordered(pads, "constant"), _pool("Average", layer), Inline("{0} * {factor}", factor)]
    if layer.padding == "same" and not layer.ceil_mode and not layer.count_include_pad:
        return [_pool("Average", layer, "same")]
    if not any(map(any, pads)) or (layer.count_include_pad and not any(overhangs(declared, pads))):
        return [*_bordered(pads, "constant"), _pool("Average", layer)]
    counted = counted_pads(declared, pads) if layer.count_include_pad else ((0, 0),) * layer.rank
    template = "padded_average({0}, {pool_size}, {strides}, {padding}, {counted})"
    arguments = keywords(pool_size=layer.kernel_size, strides=layer.stride, padding=pads, counted=counted)
    return [Inline(template, arguments)]


def _lp_pool(layer: LpPool, inputs: Shapes, output: Shape) -> list[Step]:
    pads = fitted_pads(layer.windows(inputs[0]), inputs[0], output)
    if any(map(any, pads)):
        raise Refused("windows of a power pool that overhang have no equal in Keras")
    template = '({count} * ops.average_pool({0} ** {power}, {kernel}, {stride}, "valid")) ** (1 / {power})'
    arguments = keywords(
        count=prod(layer.kernel_size), power=layer.norm_type, kernel=layer.kernel_size, stride=layer.stride
    )
    return [Inline(template, arguments)]


def _check_rank(shape: Shape) -> None:
    if not 2 <= len(shape) <= 4:
        raise Refused(f"Keras works on 1 to 3 space axes, not on {len(shape) - 1}")


def _spread(reduction: Reduction, shape: Shape, output: Shape) -> list[Step]:
    """A pool that spreads space over an output."""
    _check_rank(shape)
    name, rank = {"avg": "Average", "max": "Max"}[reduction], len(shape) - 1
    if set(output[1:]) == {1}:
        return [Call(f"layers.Global{name}Pooling{rank}D", keywords(keepdims=True))]
    kernel = [adaptive_step(size, wanted) for size, wanted in zip(shape[1:], output[1:], strict=True)]
    if None not in kernel:
        return [Call(f"layers.{name}Pooling{rank}D", keywords(pool_size=scalar(kernel)))]
    reduce = {"avg": "ops.mean", "max": "ops.max"}[reduction]
    return [Inline(f"adaptive_pool({{0}}, {{sizes}}, {reduce})", keywords(sizes=output[1:]))]


def _adaptive(layer: AdaptivePool | GlobalPool, inputs: Shapes, output: Shape) -> list[Step]:
    return _spread(layer.reduction, inputs[0], output)


def _upsample(layer: Upsample, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.mode == "area":
        return _spread("avg", inputs[0], output)
    rank = len(output) - 1
    scales: tuple[float | None, ...] = (None,) * rank
    if layer.scale_factor is not None:
        scales = one_an_axis(layer, "scale_factor", layer.scale_factor, inputs[0])
        if layer.mode in ("nearest", "nearest-exact") and all(isinstance(factor, int) for factor in scales):
            return [Call(f"layers.UpSampling{rank}D", keywords(size=scalar(scales)))]
    mode = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}.get(layer.mode, layer.mode)
    arguments = keywords(sizes=output[1:], scales=scales, mode=mode, align_corners=bool(layer.align_corners))
    return [Inline("interpolated({0}, {sizes}, {scales}, {mode}, {align_corners})", arguments)]


def _pad(layer: Pad, inputs: Shapes, output: Shape) -> list[Step]:
    _check_rank(output)
    return _bordered(border_pads(layer.axes(inputs)), layer.mode, layer.value) or [Inline("{0}")]


def _crop(layer: Crop, inputs: Shapes, output: Shape) -> list[Step]:
    _check_rank(output)
    return _bordered(border_pads(layer.axes(inputs)), "constant") or [Inline("{0}")]


def _channel_shuffle(layer: ChannelShuffle, inputs: Shapes, output: Shape) -> list[Step]:
    channels, *space = output
    axes = len(space)
    return [
        Call("layers.Reshape", positional(target_shape=(*space, layer.groups, channels // layer.groups))),
        Call("layers.Permute", positional(dims=(*range(1, axes + 1), axes + 2, axes + 1))),
        Call("layers.Reshape", positional(target_shape=(*space, channels))),
    ]


def _pixel_shuffle(layer: PixelShuffle, inputs: Shapes, output: Shape) -> list[Step]:
    factor, space, axes = layer.upscale_factor, inputs[0][1:], len(output) - 1
    order = (axis for n in range(axes) for axis in (1 + n, axes + 2 + n))
    return [
        Call("layers.Reshape", positional(target_shape=(*space, output[0], *(factor,) * axes))),
        Call("layers.Permute", positional(dims=(*order, axes + 1))),
        Call("layers.Reshape", positional(target_shape=(*output[1:], output[0]))),
    ]


def _pixel_unshuffle(layer: PixelUnshuffle, inputs: Shapes, output: Shape) -> list[Step]:
    factor, axes = layer.downscale_factor, len(output) - 1
    halves = (size for n in range(axes) for size in (output[1 + n], factor))
    order = (*(1 + 2 * n for n in range(axes)), 2 * axes + 1, *(2 + 2 * n for n in range(axes)))
    return [
        Call("layers.Reshape", positional(target_shape=(*halves, inputs[0][0]))),
        Call("layers.Permute", positional(dims=order)),
        Call("layers.Reshape", positional(target_shape=(*output[1:], output[0]))),
    ]


def _space(mapper: Steps) -> Mapper:
    """A layer that takes and gives channels last."""

    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        before = permuted(orders[0], channels_last(len(inputs[0])))
        return Mapped([*before, *mapper(layer, inputs, output)], channels_last(len(output)))

    return map_


def _elementwise(make: Callable[..., Step]) -> Mapper:
    """A layer of every element on its own, in whatever order."""

    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        return Mapped([make(layer)], orders[0])

    return map_


def _activation(name: str) -> Mapper:
    return _elementwise(lambda layer: Call("layers.Activation", positional(activation=name)))


def _gelu(layer: Gelu) -> Step:
    if layer.approximate == "none":
        return Call("layers.Activation", positional(activation="gelu"))
    return Inline("keras.activations.gelu({0}, approximate=True)")


def _leaky_relu(layer: LeakyReLU) -> Step:
    return Call("layers.LeakyReLU", keywords(negative_slope=layer.negative_slope))


def _elu(layer: ELU) -> Step:
    return Call("layers.ELU", (optional("alpha", layer.alpha, 1.0),))


def _dropout(layer: Dropout) -> Step:
    return Call("layers.Dropout", positional(rate=layer.p))


def _softplus(layer: Softplus) -> Step:
    if layer.beta == 1 and layer.threshold >= 20:
        return Call("layers.Activation", positional(activation="softplus"))
    template = "ops.where({beta} * {0} > {threshold}, {0}, ops.softplus({beta} * {0}) / {beta})"
    return Inline(template, keywords(beta=layer.beta, threshold=layer.threshold))


def _linear(layer: Linear, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    order = _with_last(orders[0], len(inputs[0]) - 1)
    if layer.weight is not None:
        return _given(layer, inputs, orders)
    arguments = (*positional(units=layer.out_features), optional("use_bias", layer.bias, True), NAME)
    return Mapped([*permuted(orders[0], order), _formed(layer, "FormedDense", "Dense", arguments)], order)


def _with_last(order: Order, axis: int) -> Order:
    """The order itself where this axis is its last, else one that has it last."""
    others = (other for other in sorted(order) if other != axis)
    return order if order[-1] == axis else (*others, axis)


def _given(layer: Linear, inputs: Shapes, orders: list[Order]) -> Mapped:
    """Weights that are an input, each example's its own."""
    plain = tuple(range(len(inputs[0])))
    x, weight = (_in_order(number, orders[number], tuple(range(len(inputs[number])))) for number in (0, 1))
    if len(plain) == 1:
        text = f"ops.squeeze(ops.matmul({weight}, ops.expand_dims({x}, -1)), -1)"
        bias = "{2}"
    else:
        flat = f"ops.reshape({x}, (-1, {prod(inputs[0][:-1])}, {inputs[0][-1]}))"
        shape = ", ".join(map(str, (*inputs[0][:-1], layer.out_features)))
        text = f"ops.reshape(ops.matmul({flat}, ops.swapaxes({weight}, 1, 2)), (-1, {shape}))"
        bias = f"ops.reshape({{2}}, (-1, {'1, ' * (len(plain) - 1)}{layer.out_features}))"
    return Mapped([Inline(f"{text} + {bias}" if layer.bias else text)], plain)


def _in_order(number: int, have: Order, want: Order) -> str:
    """An input in the order that is wanted, as it stands in an expression."""
    step = permuted(have, want)
    return f"layers.Permute({step[0].arguments[0].value})({{{number}}})" if step else f"{{{number}}}"


def _reshape(layer: Flatten | Reshape, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Numbers are read with the channels first; one axis alone that is longer than 1 has no other order."""
    plain = tuple(range(len(inputs[0])))
    before = permuted(orders[0], plain) if sum(size > 1 for size in inputs[0]) > 1 else []
    shaped: Step = (
        Call("layers.Flatten") if len(output) == 1 else Call("layers.Reshape", positional(target_shape=output))
    )
    return Mapped([*before, shaped], tuple(range(len(output))))


def _permute(layer: Permute, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    return Mapped([Inline("{0}")], tuple(layer.order.index(axis) for axis in orders[0]))


def _place(order: Order, axis: int) -> int:
    """Keras's number of an axis, counted from the end where it is the last."""
    place = order.index(axis) + 1
    return -1 if place == len(order) else place


def _batch_norm(layer: BatchNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if not layer.track_running_stats or layer.momentum is None:
        raise Refused("Keras always keeps running statistics, with a fixed momentum")
    arguments = (
        optional("axis", _place(orders[0], layer.dim % len(output)), -1),
        optional("momentum", round(1 - layer.momentum, 12), 0.99),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.affine and layer.bias, True),
        optional("scale", layer.affine and layer.weight, True),
        NAME,
    )
    return Mapped([Call("layers.BatchNormalization", arguments)], orders[0])


def _grouped(layer: GroupNorm | InstanceNorm, groups: int, order: Order, scale: bool, center: bool) -> Mapped:
    arguments = (
        *keywords(groups=groups),
        optional("axis", _place(order, 0), -1),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.affine and center, True),
        optional("scale", layer.affine and scale, True),
        NAME,
    )
    return Mapped([Call("layers.GroupNormalization", arguments)], order)


def _group_norm(layer: GroupNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    return _grouped(layer, layer.num_groups, orders[0], layer.weight, layer.bias)


def _instance_norm(layer: InstanceNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if layer.track_running_stats:
        raise Refused("Keras has no instance norm with running statistics")
    return _grouped(layer, -1, orders[0], scale=True, center=True)


def _layer_norm(layer: LayerNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    count = len(layer.normalized_shape or (0,))
    axes = [0] if layer.dim is not None else range(len(output) - count, len(output))
    places = sorted(orders[0].index(axis) + 1 for axis in axes)
    arguments = (
        optional("axis", -1 if places == [len(output)] else places, -1),
        optional("epsilon", layer.eps, 0.001),
        optional("center", layer.elementwise_affine and layer.bias, True),
        optional("scale", layer.elementwise_affine and layer.weight, True),
        NAME,
    )
    return Mapped([Call("layers.LayerNormalization", arguments)], orders[0])


def _local_response_norm(layer: LocalResponseNorm, inputs: Shapes, output: Shape) -> list[Step]:
    template = "local_response_norm({0}, {size}, {alpha}, {beta}, {k})"
    return [Inline(template, keywords(size=layer.size, alpha=layer.alpha, beta=layer.beta, k=layer.k))]


def _scale(layer: Scale, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    arguments = (optional("use_bias", layer.bias, False), optional("size", layer.size, None), NAME)
    order = orders[0] if layer.size is not None else _with_last(orders[0], layer.dim % len(output))
    return Mapped([*permuted(orders[0], order), Call("Scale", arguments)], order)


def _rms_norm(layer: RMSNorm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    plain = tuple(range(len(output)))
    count = len(layer.normalized_shape or (0,))
    arguments = (
        optional("axes", count, 1),
        *keywords(epsilon=2.0**-23 if layer.eps is None else layer.eps),
        optional("scale", layer.elementwise_affine, True),
        NAME,
    )
    return Mapped([*permuted(orders[0], plain), Call("RMSNorm", arguments)], plain)


def _parameter(layer: Parameter, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    given = (optional("learned", layer.learned, True), optional("repeats", layer.repeats, ()))
    arguments = (*positional(shape=layer.shape), *given, NAME)
    return Mapped([Call("Constant", arguments)], tuple(range(len(output))))


def _operation(function: str) -> Mapper:
    return _elementwise(lambda layer: Inline(f"ops.{function}({{0}})"))


def _pow(layer: Pow) -> Step:
    return Inline("{0} ** {exponent}", keywords(exponent=layer.exponent))


def _clamp(layer: Clamp) -> Step:
    if layer.min is None:
        return Inline("ops.minimum({0}, {max})", keywords(max=layer.max))
    if layer.max is None:
        return Inline("ops.maximum({0}, {min})", keywords(min=layer.min))
    return Inline("ops.clip({0}, {min}, {max})", keywords(min=layer.min, max=layer.max))


def _hardtanh(layer: Hardtanh) -> Step:
    return Inline("ops.clip({0}, {min_val}, {max_val})", keywords(min_val=layer.min_val, max_val=layer.max_val))


def _celu(layer: CELU) -> Step:
    return Inline("ops.celu({0}, {alpha})", keywords(alpha=layer.alpha))


def _threshold(layer: Threshold) -> Step:
    numbers = keywords(threshold=layer.threshold, value=layer.value)
    return Inline("ops.where({0} > {threshold}, {0}, {value})", numbers)


def _shrink(function: str) -> Mapper:
    return _elementwise(lambda layer: Inline(f"ops.{function}({{0}}, {{lambd}})", keywords(lambd=dict(layer)["lambd"])))


def _rescale(layer: Rescale, inputs: Shapes, output: Shape) -> list[Step]:
    given = ((name, list(value) if isinstance(value, tuple) else value) for name, value in dict(layer).items())
    values = {name: value for name, value in given if name in ("scale", "offset")}
    return [Call("layers.Rescaling", (*positional(scale=values["scale"]), optional("offset", values["offset"], 0.0)))]


def _log_softmax(layer: Softmax, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    axis = keywords(axis=_place(orders[0], layer.dim % len(output)))
    return Mapped([Inline("ops.log_softmax({0}, axis={axis})", axis)], orders[0])


def _glu(layer: GLU, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    axis = keywords(axis=_place(orders[0], layer.dim % len(output)))
    return Mapped([Inline("ops.glu({0}, axis={axis})", axis)], orders[0])


class Reduced(NamedTuple):
    """What an expression over a reduced tensor is made of."""

    over: str
    """The axes, as arguments."""
    order: Order
    """Of what is left."""


def _reduced(layer: Reduce | Deviation | Norm | Argmax, inputs: Shapes, order: Order) -> Reduced:
    gone = layer.reduced(inputs[0])
    places = sorted(order.index(axis) + 1 for axis in gone)
    kept = [axis for axis in order if axis not in gone]
    left = order if layer.keepdim else tuple(sorted(kept).index(axis) for axis in kept)
    axes = places[0] if len(places) == 1 else tuple(places)
    return Reduced(f"axis={axes}" + (", keepdims=True" if layer.keepdim else ""), left)


def _reduce(function: str) -> Mapper:
    def map_(layer: Reduce, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        over, order = _reduced(layer, inputs, orders[0])
        return Mapped([Inline(f"ops.{function}({{0}}, {over})" if inputs[0] else "{0}")], order)

    return map_


def _deviation(layer: Deviation, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Keras divides by how many there are."""
    if not inputs[0]:
        return Mapped([Inline("ops.zeros_like({0})")], ())
    over, order = _reduced(layer, inputs, orders[0])
    count = prod(inputs[0][axis] for axis in layer.reduced(inputs[0]))
    factor = count / (count - layer.correction)
    text = f"ops.{layer.kind}({{0}}, {over})"
    scaled = f"{text} * {{factor}}" if layer.correction else text
    return Mapped([Inline(scaled, keywords(factor=sqrt(factor) if layer.kind == "std" else factor))], order)


def _norm(layer: Norm, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if not inputs[0]:
        return Mapped([Inline("ops.abs({0})")], ())
    over, order = _reduced(layer, inputs, orders[0])
    powers = keywords(power=layer.p, root=1 / layer.p)
    text = f"ops.sum(ops.abs({{0}}) ** {{power}}, {over}) ** {{root}}"
    if layer.p in (1, 2):
        text = f"ops.sum(ops.abs({{0}}), {over})" if layer.p == 1 else f"ops.sqrt(ops.sum(ops.square({{0}}), {over}))"
    return Mapped([Inline(text, powers)], order)


def _argmax(layer: Argmax, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Positions among all are counted with the channels first."""
    if layer.dim is not None:
        over, order = _reduced(layer, inputs, orders[0])
        return Mapped([Inline(f"ops.argmax({{0}}, {over})")], order)
    plain = tuple(range(len(inputs[0])))
    flat = "ops.argmax(layers.Flatten()({0}), axis=1)"
    text = f"ops.reshape({flat}, (-1{', 1' * len(output)}))" if output else flat
    return Mapped([*permuted(orders[0], plain), Inline(text)], tuple(range(len(output))))


def _pair(text: str) -> Mapper:
    """An expression over two tensors in the order of the first."""

    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        return Mapped([Inline(text.format(*_joined(orders)))], orders[0])

    return map_


def _prelu(layer: PReLU, inputs: Shapes, output: Shape) -> list[Step]:
    axes = len(output)
    shared = list(range(1, axes + 1 if layer.num_parameters == 1 else axes))
    start = keywords(alpha_initializer=Code("keras.initializers.Constant(0.25)"))
    return [Call("layers.PReLU", (*start, optional("shared_axes", shared, []), NAME))]


def _softmax(layer: Softmax, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    axis = _place(orders[0], layer.dim % len(output))
    return Mapped([Call("layers.Softmax", (optional("axis", axis, -1),))], orders[0])


def _stochastic_depth(layer: StochasticDepth, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    shape = (None if layer.mode == "row" else 1, *(1,) * len(output))
    return Mapped([Call("layers.Dropout", (*positional(rate=layer.p), *keywords(noise_shape=shape)))], orders[0])


def _joined(orders: list[Order]) -> list[str]:
    """The inputs of a join in the order of the first, as they stand in an expression."""
    return [_in_order(number, order, orders[0]) for number, order in enumerate(orders)]


def _concat(layer: Concat, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    if len(inputs) == 1:
        return Mapped([Inline("{0}")], orders[0])
    axis = _place(orders[0], layer.joined_axis(inputs))
    text = f"layers.Concatenate(axis={{axis}})([{', '.join(_joined(orders))}])"
    return Mapped([Inline(text, keywords(axis=axis))], orders[0])


def _merge(name: str) -> Mapper:
    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        return Mapped([Inline(f"layers.{name}()([{', '.join(_joined(orders))}])")], orders[0])

    return map_


def _gate(layer: Gate, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    transform, gate, carry = _joined(orders)
    return Mapped([Inline(f"{transform} * {gate} + {carry} * (1 - {gate})")], orders[0])


def _plain(axes: int) -> Order:
    """The order of the network itself."""
    return tuple(range(axes))


def _natural(mapper: Steps) -> Mapper:
    """A layer on axes in the order of the network; the steps' first expression reads the inputs so."""

    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        first, *rest = mapper(layer, inputs, output)
        texts = [_in_order(number, order, _plain(len(order))) for number, order in enumerate(orders)]
        return Mapped([_reading(first, texts), *rest], _plain(len(output)))

    return map_


def _reading(step: Step, texts: Sequence[str]) -> Step:
    """A step that reads these expressions in place of its inputs."""

    def put_in(text: str) -> str:
        return re.sub(r"\{(\d+)\}", lambda found: texts[int(found[1])], text)

    if isinstance(step, Call):
        return step._replace(reads=tuple(map(put_in, step.reads)))
    return step._replace(template=put_in(step.template))


def _along(layer: Split | Slice, shape: Shape) -> int:
    """Keras's number of the axis along which a layer works."""
    return layer.dim % len(shape) + 1


def _split(layer: Split, inputs: Shapes, output: Shape) -> list[Step]:
    start, axis = sum(layer.channels[: layer.part]), _along(layer, output)
    arguments = keywords(start=start, stop=start + output[axis - 1])
    return [Inline(f"{{0}}[{':, ' * axis}{{start}}:{{stop}}]", arguments)]


def _split_channels(layer: Split, inputs: Shapes, output: Shape) -> list[Step]:
    start = sum(layer.channels[: layer.part])
    return [Inline("{0}[..., {start}:{stop}]", keywords(start=start, stop=start + output[0]))]


def _parts(layer: Split, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    mapper = _space(_split_channels) if layer.dim % len(output) == 0 else _natural(_split)
    return mapper(layer, inputs, output, orders)


def _aligned(number: int, have: int, want: int) -> str:
    """Input `number` of so many axes with as many as wanted: new ones stand behind the batch."""
    if have == want:
        return f"{{{number}}}"
    return f"ops.expand_dims({{{number}}}, {tuple(range(1, 1 + want - have))})"


def _matmul(layer: MatMul, inputs: Shapes, output: Shape) -> list[Step]:
    factors = ", ".join(_aligned(number, len(shape), len(output)) for number, shape in enumerate(inputs))
    return [Inline(f"ops.matmul({factors})")]


def _attention(layer: ScaledDotProductAttention, inputs: Shapes, output: Shape) -> list[Step]:
    scale = keywords(scale=1 / sqrt(inputs[0][-1]) if layer.scale is None else layer.scale)
    mask = f", {_aligned(3, len(inputs[3]), len(output))}" if len(inputs) == 4 else ""
    causal = ", is_causal=True" if layer.is_causal else ""
    return [Inline(f"scaled_attention({{0}}, {{1}}, {{2}}, {{scale}}{mask}{causal})", scale)]


def _multihead(layer: MultiheadAttention, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Keras takes the query, the value, the key."""
    if layer.add_bias_kv or layer.add_zero_attn:
        raise Refused("Keras appends no key and no value")
    texts = [_in_order(number, order, _plain(2)) for number, order in enumerate(orders)]
    arguments = (
        *keywords(num_heads=layer.num_heads, key_dim=output[-1] // layer.num_heads),
        optional("use_bias", layer.bias, True),
        NAME,
    )
    reads = (texts[0], texts[2], texts[1]) if len(texts) == 3 else (texts[0], texts[0])
    return Mapped([Call("layers.MultiHeadAttention", arguments, reads)], _plain(2))


def _embedding(layer: Embedding, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = positional(input_dim=layer.num_embeddings, output_dim=layer.embedding_dim)
    return [Call("layers.Embedding", (*arguments, NAME))]


def _recurrent(layer: RNN | GRU | LSTM, inputs: Shapes, output: Shape) -> list[Step]:
    """Keras's GRU has two biases, its other layers one; its weights are one tensor for all gates."""
    if layer.num_layers > 1 or layer.state_size != layer.hidden_size:
        raise Refused("Keras has recurrent layers one by one, whose states are not projected")
    if layer.bias and layer.biases != (2 if layer.kind == "gru" else 1):
        raise Refused("Keras adds two biases in a GRU and one in its other recurrent layers")
    name = {"rnn": "SimpleRNN"}.get(layer.kind, layer.kind.upper())
    arguments = (
        *positional(units=layer.hidden_size),
        optional("activation", dict(layer).get("nonlinearity", "tanh"), "tanh"),
        optional("use_bias", layer.bias, True),
        *keywords(return_sequences=True),
    )
    if not layer.bidirectional:
        return [Call(f"layers.{name}", (*arguments, NAME))]
    return [Call("both_ways", (*positional(recurrent=Code(f"layers.{name}")), *arguments, NAME))]


def _roll(layer: Roll, inputs: Shapes, output: Shape) -> list[Step]:
    dims = tuple(dim % len(output) + 1 for dim in layer.dims)
    return [Inline("ops.roll({0}, {shifts}, {dims})", keywords(shifts=layer.shifts, dims=dims))]


def _flip(layer: Flip, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("ops.flip({0}, {dims})", keywords(dims=tuple(dim % len(output) + 1 for dim in layer.dims)))]


def _repeated(layer: Expand, inputs: Shapes, output: Shape) -> list[Step]:
    read = (1,) * (len(output) - len(inputs[0])) + inputs[0]
    times = (1, *(size if have != size else 1 for have, size in zip(read, output, strict=True)))
    return [Inline(f"ops.tile({_aligned(0, len(inputs[0]), len(output))}, {{times}})", keywords(times=times))]


def _tile(layer: Tile, inputs: Shapes, output: Shape) -> list[Step]:
    times = (1,) * (len(output) + 1 - len(layer.reps)) + layer.reps
    return [Inline(f"ops.tile({_aligned(0, len(inputs[0]), len(output))}, {{times}})", keywords(times=times))]


def _slice(layer: Slice, inputs: Shapes, output: Shape) -> list[Step]:
    axis = _along(layer, output)
    start, stop, step = slice(layer.start, layer.stop, layer.step).indices(inputs[0][axis - 1])
    arguments = keywords(start=start, stop=stop, step=step)
    return [Inline(f"{{0}}[{':, ' * axis}{{start}}:{{stop}}:{{step}}]", arguments)]


def _select(layer: Select, inputs: Shapes, output: Shape) -> list[Step]:
    axis, size = layer.dim % len(inputs[0]) + 1, inputs[0][layer.dim]
    return [Inline(f"{{0}}[{':, ' * axis}{{index}}]", keywords(index=layer.index % size))]


def _squeeze(layer: Squeeze, inputs: Shapes, output: Shape) -> list[Step]:
    axes = tuple(dim % len(inputs[0]) + 1 for dim in layer.dim)
    return [Inline("ops.squeeze({0}, {axes})", keywords(axes=axes))]


def _unsqueeze(layer: Unsqueeze, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("ops.expand_dims({0}, {axis})", keywords(axis=layer.dim % len(output) + 1))]


def _stack(layer: Stack, inputs: Shapes, output: Shape) -> list[Step]:
    tensors = ", ".join(f"{{{number}}}" for number in range(len(inputs)))
    return [Inline(f"ops.stack([{tensors}], axis={{axis}})", keywords(axis=layer.dim % len(output) + 1))]


def _repeat_interleave(layer: RepeatInterleave, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(repeats=layer.repeats, axis=layer.dim % len(output) + 1)
    return [Inline("ops.repeat({0}, {repeats}, axis={axis})", arguments)]


def _index_select(layer: IndexSelect, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.relative is not None:
        given = keywords(window=layer.relative, axis=layer.dim % len(output) + 1)
        return [Inline("ops.take({0}, relative_positions({window}), axis={axis})", given)]
    if layer.indices is None:
        raise Refused(UNSAID)
    size = inputs[0][layer.dim]
    arguments = keywords(indices=[index % size for index in layer.indices], axis=layer.dim % len(output) + 1)
    return [Inline("ops.take({0}, {indices}, axis={axis})", arguments)]


def _batched(layer: Batched, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """The batch axes merged into the batch, the layer inside, and the axes apart again."""
    inner, inside, result, _ = layer.alone(inputs, output)
    plain = [_plain(len(shape)) for shape in inside]
    steps, order = KERAS.of(inner)(inner, inside, result, plain)
    texts = [
        f"ops.reshape({_in_order(number, given, _plain(len(given)))}, {(-1, *shape)})"
        for number, (given, shape) in enumerate(zip(orders, inside, strict=True))
    ]
    first = steps[0] if len(inputs) > 1 else Inline("{0}")
    rest = steps[1:] if len(inputs) > 1 else steps
    back = [*permuted(order, _plain(len(result))), Inline("ops.reshape({0}, {shape})", keywords(shape=(-1, *output)))]
    return Mapped([_reading(first, texts), *rest, *back], _plain(len(output)))


KERAS: KindTable[Mapper] = KindTable(
    {
        "Conv": _space(_conv),
        "ConvTranspose": _space(_conv_transpose),
        "SeparableConv": _space(_separable),
        "MaxPool": _space(_max_pool),
        "AvgPool": _space(_avg_pool),
        "LpPool": _space(_lp_pool),
        "AdaptivePool": _space(_adaptive),
        "GlobalPool": _space(_adaptive),
        "Upsample": _space(_upsample),
        "Pad": _space(_pad),
        "Crop": _space(_crop),
        "ChannelShuffle": _space(_channel_shuffle),
        "PixelShuffle": _space(_pixel_shuffle),
        "PixelUnshuffle": _space(_pixel_unshuffle),
        "Linear": _linear,
        "Flatten": _reshape,
        "Reshape": _reshape,
        "Permute": _permute,
        "Identity": _elementwise(lambda layer: Call("layers.Identity")),
        "BatchNorm": _batch_norm,
        "GroupNorm": _group_norm,
        "LayerNorm": _layer_norm,
        "InstanceNorm": _instance_norm,
        "LocalResponseNorm": _space(_local_response_norm),
        "Scale": _scale,
        "RMSNorm": _rms_norm,
        "Parameter": _parameter,
        **{kind: _operation(kind) for kind in ("exp", "log", "sqrt", "rsqrt", "abs", "square", "reciprocal", "sin")},
        **{kind: _operation(kind) for kind in ("cos", "erf", "sign", "floor", "ceil", "round")},
        "neg": _operation("negative"),
        "Pow": _elementwise(_pow),
        "Clamp": _elementwise(_clamp),
        "Rescale": _space(_rescale),
        "Hardtanh": _elementwise(_hardtanh),
        "CELU": _elementwise(_celu),
        "Threshold": _elementwise(_threshold),
        "hardshrink": _shrink("hard_shrink"),
        "softshrink": _shrink("soft_shrink"),
        "softsign": _activation("softsign"),
        "logsigmoid": _activation("log_sigmoid"),
        "tanhshrink": _activation("tanh_shrink"),
        "log_softmax": _log_softmax,
        "GLU": _glu,
        "mean": _reduce("mean"),
        "sum": _reduce("sum"),
        "amax": _reduce("max"),
        "amin": _reduce("min"),
        "prod": _reduce("prod"),
        "logsumexp": _reduce("logsumexp"),
        "Deviation": _deviation,
        "Norm": _norm,
        "Argmax": _argmax,
        "Sub": _pair("{} - {}"),
        "Div": _pair("{} / {}"),
        "maximum": _pair("ops.maximum({}, {})"),
        "minimum": _pair("ops.minimum({}, {})"),
        "relu": _activation("relu"),
        "relu6": _elementwise(lambda layer: Call("layers.ReLU", keywords(max_value=6))),
        "silu": _activation("silu"),
        "hardswish": _activation("hard_silu"),
        "hardsigmoid": _activation("hard_sigmoid"),
        "sigmoid": _activation("sigmoid"),
        "tanh": _activation("tanh"),
        "mish": _activation("mish"),
        "selu": _activation("selu"),
        "Gelu": _elementwise(_gelu),
        "LeakyReLU": _elementwise(_leaky_relu),
        "PReLU": _space(_prelu),
        "ELU": _elementwise(_elu),
        "Softplus": _elementwise(_softplus),
        "Softmax": _softmax,
        "Dropout": _elementwise(_dropout),
        "StochasticDepth": _stochastic_depth,
        "Concat": _concat,
        "Add": _merge("Add"),
        "Multiply": _merge("Multiply"),
        "Gate": _gate,
        "Split": _parts,
        BATCHED: _batched,
        "MatMul": _natural(_matmul),
        "ScaledDotProductAttention": _natural(_attention),
        "MultiheadAttention": _multihead,
        "Embedding": _natural(_embedding),
        **dict.fromkeys(("RNN", "GRU", "LSTM"), _natural(_recurrent)),
        "Roll": _natural(_roll),
        "Flip": _natural(_flip),
        "Expand": _natural(_repeated),
        "Tile": _natural(_tile),
        "Slice": _natural(_slice),
        "Select": _natural(_select),
        "Squeeze": _natural(_squeeze),
        "Unsqueeze": _natural(_unsqueeze),
        "Stack": _natural(_stack),
        "RepeatInterleave": _natural(_repeat_interleave),
        "IndexSelect": _natural(_index_select),
    },
    absent="no layer of Keras is known to do what it does",
    refused={
        **OPAQUE,
        "Unfold": "Keras has no layer that writes windows out as columns",
    },
)
"""Kind or family -> its layers."""
