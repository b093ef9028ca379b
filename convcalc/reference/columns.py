"""The columns of `definition.im2col`, tile by tile: how many at a time, and in how many steps they are written.

NumPy copies run by run of numbers that lie side by side, and a run of few numbers costs most for its start. In one step
a row of positions is a run of its own for each tap of the kernel. In two steps it is one only for each tap of the last
axis: what these read of every row of the input is laid row behind row, and a tap of the other axes then reads whole
rows of that, at stride 1 as one run. Where rows keep their length, a tap of the last axis reads the input itself,
shifted: one run a channel, but for zeros where it would read the next row. Two steps copy more numbers, and pay off
where rows are short: `rows_pay_off`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod

import numpy as np

from .border import border
from .context import Array
from .windows import Index, Pairs, Sizes, Tile, over, reach, reads, taps, tiles, window_starts, window_view

TILE_BYTES = 3 << 19
"""Bytes of the columns of one tile: what stays in a processor's cache beside the weights."""

START = 20
"""What the start of a run costs, in numbers copied."""

APART = 2
"""What a number costs that does not lie beside the one before, in numbers copied."""

ZEROS = 8
"""What zeros at an end of a row cost, in numbers copied."""


def positions_a_tile(dtype: np.dtype[np.generic], column: int, others: int) -> int:
    """How many columns of that many numbers a tile has, in a product with weights of `column` × `others` numbers.

    A product begins with packing its weights: of fewer columns than `others` these would be the larger part.
    """
    return max(others, TILE_BYTES // (dtype.itemsize * column))


def tiled_columns(
    x: Array,
    kernel: Sizes,
    stride: Sizes,
    dilation: Sizes,
    counts: Sizes,
    pads: Pairs,
    dtype: np.dtype[np.generic],
    outputs: int,
) -> Iterator[tuple[int, Tile, Array]]:
    """(image, tile, columns [channels, *kernel, *tile]) of all tiles, each valid until the next.

    They are the columns of x with a border of zeros, `pads` wide, in which `counts` windows lie.
    """
    steps, column = (kernel, stride, dilation), x.shape[1] * prod(kernel)
    blocks = tiles(counts, positions_a_tile(dtype, column, outputs))
    shifted = blocks[0].counts[1:] == counts[1:] and rows_are_shifted(x.shape[2:], stride, counts, pads)
    by_rows = rows_pay_off(*steps, blocks[0].counts, shifted)
    shifted = shifted and by_rows
    bordered = border(x, beside_shifted_rows(pads) if shifted else pads, "zeros")
    memory = np.empty((column * blocks[0].stop,), dtype)
    windows = None if by_rows else window_view(bordered, *steps)
    every_tap = (slice(None),) * len(kernel)
    for image in range(x.shape[0]):
        for tile in blocks:
            columns = memory[: column * (tile.stop - tile.start)].reshape(x.shape[1], *kernel, *tile.counts)
            if windows is not None:
                np.copyto(columns, windows[over(image, slice(None), *every_tap, *tile.box)])
            else:
                read = tile.reads(*steps)
                if shifted:
                    rows = shifted_rows(bordered[image], read[0], kernel[-1], dilation[-1], pads[-1][0])
                else:
                    rows = rows_read(bordered[over(image, slice(None), *read)], kernel[-1], stride[-1], dilation[-1])
                write_rows(rows, stride, dilation, columns)
            yield image, tile, columns


def rows_are_shifted(space: Sizes, stride: Sizes, counts: Sizes, pads: Pairs) -> bool:
    """Whether each tap of the last axis reads the rows of the input, shifted by no more than their length."""
    return len(space) > 1 and stride[-1] == 1 and counts[-1] == space[-1] >= max(pads[-1])


@lru_cache(maxsize=64)
def rows_pay_off(kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes, shifted: bool = False) -> bool:
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
    first_step = across * rows * (ZEROS + last if shifted else row)
    return first_step + prod(kernel) * (prod(counts) + START * runs) < one_step


def rows_read(x: Array, kernel: int, stride: int, dilation: int) -> Array:
    """What each tap of the last axis reads of x [channels, *space]: [channels, taps, *rows, positions]."""
    count = len(window_starts(x.shape[-1], kernel, stride, dilation))
    rows = np.empty((x.shape[0], kernel, *x.shape[1:-1], count), x.dtype)
    for tap, (read,) in enumerate(reads((kernel,), (0,), (count,), (stride,), (dilation,))):
        rows[:, tap] = x[..., read]
    return rows


def beside_shifted_rows(pads: Pairs) -> Pairs:
    """The border that `shifted_rows` reads: nothing beside the rows, and one more before and behind all of them."""
    (before, after), *others = pads[:-1]
    return ((before + 1, after + 1), *others, (0, 0))


def shifted_rows(x: Array, lines: slice, kernel: int, dilation: int, before: int) -> Array:
    """`rows_read` of some lines of the first axis of x [channels, *space], as if zeros stood beside its rows.

    All that a tap reads is one run. Where it comes from the row beside, the zeros are written afterwards.
    """
    channels, line, length = x.shape[0], prod(x.shape[2:]), x.shape[-1]
    start, count = (lines.start + 1) * line - before, (lines.stop - lines.start) * line
    numbers, runs = x.reshape(channels, -1), np.empty((channels, kernel, count), x.dtype)
    rows = runs.reshape(channels, kernel, -1, length)
    for tap in range(kernel):
        shift = tap * dilation - before
        runs[:, tap] = numbers[:, start + tap * dilation :][:, :count]
        if shift:
            rows[:, tap, :, slice(0, -shift) if shift < 0 else slice(length - shift, length)] = 0
    return rows.reshape(channels, kernel, -1, *x.shape[2:])


def write_rows(rows: Array, stride: Sizes, dilation: Sizes, columns: Array) -> None:
    """Write columns [channels, *kernel, *positions] of what the taps of the last axis read of every row."""
    rank = rows.ndim - 2
    kernel, counts = columns.shape[1:rank], columns.shape[rank + 1 : -1]
    for written, read in _rows_of_taps(kernel, counts, stride[:-1], dilation[:-1]):
        columns[written] = rows[read]


@lru_cache(maxsize=64)
def _rows_of_taps(kernel: Sizes, counts: Sizes, stride: Sizes, dilation: Sizes) -> tuple[tuple[Index, Index], ...]:
    """(where columns are written, which rows are read) for each tap of all axes but the last."""
    others = reads(kernel, (0,) * len(kernel), counts, stride, dilation)
    return tuple(
        (over(slice(None), *tap), over(..., *read, slice(None))) for tap, read in zip(taps(kernel), others, strict=True)
    )
