"""A transposed convolution's crop in what PyTorch, Keras and ONNX can express.

All of them write over the full extent (i − 1)s + K, of which the layer crops `before` and `after − output_padding`.
PyTorch's layer crops (p, p − output_padding); Keras's crops nothing (`valid`) or what it derives from the sizes
(`same`); ONNX takes (pl, pr) and an output_padding below the stride. Where a layer cannot crop so, the rest is cut off
its output, and as little as can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .inversion import AxisInversion, SizeInversion
from .transposed import TransposedWindow
from .window import effective_kernel


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


class OnnxTransposed(NamedTuple):
    """ONNX's operator on one axis: its pads and its output_padding."""

    before: int
    after: int
    output_padding: int


def inverse(axis: AxisInversion, size: SizeInversion) -> TransposedWindow:
    """The transposed convolution that gives this size of a convolution back.

    >>> axis = AxisInversion(3, stride=2, before=1, after=1)
    >>> inverse(axis, axis.at(224))
    TransposedWindow(kernel_size=3, stride=2, before=1, after=1, dilation=1, output_padding=1)
    """
    return TransposedWindow(axis.kernel_size, axis.stride, axis.before, axis.after, axis.dilation, size.output_padding)


def torch_transposed(window: TransposedWindow) -> TorchTransposed:
    """The layer with the largest padding that cuts nothing needed; what it leaves over is cut off its output.

    One padding p serves both sides, and 0 <= output_padding < max(s, d): it crops p before and p − output_padding
    after. So p is at most pl, and at most pr − op + max(s, d) − 1. No cut is left where 0 <= pl − pr + op < max(s, d),
    which symmetric padding always gives; no other arguments leave a smaller one.
    Source: PyTorch aten/src/ATen/native/ConvUtils.h.

    >>> torch_transposed(TransposedWindow(7, 2, 2, 3, output_padding=1)), torch_transposed(TransposedWindow(7, 2, 2, 3))
    (TorchTransposed(padding=2, output_padding=0, cut=(0, 0)), TorchTransposed(padding=2, output_padding=0, cut=(0, 1)))
    >>> torch_transposed(TransposedWindow(7, 2, 3, 0))
    TorchTransposed(padding=1, output_padding=1, cut=(2, 0))
    """
    after = window.after - window.output_padding
    padding = min(window.before, after + max(window.stride, window.dilation) - 1)
    extra = max(padding - after, 0)
    return TorchTransposed(padding, extra, (window.before - padding, after - padding + extra))


def keras_refuses(windows: Sequence[TransposedWindow]) -> bool:
    """Keras has no layer with a stride above 1 and a dilation above 1, be it on different axes.

    Source: keras/src/layers/convolutional/base_conv_transpose.py.

    >>> keras_refuses([TransposedWindow(3, stride=2), TransposedWindow(3, dilation=2)])
    True
    """
    return max(window.stride for window in windows) > 1 and max(window.dilation for window in windows) > 1


def keras_valid(windows: Sequence[TransposedWindow]) -> list[KerasTransposed]:
    """The `valid` layer, axis by axis, and what is cut off its output.

    Without output_padding `valid` returns (i − 1)s + max(K, s), with it (i − 1)s + K + output_padding. One argument
    serves all axes: it is given where the default would return too little on one of them, or more than is needed.
    Keras takes no output_padding from the stride on, which a dilation above the stride can ask for.
    Source: keras/src/backend/common/backend_utils.py::_get_output_shape_given_tf_padding.

    >>> keras_valid([TransposedWindow(3, 2, 1, 1)]), keras_valid([TransposedWindow(3, 2, 0, 0, output_padding=1)])
    ([KerasTransposed(output_padding=None, cut=(1, 1))], [KerasTransposed(output_padding=1, cut=(0, 0))])
    """
    afters = [window.after - window.output_padding for window in windows]
    filled = [max(window.stride - effective_kernel(window.kernel_size, window.dilation), 0) for window in windows]
    cuts = [(window.before, max(after, 0)) for window, after in zip(windows, afters, strict=True)]
    by_default = all(after + more == max(after, 0) for after, more in zip(afters, filled, strict=True))
    return [
        KerasTransposed(None if by_default else max(-after, 0), cut) for after, cut in zip(afters, cuts, strict=True)
    ]


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
    if not 1 <= beyond <= axis.stride or total < 0:
        return None
    crop = (total // 2, total - total // 2)
    if beyond == axis.stride:
        return KerasSame(None, crop)
    return KerasSame(beyond - axis.effective_kernel % 2, crop)


def onnx_transposed(window: TransposedWindow) -> OnnxTransposed:
    """The operator's pads and output_padding: the window's own where it takes them.

    Pads are not negative. Padding the output is cropping less of it, so that an output_padding from the stride on is
    taken out of the pads; what then still reaches the stride no operator takes.
    Source: ONNX operator ConvTranspose; onnxruntime core/providers/cpu/nn/conv_transpose_attributes.h.

    >>> onnx_transposed(TransposedWindow(3, 1, 2, 2, 3, 2)), onnx_transposed(TransposedWindow(2, 3, 0, -1))
    (OnnxTransposed(before=2, after=0, output_padding=0), OnnxTransposed(before=0, after=0, output_padding=1))
    """
    after, more = window.after, window.output_padding
    if more >= window.stride or after < 0:
        after, more = max(after - more, 0), max(more - after, 0)
    return OnnxTransposed(window.before, after, more)
