"""ONNX: activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from .common import Mapper, along_channels, operator_of

if TYPE_CHECKING:
    from ...layers.activation import GLU, Hardtanh, PReLU, Shrink, Softmax, Softplus, Threshold
    from ...layers.base import Layer, Shape, Shapes
    from ..onnx_graph import Graph


def _hardtanh(graph: Graph, layer: Hardtanh, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Clip", names[0], graph.numbers(layer.min_val), graph.numbers(layer.max_val))


def _threshold(graph: Graph, layer: Threshold, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.value == 0:
        return graph.op("ThresholdedRelu", names[0], alpha=layer.threshold)
    above = graph.op("Greater", names[0], graph.numbers(layer.threshold))
    return graph.op("Where", above, names[0], graph.numbers(layer.value))


def _shrink(graph: Graph, layer: Shrink, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Shrink", names[0], lambd=layer.lambd, bias=layer.lambd if layer.kind == "softshrink" else 0.0)


def _log_sigmoid(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Neg", graph.op("Softplus", graph.op("Neg", names[0])))


def _tanhshrink(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Sub", names[0], graph.op("Tanh", names[0]))


def _glu(graph: Graph, layer: GLU, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axis = layer.dim % len(output)
    half, axes = output[axis], graph.integers((axis + 1,))
    first = graph.op("Slice", names[0], graph.integers((0,)), graph.integers((half,)), axes)
    second = graph.op("Slice", names[0], graph.integers((half,)), graph.integers((2 * half,)), axes)
    return graph.op("Mul", first, graph.op("Sigmoid", second))


def _prelu(graph: Graph, layer: PReLU, inputs: Shapes, output: Shape, names: list[str]) -> str:
    shape = (1,) if layer.num_parameters == 1 else along_channels(inputs[0])
    return graph.op("PRelu", names[0], graph.weight("weight", shape))


def _with_field(operator: str, **fields: str) -> Mapper:
    """An operator whose attributes are the layer's fields: attribute=field."""

    def map_(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
        values = dict(layer)
        given = {attribute: values[field] for attribute, field in fields.items()}
        return graph.op(operator, names[0], **given)

    return map_


def _relu6(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Clip", names[0], graph.numbers(0.0), graph.numbers(6.0))


def _silu(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Mul", names[0], graph.op("Sigmoid", names[0]))


def _softplus(graph: Graph, layer: Softplus, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.threshold < 20:
        raise Refused(f"ONNX's Softplus is never cut off, this one above {layer.threshold:g}")
    if layer.beta == 1:
        return graph.op("Softplus", names[0])
    beta = graph.numbers(layer.beta)
    return graph.op("Div", graph.op("Softplus", graph.op("Mul", names[0], beta)), beta)


def _along(operator: str) -> Mapper:
    """An operator of one axis, which counts the batch."""

    def map_(graph: Graph, layer: Softmax, inputs: Shapes, output: Shape, names: list[str]) -> str:
        return graph.op(operator, names[0], axis=layer.dim % len(inputs[0]) + 1)

    return map_


ROWS: dict[str, Mapper] = {
    "relu": operator_of("Relu"),
    "relu6": _relu6,
    "silu": _silu,
    "hardswish": operator_of("HardSwish"),
    "hardsigmoid": operator_of("HardSigmoid", alpha=1 / 6, beta=0.5),
    "sigmoid": operator_of("Sigmoid"),
    "tanh": operator_of("Tanh"),
    "mish": operator_of("Mish"),
    "selu": operator_of("Selu"),
    "Gelu": _with_field("Gelu", approximate="approximate"),
    "LeakyReLU": _with_field("LeakyRelu", alpha="negative_slope"),
    "PReLU": _prelu,
    "ELU": _with_field("Elu", alpha="alpha"),
    "Softplus": _softplus,
    "softmax": _along("Softmax"),
    "log_softmax": _along("LogSoftmax"),
    "softsign": operator_of("Softsign"),
    "logsigmoid": _log_sigmoid,
    "tanhshrink": _tanhshrink,
    "CELU": _with_field("Celu", alpha="alpha"),
    "Hardtanh": _hardtanh,
    "Threshold": _threshold,
    "Shrink": _shrink,
    "GLU": _glu,
}
"""Kind or family -> what it becomes."""
