"""Backwards: from an output size to the input sizes that give it."""

from __future__ import annotations

from .window import effective_kernel


def input_sizes(
    output: int, kernel_size: int, stride: int = 1, before: int = 0, after: int = 0, dilation: int = 1
) -> range:
    """Every input size that a convolution maps to `output`: the s sizes
    (o−1)s + K − P … (o−1)s + K − P + s − 1, those below 1 dropped.

    Source: Dumoulin & Visin 2016, relationship 14, read backwards.

    >>> input_sizes(112, 7, stride=2, before=3, after=3)
    range(223, 225)
    """
    first = (output - 1) * stride + effective_kernel(kernel_size, dilation) - before - after
    return range(max(first, 1), max(first + stride, 1))
