"""What all windowed layers share: fields with one value an axis, and padding in its forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from pydantic import ValidationInfo
from pydantic.functional_validators import BeforeValidator

from ..geometry import AxisLink, InvalidWindow, PaddingMode, PoolPaddingTooLarge
from .base import Count, Layer, Shape, Shapes, Size

Pairs = tuple[tuple[int, int], ...]
PADDING_WORDS = ("same", "same_lower", "valid")


def rank_of(kind: str) -> int:
    """Space axes of a windowed kind: the digit in its name.

    >>> rank_of("conv_transpose2d")
    2
    """
    return int(kind[-2])


def per_axis(value: object, info: ValidationInfo) -> object:
    """One value serves every axis; a list gives one value an axis."""
    rank = rank_of(info.data["kind"])
    if isinstance(value, (list, tuple)):
        if len(value) != rank:
            raise InvalidWindow(f"{len(value)} values for {rank} axes", values=len(value), axes=rank)
        return tuple(value)
    return (value,) * rank


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


class Sliding(Layer):
    """A layer whose window slides over every space axis; its kind's name carries the rank."""

    @property
    def rank(self) -> int:
        return rank_of(self.kind)


def axis_paddings(padding: Pairs | PaddingMode, rank: int) -> Iterator[tuple[int, int] | PaddingMode]:
    """The padding of each axis: its pair, or the word that serves them all."""
    return iter((padding,) * rank if isinstance(padding, str) else padding)


def spatial_links(maps: tuple[Any, ...]) -> tuple[AxisLink | None, ...]:
    """Axis links of a layer that mixes all channels and maps each space axis by one of `maps`."""
    return (AxisLink(0, None), *(AxisLink(axis, m) for axis, m in enumerate(maps, start=1)))


def depthwise_links(maps: tuple[Any, ...], first: AxisLink) -> tuple[AxisLink | None, ...]:
    """Axis links of a layer that keeps channels apart."""
    return (first, *(AxisLink(axis, m) for axis, m in enumerate(maps, start=1)))


def checked_pool_padding(padding: Pairs, kernel_size: tuple[int, ...], pairs_given: bool) -> Pairs:
    """Padding of a pool: at most half the kernel as one number (PyTorch), below the kernel as pairs (ONNX)."""
    for (before, after), k in zip(padding, kernel_size, strict=True):
        largest, bound = max(before, after), (k - 1 if pairs_given else k // 2)
        if largest > bound:
            raise PoolPaddingTooLarge(
                f"padding {largest} of a pool with kernel {k} may be at most {bound}",
                hint="PyTorch allows half the kernel; nested pairs ([[1, 2], [1, 2]]) anything below it, as ONNX",
                padding=largest,
                kernel_size=k,
            )
    return padding


Axiswise = Callable[[Shapes], Shape]
