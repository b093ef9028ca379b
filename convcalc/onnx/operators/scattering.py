"""Operators that write numbers into a tensor: what lies around a block of positions is joined with what is written."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from ...layers.base import Shape
from ...models.making import Unsupported, spelled
from ..builder import Builder
from ..messages import Malformed
from ..values import Activation, Call, Constant, Numbers, Value
from .folding import few, scattered_elements, scattered_slices
from .layout import own_axis
from .parts import positions
from .record import Operator, kept

DEEPEST = 16
"""Operators behind each other by which indices are made."""


class Line(NamedTuple):
    """Numbers of a tensor that changes along one axis alone; None for one that has the same number everywhere."""

    axis: int | None
    numbers: Numbers


def line_of(value: Constant, depth: int = 0) -> Line | None:
    """A constant as numbers along one axis, also where it is too large to be computed; None where it is not known."""
    if value.numbers is not None and few(value.shape):
        return _line(value.shape, value.numbers)
    call = value.call
    source = call.value(0) if call is not None else None
    if call is None or not isinstance(source, Constant) or depth > DEEPEST:
        return None
    found = line_of(source, depth + 1)
    axis = found.axis if found is not None else None
    if found is None or axis is None:
        return found
    numbers = found.numbers
    match call.node.op:
        case "Expand":
            return Line(axis + len(value.shape) - len(source.shape), numbers)
        case "Transpose":
            order = call.node.integers("perm") or tuple(reversed(range(len(source.shape))))
            return Line(order.index(axis), numbers)
        case "Reshape" | "Unsqueeze" | "Squeeze":
            wide = [[n for n, size in enumerate(shape) if size > 1] for shape in (source.shape, value.shape)]
            kept = [size for size in source.shape if size > 1] == [size for size in value.shape if size > 1]
            return Line(wide[1][wide[0].index(axis)], numbers) if kept else None
        case "Cast" | "Identity":
            return found
    return None


def _line(shape: Shape, numbers: Numbers) -> Line | None:
    """Numbers in row order as those along one axis."""
    if len(set(numbers)) < 2:
        return Line(None, numbers[:1]) if numbers else None
    for axis, size in enumerate(shape):
        inner = prod(shape[axis + 1 :])
        along = numbers[: size * inner : inner]
        if size > 1 and numbers == tuple(number for number in along for _ in range(inner)) * prod(shape[:axis]):
            return Line(axis, along)
    return None


def _columns(indices: Constant) -> list[Line | None]:
    """What the indices say of each axis, along the axes of the indices before their last one."""
    shape, width = indices.shape[:-1], indices.shape[-1]
    numbers, call = indices.numbers, indices.call
    if numbers is not None:
        return [line_of(Constant(shape, numbers[n::width])) for n in range(width)]
    if width == 1:
        return [_without_last(indices)]
    if call is None or call.node.op != "Concat" or call.axis() != len(shape):
        return [None]
    return [_without_last(part) for part in call.inputs if isinstance(part, Constant)]


def _without_last(value: Constant) -> Line | None:
    """Numbers along an axis before the last one, which has one position."""
    found = line_of(value) if value.shape[-1] == 1 else None
    return found if found is None or found.axis is None or found.axis < len(value.shape) - 1 else None


def _block(call: Call) -> list[range]:
    """The positions that a ScatterND writes to, an axis each. Raises `Unsupported` where they are no block."""
    dims, indices = call.dims(), call.given(1)
    if not isinstance(indices, Constant):
        raise Unsupported("where it writes is computed while it runs")
    if call.node.word("reduction", "none") != "none":
        raise Unsupported("it reckons with what stands where it writes")
    width = indices.shape[-1] if indices.shape else 0
    if not 0 < width <= len(dims):
        raise Malformed(f"its indices {list(indices.shape)} are not positions in {list(dims)}")
    spans: list[range] = []
    axes: list[int] = []
    for column in _columns(indices):
        if column is None:
            break
        start = int(column.numbers[0])
        span = range(start, start + len(column.numbers))
        if column.numbers != tuple(span) or start < 0 or span.stop > dims[len(spans)]:
            break
        axes += [column.axis] if column.axis is not None else []
        spans.append(span)
    if (
        len(spans) != indices.shape[-1]
        or axes != sorted(set(axes))
        or prod(map(len, spans)) != prod(indices.shape[:-1])
    ):
        raise Unsupported("where it writes is no block")
    return [*spans, *(range(size) for size in dims[len(spans) :])]


def _scattered(b: Builder) -> Activation:
    """What lies around the block is joined with what is written, axis by axis."""
    spans = _block(b.call)
    value, written = (_active(b, b.call.given(position)) for position in (0, 2))
    size = tuple(map(len, spans))
    made = b.relayout(written, size, batched=value.batched)
    if size == value.dims:
        return made
    around: list[tuple[int, Activation | None, Activation | None]] = []
    for axis, span in enumerate(spans):
        whole = value.dims[axis]
        if len(span) == whole:
            continue
        dim = own_axis(value, axis, "writes to a part of")
        before = positions(b, value, dim, range(span.start), whole) if span.start else None
        after = positions(b, value, dim, range(span.stop, whole), whole) if span.stop < whole else None
        around.append((dim, before, after))
        value = positions(b, value, dim, span, whole)
    for dim, before, after in reversed(around):
        parts = [part for part in (before, made, after) if part is not None]
        made = b.emit("concat", spelled("concat", {"dim": dim}), *parts)
    return made


def _active(b: Builder, value: Value) -> Activation:
    return value if isinstance(value, Activation) else b.parameter(value)


OPERATORS = (
    *(Operator(name, dims=kept, fold=scattered_elements, inputs=(3, 3)) for name in ("Scatter", "ScatterElements")),
    Operator("ScatterND", _scattered, dims=kept, fold=scattered_slices, inputs=(3, 3)),
)
