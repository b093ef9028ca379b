"""Shapes under the operators that reshape, and the numbers that nodes say them with."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ..layers.base import Shape
from .model import Malformed, OnnxNode, Unknown
from .values import Constant


def axes_of(node: OnnxNode, inputs: Sequence[object], position: int = 1) -> tuple[int, ...] | None:
    """The axes of a node, an attribute in older opsets and an input in newer ones; None for none."""
    given = node.integers("axes")
    if given is not None or len(inputs) <= position or inputs[position] is None:
        return given
    return whole(inputs[position], "axes")


def whole(value: object, what: str) -> tuple[int, ...]:
    """The integers of a constant; raises `Unknown` where they are not known."""
    numbers = value.numbers if isinstance(value, Constant) else None
    if numbers is None:
        raise Unknown(f"its {what} are computed while it runs")
    return tuple(int(number) for number in numbers)


def counted(axis: int, rank: int) -> int:
    """An axis counted from the front."""
    if not -rank <= axis < rank:
        raise Malformed(f"axis {axis} does not exist in a tensor of {rank} axes")
    return axis % rank


def squeezed(shape: Shape, axes: Sequence[int] | None) -> Shape:
    """A shape without the axes (by default all of size 1)."""
    gone = (
        {counted(axis, len(shape)) for axis in axes} if axes is not None else {i for i, n in enumerate(shape) if n == 1}
    )
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


def permutation(node: OnnxNode, rank: int) -> tuple[int, ...]:
    """The order of a Transpose; by default the reverse."""
    order = node.integers("perm") or tuple(reversed(range(rank)))
    if sorted(order) != list(range(rank)):
        raise Malformed(f"perm {list(order)} is no order of {rank} axes")
    return order
