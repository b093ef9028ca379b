"""The columns of `definition.im2col`, tile by tile: how many at a time, and in how many steps they are written.

NumPy copies run by run of numbers that lie side by side, and a run of few numbers costs most for its start. In one step
a row of positions is a run of its own for each tap of the kernel. In two steps it is one only for each tap of the last
axis: what these read of every row of the input is laid row behind row, and a tap of the other axes then reads whole
rows of that, at stride 1 as one run. It copies more numbers, and pays off where rows are short: `rows_pay_off`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod

import numpy as np

from .context import Array
from .windows import Sizes, Tile, over, reach, reads, taps, tiles, window_view

TILE_BYTES = 3 << 19
"""Bytes of the columns of one tile: what stays in a processor's cache beside the weights."""

START = 8
"""What the start of a run costs, in numbers copied."""

APART = 2
"""What a number costs that does not lie beside the one before, in numbers copied."""


def positions_a_tile(dtype: np.dtype[np.generic], column: int, row: int) -> int:
    """How many columns of that many numbers a tile has, for a product with weights of so many numbers to a row of them.

    A product begins with packing its weights: with fewer columns than `row` it would pack more numbers than it reads.
    """
    return max(row, TILE_BYTES // (dtype.itemsize * column))


def tiled_columns(
    x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes, dtype: np.dtype[np.generic], outputs: int
) -> Iterator[tuple[int, Tile, Array]]:
    """(image, tile, columns [channels, *kernel, *tile]) of all tiles, each valid until the next."""
    column = x.shape[1] * prod(kernel)
    blocks = tiles(counts, positions_a_tile(dtype, column, outputs))
    memory = np.empty((column * blocks[0].stop,), dtype)
    by_rows = rows_pay_off(kernel, stride, dilation, blocks[0].counts)
    windows = None if by_rows else window_view(x, kernel, stride, dilation)
    every_tap = (slice(None),) * len(kernel)
    for image in range(x.shape[0]):
        for tile in blocks:
            columns = memory[: column * (tile.stop - tile.start)].reshape(x.shape[1], *kernel, *tile.counts)
            if windows is None:
                read = x[over(image, slice(None), *tile.reads(kernel, stride, dilation))]
                write_by_rows(read, stride, dilation, columns)
            else:
                np.copyto(columns, windows[over(image, slice(None), *every_tap, *tile.box)])
            yield image, tile, columns


@lru_cache(maxsize=64)
def rows_pay_off(kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes) -> bool:
    """Whether two steps cost less than one, by the numbers that they copy and the runs that they start.

    >>> rows_pay_off((5, 5), (1, 1), (1, 1), (14, 14)), rows_pay_off((3, 3), (1, 1), (1, 1), (56, 56))
    (True, False)
    """
    *outer, across = kernel
    *before, last = counts
    row = START + last * (APART if stride[-1] > 1 else 1)
    one_step = prod(kernel) * prod(before) * row
    rows = prod((n - 1) * s + reach(k, d) + 1 for n, k, s, d in zip(before, outer, stride, dilation, strict=False))
    runs = prod(before[:-1]) if stride[-2:-1] == (1,) else prod(before)
    return across * rows * row + prod(kernel) * (prod(counts) + START * runs) < one_step


def write_by_rows(x: Array, stride: Sizes, dilation: Sizes, columns: Array) -> None:
    """Write the windows of x [channels, *space] as columns [channels, *kernel, *positions] in two steps."""
    kernel, counts = columns.shape[1 : x.ndim], columns.shape[x.ndim :]
    origin = (0,) * len(counts)
    rows = np.empty((x.shape[0], kernel[-1], *x.shape[1:-1], counts[-1]), columns.dtype)
    for tap, read in enumerate(reads(kernel[-1:], origin[-1:], counts[-1:], stride[-1:], dilation[-1:])):
        rows[:, tap] = x[over(..., *read)]
    others = reads(kernel[:-1], origin[:-1], counts[:-1], stride[:-1], dilation[:-1])
    for taps_before, read in zip(taps(kernel[:-1]), others, strict=True):
        columns[over(slice(None), *taps_before)] = rows[over(..., *read, slice(None))]
