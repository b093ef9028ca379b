"""The axes that functions over [batch, channels, *space] take."""

from __future__ import annotations

from typing import NamedTuple

from ....layers.base import Shape
from ....models.making import Unsupported
from ..builder import Builder
from ..values import Activation, Place


class Source(NamedTuple):
    """An input as [channels, *space], or with an axis before it that counts as batch."""

    step: int
    shape: Shape
    """Without the axis that counts as batch."""
    second: Shape
    """In the second run."""
    leading: int
    place: Place | None


def spatial(b: Builder, value: Activation, rank: int | None) -> Source:
    """A value as functions over [batch, channels, *space] take it, with this many space axes, or any number."""
    place, sizes = value.place, value.sizes
    axes = sizes.rank - 2 if rank is None else rank
    if sizes.rank == axes + 1:
        if place is not None:
            raise Unsupported("its input has no axis for the batch")
        return Source(b.settled(value), value.shape, value.second, 0, None)
    if sizes.rank != axes + 2:
        raise Unsupported(f"its input {list(sizes.first)} has {sizes.rank} axes")
    if place is not None and place.axis != 0:
        raise Unsupported("the batch is not its first axis")
    shape, second = sizes.first[1:], sizes.second[1:]
    if place is None and sizes.first[0] == 1:
        return Source(b.settled(value, shape, second), shape, second, 0, None)
    if place is not None and not place.folded:
        return Source(b.settled(value), shape, second, 0, place)
    return Source(b.settled(value), shape, second, 1, place)


def space_of(source: Source) -> Shape:
    """The space of an input."""
    return source.shape[1:]


def reduced(b: Builder, value: Activation, name: str = "dim") -> tuple[int, ...] | None:
    """The axes of the language that an argument names; None for all."""
    dims = b.integers(name)
    if not dims:
        if value.place is not None:
            raise Unsupported("it works over the batch")
        return None
    return tuple([axis_of(value, dim) for dim in dims])


def axis_of(value: Activation, dim: int) -> int:
    """The axis of the language that an axis of the tensor is, which must not be the batch."""
    axis = value.axis(dim)
    if axis is None or (value.place is not None and value.sizes.axis(dim) == value.place.axis):
        raise Unsupported("it works along the batch")
    return axis
