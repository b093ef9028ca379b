"""The three products of `correlation` for one kernel a channel, or several of them: multiply and add tap by tap."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from .context import Array, Counter
from .windows import Sizes, over, read_by, taps

BLOCK_BYTES = 1 << 19
"""Bytes of the channels that are added up together: what stays in a processor's cache."""


def _blocks(channels: int, bytes_a_channel: int) -> Iterator[slice]:
    """Channels in blocks whose products stay in the cache."""
    step = max(1, BLOCK_BYTES // max(bytes_a_channel, 1))
    return (slice(first, first + step) for first in range(0, channels, step))


def _count_taps(counter: Counter | None, w: Array, y_shape: Sizes) -> None:
    """Count a depthwise product: every tap multiplies every output once."""
    if counter is not None:
        counter.macs += prod(w.shape[2:]) * prod(y_shape)


def correlate(x: Array, w: Array, stride: Sizes, dilation: Sizes, counts: Sizes, counter: Counter | None) -> Array:
    """One kernel a channel, or m of them: multiply and add tap by tap."""
    batch, channels, multiplier = x.shape[0], x.shape[1], w.shape[0] // x.shape[1]
    result = np.empty((batch, channels, multiplier, *counts), np.result_type(x, w))
    kernels = w.reshape(channels, multiplier, *w.shape[2:], *(1,) * len(counts))
    origin = (0,) * len(counts)
    _count_taps(counter, w, (batch, w.shape[0], *counts))
    for block in _blocks(channels, multiplier * prod(counts) * result.itemsize):
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


def scatter(
    y: Array, w: Array, stride: Sizes, dilation: Sizes, channels: int, space: Sizes, counter: Counter | None
) -> Array:
    """The transpose of `correlate`."""
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


def correlate_weights(
    x: Array, y: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, counter: Counter | None
) -> Array:
    """The adjoint of `correlate` in its weights."""
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
