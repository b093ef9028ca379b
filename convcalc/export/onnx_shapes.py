"""ONNX operators that move numbers or join them: reshapes, shuffles, joins."""

from __future__ import annotations

from typing import Any

from .calls import Refused
from .onnx_graph import Graph, OnnxMapper
from .onnx_space import cropped

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]


def _flatten(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if len(output) == 1:
        return graph.op("Flatten", names[0], axis=1)
    return graph.op("Reshape", names[0], graph.integers((-1, *output)))


def _reshape(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Reshape", names[0], graph.integers((-1, *output)))


def _permute(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Transpose", names[0], perm=[0, *(axis + 1 for axis in layer.order)])


def _concat(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Concat", *names, axis=layer.dim % len(inputs[0]) + 1)


def _pairwise(operator: str) -> OnnxMapper:
    def map_(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
        result = names[0]
        for name in names[1:]:
            result = graph.op(operator, result, name)
        return result

    return map_


def _gate(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    transform, gate, carry = names
    rest = graph.op("Sub", graph.numbers(1.0), gate)
    return graph.op("Add", graph.op("Mul", transform, gate), graph.op("Mul", carry, rest))


def _split(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    before = sum(layer.channels[: layer.part])
    cut = ((before, inputs[0][0] - before - output[0]), *((0, 0),) * (len(output) - 1))
    return cropped(graph, names[0], inputs[0], cut)


def _channel_shuffle(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    channels, *space = inputs[0]
    apart = graph.op("Reshape", names[0], graph.integers((-1, layer.groups, channels // layer.groups, *space)))
    dealt = graph.op("Transpose", apart, perm=[0, 2, 1, *range(3, 3 + len(space))])
    return graph.op("Reshape", dealt, graph.integers((-1, *output)))


def _pixel_shuffle(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    factor, space = layer.upscale_factor, inputs[0][1:]
    axes = len(space)
    if axes == 2:
        return graph.op("DepthToSpace", names[0], blocksize=factor, mode="CRD")
    apart = graph.op("Reshape", names[0], graph.integers((-1, output[0], *(factor,) * axes, *space)))
    order = [axis for n in range(axes) for axis in (2 + axes + n, 2 + n)]
    return graph.op("Reshape", graph.op("Transpose", apart, perm=[0, 1, *order]), graph.integers((-1, *output)))


def _pixel_unshuffle(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    factor, axes = layer.downscale_factor, len(output) - 1
    halves = [size for n in range(axes) for size in (output[1 + n], factor)]
    apart = graph.op("Reshape", names[0], graph.integers((-1, inputs[0][0], *halves)))
    order = [0, 1, *(3 + 2 * n for n in range(axes)), *(2 + 2 * n for n in range(axes))]
    return graph.op("Reshape", graph.op("Transpose", apart, perm=order), graph.integers((-1, *output)))


def _unfold(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    raise Refused("ONNX has no operator that writes windows out as columns")


SHAPES: dict[str, OnnxMapper] = {
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Concat": _concat,
    "Add": _pairwise("Add"),
    "Multiply": _pairwise("Mul"),
    "Gate": _gate,
    "Split": _split,
    "ChannelShuffle": _channel_shuffle,
    "PixelShuffle": _pixel_shuffle,
    "PixelUnshuffle": _pixel_unshuffle,
    "Unfold": _unfold,
}
"""Class of a layer model -> its operators."""
