"""Layers that move numbers between channels and space: the shuffles channel_shuffle, pixel_shuffle, pixel_unshuffle;
unfold and fold.
"""

from math import prod
from typing import ClassVar

from pydantic import Field

from ..geometry import (
    IDENTITY,
    AxisLink,
    GeometryError,
    IndivisibleShuffle,
    RankMismatch,
    Resize,
    TransposedWindow,
    Window,
    conv_output,
)
from .base import Count, Layer, Operations, Patch, Shape, Shapes, Slide, channels_of, check_groups, check_space
from .spatial import PerAxis, PerAxisSize, Sliding, check_rank, spatial_links


class ChannelShuffle(Layer):
    """Deals the channels of `groups` groups out in turn, so that the next grouped convolution mixes them.

    Output channel c is input channel (c mod g)·C/g + c//g.
    Source: torch.nn.ChannelShuffle; Zhang et al. 2018, arXiv:1707.01083.
    """

    groups: Count

    short_forms: ClassVar[dict[str, str]] = {"g": "groups"}

    def output_shape(self, inputs: Shapes) -> Shape:
        check_groups(self.groups, in_channels=channels_of(self, inputs[0]))
        return inputs[0]

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return spatial_links((IDENTITY,) * (len(inputs[0]) - 1))


class PixelShuffle(Layer):
    """Moves channels into space: [C, H, W] becomes [C/r², H·r, W·r]; in n dimensions r^n channels make one.

    Source: torch.nn.PixelShuffle; Shi et al. 2016, arXiv:1609.05158.
    """

    upscale_factor: Count

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_space(self, shape)
        merged = self.upscale_factor ** (len(shape) - 1)
        if shape[0] % merged:
            raise IndivisibleShuffle(
                f"pixel_shuffle by {self.upscale_factor} makes one channel of {merged}, which do not divide {shape[0]}",
                hint=f"the channels must be a multiple of {merged}",
                upscale_factor=self.upscale_factor,
                channels=shape[0],
            )
        return (shape[0] // merged, *(size * self.upscale_factor for size in shape[1:]))

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return spatial_links(tuple(Resize(size, size * self.upscale_factor) for size in inputs[0][1:]))


class PixelUnshuffle(Layer):
    """Moves space into channels: [C, H, W] becomes [C·r², H/r, W/r]; in n dimensions C·r^n channels.

    Source: torch.nn.PixelUnshuffle; ONNX SpaceToDepth.
    """

    downscale_factor: Count

    def output_shape(self, inputs: Shapes) -> Shape:
        shape, factor = inputs[0], self.downscale_factor
        check_space(self, shape)
        for axis, size in enumerate(shape[1:], start=1):
            if size % factor:
                raise IndivisibleShuffle(
                    f"pixel_unshuffle by {factor} does not divide axis {axis} of {list(shape)}: {size}",
                    hint=f"every space axis must be a multiple of {factor}: pad or crop",
                    downscale_factor=factor,
                    axis=axis,
                    size=size,
                )
        return (shape[0] * factor ** (len(shape) - 1), *(size // factor for size in shape[1:]))

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        window = Window(self.downscale_factor, self.downscale_factor)
        return spatial_links((window,) * (len(inputs[0]) - 1))


class _Columns(Sliding):
    """Fields and facts that the two ways between an image and its windows' columns share."""

    kernel_size: PerAxis
    stride: PerAxis = Field(default=1, validate_default=True)
    padding: PerAxisSize = Field(default=0, validate_default=True)
    dilation: PerAxis = Field(default=1, validate_default=True)

    short_forms: ClassVar[dict[str, str]] = {"k": "kernel_size", "s": "stride", "p": "padding", "d": "dilation"}

    @property
    def patch(self) -> Patch:
        return Patch(self.kernel_size, self.stride, tuple((p, p) for p in self.padding), self.dilation)

    def _positions(self, space: Shape) -> tuple[int, ...]:
        """How many windows lie along each axis of an image."""
        fields = zip(space, self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        return tuple(conv_output(i, k, s, p, p, d) for i, k, s, p, d in fields)


class Unfold(_Columns):
    """Writes every window out as a column (im2col): [C, H, W] becomes [C·∏kernel, positions].

    Source: torch.nn.Unfold.
    """

    def windows(self, shape: Shape) -> tuple[Window, ...]:
        fields = zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        return tuple(Window(k, s, p, p, d) for k, s, p, d in fields)

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_rank(self, shape)
        return (shape[0] * prod(self.kernel_size), prod(self._positions(shape[1:])))

    def slides(self, inputs: Shapes, output: Shape) -> tuple[Slide, ...]:
        """Its positions stand in one axis, of which no single axis of the input is the source."""
        shape = inputs[0]
        windows = zip(self.windows(shape), self._positions(shape[1:]), strict=True)
        return tuple(Slide(axis, *window) for axis, window in enumerate(windows, start=1))

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return (AxisLink(0, None), None)


class Fold(_Columns):
    """Adds columns back to where `unfold` reads them (col2im): [C·∏kernel, positions] becomes [C, *output_size].

    It is the transpose of `unfold`, not its inverse: where windows overlap their numbers are summed, and padding is
    cut off. The positions must be as many as the windows of an image of `output_size`, row by row.
    Source: torch.nn.Fold; PyTorch aten/src/ATen/native/Col2Im.cpp.
    """

    output_size: PerAxis

    def windows(self, shape: Shape) -> tuple[TransposedWindow, ...]:
        fields = zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        return tuple(TransposedWindow(k, s, p, p, d) for k, s, p, d in fields)

    def output_shape(self, inputs: Shapes) -> Shape:
        shape, taps = inputs[0], prod(self.kernel_size)
        if len(shape) != 2:
            raise RankMismatch(
                f"fold takes [channels, positions], not {list(shape)} with {len(shape)} axes",
                hint="a 'flatten' from start_dim 1 makes one axis of the positions",
                axes=len(shape),
            )
        channels, columns = shape
        if channels % taps:
            raise IndivisibleShuffle(
                f"fold makes one channel of {taps}, the kernel's taps, which do not divide {channels}",
                hint=f"the channels must be a multiple of {taps}",
                channels=channels,
                taps=taps,
            )
        positions = self._positions(self.output_size)
        if columns != prod(positions):
            raise GeometryError(
                f"fold has {columns} columns for {' * '.join(map(str, positions))} = {prod(positions)} windows of "
                f"an image of {list(self.output_size)}",
                hint="output_size, kernel_size, stride, padding and dilation are those of the unfold that it undoes",
                columns=columns,
                positions=positions,
                output_size=self.output_size,
            )
        return (channels // taps, *self.output_size)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return (AxisLink(0, None), *(None for _ in self.output_size))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"elementwise": prod(inputs[0])}
