"""Keras: borders, resizing, shuffles and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.spatial import one_an_axis
from ..program import Call, Inline, Step, keywords, positional, scalar
from ..windows import border_pads
from .common import Mapper, bordered, check_rank, over_space, spread

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.border import Crop, Pad
    from ...layers.resize import Upsample
    from ...layers.shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle


def _upsample(layer: Upsample, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.mode == "area":
        return spread("avg", inputs[0], output)
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
    check_rank(output)
    return bordered(border_pads(layer.axes(inputs)), layer.mode, layer.value) or [Inline("{0}")]


def _crop(layer: Crop, inputs: Shapes, output: Shape) -> list[Step]:
    check_rank(output)
    return bordered(border_pads(layer.axes(inputs)), "constant") or [Inline("{0}")]


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


ROWS: dict[str, Mapper] = {
    "Upsample": over_space(_upsample),
    "Pad": over_space(_pad),
    "Crop": over_space(_crop),
    "ChannelShuffle": over_space(_channel_shuffle),
    "PixelShuffle": over_space(_pixel_shuffle),
    "PixelUnshuffle": over_space(_pixel_unshuffle),
}
"""Kind or family -> what it becomes."""
