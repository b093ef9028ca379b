"""The three products behind every convolution, in their fast forms.

With C the matrix of a convolution over a padded input, as a linear map of the input x and of the weights w:

    correlate           y = C x       a convolution; the input's gradient of a transposed one
    scatter             x = Cᵀ y      a transposed convolution; the input's gradient of a convolution
    correlate_weights   the adjoint in w: the weights' gradient of both

Each takes the form that is fastest for its shapes and equals the textbook form in `definition`:
1×1 kernels are one product without columns; depthwise kernels multiply and add tap by tap; all others write
columns by tiles into one buffer that stays in the cache, so that memory is bounded by the tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from .context import Array, Counter, DoesNotFit, multiply_matrices
from .subpixel import pays_off, scatter_by_phases
from .windows import Sizes, Tile, over, positions, read_by, taps, tiles, window_view

TILE_BYTES = 2 << 20
"""Bytes of the columns of one tile: what stays in a processor's cache beside the weights."""


def correlate(
    x: Array, w: Array, stride: Sizes, dilation: Sizes, groups: int = 1, counter: Counter | None = None
) -> Array:
    """The convolution of x [batch, B, *space], already padded, by w [A, B/groups, *kernel]: [batch, A, *positions].

    Raises `DoesNotFit` where a window is larger than the input, or the channels are others than the weights'.
    """
    _check_channels("the input", x.shape[1], w.shape[1] * groups)
    counts = positions(x.shape[2:], w.shape[2:], stride, dilation)
    if prod(w.shape[2:]) == 1:
        return _correlate_pointwise(x, w, stride, groups, counter)
    if w.shape[1] == 1 and groups > 1:
        return _correlate_depthwise(x, w, stride, dilation, counts, counter)
    result = np.empty((x.shape[0], w.shape[0], *counts), np.result_type(x, w))
    flat = result.reshape(x.shape[0], groups, w.shape[0] // groups, prod(counts))
    rows = w.reshape(groups, w.shape[0] // groups, -1)
    for image, tile, columns in _columns(x, w.shape[2:], stride, dilation, counts, result.dtype):
        windows = columns.reshape(groups, rows.shape[2], -1)
        multiply_matrices(rows, windows, counter, out=flat[image, :, :, tile.start : tile.stop])
    return result


def scatter(
    y: Array,
    w: Array,
    stride: Sizes,
    dilation: Sizes,
    groups: int,
    space: Sizes,
    counter: Counter | None = None,
) -> Array:
    """The transpose of `correlate`: y [batch, A, *positions] spread over [batch, B, *space].

    Every position adds its number times the kernel to the places that the window read; what none reads stays 0.
    """
    _check_channels("the input", y.shape[1], w.shape[0])
    if w.shape[1] == 1 and groups > 1:
        return _scatter_depthwise(y, w, stride, dilation, groups, space, counter)
    if counter is None and pays_off(y.shape[2:], w.shape[2:], stride, dilation, space):
        return scatter_by_phases(y, w, stride, groups, space, correlate)
    batch, kernel = y.shape[0], w.shape[2:]
    result = np.zeros((batch, w.shape[1] * groups, *space), np.result_type(y, w))
    columns_of = w.reshape(groups, w.shape[0] // groups, -1).swapaxes(1, 2)
    values = y.reshape(batch, groups, w.shape[0] // groups, -1)
    limit = _positions_a_tile(result.dtype, result.shape[1] * prod(kernel))
    for tile in tiles(y.shape[2:], limit):
        for image in range(batch):
            columns = multiply_matrices(columns_of, values[image, :, :, tile.start : tile.stop], counter)
            by_tap = columns.reshape(result.shape[1], prod(kernel), *tile.counts)
            for number, tap in enumerate(taps(kernel)):
                places = read_by(tap, tile.starts, tile.counts, stride, dilation)
                result[over(image, slice(None), *places)] += by_tap[:, number]
    return result


def correlate_weights(
    x: Array,
    y: Array,
    kernel: Sizes,
    stride: Sizes,
    dilation: Sizes,
    groups: int,
    counter: Counter | None = None,
) -> Array:
    """The adjoint of `correlate` in its weights: for every weight the sum of x·y over all products it takes part in.

    x [batch, B, *space] is padded, y [batch, A, *positions]; the result is [A, B/groups, *kernel].
    """
    counts = y.shape[2:]
    outputs, inputs = y.shape[1], x.shape[1] // groups
    if inputs == 1 and groups > 1:
        return _correlate_weights_depthwise(x, y, kernel, stride, dilation, counter)
    dtype = np.result_type(x, y)
    total = np.zeros((groups, outputs // groups, inputs * prod(kernel)), dtype)
    values = y.reshape(y.shape[0], groups, outputs // groups, -1)
    for image, tile, columns in _columns(x, kernel, stride, dilation, counts, dtype):
        windows = columns.reshape(groups, inputs * prod(kernel), -1)
        total += multiply_matrices(values[image, :, :, tile.start : tile.stop], windows.swapaxes(1, 2), counter)
    return total.reshape(outputs, inputs, *kernel)


def _check_channels(what: str, channels: int, wanted: int) -> None:
    if channels != wanted:
        raise DoesNotFit(f"{what} has {channels} channels, the weights take {wanted}")


def _positions_a_tile(dtype: np.dtype[np.generic], column: int) -> int:
    return max(1, TILE_BYTES // (dtype.itemsize * column))


def _columns(
    x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes, dtype: np.dtype[np.generic]
) -> Iterator[tuple[int, Tile, Array]]:
    """(image, tile, columns [channels, *kernel, *tile]) of all tiles, in one buffer that is written over."""
    column = x.shape[1] * prod(kernel)
    blocks = list(tiles(counts, _positions_a_tile(dtype, column)))
    buffer = np.empty(column * max(block.stop - block.start for block in blocks), dtype)
    windows = window_view(x, kernel, stride, dilation)
    every_tap = (slice(None),) * (1 + len(kernel))
    for image in range(x.shape[0]):
        for tile in blocks:
            columns = buffer[: column * (tile.stop - tile.start)].reshape(x.shape[1], *kernel, *tile.counts)
            np.copyto(columns, windows[over(image, *every_tap, *tile.box)])
            yield image, tile, columns


def _correlate_pointwise(x: Array, w: Array, stride: Sizes, groups: int, counter: Counter | None) -> Array:
    """1×1: a product with the input itself, which is its own im2col."""
    strided = x[over(..., *(slice(None, None, s) for s in stride))] if max(stride) > 1 else x
    rows = w.reshape(groups, w.shape[0] // groups, w.shape[1])
    values = strided.reshape(x.shape[0], groups, x.shape[1] // groups, -1)
    return multiply_matrices(rows, values, counter).reshape(x.shape[0], w.shape[0], *strided.shape[2:])


def _depthwise_blocks(channels: int, bytes_a_channel: int) -> Iterator[slice]:
    """Channels in blocks whose products stay in the cache."""
    step = max(1, TILE_BYTES // 4 // max(bytes_a_channel, 1))
    return (slice(first, first + step) for first in range(0, channels, step))


def _count_taps(counter: Counter | None, w: Array, y_shape: Sizes) -> None:
    """Count a depthwise product: every tap multiplies every output once."""
    if counter is not None:
        counter.macs += prod(w.shape[2:]) * prod(y_shape)


def _correlate_depthwise(
    x: Array, w: Array, stride: Sizes, dilation: Sizes, counts: Sizes, counter: Counter | None
) -> Array:
    """One kernel a channel, or m of them: multiply and add tap by tap."""
    batch, channels, multiplier = x.shape[0], x.shape[1], w.shape[0] // x.shape[1]
    result = np.empty((batch, channels, multiplier, *counts), np.result_type(x, w))
    kernels = w.reshape(channels, multiplier, *w.shape[2:], *(1,) * len(counts))
    origin = (0,) * len(counts)
    _count_taps(counter, w, (batch, w.shape[0], *counts))
    for block in _depthwise_blocks(channels, multiplier * prod(counts) * result.itemsize):
        for image in range(batch):
            total = result[image, block]
            term = np.empty_like(total)
            for number, tap in enumerate(taps(w.shape[2:])):
                read = x[over(image, block, None, *read_by(tap, origin, counts, stride, dilation))]
                weight = kernels[over(block, slice(None), *tap)]
                if number == 0:
                    np.multiply(read, weight, out=total)
                else:
                    np.multiply(read, weight, out=term)
                    total += term
    return result.reshape(batch, w.shape[0], *counts)


def _scatter_depthwise(
    y: Array, w: Array, stride: Sizes, dilation: Sizes, channels: int, space: Sizes, counter: Counter | None
) -> Array:
    """The transpose of `_correlate_depthwise`."""
    batch, counts = y.shape[0], y.shape[2:]
    result = np.zeros((batch, channels, *space), np.result_type(y, w))
    values = y.reshape(batch, channels, -1, *counts)
    kernels = w.reshape(channels, -1, *w.shape[2:], *(1,) * len(counts))
    origin = (0,) * len(counts)
    _count_taps(counter, w, y.shape)
    for tap in taps(w.shape[2:]):
        places = read_by(tap, origin, counts, stride, dilation)
        for copy in range(values.shape[2]):
            result[over(..., *places)] += values[:, :, copy] * kernels[over(slice(None), copy, *tap)]
    return result


def _correlate_weights_depthwise(
    x: Array, y: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, counter: Counter | None
) -> Array:
    """The adjoint of `_correlate_depthwise` in its weights."""
    batch, channels, counts = x.shape[0], x.shape[1], y.shape[2:]
    values = y.reshape(batch, channels, -1, *counts)
    result = np.zeros((y.shape[1], 1, *kernel), np.result_type(x, y))
    origin = (0,) * len(counts)
    _count_taps(counter, result, y.shape)
    summed = (0, *range(3, 3 + len(counts)))
    for tap in taps(kernel):
        read = x[over(slice(None), slice(None), None, *read_by(tap, origin, counts, stride, dilation))]
        result[over(slice(None), 0, *tap)] = (read * values).sum(axis=summed).reshape(-1)
    return result
