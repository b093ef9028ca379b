"""Quantised operators: what they do to floats, without the scales and zero points that say how these are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from ...layers.base import Shape
from ..builder import Builder
from ..messages import Malformed
from ..values import Activation, Call, Constant
from . import activations, arithmetic, layout, norms, products, windows
from .record import Made, Operator

MICROSOFT = ("com.microsoft",)


def _of(records: Sequence[Operator], name: str) -> Operator:
    return next(record for record in reversed(records) if record.name == name)


def _among(call: Call, name: str, positions: Sequence[int]) -> Call:
    """The call of an operator on floats that a node makes of its inputs at these positions."""
    given = call.node.inputs
    kept = [position for position in positions if position < len(given)]
    while kept and not given[kept[-1]]:
        kept.pop()
    node = replace(call.node, op=name, domain="", inputs=tuple([given[position] for position in kept]))
    return Call(node, tuple([call.inputs[position] for position in kept]), call.opset)


def _on_floats(
    name: str,
    inputs: tuple[int, int | None],
    records: Sequence[Operator],
    operator: str,
    *positions: int,
    domains: tuple[str, ...] = MICROSOFT,
) -> Operator:
    """The record of an operator that does what one of ONNX does on the inputs at these positions."""
    own = _of(records, operator)

    def rule(b: Builder) -> Made:
        before, b.call = b.call, _among(b.call, operator, positions)
        try:
            own.check(b.call)
            assert own.layers is not None
            return own.layers(b)
        finally:
            b.call = before

    def dims(call: Call) -> Shape:
        found = own.output_dims(_among(call, operator, positions), 0)
        if found is None:
            raise Malformed("its dims do not follow from its inputs")
        return found

    def macs(call: Call, shape: Shape) -> int:
        return own.cost(_among(call, operator, positions), shape)

    return Operator(name, rule, inputs=inputs, dims=dims, macs=macs, domains=domains)


def _same(b: Builder) -> Activation:
    """The floats that its numbers stand for."""
    return b.activation()


def _stored(call: Call, shape: Shape) -> Constant:
    """Weights as the floats that they stand for."""
    value = call.constant()
    stored = value.stored or ({value.name: value.shape} if value.name and prod(value.shape) > 1 else {})
    return Constant(shape, value.numbers, name=value.name, floating=True, stored=stored)


def _dynamic(b: Builder) -> list[Activation | Constant]:
    """The input, and the scale and zero point that fit it."""
    return [b.activation(), Constant((), floating=True, is_scale=True), Constant((), is_scale=True)]


def _joined(call: Call) -> Call:
    """Of a QLinearConcat: its tensors, which stand with a scale and a zero point each behind those of the output."""
    return _among(call, "Concat", range(2, len(call.inputs), 3))


def _concat(b: Builder) -> Made:
    """Along one axis."""
    before, b.call = b.call, _joined(b.call)
    try:
        rule = _of(layout.OPERATORS, "Concat").layers
        assert rule is not None
        return rule(b)
    finally:
        b.call = before


def _concat_dims(call: Call) -> Shape:
    dims = _of(layout.OPERATORS, "Concat").output_dims(_joined(call), 0)
    if dims is None:
        raise Malformed("its inputs do not fit together")
    return dims


def _dims_of_first(call: Call) -> list[Shape]:
    return [call.dims(0), (), ()]


OPERATORS = (
    *(
        Operator(name, _same, inputs=(2, 3), dims=lambda call: call.dims(0), fold=_stored, domains=("", *MICROSOFT))
        for name in ("DequantizeLinear", "QuantizeLinear")
    ),
    Operator("DynamicQuantizeLinear", _dynamic, parts=_dims_of_first),
    _on_floats("MatMulInteger", (2, 4), products.OPERATORS, "MatMul", 0, 1, domains=("",)),
    _on_floats("QLinearMatMul", (8, 8), products.OPERATORS, "MatMul", 0, 3, domains=("", *MICROSOFT)),
    _on_floats("QLinearConv", (8, 9), windows.OPERATORS, "Conv", 0, 3, 8, domains=("", *MICROSOFT)),
    _on_floats("ConvInteger", (2, 4), windows.OPERATORS, "Conv", 0, 1, domains=("",)),
    _on_floats("QGemm", (6, 9), products.OPERATORS, "Gemm", 0, 3, 6),
    _on_floats("QLinearAdd", (7, 8), arithmetic.OPERATORS, "Add", 0, 3),
    _on_floats("QLinearMul", (7, 8), arithmetic.OPERATORS, "Mul", 0, 3),
    _on_floats("QLinearGlobalAveragePool", (5, 5), windows.OPERATORS, "GlobalAveragePool", 0),
    _on_floats("QLinearAveragePool", (4, 5), windows.OPERATORS, "AveragePool", 0),
    _on_floats("QLinearReduceMean", (4, 5), norms.OPERATORS, "ReduceMean", 0),
    _on_floats("QLinearLeakyRelu", (4, 5), activations.OPERATORS, "LeakyRelu", 0),
    _on_floats("QLinearSigmoid", (4, 5), activations.OPERATORS, "Sigmoid", 0),
    _on_floats("QLinearSoftmax", (5, 5), activations.OPERATORS, "Softmax", 0),
    Operator("QLinearConcat", _concat, inputs=(5, None), dims=_concat_dims, domains=MICROSOFT),
)
