"""PyTorch: convolutions and linear layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...geometry.dialects import torch_transposed
from ...layers.kind_table import Refused
from ..program import Argument, Call, Inline, Step, keywords, optional, positional, scalar
from ..windows import (
    declared_pads,
    flat_pads,
    symmetric,
)
from .common import Mapper, bordered, cropped, pad_module

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.conv import Conv, ConvTranspose, SeparableConv
    from ...layers.formed import Formed
    from ...layers.linear import Linear

FORMS = ("standardize", "gain", "fixed")
"""Fields that say how weights come about; `Formed` takes them."""


def _formed(layer: Formed, name: str, arguments: tuple[Argument, ...]) -> Call:
    """The module of that name, or the one that forms its weights before it multiplies with them."""
    given = dict(layer)
    if not any(given[field] for field in FORMS):
        return Call(f"nn.{name}", arguments)
    return Call(f"Formed{name}", (*arguments, *(optional(field, given[field], False) for field in FORMS)))


def _given(layer: Formed, function: str, read: str, arguments: tuple[Argument, ...]) -> Inline:
    """The function of that name on weights that are an input, each example's its own."""
    kept = tuple(argument for argument in arguments if argument.value != argument.default)
    named = "".join(f", {argument.name}={{{argument.name}}}" for argument in kept)
    bias = "{2}" if layer.bias else "None"
    return Inline(f"by_example(F.{function}, {read}, {{1}}, {bias}{named})", kept)


def _conv(layer: Conv, inputs: Shapes, output: Shape) -> list[Step]:
    pads = declared_pads(layer.windows(inputs[0]))
    inside = symmetric(pads) and all(before >= 0 for before, _ in pads)
    separate: list[Step] = [] if inside else bordered(pads, layer.padding_mode)
    padding = scalar([before for before, _ in pads]) if inside else 0
    mode = layer.padding_mode if inside else "zeros"
    arguments = (
        *positional(in_channels=inputs[0][0], out_channels=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("stride", scalar(layer.stride), 1),
        optional("padding", padding, 0),
        optional("dilation", scalar(layer.dilation), 1),
        optional("groups", layer.groups, 1),
        optional("bias", layer.bias, True),
        optional("padding_mode", mode, "zeros"),
    )
    if layer.weight is None:
        return [*separate, _formed(layer, f"Conv{layer.rank}d", arguments)]
    function, plain = f"conv{layer.rank}d", inside and mode == "zeros"
    steps = (
        optional("stride", scalar(layer.stride), 1),
        optional("padding", padding if plain else 0, 0),
        optional("dilation", scalar(layer.dilation), 1),
        optional("groups", layer.groups, 1),
    )
    if plain:
        return [_given(layer, function, "{0}", steps)]
    if layer.padding_mode == "circular" and min(map(min, pads)) < 0:
        raise Refused("torch wraps no border around an input that it crops in the same step")
    filled = layer.padding_mode if layer.padding_mode != "zeros" else "constant"
    found = _given(layer, function, "F.pad({0}, {sides}, {mode})", steps)
    return [found._replace(arguments=(*keywords(sides=flat_pads(pads), mode=filled), *found.arguments))]


STEPS = ("stride", "padding", "output_padding", "groups", "dilation")
"""Arguments that a transposed convolution takes as a function too."""


def _conv_transpose(layer: ConvTranspose, inputs: Shapes, output: Shape) -> list[Step]:
    crops = [torch_transposed(window) for window in layer.windows(inputs[0])]
    arguments = (
        *positional(in_channels=inputs[0][0], out_channels=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("stride", scalar(layer.stride), 1),
        optional("padding", scalar([crop.padding for crop in crops]), 0),
        optional("output_padding", scalar([crop.output_padding for crop in crops]), 0),
        optional("groups", layer.groups, 1),
        optional("bias", layer.bias, True),
        optional("dilation", scalar(layer.dilation), 1),
    )
    cuts = tuple(crop.cut for crop in crops)
    cut = [cropped(cuts)] if any(map(any, cuts)) else []
    if layer.weight is not None:
        steps = tuple(argument for argument in arguments if argument.name in STEPS)
        return [_given(layer, f"conv_transpose{layer.rank}d", "{0}", steps), *cut]
    return [_formed(layer, f"ConvTranspose{layer.rank}d", arguments), *cut]


def _separable(layer: SeparableConv, inputs: Shapes, output: Shape) -> list[Step]:
    channels, middle = inputs[0][0], inputs[0][0] * layer.depth_multiplier
    pads = declared_pads(layer.windows(inputs[0]))
    inside = symmetric(pads)
    depthwise = (
        *positional(in_channels=channels, out_channels=middle),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("stride", scalar(layer.stride), 1),
        optional("padding", scalar([before for before, _ in pads]) if inside else 0, 0),
        optional("dilation", scalar(layer.dilation), 1),
        optional("groups", channels, 1),
        optional("bias", False, True),
    )
    pointwise = (
        *positional(in_channels=middle, out_channels=layer.out_channels),
        *keywords(kernel_size=1),
        optional("bias", layer.bias, True),
    )
    conv = f"nn.Conv{layer.rank}d"
    return [*([] if inside else [pad_module(pads)]), Call(conv, depthwise), Call(conv, pointwise)]


def _linear(layer: Linear, inputs: Shapes, output: Shape) -> list[Step]:
    features = positional(in_features=inputs[0][-1], out_features=layer.out_features)
    if layer.weight is not None:
        return [_given(layer, "linear", "{0}", ())]
    return [_formed(layer, "Linear", (*features, optional("bias", layer.bias, True)))]


ROWS: dict[str, Mapper] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable,
    "Linear": _linear,
}
"""Kind or family -> what it becomes."""
