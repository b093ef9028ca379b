"""Products with a matrix: Gemm and MatMul."""

from __future__ import annotations

from math import prod

from ...geometry import GeometryError
from ...layers.base import Shape
from ...layers.opaque import broadcast
from ..builder import Builder, Unsupported, spelled
from ..messages import Malformed
from ..values import Activation, Call, Constant
from .costly import gemm_macs, matmul_macs
from .record import Operator


def _gemm_dims(call: Call) -> Shape:
    (a, b), (c, d) = call.dims(0), call.dims(1)
    return (b if call.node.integer("transA") else a, c if call.node.integer("transB") else d)


def _gemm(b: Builder) -> Activation:
    """With a constant matrix: a linear layer."""
    value, weight = b.activation(), b.weight(1, rank=2)
    if b.node.integer("transA"):
        raise Unsupported("it transposes its input")
    value = b.batched(value)
    inputs, outputs = weight.shape[::-1] if b.node.integer("transB") else weight.shape
    bias = b.constant(2)
    if bias is not None and bias.scalar == 0 and bias.shape != (outputs,):
        bias = None
    if bias is not None and prod(bias.shape) != outputs:
        raise Unsupported(f"its bias {list(bias.shape)} is not one number an output")
    return _linear(b, value, weight, inputs, outputs, bias)


def _matmul_dims(call: Call) -> Shape:
    first, second = call.dims(0), call.dims(1)
    a = (1, *first) if len(first) == 1 else first
    b = (*second, 1) if len(second) == 1 else second
    if a[-1] != b[-2]:
        raise GeometryError("the inner axes differ")
    tail = (*a[-2:-1], *b[-1:])
    kept = tail[int(len(first) == 1) : 2 - int(len(second) == 1)]
    return (*broadcast(a[:-2], b[:-2]), *kept)


def _matmul(b: Builder) -> Activation:
    """With a constant matrix on the right: a linear layer, whose bias may follow as an Add."""
    value, weight = b.activation(), b.weight(1)
    if len(weight.shape) != 2 or len(value.shape) < 1:
        raise Unsupported(f"its constant {list(weight.shape)} is no matrix")
    return _linear(b, value, weight, weight.shape[0], weight.shape[1], None)


def _linear(
    b: Builder, value: Activation, weight: Constant, inputs: int, outputs: int, bias: Constant | None
) -> Activation:
    """The linear layer of a matrix over the last axis."""
    if value.shape[-1:] != (inputs,):
        raise Malformed(
            f"the weight {list(weight.shape)} takes {inputs} features, not the last axis of {list(value.dims)}"
        )
    fields = spelled({"out_features": outputs, "bias": bias is not None})
    if len(value.shape) > 1:
        fields["dim"] = "last"
    return b.emit("linear", fields, value, weights=[weight] if bias is None else [weight, bias])


OPERATORS = (
    Operator("Gemm", _gemm, dims=_gemm_dims, inputs=(2, 3), macs=gemm_macs),
    Operator("MatMul", _matmul, dims=_matmul_dims, inputs=(2, 2), macs=matmul_macs),
)
