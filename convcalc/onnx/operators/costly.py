"""Operators that the language does not have, and whose cost their definition gives; and those of open shapes."""

from __future__ import annotations

from math import prod

from ...layers.base import Shape
from ..values import Call
from .record import Operator


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
    *(
        Operator(name, inputs=inputs, open_ended=True, left_out=(0, 1) if name == "Loop" else ())
        for name, inputs in OPEN_ENDED.items()
    ),
)
