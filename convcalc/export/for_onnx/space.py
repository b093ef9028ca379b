"""ONNX: borders, resizing, shuffles and columns."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import numpy as np

from ...layers.kind_table import Refused
from ...layers.spatial import one_an_axis
from ..windows import border_pads
from .common import Mapper, cropped, padded, spread

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.border import Crop, Pad
    from ...layers.resize import Upsample
    from ...layers.shuffle import ChannelShuffle, Fold, PixelShuffle, PixelUnshuffle
    from ..onnx_graph import Graph


def _upsample(graph: Graph, layer: Upsample, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.mode == "area":
        return spread(graph, "avg", inputs[0], output, names[0])
    space = inputs[0][1:]
    attributes: dict[str, object] = {"axes": list(range(2, 2 + len(space)))}
    if layer.mode == "nearest":
        attributes |= {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    elif layer.mode == "nearest-exact":
        attributes |= {"mode": "nearest", "coordinate_transformation_mode": "half_pixel"}
        attributes |= {"nearest_mode": "round_prefer_ceil"}
    else:
        attributes["mode"] = "cubic" if layer.mode == "bicubic" else "linear"
        corners = bool(layer.align_corners)
        attributes["coordinate_transformation_mode"] = "align_corners" if corners else "half_pixel"
        if layer.mode == "bicubic":
            attributes["cubic_coeff_a"] = -0.75
    if layer.scale_factor is None or layer.align_corners:
        return graph.op("Resize", names[0], "", "", graph.integers(output[1:]), **attributes)
    scales = np.asarray(one_an_axis(layer, "scale_factor", layer.scale_factor, inputs[0]), np.float32)
    for size, scale, wanted in zip(space, scales, output[1:], strict=True):
        if floor(np.float32(size) * scale) != wanted:
            raise Refused(f"ONNX scales in float32, where {size} by {float(scale):g} does not give {wanted}")
    return graph.op("Resize", names[0], "", graph.numbers(scales), **attributes)


def _pad(graph: Graph, layer: Pad, inputs: Shapes, output: Shape, names: list[str]) -> str:
    pads = border_pads(layer.axes(inputs))
    if not any(map(any, pads)):
        return graph.op("Identity", names[0])
    return padded(graph, names[0], inputs[0], pads, layer.mode, layer.value)


def _crop(graph: Graph, layer: Crop, inputs: Shapes, output: Shape, names: list[str]) -> str:
    cut = tuple((-before, -after) for before, after in border_pads(layer.axes(inputs)))
    return cropped(graph, names[0], inputs[0], ((0, 0), *cut))


def _channel_shuffle(graph: Graph, layer: ChannelShuffle, inputs: Shapes, output: Shape, names: list[str]) -> str:
    channels, *space = inputs[0]
    apart = graph.op("Reshape", names[0], graph.integers((-1, layer.groups, channels // layer.groups, *space)))
    dealt = graph.op("Transpose", apart, perm=[0, 2, 1, *range(3, 3 + len(space))])
    return graph.op("Reshape", dealt, graph.integers((-1, *output)))


def _pixel_shuffle(graph: Graph, layer: PixelShuffle, inputs: Shapes, output: Shape, names: list[str]) -> str:
    factor, space = layer.upscale_factor, inputs[0][1:]
    axes = len(space)
    if axes == 2:
        return graph.op("DepthToSpace", names[0], blocksize=factor, mode="CRD")
    apart = graph.op("Reshape", names[0], graph.integers((-1, output[0], *(factor,) * axes, *space)))
    order = [axis for n in range(axes) for axis in (2 + axes + n, 2 + n)]
    return graph.op("Reshape", graph.op("Transpose", apart, perm=[0, 1, *order]), graph.integers((-1, *output)))


def _pixel_unshuffle(graph: Graph, layer: PixelUnshuffle, inputs: Shapes, output: Shape, names: list[str]) -> str:
    factor, axes = layer.downscale_factor, len(output) - 1
    halves = [size for n in range(axes) for size in (output[1 + n], factor)]
    apart = graph.op("Reshape", names[0], graph.integers((-1, inputs[0][0], *halves)))
    order = [0, 1, *(3 + 2 * n for n in range(axes)), *(2 + 2 * n for n in range(axes))]
    return graph.op("Reshape", graph.op("Transpose", apart, perm=order), graph.integers((-1, *output)))


def _fold(graph: Graph, layer: Fold, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op(
        "Col2Im",
        names[0],
        graph.integers(output[1:]),
        graph.integers(layer.kernel_size),
        dilations=list(layer.dilation),
        pads=[*layer.padding, *layer.padding],
        strides=list(layer.stride),
    )


ROWS: dict[str, Mapper] = {
    "Upsample": _upsample,
    "Pad": _pad,
    "Crop": _crop,
    "ChannelShuffle": _channel_shuffle,
    "PixelShuffle": _pixel_shuffle,
    "PixelUnshuffle": _pixel_unshuffle,
    "Fold": _fold,
}
"""Kind or family -> what it becomes."""
