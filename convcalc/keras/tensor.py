"""A tensor of the network in the making, and the order of its axes.

Keras holds images with the channels last, the language has them first. An order names, for each axis that Keras holds
(without the batch), the axis of the network that it is: images are (1, 2, 0). Layers that treat elements alone keep an
order; those over space want the channels first, products over the last axis want it last, and what reads numbers in
their order wants Keras's. A permute is put where the order is another one.
"""

from __future__ import annotations

from typing import NamedTuple

from ..layers.base import Shape

Order = tuple[int, ...]


def plain(axes: int) -> Order:
    """The order in which both hold the axes alike.

    >>> plain(3)
    (0, 1, 2)
    """
    return tuple(range(axes))


def channels_last(axes: int) -> Order:
    """The order of what Keras holds with the channels last, the language with the channels first.

    >>> channels_last(3), channels_last(1)
    ((1, 2, 0), (0,))
    """
    return (*range(1, axes), 0)


class Tensor(NamedTuple):
    """What a step puts out."""

    step: int
    shape: Shape
    """As the network has it."""
    order: Order

    @property
    def sizes(self) -> Shape:
        """Its shape as Keras holds it, without the batch."""
        return tuple([self.shape[axis] for axis in self.order])

    @property
    def rank(self) -> int:
        """How many axes it has, without the batch."""
        return len(self.shape)


def dims_between(have: Order, want: Order) -> Order:
    """The dims of the permute that brings a tensor from one order into another.

    >>> dims_between((1, 2, 0), (0, 1, 2))
    (1, 2, 0)
    >>> dims_between((0, 1, 2), (1, 2, 0))
    (2, 0, 1)
    """
    return tuple(have[want.index(axis)] for axis in range(len(want)))


def same_reading(shape: Shape, have: Order, want: Order) -> bool:
    """Whether numbers stand in one order in memory under both orders: only axes of size 1 change places.

    >>> same_reading((512, 1, 1), (1, 2, 0), (0, 1, 2)), same_reading((512, 7, 7), (1, 2, 0), (0, 1, 2))
    (True, False)
    """
    dims = dims_between(have, want)
    return [axis for axis in dims if shape[axis] != 1] == [axis for axis in range(len(dims)) if shape[axis] != 1]
