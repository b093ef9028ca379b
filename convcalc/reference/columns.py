"""Columns by tiles: `definition.im2col` for a part of the positions at a time, in memory that is written over."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from .context import Array
from .windows import Sizes, Tile, over, tiles, window_view

TILE_BYTES = 2 << 20
"""Bytes of the columns of one tile: what stays in a processor's cache beside the weights."""


def positions_a_tile(dtype: np.dtype[np.generic], column: int) -> int:
    """How many columns of that many numbers a tile has."""
    return max(1, TILE_BYTES // (dtype.itemsize * column))


def tiled_columns(
    x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes, dtype: np.dtype[np.generic]
) -> Iterator[tuple[int, Tile, Array]]:
    """(image, tile, columns [channels, *kernel, *tile]) of all tiles, each valid until the next."""
    column = x.shape[1] * prod(kernel)
    blocks = list(tiles(counts, positions_a_tile(dtype, column)))
    memory = np.empty((column * max(block.stop - block.start for block in blocks),), dtype)
    windows = window_view(x, kernel, stride, dilation)
    every_tap = (slice(None),) * (1 + len(kernel))
    for image in range(x.shape[0]):
        for tile in blocks:
            columns = memory[: column * (tile.stop - tile.start)].reshape(x.shape[1], *kernel, *tile.counts)
            np.copyto(columns, windows[over(image, *every_tap, *tile.box)])
            yield image, tile, columns
