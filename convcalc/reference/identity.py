"""Three readings of one transposed convolution, held against each other in NumPy.

On one axis a convolution is a matrix C. Its transposed convolution is multiplication by the transpose
of C; it can be done by scattering every input through the kernel, or by inserting zeros, padding and
convolving at stride 1 with the flipped kernel. Small integers in float64 make every comparison exact.
No size rule is used: all lengths emerge from the arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Identity:
    """What the comparison of one size found."""

    size: int
    output: int
    forward: int
    """<C x, y>."""
    backward: int
    """<x, Cᵀ y>."""
    scatter: bool
    """Whether scattering equals multiplication by the transpose."""
    zero_insertion: bool
    """Whether zero insertion and a convolution of stride 1 equal it."""

    @property
    def holds(self) -> bool:
        """Whether all three readings agree and the adjoint identity is exact."""
        return self.forward == self.backward and self.scatter and self.zero_insertion

    def to_dict(self) -> dict[str, object]:
        """One entry of `verified` in the JSON of `invert --verify`."""
        return {
            "size": self.size,
            "conv_output": self.output,
            "inner_products": [self.forward, self.backward],
            "scatter": self.scatter,
            "zero_insertion": self.zero_insertion,
            "ok": self.holds,
        }


def convolve(x: Vector, w: Vector, stride: int, before: int, after: int, dilation: int) -> Vector:
    """The convolution of one axis (a cross-correlation, as in every framework).

    >>> convolve(np.ones(5), np.ones(3), 2, 1, 1, 1)
    array([2., 3., 2.])
    """
    padded = np.pad(x, (before, after))
    windows = sliding_window_view(padded, dilation * (len(w) - 1) + 1)
    return np.asarray(windows[::stride, ::dilation] @ w, dtype=np.float64)


def matrix(size: int, w: Vector, stride: int, before: int, after: int, dilation: int) -> NDArray[np.float64]:
    """The convolution of `size` inputs as a matrix: its columns are the images of the unit vectors."""
    columns = [convolve(unit, w, stride, before, after, dilation) for unit in np.eye(size)]
    return np.stack(columns, axis=1)


def scattered(y: Vector, w: Vector, stride: int, before: int, size: int, dilation: int) -> Vector:
    """Every input written through the kernel; `size` outputs from position `before` on."""
    extent = max((len(y) - 1) * stride + dilation * (len(w) - 1) + 1, before + size)
    buffer = np.zeros(extent)
    for tap, weight in enumerate(w):
        buffer[tap * dilation :: stride][: len(y)] += weight * y
    return buffer[before : before + size]


def zero_inserted(y: Vector, w: Vector, stride: int, before: int, size: int, dilation: int) -> Vector:
    """Zeros between the inputs, zeros around them, and a convolution of stride 1 with the flipped kernel.

    The row of zeros has no ends: where d(k − 1) − before is negative it is entered further right.
    """
    reach = dilation * (len(w) - 1)
    spread = np.zeros(reach + before + size + reach + len(y) * stride)
    spread[reach : reach + len(y) * stride : stride] = y
    return convolve(spread[before : before + size + reach], w[::-1], 1, 0, 0, dilation)


def check_identity(
    size: int, kernel_size: int, stride: int = 1, before: int = 0, after: int = 0, dilation: int = 1, seed: int = 0
) -> Identity:
    """Compare the three readings on random integers, and <C x, y> with <x, Cᵀ y>.

    >>> check_identity(6, 3, stride=2, before=1, after=1).holds
    True
    """
    random = Random(seed)

    def integers(length: int) -> Vector:
        return np.array([random.randint(-9, 9) for _ in range(length)], dtype=np.float64)

    x, w = integers(size), integers(kernel_size)
    c = matrix(size, w, stride, before, after, dilation)
    y = integers(c.shape[0])
    back = np.asarray(c.T @ y, dtype=np.float64)
    return Identity(
        size=size,
        output=c.shape[0],
        forward=int(convolve(x, w, stride, before, after, dilation) @ y),
        backward=int(x @ back),
        scatter=bool(np.array_equal(scattered(y, w, stride, before, size, dilation), back)),
        zero_insertion=bool(np.array_equal(zero_inserted(y, w, stride, before, size, dilation), back)),
    )
