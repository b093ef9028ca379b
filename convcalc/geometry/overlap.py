"""How many inputs reach each output of a transposed convolution: the checkerboard, counted.

Input j writes to the positions j·s + t·d of the full extent, t < k. Where the stride does not divide
the kernel (or shares a factor with the dilation) neighbouring outputs get different numbers of
contributions, and an untrained layer already paints a pattern. The same counts say how often a
strided convolution reads each of its inputs.

Source: Odena, Dumoulin & Olah 2016, "Deconvolution and Checkerboard Artifacts", Distill.
"""

from __future__ import annotations

from math import gcd

from .errors import InvalidWindow
from .window import effective_kernel

LARGEST_STRIDE = 1_000_000
"""Of a pattern that is listed: it has as many entries as the stride."""


def uniform_overlap(kernel_size: int, stride: int, dilation: int = 1) -> bool:
    """Whether every interior output gets equally many contributions: gcd(d, s) = 1 and s divides k.

    >>> uniform_overlap(4, 2), uniform_overlap(3, 2), uniform_overlap(4, 2, dilation=2)
    (True, False, False)
    """
    return gcd(dilation, stride) == 1 and kernel_size % stride == 0


def interior_overlap(kernel_size: int, stride: int, dilation: int = 1) -> tuple[int, ...]:
    """Contributions to an interior output, by its position q in the full extent modulo the stride.

    Entry r counts the taps t < k with t·d ≡ r (mod s). Without dilation: k // s, and one more where
    r < k mod s. Raises `InvalidWindow` for strides above a million, whose pattern is too long to list.

    >>> interior_overlap(3, 2), interior_overlap(5, 3), interior_overlap(3, 2, dilation=2)
    ((2, 1), (2, 2, 1), (3, 0))
    """
    if stride > LARGEST_STRIDE:
        raise InvalidWindow(f"a stride of {stride} is too large to list its overlap", stride=stride)
    counts = [0] * stride
    shared = gcd(dilation, stride)
    period = stride // shared
    for tap in range(period):
        counts[tap * dilation % stride] = (kernel_size - tap + period - 1) // period if tap < kernel_size else 0
    return tuple(counts)


def contribution_counts(
    size: int,
    kernel_size: int,
    stride: int = 1,
    before: int = 0,
    after: int = 0,
    dilation: int = 1,
    output_padding: int = 0,
) -> tuple[int, ...]:
    """Contributions to every output of a transposed convolution of `size` inputs, edges included.

    Without cropping the positions are those of the full extent; `before`, `after` and `output_padding`
    move its borders, and a position beyond the extent gets none (the bias alone reaches it).

    >>> contribution_counts(4, 3, stride=2)
    (1, 1, 2, 1, 2, 1, 2, 1, 1)
    """
    stop = (size - 1) * stride + effective_kernel(kernel_size, dilation) - after + output_padding
    shared = gcd(dilation, stride)
    period = stride // shared
    inverse = pow(dilation // shared, -1, period)
    return tuple(
        _contributions(q, size, kernel_size, stride, dilation, period, q // shared * inverse % period)
        if q % shared == 0
        else 0
        for q in range(before, stop)
    )


def _contributions(
    position: int, size: int, kernel_size: int, stride: int, dilation: int, period: int, first_tap: int
) -> int:
    """Taps t ≡ first_tap (mod period) whose input (position − t·d) / s exists."""
    low = max(0, -(-(position - (size - 1) * stride) // dilation))
    high = min(kernel_size - 1, position // dilation)
    return max(0, (high - first_tap) // period - -(-(low - first_tap) // period) + 1)
