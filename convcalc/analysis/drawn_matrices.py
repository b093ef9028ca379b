"""The matrices beneath a drawn window: im2col, C and its transpose, as what stands in each cell."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

from ..findings import UsageError
from .drawn import Drawn, by

MOST_CELLS = 6_000
"""Of C, and of im2col."""


class Columns(NamedTuple):
    """im2col: a row a tap, a column an output; what each window reads."""

    inputs: tuple[tuple[int | None, ...], ...]
    """The number of the input that stands in a cell, counted from 1 row by row; None for padding and zeros."""
    weights: tuple[int, ...]
    """The tap that each row is multiplied with, counted from 1; backwards where the kernel is flipped."""


class DrawnMatrices(NamedTuple):
    """The matrices of a window from so many inputs to so many outputs, on one channel."""

    columns: Columns
    weights: tuple[tuple[int | None, ...], ...]
    """[outputs][inputs]: the tap that connects the two, counted from 1; None where none does."""
    taps: int

    @property
    def transposed(self) -> tuple[tuple[int | None, ...], ...]:
        """The same, [inputs][outputs]."""
        return tuple(zip(*self.weights, strict=True))

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "im2col": [list(row) for row in self.columns.inputs],
            "rows": list(self.columns.weights),
            "matrix": [list(row) for row in self.weights],
        }


def drawn_matrices(drawn: Drawn) -> DrawnMatrices:
    """The matrices of a drawing, of its windows and the inputs that stand in them.

    Raises UsageError, with the numbers, where they are too large to be looked at, or where there is no kernel.

    >>> from .drawn import Given, drawn_axes
    >>> from ..geometry import Window
    >>> made = drawn_matrices(Drawn("", "convolution", drawn_axes([Given(Window(2), 3, 2)])))
    >>> made.weights, made.columns.inputs
    (((1, 2, None), (None, 1, 2)), ((1, 2), (2, 3)))
    """
    axes = drawn.axes
    inputs, outputs = prod(axis.size for axis in axes), prod(axis.output for axis in axes)
    taps = prod(axis.kernel_size for axis in axes)
    if not drawn.weighted:
        raise UsageError(f"a {drawn.what} multiplies with no kernel: it is no product of matrices")
    if max(inputs, taps) * outputs > MOST_CELLS:
        sizes = f"{outputs:,} × {max(inputs, taps):,}"
        raise UsageError(
            f"too large to be drawn: a matrix of {sizes} cells, of {MOST_CELLS:,} at the most",
            f"a smaller --size, or --dims 1; the input is {by(axis.size for axis in axes)}",
        )
    weights: list[tuple[int | None, ...]] = []
    columns: list[tuple[int | None, ...]] = []
    numbers = tuple(range(taps, 0, -1) if drawn.transposed else range(1, taps + 1))
    for position in product(*(range(axis.output) for axis in axes)):
        places = product(*(axis.windows[q] for axis, q in zip(axes, position, strict=True)))
        column = [_number(drawn, place) for place in places]
        row: list[int | None] = [None] * inputs
        for number, weight in zip(column, numbers, strict=True):
            if number is not None:
                row[number - 1] = weight
        columns.append(tuple(column))
        weights.append(tuple(row))
    return DrawnMatrices(Columns(tuple(zip(*columns, strict=True)), numbers), tuple(weights), taps)


def _number(drawn: Drawn, place: tuple[int, ...]) -> int | None:
    """The number of the input at a place, from 1; None where none stands there."""
    number = 0
    for axis, at in zip(drawn.axes, place, strict=True):
        index = axis.input_at(at) if at in axis.places else None
        if index is None:
            return None
        number = number * axis.size + index
    return number + 1
