"""Convolutions: conv1d|2d|3d, conv_transpose1d|2d|3d, separable_conv1d|2d.

Source of the size rules: `convcalc.geometry`. Weight layouts are PyTorch's
(torch.nn.Conv2d, torch.nn.ConvTranspose2d).
"""

from functools import cached_property
from math import prod
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ..geometry import (
    AxisLink,
    InvalidWindow,
    OutputPaddingOutOfRange,
    TransposedWindow,
    Window,
    conv_macs,
    conv_output,
    conv_transpose_macs,
    conv_transpose_output,
    resolve_crop,
    resolve_padding,
    separable_macs,
)
from .base import Count, Flag, Operations, Patch, Product, Saved, Shape, Shapes, Weight, check_groups
from .formed import Formed
from .spatial import (
    LETTERS,
    Padding,
    PerAxis,
    PerAxisSize,
    SignedPadding,
    Sliding,
    axis_paddings,
    check_border,
    check_rank,
    spatial_links,
)

GROUPED = {**LETTERS, "g": "groups"}


class _Convolution(Sliding):
    """Fields and facts that convolutions of all kinds share."""

    out_channels: Count
    kernel_size: PerAxis
    stride: PerAxis = Field(default=1, validate_default=True)
    padding: Padding = Field(default=0, validate_default=True)
    dilation: PerAxis = Field(default=1, validate_default=True)
    bias: Flag = True

    width_field: ClassVar[str | None] = "out_channels"

    @property
    def patch(self) -> Patch:
        return Patch(self.kernel_size, self.stride, self.padding, self.dilation)

    @property
    def channel_groups(self) -> int:
        return 1

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return spatial_links(self.windows(inputs[0]))

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)


class _Windowed(_Convolution):
    """A convolution whose window slides over the (padded) input."""

    @cached_property
    def _explicit_windows(self) -> tuple[Window, ...] | None:
        if isinstance(self.padding, str):
            return None
        return tuple(
            Window(k, s, *p, d)
            for k, s, p, d in zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        )

    def windows(self, shape: Shape) -> tuple[Window, ...]:
        if self._explicit_windows is not None:
            return self._explicit_windows
        fields = zip(
            shape[1:],
            self.kernel_size,
            self.stride,
            axis_paddings(self.padding, self.rank),
            self.dilation,
            strict=True,
        )
        return tuple(Window(k, s, *resolve_padding(p, i, k, s, d), d) for i, k, s, p, d in fields)

    def _spatial_output(self, shape: Shape) -> list[int]:
        check_rank(self, shape)
        return [conv_output(i, *window) for i, window in zip(shape[1:], self.windows(shape), strict=True)]


class Conv(Formed, _Windowed):
    """A convolution (cross-correlation), `conv1d`, `conv2d`, `conv3d`.

    Output per axis: (i + pl + pr − d(k − 1) − 1)//s + 1. Weight [out_channels, in_channels/groups, *kernel].
    `same` padding follows TensorFlow and ONNX at every stride (PyTorch has it at stride 1 only);
    `padding_mode` reflect, replicate and circular fill the padding from the input; with them negative padding
    crops it.
    Source: torch.nn.Conv2d; Dumoulin & Visin 2016, arXiv:1603.07285, relationship 15.
    """

    padding: SignedPadding = Field(default=0, validate_default=True)
    groups: Count = 1
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"

    multiplies: ClassVar[Product | None] = "convolution"
    short_forms: ClassVar[dict[str, str]] = GROUPED

    @property
    def channel_groups(self) -> int:
        return self.groups

    @property
    def border_mode(self) -> str:
        return self.padding_mode

    @model_validator(mode="after")
    def _consistent(self) -> "Conv":
        check_groups(self.groups, out_channels=self.out_channels)
        if self.padding_mode == "zeros" and not isinstance(self.padding, str):
            least = min(min(pair) for pair in self.padding)
            if least < 0:
                raise InvalidWindow(
                    f"padding must be at least 0, not {least}",
                    hint="put a 'pad' or 'crop' before the convolution to cut its input",
                    padding=least,
                )
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_rank(self, shape)
        if self.groups > 1:
            check_groups(self.groups, in_channels=shape[0])
        if self.padding_mode != "zeros":
            for axis, (size, window) in enumerate(zip(shape[1:], self.windows(shape), strict=True), start=1):
                check_border(self.padding_mode, axis, size, window.before, window.after)
        self.check_given(inputs)
        return (self.out_channels, *self._spatial_output(shape))

    def weight_shape(self, shape: Shape) -> Shape:
        return (self.out_channels, shape[0] // self.groups, *self.kernel_size)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        positions = prod(output[1:])
        macs = conv_macs(positions, self.out_channels, inputs[0][0], self.groups, prod(self.kernel_size))
        return self.products(macs, output)

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        also = self.also_saved(inputs)
        if self.padding_mode == "zeros":
            return (Saved("input"), *also)
        windows = zip(inputs[0][1:], self.windows(inputs[0]), strict=True)
        padded = Saved("extra", elements=inputs[0][0] * prod(size + w.before + w.after for size, w in windows))
        return (padded, *also) if self.padding_mode == "circular" else (Saved("input"), padded, *also)


class ConvTranspose(Formed, _Convolution):
    """A transposed convolution, `conv_transpose1d`, `conv_transpose2d`, `conv_transpose3d`.

    Output per axis: (i − 1)s − pl − pr + d(k − 1) + 1 + output_padding. Weight
    [in_channels, out_channels/groups, *kernel]. Its MACs are counted per input position. `same` gives i·s
    outputs and crops as Keras does; `valid` is Keras's.
    Source: torch.nn.ConvTranspose2d; keras.layers.Conv2DTranspose.
    """

    groups: Count = 1
    output_padding: PerAxisSize = Field(default=0, validate_default=True)

    multiplies: ClassVar[Product | None] = "transposed"
    short_forms: ClassVar[dict[str, str]] = GROUPED

    @property
    def channel_groups(self) -> int:
        return self.groups

    @model_validator(mode="after")
    def _consistent(self) -> "ConvTranspose":
        check_groups(self.groups, out_channels=self.out_channels)
        for op, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if op >= max(s, d):
                raise OutputPaddingOutOfRange(op, s, d)
        if isinstance(self.padding, str) and any(self.output_padding):
            raise InvalidWindow(
                f"output_padding goes with explicit padding, not with '{self.padding}'",
                hint="'same' and 'valid' fix the output's size; give padding as numbers",
            )
        return self

    @cached_property
    def _windows(self) -> tuple[TransposedWindow, ...]:
        fields = zip(
            self.kernel_size,
            self.stride,
            axis_paddings(self.padding, self.rank),
            self.dilation,
            self.output_padding,
            strict=True,
        )
        return tuple(TransposedWindow(k, s, *resolve_crop(p, k, s, d), d, op) for k, s, p, d, op in fields)

    def windows(self, shape: Shape) -> tuple[TransposedWindow, ...]:
        return self._windows

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_rank(self, shape)
        if self.groups > 1:
            check_groups(self.groups, in_channels=shape[0])
        self.check_given(inputs)
        space = (conv_transpose_output(i, *window) for i, window in zip(shape[1:], self._windows, strict=True))
        return (self.out_channels, *space)

    def weight_shape(self, shape: Shape) -> Shape:
        return (shape[0], self.out_channels // self.groups, *self.kernel_size)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        channels, positions = inputs[0][0], prod(inputs[0][1:])
        macs = conv_transpose_macs(positions, channels, self.out_channels, self.groups, prod(self.kernel_size))
        return self.products(macs, output)

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"), *self.also_saved(inputs))


class SeparableConv(_Windowed):
    """A depthwise convolution with a multiplier, then a 1×1 convolution: `separable_conv1d`, `separable_conv2d`.

    Weights depthwise.weight [in_channels·depth_multiplier, 1, *kernel] (no bias, as in Keras),
    pointwise.weight [out_channels, in_channels·depth_multiplier, 1, ...] and pointwise.bias.
    Source: keras.layers.SeparableConv2D; Chollet 2017, arXiv:1610.02357.
    """

    depth_multiplier: Count = 1

    multiplies: ClassVar[Product | None] = "separable"
    short_forms: ClassVar[dict[str, str]] = LETTERS

    def output_shape(self, inputs: Shapes) -> Shape:
        return (self.out_channels, *self._spatial_output(inputs[0]))

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        middle = inputs[0][0] * self.depth_multiplier
        pair = (
            Weight("depthwise.weight", (middle, 1, *self.kernel_size)),
            Weight("pointwise.weight", (self.out_channels, middle, *(1,) * self.rank)),
        )
        return (*pair, Weight("pointwise.bias", (self.out_channels,))) if self.bias else pair

    def macs_beside_windows(self, inputs: Shapes, output: Shape) -> int:
        return separable_macs(prod(output[1:]), inputs[0][0] * self.depth_multiplier, 0, self.out_channels)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        positions = prod(output[1:])
        middle = inputs[0][0] * self.depth_multiplier
        macs = separable_macs(positions, middle, prod(self.kernel_size), self.out_channels)
        return {"mac": macs, "bias": self.out_channels * positions} if self.bias else {"mac": macs}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        middle = inputs[0][0] * self.depth_multiplier * prod(output[1:])
        return (Saved("input"), Saved("extra", elements=middle))
