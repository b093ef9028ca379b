"""Transposed convolutions: the size rule, the lecture's view of them as zero insertion, and the checkerboard.

A transposed convolution with kernel k, stride s and padding p is the adjoint of the convolution
with the same numbers. The lecture's view: insert z = s − 1 zeros between the inputs, pad by
p' = d(k − 1) − p, and convolve at stride 1 with the flipped kernel.

Input j writes to the positions j·s + t·d of the full extent, t < k. Where the stride does not divide
the kernel (or shares a factor with the dilation) neighbouring outputs get different numbers of
contributions, and an untrained layer already paints a pattern. The same counts say how often a
strided convolution reads each of its inputs.
Source: Odena, Dumoulin & Olah 2016, "Deconvolution and Checkerboard Artifacts", Distill.
"""

from math import gcd
from typing import NamedTuple

from .errors import EmptyOutput, InvalidWindow, OutputPaddingOutOfRange
from .formulas import formula
from .window import DUMOULIN, TORCH_CONV, PaddingMode, effective_kernel

LARGEST_STRIDE = 1_000_000
"""Of a pattern that is listed: it has as many entries as the stride."""


class TransposedWindow(NamedTuple):
    """A transposed window on one axis: input j writes to the outputs j·stride + t·dilation − before.

    `before` and `after` crop the full extent (i − 1)·stride + dilation·(kernel_size − 1) + 1; a negative
    `after` appends positions that only the bias reaches, as `output_padding` does.
    """

    kernel_size: int = 1
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    output_padding: int = 0


@formula(
    "o",
    "(i - 1)*s - pl - pr + d*(k - 1) + 1 + op",
    f"{DUMOULIN}, relationships 13 and 14; {TORCH_CONV}::_conv_input_size",
)
def conv_transpose_output(
    size: int,
    kernel_size: int,
    stride: int = 1,
    before: int = 0,
    after: int = 0,
    dilation: int = 1,
    output_padding: int = 0,
) -> int:
    """Output size of a transposed convolution on one axis.

    Raises `OutputPaddingOutOfRange` unless 0 <= output_padding < max(stride, dilation), and
    `EmptyOutput` when the cropping leaves nothing.

    >>> conv_transpose_output(112, 3, stride=2, before=1, after=1, output_padding=1)
    224
    """
    if not 0 <= output_padding < max(stride, dilation):
        raise OutputPaddingOutOfRange(output_padding, stride, dilation)
    output = (size - 1) * stride - before - after + dilation * (kernel_size - 1) + 1 + output_padding
    if output < 1:
        raise EmptyOutput(
            f"({size} - 1)*{stride} - {before} - {after} + {dilation}*({kernel_size} - 1) + 1 + {output_padding} "
            f"= {output}: nothing is left of the output",
            hint="the padding of a transposed convolution crops its output: use less",
            size=size,
            kernel_size=kernel_size,
            stride=stride,
            before=before,
            after=after,
            dilation=dilation,
            output_padding=output_padding,
        )
    return output


@formula("MACs", "positions*c_in*(c_out//g)*taps", "the adjoint of a convolution, which has the same count")
def conv_transpose_macs(positions: int, in_channels: int, out_channels: int, groups: int, taps: int) -> int:
    """Multiply-accumulates of a transposed convolution, per input position.

    >>> conv_transpose_macs(5 * 5, 4, 6, 1, 3 * 3)
    5400
    """
    return positions * in_channels * (out_channels // groups) * taps


@formula("z", "s - 1", f"{DUMOULIN}, section 4.5")
def zeros_between(stride: int) -> int:
    """Zeros inserted between neighbouring inputs.

    >>> zeros_between(2)
    1
    """
    return stride - 1


@formula("p'", "d*(k - 1) - pl", f"{DUMOULIN}, relationship 13 (k - p - 1 without dilation)")
def transposed_padding(kernel_size: int, before: int, dilation: int = 1) -> int:
    """Padding of the stride-1 convolution on one side; negative where it crops instead.

    >>> transposed_padding(3, before=1)
    1
    """
    return dilation * (kernel_size - 1) - before


def same_crop(kernel_size: int, stride: int, dilation: int = 1, lower: bool = False) -> tuple[int, int]:
    """(before, after) that crop a transposed convolution to size·stride outputs (Keras and ONNX `same`).

    Keras and SAME_UPPER crop the odd one after; `lower` (ONNX SAME_LOWER) before. Where the kernel is
    smaller than the stride nothing is cropped and `after` is negative: trailing positions are appended.
    Source: keras/src/backend/common/backend_utils.py; ONNX operator ConvTranspose.

    >>> same_crop(3, stride=2)
    (0, 1)
    """
    surplus = dilation * (kernel_size - 1) + 1 - stride
    if surplus <= 0:
        return (0, surplus)
    half = surplus // 2
    return (surplus - half, half) if lower else (half, surplus - half)


def resolve_crop(
    padding: tuple[int, int] | PaddingMode, kernel_size: int, stride: int = 1, dilation: int = 1
) -> tuple[int, int]:
    """(before, after) by which a transposed convolution crops its full extent.

    `valid` is Keras's: nothing is cropped, and a kernel smaller than the stride still fills the stride.

    >>> resolve_crop("valid", kernel_size=2, stride=3)
    (0, -1)
    """
    if isinstance(padding, tuple):
        return padding
    if padding == "valid":
        return (0, min(0, dilation * (kernel_size - 1) + 1 - stride))
    return same_crop(kernel_size, stride, dilation, lower=padding == "same_lower")


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
