"""Operators that the language does not have, and whose cost their definition gives; and those of open shapes."""

from __future__ import annotations

from math import prod

from ...layers.base import Shape
from ..values import Call
from .record import Operator

MICROSOFT = ("com.microsoft",)


def conv_macs(call: Call, dims: Shape) -> int:
    """Of a convolution of its input with the weights at input 1: those of one output times the outputs."""
    return prod(dims) * prod(call.dims(1)[1:])


def conv_transpose_macs(call: Call, dims: Shape) -> int:
    """Of a transposed convolution: those of one input times the inputs."""
    return prod(call.dims()) * prod(call.dims(1)[1:])


def matmul_macs(call: Call, dims: Shape) -> int:
    """Of a product of matrices: the inner size times the outputs."""
    return prod(dims) * call.dims()[-1]


def gemm_macs(call: Call, dims: Shape) -> int:
    """Of a product of matrices that may be transposed first."""
    return prod(dims) * call.dims()[0 if call.node.integer("transA") else 1]


def _heads(call: Call, position: int, attribute: str) -> tuple[int, int, int]:
    """(heads, length, width) of queries, keys or values; those of three axes have all heads side by side."""
    dims = call.dims(position)
    if len(dims) == 4:
        return dims[1], dims[2], dims[3]
    heads = call.node.integer(attribute)
    return heads, dims[1], dims[2] // heads


def _attention_macs(call: Call, dims: Shape) -> int:
    """Of both products, of queries with keys and of their shares with values."""
    heads, queries, width = _heads(call, 0, "q_num_heads")
    _, keys, _ = _heads(call, 1, "kv_num_heads")
    _, _, values = _heads(call, 2, "kv_num_heads")
    return call.dims()[0] * heads * queries * keys * (width + values)


def _joint_attention_macs(call: Call, dims: Shape) -> int:
    """Of com.microsoft's Attention, which projects its input to queries, keys and values itself."""
    batch, length, width = call.dims()
    inner = call.dims(1)[1] // 3
    return batch * length * (width * 3 * inner + 2 * length * inner)


def _joint_attention_dims(call: Call) -> Shape:
    return (*call.dims()[:2], call.dims(1)[1] // 3)


OPEN_ENDED: dict[str, tuple[int, int | None]] = {
    "Compress": (2, 2),
    "Loop": (2, None),
    "NonMaxSuppression": (2, 5),
    "NonZero": (1, 1),
    "Scan": (1, None),
    "Unique": (1, 1),
}
"""Operators whose output is as large as the numbers that flow make it -> the fewest and the most inputs."""

OPERATORS = (
    Operator("DeformConv", inputs=(3, 5), macs=conv_macs, weights=(1, 3)),
    Operator("Attention", inputs=(3, 7), macs=_attention_macs),
    Operator("Attention", inputs=(2, 7), dims=_joint_attention_dims, macs=_joint_attention_macs, domains=MICROSOFT),
    *(Operator(name, inputs=inputs, open_ended=True) for name, inputs in OPEN_ENDED.items()),
)
