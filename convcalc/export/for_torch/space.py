"""PyTorch: borders, resizing, shuffles and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Argument, Call, Inline, Step, keywords, optional, positional, scalar
from ..windows import (
    border_pads,
)
from .common import Mapper, bordered, pad_module, ranked

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.border import Crop, Pad
    from ...layers.resize import Upsample
    from ...layers.shuffle import ChannelShuffle, Fold, PixelShuffle, PixelUnshuffle, Unfold


def _columns(layer: Unfold | Fold) -> tuple[Argument, ...]:
    return (
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("dilation", scalar(layer.dilation), 1),
        optional("padding", scalar(layer.padding), 0),
        optional("stride", scalar(layer.stride), 1),
    )


def _unfold(layer: Unfold, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.Unfold", _columns(layer))]


def _fold(layer: Fold, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.Fold", (*keywords(output_size=layer.output_size), *_columns(layer)))]


def _upsample(layer: Upsample, inputs: Shapes, output: Shape) -> list[Step]:
    mode = (optional("mode", layer.mode, "nearest"), optional("align_corners", layer.align_corners, None))
    if len(inputs) == 2:
        arguments = "mode={mode}, align_corners={align_corners}"
        return [
            Inline(
                f"F.interpolate({{0}}, size={{1}}.shape[2:], {arguments})",
                keywords(mode=layer.mode, align_corners=layer.align_corners),
            )
        ]
    if layer.size is not None:
        return [Call("nn.Upsample", (*keywords(size=layer.size), *mode))]
    return [Call("nn.Upsample", (*keywords(scale_factor=layer.scale_factor), *mode))]


def _border(layer: Pad, inputs: Shapes, output: Shape) -> list[Step]:
    ranked("padding", inputs[0])
    return bordered(border_pads(layer.axes(inputs)), layer.mode, layer.value)


def _crop(layer: Crop, inputs: Shapes, output: Shape) -> list[Step]:
    ranked("padding", inputs[0])
    if len(inputs) == 2:
        return [Inline("center_crop({0}, {1}.shape[2:])")]
    return [pad_module(border_pads(layer.axes(inputs)))]


def _channel_shuffle(layer: ChannelShuffle, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.ChannelShuffle" if len(inputs[0]) > 1 else "ChannelShuffle"
    return [Call(name, positional(groups=layer.groups))]


def _pixel_shuffle(layer: PixelShuffle, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("nn.PixelShuffle" if len(inputs[0]) == 3 else "PixelShuffle", positional(factor=layer.upscale_factor))]


def _pixel_unshuffle(layer: PixelUnshuffle, inputs: Shapes, output: Shape) -> list[Step]:
    name = "nn.PixelUnshuffle" if len(inputs[0]) == 3 else "PixelUnshuffle"
    return [Call(name, positional(factor=layer.downscale_factor))]


ROWS: dict[str, Mapper] = {
    "Unfold": _unfold,
    "Fold": _fold,
    "Upsample": _upsample,
    "Pad": _border,
    "Crop": _crop,
    "ChannelShuffle": _channel_shuffle,
    "PixelShuffle": _pixel_shuffle,
    "PixelUnshuffle": _pixel_unshuffle,
}
"""Kind or family -> what it becomes."""
