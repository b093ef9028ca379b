"""Windows that slide: the size rule of convolutions, how padding modes resolve, what is read and multiplied.

One axis at a time; axes are independent. Notation (as in Dumoulin & Visin, arXiv:1603.07285):
input i, kernel k, stride s, dilation d, padding pl before and pr after, output o. In the counts of products `taps`
is the product of the kernel's sizes, `positions` that of the output's (or transposed, the input's) space axes.
"""

from typing import Literal, NamedTuple

from .errors import InvalidWindow, KernelTooLarge
from .formulas import formula

PaddingMode = Literal["same", "same_lower", "valid"]

CNN_COST = "He & Sun 2015, arXiv:1412.1710, section 2"
DUMOULIN = "Dumoulin & Visin 2016, arXiv:1603.07285"
TORCH_CONV = "PyTorch aten/src/ATen/native/ConvUtils.h"


class Window(NamedTuple):
    """A window on one axis: output q reads the inputs q·stride − before + t·dilation, t < kernel_size.

    The fields stand in the order of `conv_output`'s parameters: `conv_output(size, *window)`. A pad is the
    window of one tap with its padding, a crop the same with negative padding.
    """

    kernel_size: int = 1
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1


IDENTITY = Window()


@formula("K", "d*(k - 1) + 1", f"{DUMOULIN}, section 5.1")
def effective_kernel(kernel_size: int, dilation: int = 1) -> int:
    """The extent K that a dilated kernel covers.

    >>> effective_kernel(3, dilation=2)
    5
    """
    return dilation * (kernel_size - 1) + 1


@formula("o", "(i + pl + pr - d*(k - 1) - 1)//s + 1", f"{DUMOULIN}, relationships 6 and 15; {TORCH_CONV}")
def conv_output(
    size: int, kernel_size: int, stride: int = 1, before: int = 0, after: int = 0, dilation: int = 1
) -> int:
    """Output size of a convolution on one axis, with `//` the floor.

    Raises `KernelTooLarge` when the window does not fit into the padded input (never clamps).

    >>> conv_output(224, 7, stride=2, before=3, after=3)
    112
    """
    room = size + before + after - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise KernelTooLarge(size, before, after, kernel_size, dilation)
    return room // stride + 1


@formula("a", "(i + pl + pr - d*(k - 1) - 1) % s", f"{DUMOULIN}, relationship 14")
def leftover(size: int, kernel_size: int, stride: int = 1, before: int = 0, after: int = 0, dilation: int = 1) -> int:
    """Padded positions that the last window leaves over: 0 when the stride divides exactly.

    >>> leftover(224, 7, stride=2, before=3, after=3)
    1
    """
    room = size + before + after - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise KernelTooLarge(size, before, after, kernel_size, dilation)
    return room % stride


@formula("over", "i + pl + pr - (o - 1)*s - d*(k - 1) - 1", f"the end of the last of o windows; {DUMOULIN}, section 2")
def left_over(
    size: int, output: int, kernel_size: int, stride: int = 1, before: int = 0, after: int = 0, dilation: int = 1
) -> int:
    """Padded positions behind the last tap of the last of `output` windows; negative where it reaches beyond them.

    What is more than the padding after are inputs that no window reads. For the output of a convolution it is
    `leftover`, for that of a pool that rounds up the negative of `overhang`.

    >>> left_over(224, 112, 7, stride=2, before=3, after=3), left_over(112, 56, 3, stride=2)
    (1, -1)
    """
    return size + before + after - (output - 1) * stride - dilation * (kernel_size - 1) - 1


@formula("unread", "min(max((i + pl + pr - d*(k - 1) - 1) % s - pr, 0), i)", "from the definition of the window")
def unread_inputs(
    size: int, kernel_size: int, stride: int = 1, before: int = 0, after: int = 0, dilation: int = 1
) -> int:
    """Real inputs at the far edge that no window reads: the leftover beyond the padding after, all of them at most.

    >>> unread_inputs(6, 3, stride=2)
    1
    """
    return min(max(leftover(size, kernel_size, stride, before, after, dilation) - after, 0), size)


@formula("o", "-(-i//s)", "TensorFlow core/framework/kernel_shape_util.h (SAME); ONNX SAME_UPPER")
def same_output(size: int, stride: int = 1) -> int:
    """Output size under `same` padding: the input over the stride, rounded up.

    >>> same_output(7, stride=3)
    3
    """
    return -(-size // stride)


@formula(
    "T",
    "max((-(-i//s) - 1)*s + d*(k - 1) + 1 - i, 0)",
    "TensorFlow core/framework/kernel_shape_util.h (SAME); ONNX onnx/defs/nn/defs.cc",
)
def same_padding_total(size: int, kernel_size: int, stride: int = 1, dilation: int = 1) -> int:
    """Padding, both sides together, that gives ceil(size / stride) outputs.

    >>> same_padding_total(224, 7, stride=2)
    5
    """
    return max((same_output(size, stride) - 1) * stride + dilation * (kernel_size - 1) + 1 - size, 0)


def same_padding(
    size: int, kernel_size: int, stride: int = 1, dilation: int = 1, lower: bool = False
) -> tuple[int, int]:
    """(before, after) of `same` padding: the odd one goes after, or before with `lower`.

    Source: TensorFlow and Keras SAME and ONNX SAME_UPPER put it after, ONNX SAME_LOWER before;
    PyTorch's `same` (stride 1) agrees with SAME_UPPER.

    >>> same_padding(224, 7, stride=2)
    (2, 3)
    """
    total = same_padding_total(size, kernel_size, stride, dilation)
    half = total // 2
    return (total - half, half) if lower else (half, total - half)


def resolve_padding(
    padding: tuple[int, int] | PaddingMode, size: int, kernel_size: int, stride: int = 1, dilation: int = 1
) -> tuple[int, int]:
    """(before, after) of a padding on one axis, once the input size is known.

    >>> resolve_padding("same_lower", 6, 3, stride=2)
    (1, 0)
    """
    if isinstance(padding, tuple):
        return padding
    if padding == "valid":
        return (0, 0)
    return same_padding(size, kernel_size, stride, dilation, lower=padding == "same_lower")


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


@formula("MACs", "positions*c_out*(c_in//g)*taps", CNN_COST)
def conv_macs(positions: int, out_channels: int, in_channels: int, groups: int, taps: int) -> int:
    """Multiply-accumulates of a convolution, all taps, padding included.

    >>> conv_macs(112 * 112, 64, 3, 1, 7 * 7)
    118013952
    """
    return positions * out_channels * (in_channels // groups) * taps


@formula("MACs", "positions*m*(taps + c_out)", "Howard et al. 2017, arXiv:1704.04861, section 3.1")
def separable_macs(positions: int, middle: int, taps: int, out_channels: int) -> int:
    """Multiply-accumulates of a depthwise convolution to `middle` channels and the 1×1 convolution behind it.

    >>> separable_macs(25, 8, 9, 16)
    5000
    """
    return positions * middle * (taps + out_channels)


@formula("MACs", "outputs*c_in", "torch.nn.Linear: one product an input for each output")
def linear_macs(outputs: int, in_channels: int) -> int:
    """Multiply-accumulates of a linear layer.

    >>> linear_macs(1000, 512)
    512000
    """
    return outputs * in_channels


@formula("MACs", "outputs*shared", "torch.matmul: each output is a sum over the axis that both factors share")
def matmul_macs(outputs: int, shared: int) -> int:
    """Multiply-accumulates of a product of two matrices.

    >>> matmul_macs(12 * 197 * 197, 64)
    29805312
    """
    return outputs * shared


def check_window(kernel_size: int, stride: int, dilation: int = 1, before: int = 0, after: int = 0) -> None:
    """Raise `InvalidWindow` unless k, s, d >= 1 and the padding is not negative."""
    for name, value, least in (
        ("kernel_size", kernel_size, 1),
        ("stride", stride, 1),
        ("dilation", dilation, 1),
        ("padding", min(before, after), 0),
    ):
        if value < least:
            numbers: dict[str, object] = {name: value}
            raise InvalidWindow(f"{name} must be at least {least}, not {value}", hint=None, **numbers)
