"""The transposed convolution that undoes one size, in what PyTorch and Keras can express.

Both crop the full extent (o − 1)s + K. The inverse of a convolution with padding (pl, pr) and
remainder a crops pl before and pr − a after. PyTorch's layer crops (p, p − output_padding); Keras's
crops nothing (`valid`) or what it derives from the sizes (`same`). Where a layer cannot crop so, the
rest is cut off its output. ONNX takes (pl, pr) and output_padding as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .inversion import AxisInversion, SizeInversion


class TorchTransposed(NamedTuple):
    """PyTorch's layer on one axis: its arguments, and what to cut off its output."""

    padding: int
    output_padding: int
    cut: tuple[int, int]


class KerasTransposed(NamedTuple):
    """Keras's layer on one axis; `output_padding` None is its default, `cut` what to cut off its output."""

    output_padding: int | None
    cut: tuple[int, int]


class KerasSame(NamedTuple):
    """Keras's `same` on one axis where it returns the size, and the crop that it then applies."""

    output_padding: int | None
    crop: tuple[int, int]


def torch_transposed(axis: AxisInversion, size: SizeInversion) -> TorchTransposed:
    """The layer whose output, cut, is the inverse of this size.

    One padding serves both sides, and 0 <= output_padding < max(s, d): exact without a cut where
    pl − pr + a lies in that interval, symmetric padding always.
    Source: PyTorch aten/src/ATen/native/ConvUtils.h.

    >>> axis = AxisInversion(7, stride=2, before=2, after=3)
    >>> torch_transposed(axis, axis.at(224)), torch_transposed(axis, axis.at(223))
    (TorchTransposed(padding=2, output_padding=0, cut=(0, 1)), TorchTransposed(padding=2, output_padding=0, cut=(0, 0)))
    """
    needed = axis.before - axis.after + size.output_padding
    if needed < 0:
        return TorchTransposed(axis.before, 0, (0, -needed))
    if needed < max(axis.stride, axis.dilation):
        return TorchTransposed(axis.before, needed, (0, 0))
    return TorchTransposed(axis.after, size.output_padding, (axis.before - axis.after, 0))


def keras_refuses(axes: Sequence[AxisInversion]) -> bool:
    """Keras has no layer with a stride above 1 and a dilation above 1, be it on different axes.

    Source: keras/src/layers/convolutional/base_conv_transpose.py.

    >>> keras_refuses([AxisInversion(3, stride=2), AxisInversion(3, dilation=2)])
    True
    """
    return max(axis.stride for axis in axes) > 1 and max(axis.dilation for axis in axes) > 1


def keras_valid(axis: AxisInversion, size: SizeInversion, explicit: bool = False) -> KerasTransposed:
    """The `valid` layer whose output, cut, is the inverse of this size.

    Without output_padding `valid` returns (o − 1)s + max(K, s), with it (o − 1)s + K + output_padding;
    `explicit` gives it where the default would do (one axis that needs it gives it to all).
    Source: keras/src/backend/common/backend_utils.py::_get_output_shape_given_tf_padding.

    >>> axis = AxisInversion(3, stride=2, before=1, after=1)
    >>> keras_valid(axis, axis.at(224))
    KerasTransposed(output_padding=None, cut=(1, 0))
    """
    after = axis.after - size.output_padding
    filled = max(axis.stride - axis.effective_kernel, 0)
    if after + filled >= 0 and not explicit:
        return KerasTransposed(None, (axis.before, after + filled))
    return KerasTransposed(max(-after, 0), (axis.before, max(after, 0)))


def keras_same(axis: AxisInversion, size: SizeInversion) -> KerasSame | None:
    """Keras's `same` with the output_padding that returns this size; None where none does.

    It returns o·s, or (o − 1)s + K mod 2 + output_padding, and crops T = (o − 1)s + K − size as
    (T // 2, T − T // 2): the odd one after.
    Source: keras/src/backend/common/backend_utils.py; TensorFlow core/framework/kernel_shape_util.h (SAME).

    >>> axis = AxisInversion(3, stride=2, before=1, after=1)
    >>> keras_same(axis, axis.at(224)), keras_same(axis, axis.at(223))
    (KerasSame(output_padding=None, crop=(0, 1)), KerasSame(output_padding=0, crop=(1, 1)))
    """
    beyond = size.size - (size.conv_output - 1) * axis.stride
    total = axis.effective_kernel - beyond
    padding = beyond - axis.effective_kernel % 2
    if not 1 <= beyond <= axis.stride or total < 0:
        return None
    crop = (total // 2, total - total // 2)
    if beyond == axis.stride:
        return KerasSame(None, crop)
    return KerasSame(padding, crop) if 0 <= padding < axis.stride else None
