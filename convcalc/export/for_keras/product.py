"""Keras: products of activations, recurrent layers and look-ups."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from ..program import Call, Code, Inline, Step, keywords, optional, positional
from .common import NAME, Mapped, Mapper, Order, aligned, in_order, natural_order, naturally

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.embedding import Embedding
    from ...layers.product import MatMul, MultiheadAttention, ScaledDotProductAttention
    from ...layers.recurrent import GRU, LSTM, RNN


def _matmul(layer: MatMul, inputs: Shapes, output: Shape) -> list[Step]:
    factors = ", ".join(aligned(number, len(shape), len(output)) for number, shape in enumerate(inputs))
    return [Inline(f"ops.matmul({factors})")]


def _attention(layer: ScaledDotProductAttention, inputs: Shapes, output: Shape) -> list[Step]:
    scale = keywords(scale=1 / sqrt(inputs[0][-1]) if layer.scale is None else layer.scale)
    mask = f", {aligned(3, len(inputs[3]), len(output))}" if len(inputs) == 4 else ""
    causal = ", is_causal=True" if layer.is_causal else ""
    return [Inline(f"scaled_attention({{0}}, {{1}}, {{2}}, {{scale}}{mask}{causal})", scale)]


def _multihead(layer: MultiheadAttention, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Keras takes the query, the value, the key."""
    if layer.add_bias_kv or layer.add_zero_attn:
        raise Refused("Keras appends no key and no value")
    texts = [in_order(number, order, natural_order(2)) for number, order in enumerate(orders)]
    arguments = (
        *keywords(num_heads=layer.num_heads, key_dim=output[-1] // layer.num_heads),
        optional("use_bias", layer.bias, True),
        NAME,
    )
    reads = (texts[0], texts[2], texts[1]) if len(texts) == 3 else (texts[0], texts[0])
    return Mapped([Call("layers.MultiHeadAttention", arguments, reads)], natural_order(2))


def _embedding(layer: Embedding, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = positional(input_dim=layer.num_embeddings, output_dim=layer.embedding_dim)
    return [Call("layers.Embedding", (*arguments, NAME))]


def _recurrent(layer: RNN | GRU | LSTM, inputs: Shapes, output: Shape) -> list[Step]:
    """Keras's GRU has two biases, its other layers one; its weights are one tensor for all gates."""
    if layer.num_layers > 1 or layer.state_size != layer.hidden_size:
        raise Refused("Keras has recurrent layers one by one, whose states are not projected")
    if layer.bias and layer.biases != (2 if layer.kind == "gru" else 1):
        raise Refused("Keras adds two biases in a GRU and one in its other recurrent layers")
    name = {"rnn": "SimpleRNN"}.get(layer.kind, layer.kind.upper())
    arguments = (
        *positional(units=layer.hidden_size),
        optional("activation", dict(layer).get("nonlinearity", "tanh"), "tanh"),
        optional("use_bias", layer.bias, True),
        *keywords(return_sequences=True),
    )
    if not layer.bidirectional:
        return [Call(f"layers.{name}", (*arguments, NAME))]
    return [Call("both_ways", (*positional(recurrent=Code(f"layers.{name}")), *arguments, NAME))]


ROWS: dict[str, Mapper] = {
    "MatMul": naturally(_matmul),
    "ScaledDotProductAttention": naturally(_attention),
    "MultiheadAttention": _multihead,
    "Embedding": naturally(_embedding),
    **dict.fromkeys(("RNN", "GRU", "LSTM"), naturally(_recurrent)),
}
"""Kind or family -> what it becomes."""
