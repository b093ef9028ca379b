"""Operators whose inputs are all constants: shapes and small numbers are computed, nothing becomes a layer.

Exporters compute shapes with operators (Shape, Gather, Concat, ...), and models transpose, reshape or create
their weights with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from math import prod

from ..layers.base import Shape
from .dims import axes_of, counted, permutation, reshaped, slice_spans, squeezed, unsqueezed, whole
from .elementwise import ELEMENTWISE, elementwise
from .model import SMALL, Malformed, OnnxNode, Tensor
from .opaque import broadcast
from .values import Constant, Numbers, strides


def fold(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant | None:
    """What the node gives on constants; None where that is not known."""
    rule = RULES.get(node.op)
    if rule is not None:
        return rule(node, inputs, opset)
    if node.op in ELEMENTWISE:
        return elementwise(node, [value for value in inputs if value is not None])
    return None


def _taken(value: Constant, spans: Sequence[Sequence[int]], shape: Shape) -> Constant:
    """The positions of the cross product of `spans`, under a new shape."""
    numbers, count = value.numbers, prod(len(span) for span in spans)
    taken: Numbers | None = None
    if numbers is not None and count <= SMALL:
        own = strides(value.shape)
        taken = tuple(numbers[sum(i * stride for i, stride in zip(at, own, strict=True))] for at in product(*spans))
    return Constant(shape, taken, name=value.name, floating=value.floating)


def _first(inputs: Sequence[Constant | None]) -> Constant:
    if not inputs or inputs[0] is None:
        raise Malformed("it has no input")
    return inputs[0]


def _same(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    value = _first(inputs)
    to = node.integer("to") if node.op == "Cast" else None
    if to in (2, 3, 4, 5, 6, 7, 12, 13) and value.numbers is not None:
        return Constant(value.shape, tuple(int(number) for number in value.numbers if math.isfinite(number)))
    return value


def _constant(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant | None:
    value = node.attributes.get("value")
    if isinstance(value, Tensor):
        return Constant.of(value, node.outputs[0])
    for name in ("value_float", "value_int"):
        single = node.attributes.get(name)
        if isinstance(single, (int, float)):
            return Constant((), (single,))
    for name in ("value_floats", "value_ints"):
        several = node.attributes.get(name)
        if isinstance(several, list):
            return Constant((len(several),), tuple(v for v in several if isinstance(v, (int, float))))
    return None


def _constant_of_shape(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    shape = whole(_first(inputs), "sizes")
    if any(size < 0 for size in shape):
        raise Malformed(f"shape {list(shape)} has negative sizes")
    value = node.attributes.get("value")
    floating, fill = True, 0.0
    if isinstance(value, Tensor):
        floating, numbers = value.floating, value.numbers()
        fill = numbers[0] if numbers else 0.0
    numbers = (fill,) * prod(shape) if prod(shape) <= SMALL else None
    return Constant(shape, numbers, name=node.outputs[0], floating=floating)


def _shape(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    return shape_of(node, _first(inputs).shape)


def shape_of(node: OnnxNode, dims: Shape) -> Constant:
    """What Shape gives for a tensor of these dims; Size gives their product."""
    if node.op == "Size":
        return Constant((), (prod(dims),))
    end = node.attributes.get("end")
    taken = dims[node.integer("start") : end if isinstance(end, int) else None]
    return Constant((len(taken),), taken)


def _reshape(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    value = _first(inputs)
    target = node.integers("shape") or whole(inputs[1] if len(inputs) > 1 else None, "sizes")
    return value.reshaped(reshaped(value.shape, target, bool(node.integer("allowzero"))))


def _squeeze(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    value = _first(inputs)
    return value.reshaped(squeezed(value.shape, axes_of(node, inputs)))


def _unsqueeze(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    value = _first(inputs)
    return value.reshaped(unsqueezed(value.shape, axes_of(node, inputs) or ()))


def _flatten(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    value, axis = _first(inputs), node.integer("axis", 1)
    return value.reshaped((prod(value.shape[:axis]), prod(value.shape[axis:])))


def _transpose(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    value = _first(inputs)
    order = permutation(node, len(value.shape))
    shape = tuple(value.shape[axis] for axis in order)
    numbers = value.numbers
    if numbers is not None:
        own = strides(value.shape)
        moved = [own[axis] for axis in order]
        positions = product(*map(range, shape))
        numbers = tuple(numbers[sum(i * s for i, s in zip(at, moved, strict=True))] for at in positions)
    return Constant(shape, numbers, name=value.name, floating=value.floating)


def _slice(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    value = _first(inputs)
    spans = slice_spans(node, value.shape, inputs)
    return _taken(value, spans, tuple(len(span) for span in spans))


def _gather(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant | None:
    value, indices = _first(inputs), inputs[1] if len(inputs) > 1 else None
    if indices is None:
        return None
    axis = counted(node.integer("axis"), len(value.shape))
    shape = value.shape[:axis] + indices.shape + value.shape[axis + 1 :]
    if indices.numbers is None:
        return Constant(shape, name=value.name, floating=value.floating)
    size = value.shape[axis]
    wanted = [int(i) + size * (i < 0) for i in indices.numbers]
    if any(not 0 <= i < size for i in wanted):
        raise Malformed(f"index {list(map(int, indices.numbers))} reaches outside {size}")
    spans: list[Sequence[int]] = [range(n) for n in value.shape]
    spans[axis] = wanted
    return _taken(value, spans, shape)


def _concat(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant | None:
    parts = [value for value in inputs if value is not None]
    first = _first(parts).shape
    axis = counted(node.integer("axis", 1 if opset < 4 else 0), len(first))
    if any(len(part.shape) != len(first) for part in parts):
        raise Malformed("its inputs have different ranks")
    shape = (*first[:axis], sum(part.shape[axis] for part in parts), *first[axis + 1 :])
    if any(part.numbers is None for part in parts) or prod(shape) > SMALL:
        return Constant(shape, floating=any(part.floating for part in parts))
    numbers: list[float] = []
    for row in range(prod(first[:axis])):
        for part in parts:
            width = prod(part.shape[axis:])
            numbers += (part.numbers or ())[row * width : (row + 1) * width]
    return Constant(shape, tuple(numbers))


def _expand(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant:
    value = _first(inputs)
    shape = broadcast(value.shape, whole(inputs[1] if len(inputs) > 1 else None, "sizes"))
    number = value.scalar
    numbers = (number,) * prod(shape) if number is not None and prod(shape) <= SMALL else None
    return Constant(shape, numbers, name=value.name, floating=value.floating)


def _range(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant | None:
    ends = [value.scalar for value in inputs if value is not None]
    if len(ends) != 3 or any(end is None for end in ends):
        return None
    start, limit, step = (end or 0 for end in ends)
    count = max(math.ceil((limit - start) / step), 0) if step else 0
    numbers = tuple(start + i * step for i in range(count)) if count <= SMALL else None
    return Constant((count,), numbers)


def _product(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant | None:
    value = _first(inputs)
    if value.numbers is None or len(value.shape) != 1:
        return None
    return Constant((1,) if node.integer("keepdims", 1) else (), (prod(value.numbers),))


Rule = Callable[[OnnxNode, Sequence["Constant | None"], int], "Constant | None"]


RULES: dict[str, Rule] = {
    "Identity": _same,
    "Cast": _same,
    "CastLike": _same,
    "DequantizeLinear": _same,
    "QuantizeLinear": _same,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Shape": _shape,
    "Size": _shape,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Slice": _slice,
    "Gather": _gather,
    "Concat": _concat,
    "Expand": _expand,
    "Range": _range,
    "ReduceProd": _product,
}
