"""Products of integers that stay within 64 bits."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from .errors import LIMIT, TooLarge


def checked(what: str, value: int) -> int:
    """`value`, or `TooLarge` when it is above 2^63 − 1.

    >>> checked("a size", 224)
    224
    """
    if value > LIMIT:
        raise TooLarge(what, value)
    return value


def elements(shape: Iterable[int]) -> int:
    """Numbers in a tensor of this shape.

    >>> elements((64, 112, 112))
    802816
    """
    return prod(shape)
