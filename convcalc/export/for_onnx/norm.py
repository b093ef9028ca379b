"""ONNX: norms and learned scales."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ...layers.kind_table import Refused
from .common import Mapper, along_channels

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm, Scale
    from ..onnx_graph import Graph


def _batch_norm(graph: Graph, layer: BatchNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axes = len(inputs[0])
    if layer.dim == 0 or axes == 1:
        return _by_statistics(graph, layer, inputs[0][0], names[0])
    first = graph.op("Transpose", names[0], perm=[0, axes, *range(1, axes)])
    found = _by_statistics(graph, layer, inputs[0][-1], first)
    return graph.op("Transpose", found, perm=[0, *range(2, axes + 1), 1])


def _by_statistics(graph: Graph, layer: BatchNorm | InstanceNorm, channels: int, x: str) -> str:
    if not layer.track_running_stats:
        raise Refused("ONNX normalizes a batch by running statistics, and this layer keeps none")
    statistics = graph.optional("running_mean", "running_var")
    return graph.op("BatchNormalization", x, *graph.affine((channels,)), *statistics, epsilon=layer.eps)


def _instance_norm(graph: Graph, layer: InstanceNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.track_running_stats:
        return _by_statistics(graph, layer, inputs[0][0], names[0])
    return graph.op("InstanceNormalization", names[0], *graph.affine(inputs[0][:1]), epsilon=layer.eps)


def _group_norm(graph: Graph, layer: GroupNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    attributes = {"num_groups": layer.num_groups, "epsilon": layer.eps}
    return graph.op("GroupNormalization", names[0], *graph.affine(inputs[0][:1]), **attributes)


def _layer_norm(graph: Graph, layer: LayerNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.dim is None:
        shape = layer.normalized_shape or inputs[0][-1:]
        tensors = graph.affine(shape, bias=False)
        return graph.op("LayerNormalization", names[0], *tensors, axis=-len(shape), epsilon=layer.eps)
    axes = len(inputs[0])
    last = graph.op("Transpose", names[0], perm=[0, *range(2, axes + 1), 1])
    tensors = graph.affine(inputs[0][:1], bias=False)
    normalized = graph.op("LayerNormalization", last, *tensors, axis=-1, epsilon=layer.eps)
    return graph.op("Transpose", normalized, perm=[0, axes, *range(1, axes)])


def _local_response_norm(
    graph: Graph, layer: LocalResponseNorm, inputs: Shapes, output: Shape, names: list[str]
) -> str:
    if layer.size % 2 == 0:
        raise Refused(f"onnxruntime normalizes over an odd number of channels, not over {layer.size}")
    attributes = {"size": layer.size, "alpha": layer.alpha, "beta": layer.beta, "bias": layer.k}
    if len(output) == 3:
        return graph.op("LRN", names[0], **attributes)
    # onnxruntime takes images alone.
    image = graph.op("Reshape", names[0], graph.integers((-1, output[0], 1, prod(output[1:]))))
    return graph.op("Reshape", graph.op("LRN", image, **attributes), graph.integers((-1, *output)))


def _scale(graph: Graph, layer: Scale, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = along_channels(inputs[0]) if layer.dim == 0 and layer.size is None else None
    product = graph.op("Mul", names[0], graph.weight("weight", shape))
    return graph.op("Add", product, graph.weight("bias", shape)) if graph.has("bias") else product


def _rms_norm(graph: Graph, layer: RMSNorm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = layer.normalized_shape or inputs[0][-1:]
    eps = np.finfo(np.float32).eps if layer.eps is None else layer.eps
    squares = graph.op("Pow", names[0], graph.numbers(2.0))
    mean = graph.op("ReduceMean", squares, graph.integers(range(-len(shape), 0)), keepdims=1)
    size = graph.op("Sqrt", graph.op("Add", mean, graph.numbers(eps)))
    normal = graph.op("Div", names[0], size)
    return graph.op("Mul", normal, graph.weight("weight")) if graph.has("weight") else normal


ROWS: dict[str, Mapper] = {
    "BatchNorm": _batch_norm,
    "GroupNorm": _group_norm,
    "LayerNorm": _layer_norm,
    "InstanceNorm": _instance_norm,
    "LocalResponseNorm": _local_response_norm,
    "Scale": _scale,
    "RMSNorm": _rms_norm,
}
"""Kind or family -> what it becomes."""
