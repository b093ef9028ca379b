"""The gradients of a small convolution in integers, made of convolutions of one channel with one other.

f is the loss and dY stands for ∂f/∂Y. With the window of stride s, dilation d and padding p of the map beneath a layer,

    dK = wide ∗ narrow      the narrow side is the kernel: stride d, dilation s, padding p
    dX of a convolution     dY ∗ᵀ K: s − 1 zeros between, d(k − 1) − p around, K flipped, stride 1
    dX of a transposed one  dY ∗ K, which it is the transpose of
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..geometry import Window, transposed_padding
from .small_layer import Map, counting, filled_from

if TYPE_CHECKING:
    from ..layers.base import Shape
    from .small_layer import Integers, SmallLayer


class Gradients(NamedTuple):
    """The gradients of a small layer for dY = 1, 2, 3, …"""

    y: Integers
    """dY."""
    x: Integers
    """dX: the shape of the input."""
    w: Integers
    """dK: the shape of the kernel."""
    b: Integers
    """db: one number a channel of the output."""


def gradients(small: SmallLayer) -> Gradients:
    """The gradients of a small layer whose numbers are 1, 2, 3, …"""
    found, x, w, dy = small.map, small.x(), small.w(), counting(small.output)
    wide, narrow = (dy, x) if small.transposed else (x, dy)
    dw, dx = np.zeros(found.kernel, dtype=object), np.zeros(small.shape, dtype=object)
    outputs, inputs = found.narrow[0] // found.groups, found.kernel[1]
    for a, b in product(range(found.narrow[0]), range(inputs)):
        source = a // outputs * inputs + b
        dw[a, b] = slid(wide[source], narrow[a], kernel_windows(found), found.kernel[2:], found.mode)
        if small.transposed:
            dx[a] += slid(dy[source], w[a, b], found.windows, small.shape[1:])
        else:
            dx[source] += _input_gradient(found, dy[a], w[a, b])
    return Gradients(dy, dx, dw, dy.reshape(len(dy), -1).sum(axis=1))


def slid(
    image: Integers, kernel: Integers, windows: tuple[Window, ...], counts: Shape, mode: str = "zeros"
) -> Integers:
    """One channel convolved with one kernel: the first `counts` windows of each axis.

    >>> slid(np.array([1, 2, 3]), np.array([1, 10]), (Window(2),), (2,)).tolist()
    [21, 32]
    """
    one = Map((1, *image.shape), (1, *counts), (1, 1, *kernel.shape), windows, mode=mode)
    found: Integers = kernel.reshape(1, -1) @ one.im2col(image[None])[0]
    return found.reshape(counts)


def kernel_windows(found: Map) -> tuple[Window, ...]:
    """The windows of dK: the narrow side is the kernel, and the stride and the dilation of the map are exchanged."""
    return tuple(
        Window(positions, window.dilation, window.before, window.after, window.stride)
        for positions, window in zip(found.narrow[1:], found.windows, strict=True)
    )


def input_windows(found: Map) -> tuple[Window, ...]:
    """The windows of dX over dY with its zeros; where the padding is filled, those for the padded X."""
    filled = found.mode != "zeros"
    return tuple(
        Window(
            w.kernel_size, 1, transposed_padding(w.kernel_size, 0 if filled else w.before, w.dilation), 0, w.dilation
        )
        for w in found.windows
    )


def spread(narrow: Integers, found: Map) -> Integers:
    """One channel with as many zeros between its numbers as the stride inserts."""
    strides = [window.stride for window in found.windows]
    result = np.zeros([(n - 1) * s + 1 for n, s in zip(narrow.shape, strides, strict=True)], dtype=object)
    result[tuple(slice(None, None, s) for s in strides)] = narrow
    return result


def bordered(image: Integers, windows: tuple[Window, ...], counts: Shape, mode: str = "zeros") -> Integers:
    """One channel with a border: all that `counts` windows of each axis reach."""
    extents = [(n - 1) * w.stride + (w.kernel_size - 1) * w.dilation + 1 for n, w in zip(counts, windows, strict=True)]
    single = tuple(Window(1, 1, window.before) for window in windows)
    return slid(image, np.ones((1,) * image.ndim, dtype=object), single, tuple(extents), mode)


def _input_gradient(found: Map, dy: Integers, kernel: Integers) -> Integers:
    """dY ∗ᵀ K of one channel with one kernel."""
    space = found.wide[1:]
    if found.mode == "zeros":
        return slid(spread(dy, found), np.flip(kernel), input_windows(found), space)
    padded = tuple(size + w.before + w.after for size, w in zip(space, found.windows, strict=True))
    result = slid(spread(dy, found), np.flip(kernel), input_windows(found), padded)
    for axis, (size, window) in enumerate(zip(space, found.windows, strict=True)):
        places = filled_from(np.arange(-window.before, size + window.after), size, found.mode)
        moved = np.moveaxis(result, axis, 0)
        added = np.zeros((size, *moved.shape[1:]), dtype=object)
        np.add.at(added, places, moved)
        result = np.moveaxis(added, 0, axis)
    return result
