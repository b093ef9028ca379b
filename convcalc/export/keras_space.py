"""Keras layers whose window slides: convolutions and pools; padding and cropping."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ..geometry import same_padding
from .calls import Argument, Call, Inline, Refused, Step, keywords, optional, positional, scalar
from .windows import Pads, fitted_pads

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]
Mapper = Callable[[Any, Shapes, Shape], list[Step]]
"""(layer, input shapes, output shape) -> the steps, from channels last to channels last. Raises `Refused`."""

NAME = Argument("name", "")

"""The path of a layer with weights: written where the layer stands."""


def _sides(pads: Pads) -> object:
    """Keras's padding argument: one number where all sides agree."""
    sides = {side for pair in pads for side in pair}
    return sides.pop() if len(sides) == 1 else pads[0] if len(pads) == 1 else pads


def _says_same(pads: Pads, layer: Any, shape: Shape) -> bool:
    """Whether these pads are Keras's `same` for an input of any size, which only a stride of 1 makes them."""
    fields = zip(
        shape[1:], layer.kernel_size, layer.dilation if hasattr(layer, "dilation") else (1, 1, 1), strict=False
    )
    return set(layer.stride) == {1} and pads == tuple(same_padding(size, k, 1, d) for size, k, d in fields)


def bordered(pads: Pads, mode: str, value: float = 0.0) -> list[Step]:
    """Padding and cropping."""
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if not any(map(any, pads)):
        return []
    if mode in names:
        return [Inline("bordered({0}, {pads}, {mode})", keywords(pads=pads, mode=names[mode]))]
    grown = tuple((max(before, 0), max(after, 0)) for before, after in pads)
    cut = tuple((max(-before, 0), max(-after, 0)) for before, after in pads)
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
    return bordered(pads, mode), "valid"


def _conv(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
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
    if depthwise:
        multiplier = optional("depth_multiplier", layer.out_channels // channels, 1)
        return [*before, Call(f"layers.DepthwiseConv{layer.rank}D", (*common, multiplier, NAME))]
    arguments = (*positional(filters=layer.out_channels), *common, optional("groups", layer.groups, 1), NAME)
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
        *positional(filters=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("strides", scalar(layer.stride), 1),
        optional("padding", padding, "valid"),
        optional("output_padding", given, None),
        optional("dilation_rate", scalar(layer.dilation), 1),
        optional("use_bias", layer.bias, True),
        NAME,
    )
    cut = tuple((-before, -after) for before, after in cuts)
    return [Call(f"layers.Conv{layer.rank}DTranspose", arguments), *bordered(cut, "constant")]


def _separable(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
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


def _pool(name: str, layer: Any, padding: str = "valid") -> Call:
    arguments = (
        *keywords(pool_size=scalar(layer.kernel_size), strides=scalar(layer.stride)),
        optional("padding", padding, "valid"),
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
    return [*bordered(pads, "constant", float("-inf")), _pool("Max", layer)]


def _avg_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    windows = layer.windows(inputs[0])
    declared = tuple((w.before, w.after) for w in windows)
    pads = fitted_pads(windows, inputs[0][1:], output[1:])
    if layer.divisor_override is not None:
        factor = keywords(factor=prod(layer.kernel_size) / layer.divisor_override)
        return [*bordered(pads, "constant"), _pool("Average", layer), Inline("{0} * {factor}", factor)]
    if layer.padding == "same" and not layer.ceil_mode and not layer.count_include_pad:
        return [_pool("Average", layer, "same")]
    overhangs = any(after > given for (_, after), (_, given) in zip(pads, declared, strict=True))
    if not any(map(any, pads)) or (layer.count_include_pad and not overhangs):
        return [*bordered(pads, "constant"), _pool("Average", layer)]
    counted = tuple(
        (b, min(a, d)) if layer.count_include_pad else (0, 0) for (b, a), (_, d) in zip(pads, declared, strict=True)
    )
    template = "padded_average({0}, {pool_size}, {strides}, {padding}, {counted})"
    arguments = keywords(pool_size=layer.kernel_size, strides=layer.stride, padding=pads, counted=counted)
    return [Inline(template, arguments)]


def _lp_pool(layer: Any, inputs: Shapes, output: Shape) -> list[Step]:
    pads = fitted_pads(layer.windows(inputs[0]), inputs[0][1:], output[1:])
    if any(map(any, pads)):
        raise Refused("windows of a power pool that overhang have no equal in Keras")
    template = '({count} * ops.average_pool({0} ** {power}, {kernel}, {stride}, "valid")) ** (1 / {power})'
    arguments = keywords(
        count=prod(layer.kernel_size), power=layer.norm_type, kernel=layer.kernel_size, stride=layer.stride
    )
    return [Inline(template, arguments)]


SPACE: dict[str, Mapper] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LpPool": _lp_pool,
}

"""Class of a layer model -> its layers, channels last."""
