"""Keras layers that work on space: convolutions, pools, interpolation, padding, cropping, shuffles."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ..geometry import same_padding
from .calls import Argument, Call, Inline, Refused, Step, scalar
from .windows import Pads, fitted_pads

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]

NAME = Argument("name", "")
"""The path of a layer with weights: written where the layer stands."""


def _given(**values: object) -> tuple[Argument, ...]:
    return tuple(Argument(name, value) for name, value in values.items())


def _first(**values: object) -> tuple[Argument, ...]:
    return tuple(Argument(name, value, positional=True) for name, value in values.items())


def _or(name: str, value: object, default: object) -> Argument:
    return Argument(name, value, default)


def _sides(pads: Pads) -> object:
    """Keras's padding argument: one number where all sides agree."""
    sides = {side for pair in pads for side in pair}
    return sides.pop() if len(sides) == 1 else pads[0] if len(pads) == 1 else pads


def _says_same(pads: Pads, layer: Any, shape: Shape) -> bool:
    """Whether these pads are Keras's `same` for an input of any size, which only a stride of 1 makes them."""
    fields = zip(shape[1:], layer.kernel_size, layer.dilation if hasattr(layer, "dilation") else (1, 1, 1), strict=False)
    return set(layer.stride) == {1} and pads == tuple(same_padding(size, k, 1, d) for size, k, d in fields)


def _check_rank(shape: Shape) -> None:
    if not 2 <= len(shape) <= 4:
        raise Refused(f"Keras works on 1 to 3 space axes, not on {len(shape) - 1}")


def _bordered(pads: Pads, mode: str, value: float = 0.0) -> list[Step]:
    """Padding and cropping."""
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if not any(map(any, pads)):
        return []
    if mode in names:
        return [Inline("bordered({0}, {pads}, {mode})", _given(pads=pads, mode=names[mode]))]
    grown = tuple((max(before, 0), max(after, 0)) for before, after in pads)
    cut = tuple((max(-before, 0), max(-after, 0)) for before, after in pads)
    steps: list[Step] = []
    if any(map(any, grown)):
        if value == 0:
            steps.append(Call(f"layers.ZeroPadding{len(pads)}D", _first(padding=_sides(grown))))
        else:
            sides = ((0, 0), *grown, (0, 0))
            template = "ops.pad({0}, {pads}, constant_values={value})"
            steps.append(Inline(template, _given(pads=sides, value=float(value))))
    if any(map(any, cut)):
        steps.append(Call(f"layers.Cropping{len(pads)}D", _first(cropping=_sides(cut))))
    return steps


def _padding(layer: Any, shape: Shape) -> tuple[list[Step], str]:
    """What pads before a convolution, and the convolution's own padding."""
    if max(layer.stride) > 1 and max(layer.dilation) > 1:
        raise Refused("Keras has no convolution with a stride and a dilation above 1")
    mode = getattr(layer, "padding_mode", "zeros")
    if layer.padding == "same" and mode == "zeros":
        return [], "same"
    pads = tuple((w.before, w.after) for w in layer.windows(shape))
    if mode == "zeros" and _says_same(pads, layer, shape):
        return [], "same"
    return _bordered(pads, mode), "valid"


def _conv(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    before, padding = _padding(layer, inputs[0])
    channels = inputs[0][0]
    common = (
        *_given(kernel_size=scalar(layer.kernel_size)),
        _or("strides", scalar(layer.stride), 1),
        _or("padding", padding, "valid"),
        _or("dilation_rate", scalar(layer.dilation), 1),
        _or("use_bias", layer.bias, True),
    )
    depthwise = layer.groups == channels > 1 and layer.rank < 3 and len(set(layer.stride)) == 1
    if depthwise:
        multiplier = _or("depth_multiplier", layer.out_channels // channels, 1)
        return [*before, Call(f"layers.DepthwiseConv{layer.rank}D", (*common, multiplier, NAME))]
    arguments = (*_first(filters=layer.out_channels), *common, _or("groups", layer.groups, 1), NAME)
    return [*before, Call(f"layers.Conv{layer.rank}D", arguments)]


def _conv_transpose(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.groups > 1:
        raise Refused("Keras has no transposed convolution with groups")
    if max(layer.stride) > 1 and max(layer.dilation) > 1:
        raise Refused("Keras has no transposed convolution with a stride and a dilation above 1")
    windows = layer.windows(inputs[0])
    extra: list[int] = []
    cuts: list[tuple[int, int]] = []
    for window in windows:
        after = window.after - window.output_padding
        extra.append(max(-after, 0))
        cuts.append((window.before, max(after, 0)))
    fills = [w.stride - (w.dilation * (w.kernel_size - 1) + 1) for w in windows]
    if layer.padding == "same":
        padding, given, cuts = "same", None, []
    elif not any(extra) and max(fills) <= 0:
        padding, given = "valid", None
    elif any(more >= w.stride for more, w in zip(extra, windows, strict=True)):
        raise Refused("Keras takes an output_padding below the stride")
    else:
        padding, given = "valid", scalar(extra)
    arguments = (
        *_first(filters=layer.out_channels),
        *_given(kernel_size=scalar(layer.kernel_size)),
        _or("strides", scalar(layer.stride), 1),
        _or("padding", padding, "valid"),
        _or("output_padding", given, None),
        _or("dilation_rate", scalar(layer.dilation), 1),
        _or("use_bias", layer.bias, True),
        NAME,
    )
    cut = tuple((-before, -after) for before, after in cuts)
    return [Call(f"layers.Conv{layer.rank}DTranspose", arguments), *_bordered(cut, "constant")]


def _separable(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    before, padding = _padding(layer, inputs[0])
    if len(set(layer.stride)) > 1:
        raise Refused("Keras has separable convolutions with one stride for all axes")
    arguments = (
        *_first(filters=layer.out_channels),
        *_given(kernel_size=scalar(layer.kernel_size)),
        _or("strides", scalar(layer.stride), 1),
        _or("padding", padding, "valid"),
        _or("dilation_rate", scalar(layer.dilation), 1),
        _or("depth_multiplier", layer.depth_multiplier, 1),
        _or("use_bias", layer.bias, True),
        NAME,
    )
    return [*before, Call(f"layers.SeparableConv{layer.rank}D", arguments)]


def _pool(name: str, layer: Any, padding: str = "valid") -> Call:
    arguments = (
        *_given(pool_size=scalar(layer.kernel_size), strides=scalar(layer.stride)),
        _or("padding", padding, "valid"),
    )
    return Call(f"layers.{name}Pooling{layer.rank}D", arguments)


def _max_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    if max(layer.dilation) > 1:
        raise Refused("Keras has no dilated pool")
    if layer.padding == "same" and not layer.ceil_mode:
        return [_pool("Max", layer, "same")]
    pads = fitted_pads(layer.windows(inputs[0]), inputs[0][1:], output[1:])
    if _says_same(pads, layer, inputs[0]):
        return [_pool("Max", layer, "same")]
    return [*_bordered(pads, "constant", float("-inf")), _pool("Max", layer)]


def _avg_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    windows = layer.windows(inputs[0])
    declared = tuple((w.before, w.after) for w in windows)
    pads = fitted_pads(windows, inputs[0][1:], output[1:])
    if layer.divisor_override is not None:
        factor = _given(factor=prod(layer.kernel_size) / layer.divisor_override)
        return [*_bordered(pads, "constant"), _pool("Average", layer), Inline("{0} * {factor}", factor)]
    if layer.padding == "same" and not layer.ceil_mode and not layer.count_include_pad:
        return [_pool("Average", layer, "same")]
    overhangs = any(after > given for (_, after), (_, given) in zip(pads, declared, strict=True))
    if not any(map(any, pads)) or (layer.count_include_pad and not overhangs):
        return [*_bordered(pads, "constant"), _pool("Average", layer)]
    counted = tuple((b, min(a, d)) if layer.count_include_pad else (0, 0) for (b, a), (_, d) in zip(pads, declared))
    template = "padded_average({0}, {pool_size}, {strides}, {padding}, {counted})"
    arguments = _given(pool_size=layer.kernel_size, strides=layer.stride, padding=pads, counted=counted)
    return [Inline(template, arguments)]


def _lp_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    pads = fitted_pads(layer.windows(inputs[0]), inputs[0][1:], output[1:])
    if any(map(any, pads)):
        raise Refused("windows of a power pool that overhang have no equal in Keras")
    template = '({count} * ops.average_pool({0} ** {power}, {kernel}, {stride}, "valid")) ** (1 / {power})'
    arguments = _given(
        count=prod(layer.kernel_size), power=layer.norm_type, kernel=layer.kernel_size, stride=layer.stride
    )
    return [Inline(template, arguments)]


def _spread(reduction: str, shape: Shape, output: Shape) -> list[Step]:
    """A pool that spreads space over an output."""
    _check_rank(shape)
    name, rank = {"avg": "Average", "max": "Max"}[reduction], len(shape) - 1
    if set(output[1:]) == {1}:
        return [Call(f"layers.Global{name}Pooling{rank}D", _given(keepdims=True))]
    if all(size % wanted == 0 for size, wanted in zip(shape[1:], output[1:], strict=True)):
        kernel = scalar([size // wanted for size, wanted in zip(shape[1:], output[1:], strict=True)])
        return [Call(f"layers.{name}Pooling{rank}D", _given(pool_size=kernel))]
    reduce = {"avg": "ops.mean", "max": "ops.max"}[reduction]
    return [Inline(f"adaptive_pool({{0}}, {{sizes}}, {reduce})", _given(sizes=output[1:]))]


def _adaptive(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    return _spread(layer.reduction, inputs[0], output)


def _upsample(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.mode == "area":
        return _spread("avg", inputs[0], output)
    space, rank = inputs[0][1:], len(output) - 1
    if layer.mode in ("nearest", "nearest-exact") and layer.scale_factor is not None:
        factors = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * rank
        if all(isinstance(factor, int) for factor in factors):
            return [Call(f"layers.UpSampling{rank}D", _given(size=scalar(factors)))]
    mode = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}.get(layer.mode, layer.mode)
    scales: tuple[object, ...] = (None,) * rank
    if layer.scale_factor is not None:
        scales = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * len(space)
    arguments = _given(sizes=output[1:], scales=scales, mode=mode, align_corners=bool(layer.align_corners))
    return [Inline("interpolated({0}, {sizes}, {scales}, {mode}, {align_corners})", arguments)]


def _border(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    _check_rank(output)
    pads = tuple((link.map.before, link.map.after) for link in layer.axes(inputs)[1:])
    return _bordered(pads, getattr(layer, "mode", "constant"), getattr(layer, "value", 0.0)) or [Inline("{0}")]


def _channel_shuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    channels, *space = output
    axes = len(space)
    return [
        Call("layers.Reshape", _first(target_shape=(*space, layer.groups, channels // layer.groups))),
        Call("layers.Permute", _first(dims=(*range(1, axes + 1), axes + 2, axes + 1))),
        Call("layers.Reshape", _first(target_shape=(*space, channels))),
    ]


def _pixel_shuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    factor, space, axes = layer.upscale_factor, inputs[0][1:], len(output) - 1
    order = (axis for n in range(axes) for axis in (1 + n, axes + 2 + n))
    return [
        Call("layers.Reshape", _first(target_shape=(*space, output[0], *(factor,) * axes))),
        Call("layers.Permute", _first(dims=(*order, axes + 1))),
        Call("layers.Reshape", _first(target_shape=(*output[1:], output[0]))),
    ]


def _pixel_unshuffle(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    factor, axes = layer.downscale_factor, len(output) - 1
    halves = (size for n in range(axes) for size in (output[1 + n], factor))
    order = (*(1 + 2 * n for n in range(axes)), 2 * axes + 1, *(2 + 2 * n for n in range(axes)))
    return [
        Call("layers.Reshape", _first(target_shape=(*halves, inputs[0][0]))),
        Call("layers.Permute", _first(dims=order)),
        Call("layers.Reshape", _first(target_shape=(*output[1:], output[0]))),
    ]


SPACE: dict[str, Callable[[Any, Shapes, Shape], list[Step]]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LpPool": _lp_pool,
    "AdaptivePool": _adaptive,
    "GlobalPool": _adaptive,
    "Upsample": _upsample,
    "Pad": _border,
    "Crop": _border,
    "ChannelShuffle": _channel_shuffle,
    "PixelShuffle": _pixel_shuffle,
    "PixelUnshuffle": _pixel_unshuffle,
}
"""Class of a layer model -> its layers, channels last."""
