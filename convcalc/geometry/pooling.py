"""Pooling: the three dialects of rounding up, and the windows of adaptive pools."""

from __future__ import annotations

from math import gcd
from typing import Literal

from .errors import EmptyOutput, padded_text
from .formulas import formula
from .window import left_over

Rounding = Literal["floor", "ceil", "ceil_caffe", "ceil_keep"]
"""How a pool rounds its size.

`floor`: as a convolution. `ceil`: PyTorch and onnxruntime, up, but a last window that would start in
the padding after is dropped. `ceil_caffe`: Caffe drops it only where the pool is padded. `ceil_keep`:
ONNX shape inference before opset 22 never drops it.
"""

TORCH_POOL = "PyTorch aten/src/ATen/native/Pool.h::pooling_output_shape_pad_lr"


@formula("o", "(i + pl + pr - d*(k - 1) - 1 + (s - 1)*up)//s + 1", TORCH_POOL)
def rounded_output(size: int, kernel_size: int, stride: int, before: int, after: int, dilation: int, up: bool) -> int:
    """Windows of a pool, rounded down, or `up`, before the last one is judged.

    >>> rounded_output(112, 3, 2, 0, 0, 1, up=True)
    56
    """
    room = size + before + after - dilation * (kernel_size - 1) - 1
    return (room + (stride - 1 if up else 0)) // stride + 1


def pool_output(
    size: int,
    kernel_size: int,
    stride: int,
    before: int = 0,
    after: int = 0,
    dilation: int = 1,
    rounding: Rounding = "floor",
    padded: bool | None = None,
) -> int:
    """Output size of a pool on one axis.

    `padded` says whether the pool is padded on any axis (Caffe's rule asks it of the whole pool); by
    default this axis answers. Raises `EmptyOutput` when no window fits. Source: PyTorch
    aten/src/ATen/native/Pool.h; Caffe src/caffe/layers/pooling_layer.cpp; ONNX onnx/defs/nn/defs.cc.

    >>> pool_output(112, 3, 2, rounding="ceil"), pool_output(112, 3, 2)
    (56, 55)
    """
    output = rounded_output(size, kernel_size, stride, before, after, dilation, rounding != "floor")
    if rounding == "ceil" or (rounding == "ceil_caffe" and (padded if padded is not None else before or after)):
        if (output - 1) * stride >= size + before:
            output -= 1
    if output < 1:
        effective = dilation * (kernel_size - 1) + 1
        raise EmptyOutput(
            f"no window of {effective} fits into the input of {padded_text(size, before, after)}",
            hint=f"the input is {effective - size - before - after} too small: pool less before this, or pad",
            size=size,
            kernel_size=kernel_size,
            stride=stride,
            before=before,
            after=after,
            dilation=dilation,
        )
    return output


@formula("overhang", "max((o - 1)*s + d*(k - 1) + 1 - (i + pl + pr), 0)", TORCH_POOL)
def overhang(size: int, kernel_size: int, stride: int, before: int, after: int, dilation: int, output: int) -> int:
    """Positions by which the last window of a pool that rounds up reaches beyond the padded input.

    >>> overhang(112, 3, 2, 0, 0, 1, output=56)
    1
    """
    return max(-left_over(size, output, kernel_size, stride, before, after, dilation), 0)


def fitted_after(size: int, kernel_size: int, stride: int, before: int, after: int, dilation: int, output: int) -> int:
    """Padding after with which rounding down gives `output` windows, as near to `after` as it can be.

    A pool that rounds up overhangs: its last window ends at (o − 1)s + K − pl, where the padding must end too.
    Negative where the last window leaves so much over that the input must be cut. It lies in
    [(o − 1)s + K − i − pl, that + s − 1]. Source: inverted from `conv_output`.

    >>> fitted_after(112, 3, 2, 0, 0, 1, output=56), fitted_after(112, 3, 2, 1, 1, 1, output=56)
    (1, 1)
    """
    least = -left_over(size, output, kernel_size, stride, before, 0, dilation)
    return min(max(after, least), least + stride - 1)


def adaptive_step(size: int, output: int) -> int | None:
    """Kernel and stride of the pool that an adaptive one is where all its windows are equal; None where they are not.

    Its windows are [j·i/o, (j + 1)·i/o), so that they are equal where o divides i.
    Source: PyTorch aten/src/ATen/native/AdaptivePooling.h.

    >>> adaptive_step(12, 4), adaptive_step(10, 4)
    (3, None)
    """
    return size // output if size % output == 0 else None


def adaptive_window(size: int, output: int, position: int) -> tuple[int, int]:
    """[start, stop) of the window that feeds one position of an adaptive pool.

    start = position·size // output, stop = ceil((position + 1)·size / output).
    Source: PyTorch aten/src/ATen/native/AdaptivePooling.h.

    >>> [adaptive_window(10, 4, j) for j in range(4)]
    [(0, 3), (2, 5), (5, 8), (7, 10)]
    """
    return position * size // output, -(-(position + 1) * size // output)


@formula("taps", "i + o - gcd(i, o)", "from the windows of PyTorch's AdaptivePooling.h, summed")
def adaptive_taps(size: int, output: int) -> int:
    """Inputs read by all windows of an adaptive pool on one axis: the sum of their sizes.

    Every input once, and once more for each of the o − gcd(i, o) inner borders that fall inside an input.

    >>> adaptive_taps(10, 4)
    12
    """
    return size + output - gcd(size, output)
