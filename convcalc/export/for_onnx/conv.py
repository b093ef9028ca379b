"""ONNX: convolutions and linear layers."""

from __future__ import annotations

from math import prod, sqrt
from typing import TYPE_CHECKING

from ...geometry.dialects import onnx_transposed
from ...layers.kind_table import Refused
from ..windows import Pads, declared_pads, edge_pads
from .common import Mapper, padded

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.conv import Conv, ConvTranspose, SeparableConv
    from ...layers.formed import Formed
    from ...layers.linear import Linear
    from ..onnx_graph import Graph

ONE_WEIGHT = "ONNX's convolutions have one weight for all examples"


EPSILON = 1e-6
"""Added to the variance of weights that are standardised."""


def _made(graph: Graph, layer: Formed, shape: Shape) -> str:
    """The weights that are multiplied with."""
    w = graph.weight("weight")
    if not layer.standardize:
        return graph.op("Mul", w, graph.weight("gain")) if layer.gain else w
    rows = graph.op("Reshape", w, graph.integers((layer.outputs, -1)))
    return graph.op("Reshape", _standard(graph, layer, rows, prod(shape)), graph.integers(shape))


def _made_transposed(graph: Graph, layer: ConvTranspose, shape: Shape) -> str:
    """The same of a transposed convolution, whose weights of one output do not lie together."""
    w = graph.weight("weight")
    if not (layer.standardize or layer.gain):
        return w
    groups, outputs = layer.groups, layer.outputs
    apart = graph.op("Reshape", w, graph.integers((groups, shape[0] // groups, shape[1], -1)))
    rows = graph.op("Reshape", graph.op("Transpose", apart, perm=[0, 2, 1, 3]), graph.integers((outputs, -1)))
    if layer.standardize:
        made = _standard(graph, layer, rows, prod(shape))
    else:
        made = graph.op("Mul", rows, graph.weight("gain", (outputs, 1)))
    apart = graph.op("Reshape", made, graph.integers((groups, shape[1], shape[0] // groups, -1)))
    return graph.op("Reshape", graph.op("Transpose", apart, perm=[0, 2, 1, 3]), graph.integers(shape))


def _standard(graph: Graph, layer: Formed, rows: str, count: int) -> str:
    """Rows [outputs, weights] of mean 0 and variance 1, times their gains; `count` are all weights."""
    along = graph.integers((1,))
    apart = graph.op("Sub", rows, graph.op("ReduceMean", rows, along, keepdims=1))
    variance = graph.op("ReduceMean", graph.op("Mul", apart, apart), along, keepdims=1)
    made = graph.op("Div", apart, graph.op("Sqrt", graph.op("Add", variance, graph.numbers(EPSILON))))
    if not layer.gain:
        return made
    gained = graph.op("Mul", made, graph.weight("gain", (layer.outputs, 1)))
    return graph.op("Mul", gained, graph.numbers(sqrt(layer.outputs / count)))


def _conv(graph: Graph, layer: Conv, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x, pads = names[0], declared_pads(layer.windows(inputs[0]))
    if layer.padding_mode != "zeros":
        x = padded(graph, x, inputs[0], pads, layer.padding_mode)
        pads = ((0, 0),) * layer.rank
    if layer.weight is not None:
        raise Refused(ONE_WEIGHT)
    tensors = [_made(graph, layer, layer.weight_shape(inputs[0])), *graph.optional("bias")]
    return _convolved(graph, layer, [x, *tensors], pads, layer.groups)


def _convolved(graph: Graph, layer: Conv | SeparableConv, inputs: list[str], pads: Pads, groups: int) -> str:
    attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
    return graph.op("Conv", *inputs, **attributes, pads=edge_pads(pads), dilations=list(layer.dilation), group=groups)


def _conv_transpose(graph: Graph, layer: ConvTranspose, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.weight is not None:
        raise Refused(ONE_WEIGHT)
    axes = [onnx_transposed(window) for window in layer.windows(inputs[0])]
    for stride, axis in zip(layer.stride, axes, strict=True):
        if axis.output_padding >= stride:
            raise Refused(f"onnxruntime takes an output_padding below the stride {stride}, not {axis.output_padding}")
    return graph.op(
        "ConvTranspose",
        names[0],
        _made_transposed(graph, layer, layer.weight_shape(inputs[0])),
        *graph.optional("bias"),
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        pads=edge_pads(tuple((axis.before, axis.after) for axis in axes)),
        output_padding=[axis.output_padding for axis in axes],
        dilations=list(layer.dilation),
        group=layer.groups,
    )


def _separable(graph: Graph, layer: SeparableConv, inputs: Shapes, output: Shape, names: list[str]) -> str:
    pads = declared_pads(layer.windows(inputs[0]))
    middle = _convolved(graph, layer, [names[0], graph.weight("depthwise.weight")], pads, inputs[0][0])
    tensors = [graph.weight("pointwise.weight"), *graph.optional("pointwise.bias")]
    return graph.op("Conv", middle, *tensors, kernel_shape=[1] * layer.rank)


def _linear(graph: Graph, layer: Linear, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = inputs[0]
    if layer.weight is not None:
        rows = graph.op("Reshape", names[0], graph.integers((0, -1, shape[-1])))
        found = graph.op("MatMul", rows, graph.op("Transpose", names[1], perm=[0, 2, 1]))
        if layer.bias:
            found = graph.op("Add", found, graph.op("Unsqueeze", names[2], graph.integers((1,))))
        return graph.op("Reshape", found, graph.integers((-1, *output)))
    if len(shape) == 1:
        made = _made(graph, layer, layer.weight_shape(shape))
        return graph.op("Gemm", names[0], made, *graph.optional("bias"), transB=1)
    formed = layer.standardize or layer.gain
    turned = graph.op("Transpose", _made(graph, layer, layer.weight_shape(shape)), perm=[1, 0]) if formed else None
    product = graph.op("MatMul", names[0], turned or graph.weight("weight", transposed=True))
    return graph.op("Add", product, graph.weight("bias")) if layer.bias else product


ROWS: dict[str, Mapper] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable,
    "Linear": _linear,
}
"""Kind or family -> what it becomes."""
