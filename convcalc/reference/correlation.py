"""The three products behind every convolution: two of them in their fast forms, the third in `scattering`.

With C the matrix of a convolution over a padded input, as a linear map of the input x and of the weights w:

    correlate           y = C x       a convolution; the input's gradient of a transposed one
    scatter             x = Cᵀ y      a transposed convolution; the input's gradient of a convolution
    correlate_weights   the adjoint in w: the weights' gradient of both

Each takes the form that is fastest for its shapes and equals the textbook form in `definition`:
1×1 kernels are one product without columns; depthwise kernels multiply and add tap by tap; all others write
columns by tiles into one buffer that stays in the cache (`columns`), so that memory is bounded by the tile, or by the
weights where these are larger.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from .border import border
from .columns import tiled_columns
from .context import Array, Counter, DoesNotFit, along_channels, multiply_matrices
from .windows import Pairs, Sizes, over, positions, reads, taps


def correlate(
    x: Array,
    w: Array,
    stride: Sizes,
    dilation: Sizes,
    groups: int = 1,
    counter: Counter | None = None,
    bias: Array | None = None,
    pads: Pairs | None = None,
) -> Array:
    """The convolution of x [batch, B, *space] by w [A, B/groups, *kernel]: [batch, A, *positions].

    `bias` is added, one number an output channel; `pads` is the width of a border of zeros that x has not yet. Raises
    `DoesNotFit` where a window is larger than the input, or the channels are others than the weights'.
    """
    check_channels("the input", x.shape[1], w.shape[1] * groups)
    pads = pads or ((0, 0),) * len(stride)
    counts = positions(x.shape[2:], w.shape[2:], stride, dilation, pads)
    if prod(w.shape[2:]) == 1:
        return _with_bias(_correlate_pointwise(border(x, pads, "zeros"), w, stride, groups, counter), bias)
    if w.shape[1] == 1 and groups > 1:
        return _with_bias(_depthwise(border(x, pads, "zeros"), w, stride, dilation, counts, counter), bias)
    result = np.empty((x.shape[0], w.shape[0], *counts), np.result_type(x, w))
    flat = result.reshape(x.shape[0], groups, w.shape[0] // groups, prod(counts))
    rows = w.reshape(groups, w.shape[0] // groups, -1)
    sizes = (w.shape[2:], stride, dilation, counts, pads)
    for image, tile, columns in tiled_columns(x, *sizes, result.dtype, rows.shape[1]):
        windows = columns.reshape(groups, rows.shape[2], -1)
        part = multiply_matrices(rows, windows, counter, out=flat[image, :, :, tile.start : tile.stop])
        if bias is not None:
            part += bias.reshape(groups, -1, 1)
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
        return _depthwise_weights(x, y, kernel, stride, dilation, counter)
    dtype = np.result_type(x, y)
    total = np.zeros((groups, outputs // groups, inputs * prod(kernel)), dtype)
    values = y.reshape(y.shape[0], groups, outputs // groups, -1)
    sizes = (kernel, stride, dilation, counts, ((0, 0),) * len(kernel))
    for image, tile, columns in tiled_columns(x, *sizes, dtype, values.shape[2]):
        windows = columns.reshape(groups, inputs * prod(kernel), -1)
        total += multiply_matrices(values[image, :, :, tile.start : tile.stop], windows.swapaxes(1, 2), counter)
    return total.reshape(outputs, inputs, *kernel)


def check_channels(what: str, channels: int, wanted: int) -> None:
    """Raise `DoesNotFit` where an array has other channels than the weights."""
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


BLOCK_BYTES = 1 << 19
"""Bytes of the channels that are added up together: what stays in a processor's cache."""


def _blocks(channels: int, bytes_a_channel: int) -> Iterator[slice]:
    """Channels in blocks whose products stay in the cache."""
    step = max(1, BLOCK_BYTES // max(bytes_a_channel, 1))
    return (slice(first, first + step) for first in range(0, channels, step))


def count_taps(counter: Counter | None, w: Array, y_shape: Sizes) -> None:
    """Count a depthwise product: every tap multiplies every output once."""
    if counter is not None:
        counter.macs += prod(w.shape[2:]) * prod(y_shape)


def _depthwise(x: Array, w: Array, stride: Sizes, dilation: Sizes, counts: Sizes, counter: Counter | None) -> Array:
    """One kernel a channel, or m of them: multiply and add tap by tap."""
    batch, channels, multiplier = x.shape[0], x.shape[1], w.shape[0] // x.shape[1]
    result = np.empty((batch, channels, multiplier, *counts), np.result_type(x, w))
    kernels = w.reshape(channels, multiplier, *w.shape[2:], *(1,) * len(counts))
    origin = (0,) * len(counts)
    count_taps(counter, w, (batch, w.shape[0], *counts))
    for block in _blocks(channels, multiplier * prod(counts) * result.itemsize):
        for image in range(batch):
            total = result[image, block]
            term = np.empty_like(total)
            for tap, read in zip(taps(w.shape[2:]), reads(w.shape[2:], origin, counts, stride, dilation), strict=True):
                values = x[over(image, block, None, *read)]
                weight = kernels[over(block, slice(None), *tap)]
                if not any(tap):
                    np.multiply(values, weight, out=total)
                else:
                    np.multiply(values, weight, out=term)
                    total += term
    return result.reshape(batch, w.shape[0], *counts)


def _depthwise_weights(
    x: Array, y: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, counter: Counter | None
) -> Array:
    """The adjoint of `_depthwise` in its weights."""
    batch, channels, counts = x.shape[0], x.shape[1], y.shape[2:]
    values = y.reshape(batch, channels, -1, *counts)
    result = np.zeros((y.shape[1], 1, *kernel), np.result_type(x, y))
    origin = (0,) * len(counts)
    count_taps(counter, result, y.shape)
    summed = (0, *range(3, 3 + len(counts)))
    for tap, read in zip(taps(kernel), reads(kernel, origin, counts, stride, dilation), strict=True):
        met = x[over(slice(None), slice(None), None, *read)]
        result[over(slice(None), 0, *tap)] = (met * values).sum(axis=summed).reshape(-1)
    return result
