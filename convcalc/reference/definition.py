"""Convolutions as the lecture defines them: as one product of matrices.

    convolution              vec(K) · im2col(O)
    transposed convolution   col2im(vec(K)ᵀ · O)

`im2col` writes every window of the padded input O as a column; vec(K) has one row an output channel.
`col2im` adds columns back to where `im2col` read them: it is the transpose of `im2col`. The faster forms of
`correlation` are held equal to these. Weights are [A, B/groups, *kernel] throughout, for a
convolution from B to A channels and a transposed one from A to B.
"""

from __future__ import annotations

from math import prod

import numpy as np

from .context import Array, Counter, multiply_matrices
from .windows import Sizes, over, positions, reach, reads, window_view


def im2col(x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """Every window as a column: [batch, channels·∏kernel, positions].

    >>> im2col(np.arange(5).reshape(1, 1, 5), (3,), (1,), (1,))[0]
    array([[0, 1, 2],
           [1, 2, 3],
           [2, 3, 4]])
    """
    windows = window_view(x, kernel, stride, dilation)
    return windows.reshape(x.shape[0], x.shape[1] * prod(kernel), -1)


def col2im(columns: Array, space: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes) -> Array:
    """The columns of `counts` windows added up where `im2col` reads them: [batch, channels, *space].

    >>> col2im(np.ones((1, 3, 3)), (5,), (3,), (1,), (1,), (3,))[0]
    array([[1., 2., 3., 2., 1.]])
    """
    batch, channels = columns.shape[0], columns.shape[1] // prod(kernel)
    by_tap = columns.reshape(batch, channels, prod(kernel), *counts)
    result = np.zeros((batch, channels, *space), columns.dtype)
    origin = (0,) * len(kernel)
    for number, places in enumerate(reads(kernel, origin, counts, stride, dilation)):
        result[over(..., *places)] += by_tap[:, :, number]
    return result


def convolve(
    x: Array, w: Array, stride: Sizes, dilation: Sizes, groups: int = 1, counter: Counter | None = None
) -> Array:
    """vec(K) · im2col(O), group by group, on an input that is already padded."""
    counts = positions(x.shape[2:], w.shape[2:], stride, dilation)
    columns = im2col(x, w.shape[2:], stride, dilation).reshape(x.shape[0], groups, -1, prod(counts))
    rows = w.reshape(groups, w.shape[0] // groups, -1)
    return multiply_matrices(rows, columns, counter).reshape(x.shape[0], w.shape[0], *counts)


def convolve_transposed(
    y: Array,
    w: Array,
    stride: Sizes,
    dilation: Sizes,
    groups: int,
    space: Sizes,
    counter: Counter | None = None,
) -> Array:
    """col2im(vec(K)ᵀ · O), group by group, on the full extent `space`, not yet cropped."""
    counts, kernel = y.shape[2:], w.shape[2:]
    rows = w.reshape(groups, w.shape[0] // groups, -1)
    values = y.reshape(y.shape[0], groups, w.shape[0] // groups, prod(counts))
    columns = multiply_matrices(rows.swapaxes(1, 2), values, counter)
    return col2im(columns.reshape(y.shape[0], -1, prod(counts)), space, kernel, stride, dilation, counts)


def convolve_zero_inserted(
    y: Array,
    w: Array,
    stride: Sizes,
    dilation: Sizes,
    groups: int,
    space: Sizes,
    counter: Counter | None = None,
) -> Array:
    """The same transposed convolution as a plain one: s − 1 zeros between neighbouring inputs, d(k − 1) around
    them, the kernel flipped and its channels exchanged, at stride 1.

    It multiplies the inserted zeros too, about ∏s times as much: for the proof, not for use.
    """
    rank = len(stride)
    spread = np.zeros((*y.shape[:2], *((n - 1) * s + 1 for n, s in zip(y.shape[2:], stride, strict=True))), y.dtype)
    spread[over(..., *(slice(None, None, s) for s in stride))] = y
    around = [reach(k, d) for k, d in zip(w.shape[2:], dilation, strict=True)]
    behind = [length - n for length, n in zip(space, spread.shape[2:], strict=True)]
    bordered = np.pad(spread, ((0, 0), (0, 0), *zip(around, behind, strict=True)))
    flipped = np.flip(w, axis=tuple(range(2, 2 + rank))).reshape(groups, w.shape[0] // groups, *w.shape[1:])
    exchanged = flipped.swapaxes(1, 2).reshape(groups * w.shape[1], w.shape[0] // groups, *w.shape[2:])
    return convolve(bordered, exchanged, (1,) * rank, dilation, groups, counter)
