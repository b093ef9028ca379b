"""The order in which Keras holds the axes of each tensor: channels last, for TensorFlow convolves so on a CPU.

An order names, for each axis that Keras holds (without the batch), the axis of the network that it is. Images are
(1, 2, 0). Layers that only relabel axes change the order and cost nothing; what needs another order permutes.
"""

from __future__ import annotations

from typing import NamedTuple

from .calls import Argument, Call, Step

Order = tuple[int, ...]


def channels_last(axes: int) -> Order:
    """The order of images and sequences.

    >>> channels_last(3), channels_last(1)
    ((1, 2, 0), (0,))
    """
    return (*range(1, axes), 0)


def permuted(have: Order, want: Order) -> list[Step]:
    """The step that brings one order into another, if one is needed.

    >>> permuted((1, 2, 0), (0, 1, 2))[0].arguments[0].value
    (3, 1, 2)
    """
    if have == want:
        return []
    dims = tuple(have.index(axis) + 1 for axis in want)
    return [Call("layers.Permute", (Argument("dims", dims, positional=True),))]


class Mapped(NamedTuple):
    """What a layer becomes, and the order of its output."""

    steps: list[Step]
    order: Order
