"""Constants, and the shapes of tensors as numbers: computed, so that nothing of them becomes a layer."""

from __future__ import annotations

from math import ceil, prod

from ...geometry import LIMIT
from ...layers.base import Shape
from ..learned import OF_PYTORCH, of_a_module
from ..messages import KIND, PARAMETER, SMALL, Malformed, Tensor, Unknown
from ..values import Call, Constant
from .record import Operator


def _given(call: Call) -> Constant:
    """The value of a Constant."""
    attributes = call.node.attributes
    value, name = attributes.get("value"), call.node.outputs[0]
    if isinstance(value, Tensor):
        return Constant.of(value, name, learned=OF_PYTORCH.fullmatch(name) is None)
    for name in ("value_float", "value_int"):
        single = attributes.get(name)
        if isinstance(single, (int, float)):
            return Constant((), (single,))
    for name in ("value_floats", "value_ints"):
        several = attributes.get(name)
        if isinstance(several, list):
            return Constant((len(several),), tuple(v for v in several if isinstance(v, (int, float))))
    raise Unknown("its value is no tensor of numbers")


def _filled_dims(call: Call) -> Shape:
    shape = call.integers(0, "sizes")
    if any(size < 0 for size in shape):
        raise Malformed(f"shape {list(shape)} has negative sizes")
    return shape


def _filled(call: Call, shape: Shape) -> Constant:
    value = call.node.attributes.get("value")
    floating, fill = True, 0.0
    if isinstance(value, Tensor):
        floating, numbers = value.floating, value.numbers()
        fill = numbers[0] if numbers else 0.0
    known = (fill,) * prod(shape) if prod(shape) <= SMALL else None
    name = call.node.outputs[0]
    own = floating and prod(shape) > 1 and of_a_module(name)
    learned = call.node.metadata.get(KIND, PARAMETER) == PARAMETER
    stored = {name: shape} if own and learned else None
    return Constant(shape, known, name=name, floating=floating, stored=stored, fixed=own and not learned)


def _shape(call: Call) -> Shape:
    """The numbers that Shape gives."""
    end = call.node.attributes.get("end")
    return call.dims()[call.node.integer("start") : end if isinstance(end, int) else None]


def _steps(call: Call) -> tuple[float, float, int]:
    """(start, step, count) of a Range."""
    ends = [call.constant(position).scalar for position in range(3)]
    start, limit, step = (end or 0 for end in ends)
    if None in ends:
        raise Unknown("its ends are computed while it runs")
    if not all(abs(end) <= LIMIT for end in (start, limit, step)):
        raise Malformed(f"its ends are {start}, {limit} and {step}")
    return start, step, max(ceil((limit - start) / step), 0) if step else 0


def _range(call: Call, shape: Shape) -> Constant:
    start, step, count = _steps(call)
    return Constant(shape, tuple(start + i * step for i in range(count)) if count <= SMALL else None)


def _drawn_dims(call: Call) -> Shape:
    shape = call.node.attributes.get("shape")
    sizes = tuple([size for size in shape if isinstance(size, int) and size >= 0]) if isinstance(shape, list) else ()
    if not isinstance(shape, list) or len(sizes) < len(shape):
        raise Malformed("its shape is no list of sizes")
    return sizes


def _drawn(call: Call, shape: Shape) -> Constant:
    """Noise: a constant whose numbers are not known."""
    return Constant(shape, name=call.node.outputs[0], floating=True, fixed=True)


OPERATORS = (
    *(
        Operator(name, dims=lambda call: call.dims(), fold=_drawn, reads_dims=True)
        for name in ("RandomNormalLike", "RandomUniformLike")
    ),
    *(Operator(name, dims=_drawn_dims, fold=_drawn, inputs=(0, 0)) for name in ("RandomNormal", "RandomUniform")),
    Operator("Constant", dims=lambda call: _given(call).shape, fold=lambda call, shape: _given(call), inputs=(0, 0)),
    Operator("ConstantOfShape", dims=_filled_dims, fold=_filled),
    Operator("Range", dims=lambda call: (_steps(call)[2],), fold=_range, inputs=(3, 3)),
    Operator(
        "Shape",
        dims=lambda call: (len(_shape(call)),),
        fold=lambda call, shape: Constant(shape, _shape(call)),
        reads_dims=True,
    ),
    Operator(
        "Size", dims=lambda call: (), fold=lambda call, shape: Constant(shape, (prod(call.dims()),)), reads_dims=True
    ),
)
