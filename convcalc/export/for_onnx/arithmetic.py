"""ONNX: arithmetic, reductions, joins and tensors that are held."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from .common import Mapper, along_channels, cropped

if TYPE_CHECKING:
    from ...layers.arithmetic import Clamp, Pow, Rescale, Unary
    from ...layers.base import Layer, Shape, Shapes
    from ...layers.constant import Parameter
    from ...layers.join import Concat, Gate, Split
    from ...layers.reduce import Argmax, Deviation, Norm, Reduce
    from ..onnx_graph import Graph


def _parameter(graph: Graph, layer: Parameter, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """The tensor with a batch of one, or of as many examples as what is named has."""
    value = graph.weight("value", (1, *(1,) * len(layer.repeats), *layer.shape))
    ones = (1,) * len(layer.shape)
    if not names:
        sizes = graph.integers((1, *layer.repeats, *ones))
        return graph.op("Expand", value, sizes) if layer.repeats else graph.op("Identity", value)
    examples = graph.op("Shape", names[0], start=0, end=1)
    wanted = graph.op("Concat", examples, graph.integers((*layer.repeats, *ones)), axis=0) if output else examples
    return graph.op("Expand", value, wanted)


FUNCTIONS = {
    **{kind: kind.capitalize() for kind in ("exp", "log", "sqrt", "abs", "neg", "reciprocal", "sin", "cos", "erf")},
    **{kind: kind.capitalize() for kind in ("sign", "floor", "ceil", "round")},
}
"""Functions that are operators."""


def _function(graph: Graph, layer: Unary, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op(FUNCTIONS[layer.kind], names[0])


def _rsqrt(graph: Graph, layer: Unary, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Reciprocal", graph.op("Sqrt", names[0]))


def _pow(graph: Graph, layer: Pow, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Pow", names[0], graph.numbers(layer.exponent))


def _square(graph: Graph, layer: Unary, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Mul", names[0], names[0])


def _clamp(graph: Graph, layer: Clamp, inputs: Shapes, output: Shape, names: list[str]) -> str:
    bounds = ["" if value is None else graph.numbers(value) for value in (layer.min, layer.max)]
    return graph.op("Clip", names[0], *(bounds if bounds[1] else bounds[:1]))


def _rescale(graph: Graph, layer: Rescale, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x = names[0]
    for operator, value, nothing in (("Mul", layer.scale, 1), ("Add", layer.offset, 0)):
        if isinstance(value, tuple):
            x = graph.op(operator, x, graph.numbers(np.reshape(value, along_channels(inputs[0]))))
        elif value != nothing:
            x = graph.op(operator, x, graph.numbers(value))
    return graph.op("Identity", x) if x == names[0] else x


def _over(graph: Graph, operator: str, x: str, axes: Sequence[int], keepdim: bool) -> str:
    """A reduction of axes that exclude the batch; ONNX would reduce all where there is none."""
    if not axes:
        return graph.op("Identity", x)
    return graph.op(operator, x, graph.integers([axis + 1 for axis in axes]), keepdims=int(keepdim))


def _reduce(operator: str) -> Mapper:
    def map_(graph: Graph, layer: Reduce, inputs: Shapes, output: Shape, names: list[str]) -> str:
        return _over(graph, operator, names[0], layer.reduced(inputs[0]), layer.keepdim)

    return map_


def _variance(graph: Graph, layer: Deviation, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axes = layer.reduced(inputs[0])
    apart = graph.op("Sub", names[0], _over(graph, "ReduceMean", names[0], axes, True))
    total = _over(graph, "ReduceSumSquare", apart, axes, layer.keepdim) if axes else graph.op("Mul", apart, apart)
    return graph.op("Div", total, graph.numbers(prod(inputs[0][axis] for axis in axes) - layer.correction))


def _deviation(graph: Graph, layer: Deviation, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Sqrt", _variance(graph, layer, inputs, output, names))


def _norm(graph: Graph, layer: Norm, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axes = layer.reduced(inputs[0])
    if not axes:
        return graph.op("Abs", names[0])
    if layer.p in (1, 2):
        return _over(graph, f"ReduceL{int(layer.p)}", names[0], axes, layer.keepdim)
    powers = graph.op("Pow", graph.op("Abs", names[0]), graph.numbers(layer.p))
    return graph.op("Pow", _over(graph, "ReduceSum", powers, axes, layer.keepdim), graph.numbers(1 / layer.p))


def _argmax(graph: Graph, layer: Argmax, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x, (axis, *others) = names[0], layer.reduced(inputs[0]) or (-1,)
    if others or not inputs[0]:
        x, axis = graph.op("Reshape", x, graph.integers((0, -1) if inputs[0] else (-1, 1))), 0
    whole = bool(others) or not inputs[0]
    places = graph.op("ArgMax", x, axis=axis + 1, keepdims=int(layer.keepdim and not whole))
    if whole and output:
        places = graph.op("Reshape", places, graph.integers((-1, *output)))
    return graph.op("Cast", places, to=FLOAT)


FLOAT = 1
"""TensorProto.FLOAT."""


def _concat(graph: Graph, layer: Concat, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Concat", *names, axis=layer.joined_axis(inputs) + 1)


def _pairwise(operator: str) -> Mapper:
    def map_(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
        result = names[0]
        for name in names[1:]:
            result = graph.op(operator, result, name)
        return result

    return map_


def _gate(graph: Graph, layer: Gate, inputs: Shapes, output: Shape, names: list[str]) -> str:
    transform, gate, carry = names
    rest = graph.op("Sub", graph.numbers(1.0), gate)
    return graph.op("Add", graph.op("Mul", transform, gate), graph.op("Mul", carry, rest))


def _split(graph: Graph, layer: Split, inputs: Shapes, output: Shape, names: list[str]) -> str:
    before, dim = sum(layer.channels[: layer.part]), layer.dim % len(output)
    cut = (before, inputs[0][dim] - before - output[dim])
    return cropped(graph, names[0], inputs[0], tuple(cut if axis == dim else (0, 0) for axis in range(len(output))))


ROWS: dict[str, Mapper] = {
    "Parameter": _parameter,
    "Unary": _function,
    "rsqrt": _rsqrt,
    "square": _square,
    "Pow": _pow,
    "Clamp": _clamp,
    "Rescale": _rescale,
    "mean": _reduce("ReduceMean"),
    "sum": _reduce("ReduceSum"),
    "amax": _reduce("ReduceMax"),
    "amin": _reduce("ReduceMin"),
    "prod": _reduce("ReduceProd"),
    "logsumexp": _reduce("ReduceLogSumExp"),
    "var": _variance,
    "std": _deviation,
    "Norm": _norm,
    "Argmax": _argmax,
    "Sub": _pairwise("Sub"),
    "Div": _pairwise("Div"),
    "maximum": _pairwise("Max"),
    "minimum": _pairwise("Min"),
    "Concat": _concat,
    "Add": _pairwise("Add"),
    "Multiply": _pairwise("Mul"),
    "Gate": _gate,
    "Split": _split,
}
"""Kind or family -> what it becomes."""
