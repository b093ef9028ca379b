"""Transposed convolutions: the size rule, and the lecture's view of them as zero insertion.

A transposed convolution with kernel k, stride s and padding p is the adjoint of the convolution
with the same numbers. The lecture's view: insert z = s − 1 zeros between the inputs, pad by
p' = d(k − 1) − p, and convolve at stride 1 with the flipped kernel.
"""

from __future__ import annotations

from typing import NamedTuple

from .errors import EmptyOutput, OutputPaddingOutOfRange
from .formulas import formula
from .window import DUMOULIN, TORCH_CONV, PaddingMode


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
