"""Operators whose inputs are all constants: shapes and small numbers are computed, nothing becomes a layer.

Exporters compute shapes with operators (Shape, Gather, Concat, ...), and models transpose, reshape or create
their weights with them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from itertools import product
from math import prod

from ..layers.base import Shape
from .model import SMALL, Malformed, OnnxNode, Tensor
from .opaque import broadcast
from .values import Constant, Numbers


def fold(node: OnnxNode, inputs: Sequence[Constant | None], opset: int) -> Constant | None:
    """What the node gives on constants; None where that is not known."""
    rule = RULES.get(node.op)
    if rule is not None:
        return rule(node, inputs, opset)
    if node.op in ELEMENTWISE:
        return _elementwise(node, [value for value in inputs if value is not None])
    return None


def axes_of(node: OnnxNode, inputs: Sequence[object], position: int = 1) -> tuple[int, ...] | None:
    """The axes of a node, an attribute in older opsets and an input in newer ones; None for none."""
    given = node.integers("axes")
    if given is not None or len(inputs) <= position or inputs[position] is None:
        return given
    return whole(inputs[position], "axes")


def whole(value: object, what: str) -> tuple[int, ...]:
    """The integers of a constant; raises `Malformed` where they are not known."""
    numbers = value.numbers if isinstance(value, Constant) else None
    if numbers is None:
        raise Malformed(f"its {what} are computed while it runs")
    return tuple(int(number) for number in numbers)


def counted(axis: int, rank: int) -> int:
    """An axis counted from the front."""
    if not -rank <= axis < max(rank, 1):
        raise Malformed(f"axis {axis} does not exist in a tensor of {rank} axes")
    return axis % max(rank, 1)


def squeezed(shape: Shape, axes: Sequence[int] | None) -> Shape:
    """A shape without the axes (by default all of size 1)."""
    gone = {counted(axis, len(shape)) for axis in axes} if axes is not None else {i for i, n in enumerate(shape) if n == 1}
    if any(shape[axis] != 1 for axis in gone):
        raise Malformed(f"axes {sorted(gone)} of {list(shape)} are not all 1")
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


def unsqueezed(shape: Shape, axes: Sequence[int]) -> Shape:
    """A shape with axes of size 1 put in at these positions of the result."""
    rank = len(shape) + len(axes)
    new = {counted(axis, rank) for axis in axes}
    if len(new) != len(axes):
        raise Malformed(f"axes {list(axes)} name one twice")
    sizes = iter(shape)
    return tuple(1 if axis in new else next(sizes) for axis in range(rank))


def reshaped(shape: Shape, target: Sequence[int], allow_zero: bool = False) -> Shape:
    """The shape that Reshape gives: 0 copies a size, one −1 follows from the rest."""
    sizes = list(target)
    for axis, size in enumerate(sizes):
        if size == 0 and not allow_zero:
            if axis >= len(shape):
                raise Malformed(f"shape {list(target)} copies axis {axis}, which {list(shape)} does not have")
            sizes[axis] = shape[axis]
    total, known = prod(shape), prod(size for size in sizes if size != -1)
    unknown = sizes.count(-1)
    if unknown > 1 or any(size < -1 for size in sizes):
        raise Malformed(f"shape {list(target)} is not one")
    if unknown and known and total % known == 0:
        sizes[sizes.index(-1)] = total // known
    elif unknown or known != total:
        raise Malformed(f"the {total} numbers of {list(shape)} do not fit the shape {list(target)}")
    return tuple(sizes)


def slice_spans(node: OnnxNode, shape: Shape, inputs: Sequence[object]) -> list[range]:
    """The positions that a Slice takes of each axis."""
    starts, ends = node.integers("starts"), node.integers("ends")
    axes, steps = node.integers("axes"), None
    if starts is None or ends is None:
        given = [*inputs, None, None, None, None]
        starts, ends = whole(given[1], "starts"), whole(given[2], "ends")
        axes = whole(given[3], "axes") if given[3] is not None else None
        steps = whole(given[4], "steps") if given[4] is not None else None
    spans = [range(size) for size in shape]
    axes = axes if axes is not None else tuple(range(len(starts)))
    steps = steps if steps is not None else (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise Malformed("its starts, ends, axes and steps do not fit together")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        position = counted(axis, len(shape))
        spans[position] = range(shape[position])[start:end:step]
    return spans


def _strides(shape: Shape) -> list[int]:
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]


def _taken(value: Constant, spans: Sequence[Sequence[int]], shape: Shape) -> Constant:
    """The positions of the cross product of `spans`, under a new shape."""
    numbers, count = value.numbers, prod(len(span) for span in spans)
    taken: Numbers | None = None
    if numbers is not None and count <= SMALL:
        strides = _strides(value.shape)
        taken = tuple(
            numbers[sum(i * stride for i, stride in zip(at, strides, strict=True))] for at in product(*spans)
        )
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
        strides = _strides(value.shape)
        moved = [strides[axis] for axis in order]
        positions = product(*map(range, shape))
        numbers = tuple(numbers[sum(i * s for i, s in zip(at, moved, strict=True))] for at in positions)
    return Constant(shape, numbers, name=value.name, floating=value.floating)


def permutation(node: OnnxNode, rank: int) -> tuple[int, ...]:
    """The order of a Transpose; by default the reverse."""
    order = node.integers("perm") or tuple(reversed(range(rank)))
    if sorted(order) != list(range(rank)):
        raise Malformed(f"perm {list(order)} is no order of {rank} axes")
    return order


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


def _quotient(a: float, b: float) -> float:
    if not b:
        return 0
    if isinstance(a, int) and isinstance(b, int):
        return int(a / b) if abs(a) < 2**53 else a // b
    return a / b


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
ELEMENTWISE: dict[str, Callable[..., float]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": _quotient,
    "Mod": lambda a, b: a % b if b else 0,
    "Pow": lambda a, b: math.pow(a, b) if abs(a) < 1e9 and abs(b) < 30 and (a > 0 or b == int(b) >= 0) else math.nan,
    "Max": max,
    "Min": min,
    "Equal": lambda a, b: int(a == b),
    "Greater": lambda a, b: int(a > b),
    "GreaterOrEqual": lambda a, b: int(a >= b),
    "Less": lambda a, b: int(a < b),
    "LessOrEqual": lambda a, b: int(a <= b),
    "And": lambda a, b: int(bool(a and b)),
    "Or": lambda a, b: int(bool(a or b)),
    "Not": lambda a: int(not a),
    "Where": lambda condition, a, b: a if condition else b,
    "Neg": operator.neg,
    "Abs": abs,
    "Floor": lambda a: float(math.floor(a)) if math.isfinite(a) else a,
    "Ceil": lambda a: float(math.ceil(a)) if math.isfinite(a) else a,
    "Round": lambda a: float(round(a)) if math.isfinite(a) else a,
    "Sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "Reciprocal": lambda a: 1 / a if a else math.inf,
}


def _elementwise(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    shape = broadcast(*(value.shape for value in inputs))
    floating = any(value.floating for value in inputs)
    name = next((value.name for value in inputs if value.is_weight), "")
    columns = [value.numbers for value in inputs]
    if prod(shape) > SMALL or any(column is None for column in columns):
        return Constant(shape, name=name, floating=floating)
    rank = len(shape)
    strides = []
    for value in inputs:
        own = _strides(value.shape)
        sizes = value.shape
        lead = [0] * (rank - len(sizes))
        strides.append(lead + [stride if size != 1 else 0 for stride, size in zip(own, sizes, strict=True)])
    compute = ELEMENTWISE[node.op]
    numbers = []
    for at in product(*map(range, shape)):
        row = [
            (column or ())[sum(i * s for i, s in zip(at, own, strict=True))]
            for column, own in zip(columns, strides, strict=True)
        ]
        try:
            number = compute(*row)
        except (ArithmeticError, TypeError) as error:
            raise Malformed(f"it cannot be computed: {error}") from error
        if abs(number) >= 2**64:
            return Constant(shape, name=name, floating=floating)
        numbers.append(number)
    return Constant(shape, tuple(numbers), name=name, floating=floating)
