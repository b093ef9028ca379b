"""Keras: products of activations, recurrent layers and look-ups."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ...geometry import same_padding
from ...layers.kind_table import Refused
from ..program import Call, Code, Inline, Step, keywords, optional, positional, scalar
from ..windows import declared_pads
from .common import NAME, Mapped, Mapper, Order, aligned, in_order, natural_order, naturally, permuted

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.conv_lstm import ConvLSTM
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
    """Keras's weights are one tensor for all gates; a GRU that resets its state after the product has two biases."""
    if layer.num_layers > 1 or layer.state_size != layer.hidden_size:
        raise Refused("Keras has recurrent layers one by one, whose states are not projected")
    reset_after = dict(layer).get("reset_after")
    if layer.bias and layer.biases != (2 if reset_after else 1):
        raise Refused("Keras adds two biases in a GRU that resets after the product, one in other recurrent layers")
    name = {"rnn": "SimpleRNN"}.get(layer.kind, layer.kind.upper())
    arguments = (
        *positional(units=layer.hidden_size),
        optional("activation", dict(layer).get("nonlinearity", "tanh"), "tanh"),
        optional("use_bias", layer.bias, True),
        *([] if reset_after is None else [optional("reset_after", reset_after, True)]),
        *keywords(return_sequences=True),
    )
    if not layer.bidirectional:
        return [Call(f"layers.{name}", (*arguments, NAME))]
    return [Call("both_ways", (*positional(recurrent=Code(f"layers.{name}")), *arguments, NAME))]


def _conv_lstm(layer: ConvLSTM, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Keras has the channels last; explicit padding is put around the space of all positions before."""
    if max(layer.stride) > 1 and max(layer.dilation) > 1:
        raise Refused("Keras has no convolution with a stride and a dilation above 1")
    shape = inputs[0]
    last = (0, *range(2, len(shape)), 1)
    windows = layer.windows_of_input(shape[1:])
    pads, whole = declared_pads(windows), set(layer.stride) == {1}
    around = [same_padding(size, w.kernel_size, 1, w.dilation) for size, w in zip(shape[2:], windows, strict=True)]
    same = layer.padding == "same" or (whole and pads == tuple(around))
    before = permuted(orders[0], last)
    if not same and any(map(any, pads)):
        before.append(Inline("ops.pad({0}, {pads})", keywords(pads=((0, 0), (0, 0), *pads, (0, 0)))))
    arguments = (
        *positional(filters=layer.out_channels),
        *keywords(kernel_size=scalar(layer.kernel_size)),
        optional("strides", scalar(layer.stride), 1),
        optional("padding", "same" if same else "valid", "valid"),
        optional("dilation_rate", scalar(layer.dilation), 1),
        optional("use_bias", layer.bias, True),
        *keywords(return_sequences=True),
        NAME,
    )
    return Mapped([*before, Call(f"layers.ConvLSTM{layer.rank}D", arguments)], last)


ROWS: dict[str, Mapper] = {
    "MatMul": naturally(_matmul),
    "ScaledDotProductAttention": naturally(_attention),
    "MultiheadAttention": _multihead,
    "Embedding": naturally(_embedding),
    **dict.fromkeys(("RNN", "GRU", "LSTM"), naturally(_recurrent)),
    "ConvLSTM": _conv_lstm,
}
"""Kind or family -> what it becomes."""
