"""What the layers that serve every rank share: fields whose values are matched to the space axes late."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Discriminator, Tag

from ..geometry import EmptyOutput, PaddingOutOfRange, RankMismatch
from .base import Count, Integer, Layer, Shape, Shapes, Size
from .sliding import Pairs

Value = TypeVar("Value")


def form(value: object) -> str:
    """Which of its forms a field has, so that only that one is judged: one number, or a list."""
    return "list" if isinstance(value, (list, tuple)) else "number"


Side = Annotated[
    Annotated[Integer, Tag("number")] | Annotated[tuple[Integer, Integer], Tag("list")], Discriminator(form)
]
CutSide = Annotated[Annotated[Size, Tag("number")] | Annotated[tuple[Size, Size], Tag("list")], Discriminator(form)]

Border = Annotated[Annotated[Integer, Tag("number")] | Annotated[tuple[Side, ...], Tag("list")], Discriminator(form)]
"""One number for every side, one an axis, or (before, after) an axis."""
Cut = Annotated[Annotated[Size, Tag("number")] | Annotated[tuple[CutSide, ...], Tag("list")], Discriminator(form)]
"""A border without negative numbers."""
Extent = Annotated[Annotated[Count, Tag("number")] | Annotated[tuple[Count, ...], Tag("list")], Discriminator(form)]
"""One size for every axis, or one an axis."""


def one_an_axis(layer: Layer, field: str, value: Value | tuple[Value, ...], shape: Shape) -> tuple[Value, ...]:
    """One value serves every space axis; a list must have one value an axis."""
    axes = len(shape) - 1
    if not isinstance(value, tuple):
        return (value,) * axes
    if len(value) != axes:
        said = f"{len(value)} ax{'i' if len(value) == 1 else 'e'}s, but {list(shape)} has {axes} space axes"
        pairs = [list(value[n : n + 2]) for n in range(0, 2 * axes, 2)]
        raise RankMismatch(
            f"{layer.kind} has {field} {list(value)} for {said}",
            hint=f"before and after stand in nested pairs, one an axis: {pairs}" if len(value) == 2 * axes else None,
            values=len(value),
            axes=axes,
        )
    return value


def border_pairs(layer: Layer, field: str, value: int | tuple[int | tuple[int, int], ...], shape: Shape) -> Pairs:
    """(before, after) of each space axis."""
    sides: tuple[Any, ...] = one_an_axis(layer, field, value, shape)
    return tuple(side if isinstance(side, tuple) else (side, side) for side in sides)


def space_of_second(layer: Layer, inputs: Shapes) -> Shape:
    """The space of the second input, which must have as many axes as the first."""
    first, second = inputs
    if len(first) != len(second):
        raise RankMismatch(
            f"{layer.kind} takes the space of its second input {list(second)}, which has {len(second) - 1} axes, "
            f"for {list(first)}, which has {len(first) - 1}",
            first=first,
            second=second,
        )
    return second[1:]


def left_of_axis(layer: Layer, axis: int, size: int, before: int, after: int) -> int:
    """What padding (or with negative numbers cropping) makes of an axis; raises `EmptyOutput` for nothing."""
    left = size + before + after
    if left < 1:
        raise EmptyOutput(
            f"{layer.kind} by {before} and {after} leaves nothing of axis {axis}: {size}",
            size=size,
            before=before,
            after=after,
        )
    return left


def check_border(mode: str, axis: int, size: int, before: int, after: int) -> None:
    """Raise `PaddingOutOfRange` where padding of this mode cannot be taken from an axis of the input.

    Reflection needs padding < size, wrapping around padding <= size. Source: PyTorch
    aten/src/ATen/native/ReflectionPad.cpp and PadNd.cpp.
    """
    largest = max(before, after)
    bound = {"reflect": size - 1, "circular": size}.get(mode, largest)
    if largest > bound:
        raise PaddingOutOfRange(
            f"{mode} padding of {largest} on axis {axis} cannot be taken from an input of {size}",
            hint=f"{mode} padding of an input of {size} can be at most {bound}",
            padding=largest,
            size=size,
        )
