"""What layers over space share: fields with one value an axis, padding in its forms, borders."""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Discriminator, Tag, ValidationInfo
from pydantic.functional_validators import BeforeValidator

from ..geometry import (
    IDENTITY,
    AxisLink,
    AxisMap,
    EmptyOutput,
    InvalidWindow,
    PaddingMode,
    PaddingOutOfRange,
    RankMismatch,
)
from .base import Count, Integer, Layer, Shape, Shapes, Size
from .registry import KINDS

Value = TypeVar("Value")

LETTERS = {"out": "out_channels", "k": "kernel_size", "s": "stride", "p": "padding", "d": "dilation"}
"""The short forms of the fields of a convolution."""


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


def border_pairs(layer: Layer, field: str, value: int | tuple[int | tuple[int, int], ...], shape: Shape) -> "Pairs":
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


Pairs = tuple[tuple[int, int], ...]


@cache
def rank_of(kind: str) -> int:
    """Space axes of a windowed kind: the digit in its name (a kind without one, such as `unfold`, has 2).

    >>> rank_of("conv_transpose3d"), rank_of("unfold")
    (3, 2)
    """
    digit = kind[-2]
    return int(digit) if digit.isdigit() else 2


def per_axis(value: object, info: ValidationInfo) -> object:
    """One value serves every axis; a list gives one value an axis."""
    rank = rank_of(info.data["kind"])
    if isinstance(value, (list, tuple)):
        if len(value) != rank:
            raise _wrong_count(value, rank, info.field_name or "the list")
        return tuple(value)
    return (value,) * rank


def _wrong_count(value: list[Any] | tuple[Any, ...], rank: int, field: str) -> InvalidWindow:
    count = f"{len(value)} value{'s' * (len(value) != 1)} for {rank} {'axis' if rank == 1 else 'axes'}"
    hint = "one number serves every axis, a list gives one value an axis"
    if field == "padding" and len(value) == 2 * rank:
        pairs = [list(value[n : n + 2]) for n in range(0, 2 * rank, 2)]
        hint = f"before and after stand in nested pairs, one an axis: {pairs}"
    return InvalidWindow(f"{field} has {count}", hint=hint, values=len(value), axes=rank)


def padding_pairs(value: object, info: ValidationInfo) -> object:
    """Padding as (before, after) an axis: from one number, one an axis, or nested pairs; words stay."""
    if isinstance(value, str):
        return value
    rank = rank_of(info.data["kind"])
    items = per_axis(value, info)
    assert isinstance(items, tuple) and len(items) == rank
    return tuple(tuple(item) if isinstance(item, (list, tuple)) else (item, item) for item in items)


PerAxis = Annotated[tuple[Count, ...], BeforeValidator(per_axis)]
PerAxisSize = Annotated[tuple[Size, ...], BeforeValidator(per_axis)]
Padding = Annotated[
    tuple[tuple[Size, Size], ...] | Literal["same", "same_lower", "valid"], BeforeValidator(padding_pairs)
]
SignedPadding = Annotated[
    tuple[tuple[Integer, Integer], ...] | Literal["same", "same_lower", "valid"], BeforeValidator(padding_pairs)
]


class Sliding(Layer):
    """A layer whose window slides over every space axis; its kind's name carries the rank."""

    @property
    def rank(self) -> int:
        return rank_of(self.kind)


def check_rank(layer: Sliding, shape: Shape) -> None:
    """Raise `RankMismatch` unless `shape` has the space axes that the kind's name says."""
    if len(shape) != layer.rank + 1:
        axes = len(shape) - 1
        other = f"{layer.kind[:-2]}{axes}d"
        hint = f"use {other}" if other in KINDS else None
        if hint and axes == layer.rank - 1:
            hint += f", or where the channels are missing: {[1, *shape]}"
        raise RankMismatch(
            f"{layer.kind} takes [channels, {layer.rank} space axes], not {list(shape)} with {axes}",
            hint=hint,
            rank=layer.rank,
            axes=axes,
        )


def axis_paddings(padding: Pairs | PaddingMode, rank: int) -> Iterator[tuple[int, int] | PaddingMode]:
    """The padding of each axis: its pair, or the word that serves them all."""
    return iter((padding,) * rank if isinstance(padding, str) else padding)


@lru_cache(maxsize=256)
def spatial_links(maps: tuple[AxisMap | None, ...]) -> tuple[AxisLink | None, ...]:
    """Axis links of a layer that mixes all channels and maps each space axis by one of `maps`."""
    return (AxisLink(0, None), *[AxisLink(axis, m) for axis, m in enumerate(maps, start=1)])


def channelwise_links(maps: Sequence[AxisMap | None]) -> tuple[AxisLink | None, ...]:
    """Axis links of a layer that keeps channels apart and maps each space axis by one of `maps`."""
    return (AxisLink(0, IDENTITY), *(AxisLink(axis, m) for axis, m in enumerate(maps, start=1)))
