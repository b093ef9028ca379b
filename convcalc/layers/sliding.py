"""What all windowed layers share: fields with one value an axis, and padding in its forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import ValidationInfo
from pydantic.functional_validators import BeforeValidator

from ..geometry import IDENTITY, AxisLink, AxisMap, InvalidWindow, PaddingMode, RankMismatch
from .base import Count, Integer, Layer, Shape, Size
from .registry import KINDS

Pairs = tuple[tuple[int, int], ...]


def rank_of(kind: str) -> int:
    """Space axes of a windowed kind: the digit in its name (`unfold` has 2).

    >>> rank_of("conv_transpose2d")
    2
    """
    return 2 if kind == "unfold" else int(kind[-2])


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
        raise RankMismatch(
            f"{layer.kind} takes [channels, {layer.rank} space axes], not {list(shape)} with {axes}",
            hint=hint,
            rank=layer.rank,
            axes=axes,
        )


def axis_paddings(padding: Pairs | PaddingMode, rank: int) -> Iterator[tuple[int, int] | PaddingMode]:
    """The padding of each axis: its pair, or the word that serves them all."""
    return iter((padding,) * rank if isinstance(padding, str) else padding)


def spatial_links(maps: Sequence[AxisMap | None]) -> tuple[AxisLink | None, ...]:
    """Axis links of a layer that mixes all channels and maps each space axis by one of `maps`."""
    return (AxisLink(0, None), *(AxisLink(axis, m) for axis, m in enumerate(maps, start=1)))


def channelwise_links(maps: Sequence[AxisMap | None]) -> tuple[AxisLink | None, ...]:
    """Axis links of a layer that keeps channels apart and maps each space axis by one of `maps`."""
    return (AxisLink(0, IDENTITY), *(AxisLink(axis, m) for axis, m in enumerate(maps, start=1)))
