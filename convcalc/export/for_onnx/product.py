"""ONNX: products of activations, recurrent layers and look-ups."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from ...layers.kind_table import Refused
from .common import Mapper, aligned

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers.base import Shape, Shapes
    from ...layers.embedding import Embedding
    from ...layers.product import MatMul, MultiheadAttention, ScaledDotProductAttention
    from ...layers.recurrent import GRU, LSTM, RNN
    from ..onnx_graph import Graph, Weights


def _matmul(graph: Graph, layer: MatMul, inputs: Shapes, output: Shape, names: list[str]) -> str:
    factors = zip(names, inputs, strict=True)
    return graph.op("MatMul", *(aligned(graph, name, shape, len(output)) for name, shape in factors))


def _turned(graph: Graph, name: str, axes: int) -> str:
    """The last two axes of a tensor of so many, without the batch, exchanged."""
    return graph.op("Transpose", name, perm=[*range(axes - 1), axes, axes - 1])


def _attention(graph: Graph, layer: ScaledDotProductAttention, inputs: Shapes, output: Shape, names: list[str]) -> str:
    query, key, value = names[:3]
    asked, read = inputs[0][-2], inputs[1][-2]
    scale = 1 / sqrt(inputs[0][-1]) if layer.scale is None else layer.scale
    mask = aligned(graph, names[3], inputs[3], len(output)) if len(names) == 4 else None
    if layer.is_causal:
        mask = graph.numbers(np.where(np.arange(read) > np.arange(asked)[:, None], -np.inf, 0.0))
    return _attended(graph, (query, key, value), len(output), scale, mask)


def _attended(graph: Graph, names: tuple[str, str, str], axes: int, scale: float, mask: str | None) -> str:
    query, key, value = names
    scores = graph.op("MatMul", query, _turned(graph, key, axes))
    scores = graph.op("Mul", scores, graph.numbers(scale))
    if mask is not None:
        scores = graph.op("Add", scores, mask)
    return graph.op("MatMul", graph.op("Softmax", scores, axis=-1), value)


def _multihead(graph: Graph, layer: MultiheadAttention, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.add_bias_kv or layer.add_zero_attn:
        raise Refused("ONNX repeats no learned key for a batch of any size")
    features, heads = output[-1], layer.num_heads
    reads = list(zip(names, inputs, strict=True)) * (3 if len(names) == 1 else 1)
    apart = []
    for which, (letter, (name, shape)) in enumerate(zip("qkv", reads, strict=True)):
        made = graph.op("MatMul", name, _projection(graph, which, letter, features, shape[-1]))
        if layer.bias:
            bias = graph.composed(f"{letter}_proj_bias", (features,), partial(_third, "in_proj_bias", which))
            made = graph.op("Add", made, bias)
        made = graph.op("Reshape", made, graph.integers((-1, shape[0], heads, features // heads)))
        apart.append(graph.op("Transpose", made, perm=[0, 2, 1, 3]))
    query, key, value = apart
    found = _attended(graph, (query, key, value), 3, 1 / sqrt(features // heads), None)
    merged = graph.op("Reshape", graph.op("Transpose", found, perm=[0, 2, 1, 3]), graph.integers((-1, *output)))
    product = graph.op("MatMul", merged, graph.weight("out_proj.weight", transposed=True))
    return graph.op("Add", product, graph.weight("out_proj.bias")) if layer.bias else product


def _projection(graph: Graph, which: int, letter: str, features: int, reads: int) -> str:
    """The matrix of a projection, as ONNX multiplies with it."""
    if not graph.has("in_proj_weight"):
        return graph.weight(f"{letter}_proj_weight", transposed=True)
    return graph.composed(f"{letter}_proj_weight", (reads, features), partial(_third, "in_proj_weight", which))


def _third(name: str, which: int, weights: Weights) -> ArrayLike:
    """One of the three parts of a tensor, as ONNX multiplies with it."""
    return np.split(np.asarray(weights[name]), 3)[which].T


GATES = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2)}
"""Where ONNX's gates stand among PyTorch's: z r h of r z n, i o f c of i f g o."""


INT64 = 7
"""TensorProto.INT64."""


def _embedding(graph: Graph, layer: Embedding, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """Rows of the table; Gather takes whole numbers."""
    positions = graph.op("Cast", names[0], to=INT64)
    return graph.op("Gather", graph.weight("weight"), positions)


def _recurrent(graph: Graph, layer: RNN | GRU | LSTM, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """ONNX has the batch second, and one layer an operator."""
    if layer.state_size != layer.hidden_size:
        raise Refused("ONNX's LSTM projects no states")
    directions, hidden = layer.directions, layer.hidden_size
    x = graph.op("Transpose", names[0], perm=[1, 0, 2])
    attributes: dict[str, object] = {"hidden_size": hidden}
    if directions == 2:
        attributes["direction"] = "bidirectional"
    if dict(layer).get("reset_after"):
        attributes["linear_before_reset"] = 1
    activation = dict(layer).get("nonlinearity", "tanh")
    if activation != "tanh":
        attributes["activations"] = [activation.capitalize()] * directions
    order = GATES[layer.family]
    for number in range(layer.num_layers):
        ends = [f"_l{number}{end}" for end in ("", "_reverse")[:directions]]
        shapes = {"ih": inputs[0][-1] if number == 0 else output[-1], "hh": hidden}
        tensors = [
            graph.composed(
                f"{name}_l{number}",
                (directions, len(order) * hidden, size),
                partial(_reordered, [[f"weight_{name}{end}"] for end in ends], order),
            )
            for name, size in shapes.items()
        ]
        if layer.bias:
            held = [[f"bias_{name}{end}" for name in ("ih", "hh")[: layer.biases]] for end in ends]
            shape = (directions, layer.biases * len(order) * hidden)
            bias = graph.composed(f"bias_l{number}", shape, partial(_reordered, held, order))
            tensors.append(bias if layer.biases == 2 else _beside_zeros(graph, bias, shape))
        states = graph.op(layer.kind.upper(), x, *tensors, **attributes)
        if directions == 1:
            x = graph.op("Squeeze", states, graph.integers((1,)))
        else:
            side_by_side = graph.op("Transpose", states, perm=[0, 2, 1, 3])
            x = graph.op("Reshape", side_by_side, graph.integers((0, 0, output[-1])))
    return graph.op("Transpose", x, perm=[1, 0, 2])


def _beside_zeros(graph: Graph, bias: str, shape: Shape) -> str:
    """One bias as the two that ONNX adds, of which the second is no parameter."""
    return graph.op("Concat", bias, graph.op("ConstantOfShape", graph.integers(shape)), axis=1)


def _reordered(names: list[list[str]], order: tuple[int, ...], weights: Weights) -> ArrayLike:
    """Tensors of PyTorch, those of one direction one after the other, with their gates in ONNX's order."""
    return [
        np.concatenate([np.split(np.asarray(weights[name]), len(order))[gate] for name in direction for gate in order])
        for direction in names
    ]


ROWS: dict[str, Mapper] = {
    "MatMul": _matmul,
    "ScaledDotProductAttention": _attention,
    "MultiheadAttention": _multihead,
    "Embedding": _embedding,
    **dict.fromkeys(("RNN", "GRU", "LSTM"), _recurrent),
}
"""Kind or family -> what it becomes."""
