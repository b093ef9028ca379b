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

from math import prod

import numpy as np

from . import depthwise
from .columns import positions_a_tile, tiled_columns
from .context import Array, Counter, DoesNotFit, along_channels, multiply_matrices
from .subpixel import pays_off, scatter_by_phases
from .windows import Sizes, over, positions, reach, read_by, taps, tiles


def correlate(
    x: Array,
    w: Array,
    stride: Sizes,
    dilation: Sizes,
    groups: int = 1,
    counter: Counter | None = None,
    bias: Array | None = None,
) -> Array:
    """The convolution of x [batch, B, *space], already padded, by w [A, B/groups, *kernel]: [batch, A, *positions].

    `bias` is added, one number an output channel. Raises `DoesNotFit` where a window is larger than the input, or
    the channels are others than the weights'.
    """
    _check_channels("the input", x.shape[1], w.shape[1] * groups)
    counts = positions(x.shape[2:], w.shape[2:], stride, dilation)
    if prod(w.shape[2:]) == 1:
        return _with_bias(_correlate_pointwise(x, w, stride, groups, counter), bias)
    if w.shape[1] == 1 and groups > 1:
        return _with_bias(depthwise.correlate(x, w, stride, dilation, counts, counter), bias)
    result = np.empty((x.shape[0], w.shape[0], *counts), np.result_type(x, w))
    flat = result.reshape(x.shape[0], groups, w.shape[0] // groups, prod(counts))
    rows = w.reshape(groups, w.shape[0] // groups, -1)
    for image, tile, columns in tiled_columns(x, w.shape[2:], stride, dilation, counts, result.dtype):
        windows = columns.reshape(groups, rows.shape[2], -1)
        part = multiply_matrices(rows, windows, counter, out=flat[image, :, :, tile.start : tile.stop])
        if bias is not None:
            part += bias.reshape(groups, -1, 1)
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
        return depthwise.scatter(y, w, stride, dilation, groups, space, counter)
    if counter is None and pays_off(y.shape[2:], w.shape[2:], stride, dilation, space):
        return scatter_by_phases(y, w, stride, groups, space, correlate)
    batch, kernel = y.shape[0], w.shape[2:]
    result = np.zeros((batch, w.shape[1] * groups, *space), np.result_type(y, w))
    columns_of = w.reshape(groups, w.shape[0] // groups, -1).swapaxes(1, 2)
    values = y.reshape(batch, groups, w.shape[0] // groups, -1)
    apart = all(reach(k, d) < s for k, s, d in zip(kernel, stride, dilation, strict=True))
    limit = positions_a_tile(result.dtype, result.shape[1] * prod(kernel))
    for tile in tiles(y.shape[2:], limit):
        for image in range(batch):
            columns = multiply_matrices(columns_of, values[image, :, :, tile.start : tile.stop], counter)
            by_tap = columns.reshape(result.shape[1], prod(kernel), *tile.counts)
            for number, tap in enumerate(taps(kernel)):
                places = read_by(tap, tile.starts, tile.counts, stride, dilation)
                target = result[over(image, slice(None), *places)]
                if apart:
                    target[...] = by_tap[:, number]
                else:
                    target += by_tap[:, number]
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
        return depthwise.correlate_weights(x, y, kernel, stride, dilation, counter)
    dtype = np.result_type(x, y)
    total = np.zeros((groups, outputs // groups, inputs * prod(kernel)), dtype)
    values = y.reshape(y.shape[0], groups, outputs // groups, -1)
    for image, tile, columns in tiled_columns(x, kernel, stride, dilation, counts, dtype):
        windows = columns.reshape(groups, inputs * prod(kernel), -1)
        total += multiply_matrices(values[image, :, :, tile.start : tile.stop], windows.swapaxes(1, 2), counter)
    return total.reshape(outputs, inputs, *kernel)


def _check_channels(what: str, channels: int, wanted: int) -> None:
    if channels != wanted:
        raise DoesNotFit(f"{what} has {channels} channels, the weights take {wanted}")


def _with_bias(y: Array, bias: Array | None) -> Array:
    if bias is not None:
        y += along_channels(bias, y)
    return y


def _correlate_pointwise(x: Array, w: Array, stride: Sizes, groups: int, counter: Counter | None) -> Array:
    """1×1: a product with the input itself, which is its own im2col."""
    strided = x[over(..., *(slice(None, None, s) for s in stride))] if max(stride) > 1 else x
    rows = w.reshape(groups, w.shape[0] // groups, w.shape[1])
    values = strided.reshape(x.shape[0], groups, x.shape[1] // groups, -1)
    return multiply_matrices(rows, values, counter).reshape(x.shape[0], w.shape[0], *strided.shape[2:])
