"""Products of matrices: Gemm and MatMul."""

from __future__ import annotations

from math import prod

from ...geometry import GeometryError
from ...layers.base import Shape
from ...layers.opaque import broadcast
from ...models.making import Unsupported, spelled
from ..builder import Builder
from ..messages import Malformed
from ..values import Activation, Call, Constant, Value
from .costly import gemm_macs, matmul_macs
from .record import Operator
from .windows import formed_of


def _gemm_dims(call: Call) -> Shape:
    (a, b), (c, d) = call.dims(0), call.dims(1)
    return (b if call.node.integer("transA") else a, c if call.node.integer("transB") else d)


def _gemm(b: Builder) -> Activation:
    """With a constant matrix a linear layer; else a product, and a sum where there is a third input."""
    if isinstance(b.call.given(1), Activation) or isinstance(b.call.given(0), Constant):
        return _general(b)
    value, weight = b.activation(), b.weight(1, rank=2)
    if b.node.integer("transA"):
        raise Unsupported("it transposes its input")
    value = b.batched(value)
    inputs, outputs = weight.shape[::-1] if b.node.integer("transB") else weight.shape
    bias = b.constant(2)
    if bias is not None and not bias.holds_weights and bias.shape != (outputs,):
        bias = None
    if bias is not None and prod(bias.shape) != outputs:
        raise Unsupported(f"its bias {list(bias.shape)} is not one number an output")
    return linear(b, value, weight, inputs, outputs, bias)


def _general(b: Builder) -> Activation:
    """alpha·A·B + beta·C, each of the three as it is given."""
    factors = []
    for position, turned in enumerate(("transA", "transB")):
        given = b.call.given(position)
        value = given if isinstance(given, Activation) else b.parameter(given)
        if value.batched:
            raise Unsupported("it multiplies the batch")
        factors.append(b.emit("permute", {"dims": (1, 0)}, value) if b.node.integer(turned) else value)
    made = _scaled(b, b.emit("matmul", {}, *factors), b.node.number("alpha", 1.0))
    third = b.call.value(2)
    if third is None:
        return made
    addend = third if isinstance(third, Activation) else b.parameter(third)
    if addend.batched:
        raise Unsupported("it adds the batch")
    missing = len(made.dims) - len(addend.dims)
    addend = b.relayout(addend, (*(1,) * missing, *addend.dims), batched=False) if missing else addend
    return b.emit("add", {}, made, _scaled(b, addend, b.node.number("beta", 1.0)))


def _scaled(b: Builder, value: Activation, factor: float) -> Activation:
    return value if factor == 1 else b.emit("rescale", {"scale": factor}, value)


def _matmul_dims(call: Call) -> Shape:
    return matmul_shape(call.dims(0), call.dims(1))


def matmul_shape(first: Shape, second: Shape) -> Shape:
    """The shape of the product of two tensors; raises GeometryError where they do not fit.

    >>> matmul_shape((4, 10, 64), (64, 32))
    (4, 10, 32)
    """
    a = (1, *first) if len(first) == 1 else first
    b = (*second, 1) if len(second) == 1 else second
    if a[-1] != b[-2]:
        raise GeometryError("the inner axes differ")
    tail = (*a[-2:-1], *b[-1:])
    kept = tail[int(len(first) == 1) : 2 - int(len(second) == 1)]
    return (*broadcast(a[:-2], b[:-2]), *kept)


def _matmul(b: Builder) -> Activation:
    """With a constant matrix on the right a linear layer, whose bias may follow as an Add; else a product of both."""
    left, right = b.call.given(0), b.call.given(1)
    if isinstance(left, Activation) and isinstance(right, Constant) and len(right.shape) == 2 and left.shape:
        return linear(b, left, right, right.shape[0], right.shape[1], None)
    return product(b, left, right)


def product(b: Builder, left: Value, right: Value) -> Activation:
    """The product of two tensors, of which constants are layers of their own. Raises `Unsupported` for vectors."""
    if min(len(left.dims), len(right.dims)) < 2:
        raise Unsupported("it multiplies a vector")
    a, c = (value if isinstance(value, Activation) else b.parameter(value) for value in (left, right))
    if len(a.dims) == len(c.dims) and a.batched != c.batched:
        a, c = (b.batched(value) if value.dims[0] == 1 and not value.batched else value for value in (a, c))
    if len(a.dims) == len(c.dims) and a.batched != c.batched:
        raise Unsupported("it multiplies what has the batch first with what has not")
    for value, other in ((a, c), (c, a)):
        rank = len(other.shape) if other.batched else len(other.dims) - 1
        if value.batched and (len(value.shape) < rank if other.batched else len(value.dims) <= rank):
            raise Unsupported(f"it broadcasts {list(value.dims)} over {list(other.dims)}")
        if value.batched and len(value.shape) < 2:
            raise Unsupported("it multiplies the batch")
    return b.emit("matmul", {}, a, c)


def linear(
    b: Builder, value: Activation, weight: Constant, inputs: int, outputs: int, bias: Constant | None
) -> Activation:
    """The linear layer of a matrix over the last axis."""
    if value.shape[-1:] != (inputs,):
        raise Malformed(
            f"the weight {list(weight.shape)} takes {inputs} features, not the last axis of {list(value.dims)}"
        )
    formed = formed_of(weight, outputs, bias)
    if formed is None:
        raise Unsupported("its weights are computed of others")
    fields = {**spelled("linear", {"out_features": outputs, "bias": bias is not None}), **formed}
    if len(value.shape) > 1:
        fields["dim"] = "last"
    return b.emit("linear", fields, value, weights=[weight] if bias is None else [weight, bias])


OPERATORS = (
    Operator("Gemm", _gemm, dims=_gemm_dims, inputs=(2, 3), weights=(1, 2), macs=gemm_macs),
    Operator("MatMul", _matmul, dims=_matmul_dims, inputs=(2, 2), macs=matmul_macs),
)
