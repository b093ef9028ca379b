"""How many taps of a window meet real inputs rather than padding."""

from __future__ import annotations


def effective_taps(
    size: int, output: int, kernel_size: int, stride: int = 1, before: int = 0, dilation: int = 1
) -> int:
    """Pairs (output position, tap) that read a real input, on one axis, in closed form.

    For tap t the outputs q with 0 <= q·s + t·d − before < size are an interval; the sum of their counts.
    All taps are output·kernel_size; a transposed convolution has the same count with input and output
    exchanged.

    >>> effective_taps(10, 10, 3, before=1), effective_taps(224, 112, 7, stride=2, before=3)
    (28, 778)
    """
    total = 0
    for t in range(kernel_size):
        shift = before - t * dilation
        first = max(0, -(-shift // stride))
        last = min(output - 1, (size - 1 + shift) // stride)
        total += max(0, last - first + 1)
    return total
