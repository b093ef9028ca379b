"""Keras: convolutions and linear layers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ...geometry.dialects import keras_refuses, keras_valid
from ...layers.kind_table import Refused
from ..program import Argument, Call, Inline, Step, keywords, optional, positional, scalar
from ..windows import declared_pads
from .common import NAME, Mapped, Mapper, Order, bordered, in_order, over_space, permuted, says_same, with_last

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.conv import Conv, ConvTranspose, SeparableConv
    from ...layers.formed import Formed
    from ...layers.linear import Linear


def _padding(layer: Conv | SeparableConv, shape: Shape) -> tuple[list[Step], str]:
    """What pads before a convolution, and the convolution's own padding."""
    if max(layer.stride) > 1 and max(layer.dilation) > 1:
        raise Refused("Keras has no convolution with a stride and a dilation above 1")
    mode = layer.border_mode
    if layer.padding == "same" and mode == "zeros":
        return [], "same"
    pads = declared_pads(layer.windows(shape))
    if mode == "zeros" and says_same(pads, layer, shape):
        return [], "same"
    return bordered(pads, mode), "valid"


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
    return [made, *bordered(cut, "constant")]


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


def _linear(layer: Linear, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    order = with_last(orders[0], len(inputs[0]) - 1)
    if layer.weight is not None:
        return _given(layer, inputs, orders)
    arguments = (*positional(units=layer.out_features), optional("use_bias", layer.bias, True), NAME)
    return Mapped([*permuted(orders[0], order), _formed(layer, "FormedDense", "Dense", arguments)], order)


def _given(layer: Linear, inputs: Shapes, orders: list[Order]) -> Mapped:
    """Weights that are an input, each example's its own."""
    plain = tuple(range(len(inputs[0])))
    x, weight = (in_order(number, orders[number], tuple(range(len(inputs[number])))) for number in (0, 1))
    if len(plain) == 1:
        text = f"ops.squeeze(ops.matmul({weight}, ops.expand_dims({x}, -1)), -1)"
        bias = "{2}"
    else:
        flat = f"ops.reshape({x}, (-1, {prod(inputs[0][:-1])}, {inputs[0][-1]}))"
        shape = ", ".join(map(str, (*inputs[0][:-1], layer.out_features)))
        text = f"ops.reshape(ops.matmul({flat}, ops.swapaxes({weight}, 1, 2)), (-1, {shape}))"
        bias = f"ops.reshape({{2}}, (-1, {'1, ' * (len(plain) - 1)}{layer.out_features}))"
    return Mapped([Inline(f"{text} + {bias}" if layer.bias else text)], plain)


ROWS: dict[str, Mapper] = {
    "Conv": over_space(_conv),
    "ConvTranspose": over_space(_conv_transpose),
    "SeparableConv": over_space(_separable),
    "Linear": _linear,
}
"""Kind or family -> what it becomes."""
