"""Convolutional long short-term memory on [T, C, *space]: conv_lstm1d|2d|3d."""

from math import prod
from typing import ClassVar

from pydantic import Field

from ..geometry import AxisLink, RankMismatch, Window, conv_output, resolve_padding
from .base import Count, Flag, Layer, MatrixProduct, Operations, Product, Saved, Shape, Shapes, Weight
from .spatial import LETTERS, Padding, PerAxis, axis_paddings, rank_of

GATES = 4


class ConvLSTM(Layer):
    """Long short-term memory whose products are convolutions: i, f, o = σ(…), g = tanh(…), c(t) = f·c(t−1) + i·g,
    h(t) = o·tanh(c(t)) of W_ih ∗ x(t) + b + W_hh ∗ h(t−1), from h(0) = c(0) = 0.

    [T, C, *space] gives [T, out_channels, *space']: the states of all positions. Kernel, stride, padding and dilation
    are those of the convolution of the input; that of the state has the same kernel, stride 1 and keeps its size.
    Weights weight_ih [4·out, C, *kernel], weight_hh [4·out, out, *kernel], bias_ih [4·out], in the order i f g o.
    Source: Shi et al. 2015, arXiv:1506.04214, without its peepholes; keras.layers.ConvLSTM2D.
    """

    out_channels: Count
    kernel_size: PerAxis
    stride: PerAxis = Field(default=1, validate_default=True)
    padding: Padding = Field(default=0, validate_default=True)
    dilation: PerAxis = Field(default=1, validate_default=True)
    bias: Flag = True

    width_field: ClassVar[str | None] = "out_channels"
    multiplies: ClassVar[Product | None] = "recurrent"
    short_forms: ClassVar[dict[str, str]] = LETTERS

    @property
    def rank(self) -> int:
        return rank_of(self.kind)

    def windows_of_input(self, shape: Shape) -> tuple[Window, ...]:
        """The window that slides over each space axis of a position of this shape."""
        pads = axis_paddings(self.padding, self.rank)
        fields = zip(shape[1:], self.kernel_size, self.stride, pads, self.dilation, strict=True)
        return tuple(Window(k, s, *resolve_padding(p, i, k, s, d), d) for i, k, s, p, d in fields)

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        if len(shape) != self.rank + 2:
            raise RankMismatch(
                f"{self.kind} takes [positions, channels, {self.rank} space axes], not {list(shape)}",
                rank=self.rank,
                axes=len(shape),
            )
        windows = zip(shape[2:], self.windows_of_input(shape[1:]), strict=True)
        return (shape[0], self.out_channels, *(conv_output(size, *window) for size, window in windows))

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        rows = GATES * self.out_channels
        found = (
            Weight("weight_ih", (rows, inputs[0][1], *self.kernel_size)),
            Weight("weight_hh", (rows, self.out_channels, *self.kernel_size)),
        )
        return (*found, Weight("bias_ih", (rows,))) if self.bias else found

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        """A state follows from all positions before it and from ever more of their space: that is not followed."""
        return tuple(AxisLink(axis, None) for axis in range(len(inputs[0])))

    def matrix_products(self, inputs: Shapes, output: Shape) -> tuple[MatrixProduct, ...]:
        states, taps = output[0] * GATES * prod(output[1:]), prod(self.kernel_size)
        of_input = MatrixProduct("ih", states, inputs[0][1] * taps)
        return (of_input, MatrixProduct("hh", states, self.out_channels * taps))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        """As of an lstm: five nonlinearities, four sums of products, and four operations with the gates a state."""
        states = prod(output)
        macs = sum(product.macs for product in self.matrix_products(inputs, output))
        found = {"mac": macs, "activation": 5 * states, "elementwise": 8 * states}
        return {**found, "bias": GATES * states} if self.bias else found

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        """The input, the output, and of every state its gates and what it remembers."""
        return (Saved("input"), Saved("output"), Saved("extra", elements=(GATES + 1) * prod(output)))
