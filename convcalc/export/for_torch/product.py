"""PyTorch: products of activations, recurrent layers and look-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Call, Code, Inline, Step, keywords, optional, positional, scalar
from ..windows import declared_pads, flat_pads
from .common import Mapper, aligned

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.conv_lstm import ConvLSTM
    from ...layers.embedding import Embedding
    from ...layers.product import MatMul, MultiheadAttention, ScaledDotProductAttention
    from ...layers.recurrent import GRU, LSTM, RNN


def _matmul(layer: MatMul, inputs: Shapes, output: Shape) -> list[Step]:
    left, right = (aligned(number, len(shape), len(output)) for number, shape in enumerate(inputs))
    return [Inline(f"{left} @ {right}")]


def _attention(layer: ScaledDotProductAttention, inputs: Shapes, output: Shape) -> list[Step]:
    mask = f", attn_mask={aligned(3, len(inputs[3]), len(output))}" if len(inputs) == 4 else ""
    causal = ", is_causal=True" if layer.is_causal else ""
    scale = ", scale={scale}" if layer.scale is not None else ""
    text = f"F.scaled_dot_product_attention({{0}}, {{1}}, {{2}}{mask}{causal}{scale})"
    return [Inline(text, keywords(scale=layer.scale) if scale else ())]


def _multihead(layer: MultiheadAttention, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = (
        *positional(embed_dim=output[-1], num_heads=layer.num_heads),
        optional("bias", layer.bias, True),
        optional("add_bias_kv", layer.add_bias_kv, False),
        optional("add_zero_attn", layer.add_zero_attn, False),
        optional("kdim", layer.kdim, None),
        optional("vdim", layer.vdim, None),
        *keywords(batch_first=True),
    )
    return [Call("Attention", arguments, tuple(f"{{{number}}}" for number in range(len(inputs))))]


def _embedding(layer: Embedding, inputs: Shapes, output: Shape) -> list[Step]:
    return [Call("Embedding", positional(num_embeddings=layer.num_embeddings, embedding_dim=layer.embedding_dim))]


def _recurrent(layer: RNN | GRU | LSTM, inputs: Shapes, output: Shape) -> list[Step]:
    given = dict(layer)
    optionals = {"num_layers": 1, "nonlinearity": "tanh", "bias": True, "bidirectional": False, "proj_size": 0}
    arguments = (
        *positional(input_size=inputs[0][-1], hidden_size=layer.hidden_size),
        *(optional(name, given[name], default) for name, default in optionals.items() if name in given),
        *keywords(batch_first=True),
    )
    name = layer.family if given.get("reset_after", True) else "ResetFirstGRU"
    if layer.bias and layer.biases == 1:
        return [Call("one_bias", (*positional(recurrent=Code(name)), *arguments))]
    return [Call(name, arguments)]


def _conv_lstm(layer: ConvLSTM, inputs: Shapes, output: Shape) -> list[Step]:
    pads = declared_pads(layer.windows_of_input(inputs[0][1:]))
    arguments = (
        *positional(in_channels=inputs[0][1], out_channels=layer.out_channels),
        *keywords(kernel_size=layer.kernel_size),
        optional("stride", scalar(layer.stride), 1),
        optional("padding", flat_pads(pads) if any(map(any, pads)) else (), ()),
        optional("dilation", scalar(layer.dilation), 1),
        optional("bias", layer.bias, True),
    )
    return [Call("ConvLSTM", arguments)]


ROWS: dict[str, Mapper] = {
    "MatMul": _matmul,
    "ScaledDotProductAttention": _attention,
    "MultiheadAttention": _multihead,
    "Embedding": _embedding,
    **dict.fromkeys(("RNN", "GRU", "LSTM"), _recurrent),
    "ConvLSTM": _conv_lstm,
}
"""Kind or family -> what it becomes."""
