"""Activations: relu, relu6, silu, hardswish, hardsigmoid, sigmoid, tanh, mish, selu, softsign, logsigmoid, tanhshrink,
and those with fields: gelu, leaky_relu, prelu, elu, celu, softplus, hardtanh, threshold, hardshrink, softshrink,
softmax, log_softmax, glu.

What backward keeps is PyTorch's choice: the output where the derivative is cheaper from it, else the input.
"""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ..geometry import IDENTITY, AxisLink, ChannelMismatch, InvalidWindow, NotDivisible, Window
from .base import Axis, Count, Layer, Number, Operations, Saved, Shape, Shapes, Weight, channels_of, resolve_axis

KEEPS_OUTPUT = frozenset({"relu", "sigmoid", "tanh"})
"""Plain activations whose backward reads the output (PyTorch tools/autograd/derivatives.yaml)."""

KEEPS_MORE = frozenset({"softsign", "logsigmoid"})
"""Plain activations that are made of several functions, or of one with a result of its own for backward, and keep what
lies between beside the input."""

CLIPS = frozenset({"relu", "relu6"})
"""Plain activations that only cut off values (TensorFlow Lite's fused activations, of those that convcalc has)."""
CLIPPED = frozenset({(0.0, 6.0), (-1.0, 1.0)})
"""The bounds of those of them that have fields: RELU6 and RELU_N1_TO_1."""


class _Elementwise(Layer):
    """An activation of every element on its own."""

    in_place: ClassVar[bool] = True
    activates: ClassVar[bool] = True

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"activation": prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)


class Activation(_Elementwise):
    """An activation without fields: `relu`, `relu6`, `silu`, `hardswish`, `hardsigmoid`, `sigmoid`, `tanh`,
    `mish`, `selu`, `softsign` (x/(1 + |x|)), `logsigmoid`, `tanhshrink` (x − tanh x). Keeps the shape.
    Source: torch.nn under the same names.
    """

    @property
    def clips(self) -> bool:
        return self.kind in CLIPS

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        between = Saved("extra", elements=prod(output))
        if self.kind == "tanhshrink":
            return (between,)
        if self.kind in KEEPS_MORE:
            return (Saved("input"), between)
        return (Saved("output" if self.kind in KEEPS_OUTPUT else "input"),)


class Gelu(_Elementwise):
    """x·Φ(x) with the normal distribution function Φ, or its `tanh` approximation. Source: torch.nn.GELU."""

    approximate: Literal["none", "tanh"] = "none"


class LeakyReLU(_Elementwise):
    """x where x > 0, else negative_slope·x. Source: torch.nn.LeakyReLU."""

    negative_slope: Number = 0.01


class PReLU(_Elementwise):
    """x where x > 0, else weight·x with a learned weight: one for all (`num_parameters: 1`) or one a channel
    (`num_parameters: in_channels`). Source: torch.nn.PReLU.
    """

    num_parameters: Count = 1

    def output_shape(self, inputs: Shapes) -> Shape:
        channels = channels_of(self, inputs[0])
        if self.num_parameters not in (1, channels):
            raise ChannelMismatch(
                f"num_parameters {self.num_parameters} is neither 1 nor the {channels} channels",
                hint="write 'num_parameters: in_channels' for one a channel",
                num_parameters=self.num_parameters,
                channels=channels,
            )
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return (Weight("weight", (self.num_parameters,)),)


class ELU(_Elementwise):
    """x where x > 0, else alpha·(exp(x) − 1). Source: torch.nn.ELU."""

    alpha: Number = 1.0


class CELU(_Elementwise):
    """x where x > 0, else alpha·(exp(x/alpha) − 1). Source: torch.nn.CELU; Barron 2017, arXiv:1704.07483."""

    alpha: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


class Hardtanh(_Elementwise):
    """x cut off below min_val and above max_val. Source: torch.nn.Hardtanh."""

    min_val: Number = -1.0
    max_val: Number = 1.0

    @property
    def clips(self) -> bool:
        return (self.min_val, self.max_val) in CLIPPED

    @model_validator(mode="after")
    def _ordered(self) -> "Hardtanh":
        if self.min_val >= self.max_val:
            raise InvalidWindow(
                f"hardtanh has min_val {self.min_val:g}, which is not below max_val {self.max_val:g}",
                min_val=self.min_val,
                max_val=self.max_val,
            )
        return self


class Threshold(_Elementwise):
    """x where x > threshold, else value. Source: torch.nn.Threshold."""

    threshold: Number
    value: Number


class Shrink(_Elementwise):
    """0 within ±lambd; outside x itself (`hardshrink`), or x moved by lambd towards 0 (`softshrink`).

    Source: torch.nn.Hardshrink; torch.nn.Softshrink.
    """

    lambd: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5


class Softplus(_Elementwise):
    """log(1 + exp(beta·x))/beta, and x itself where beta·x > threshold. Source: torch.nn.Softplus."""

    beta: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    threshold: Number = 20.0


class Softmax(Layer):
    """exp(x) over its sum along an axis (`softmax`), or the logarithm of it (`log_softmax`); axes exclude the batch,
    0 (the default) is the channels.

    Source: torch.nn.Softmax and torch.nn.LogSoftmax (whose axes count the batch).
    """

    dim: Axis = 0

    @property
    def share_axis(self) -> int | None:
        return self.dim if self.kind == "softmax" else None

    def output_shape(self, inputs: Shapes) -> Shape:
        resolve_axis(self, "dim", self.dim, inputs[0])
        return inputs[0]

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        summed = resolve_axis(self, "dim", self.dim, inputs[0])
        return tuple(AxisLink(axis, None if axis == summed else IDENTITY) for axis in range(len(inputs[0])))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"activation": 3 * prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("output"),)


class GLU(Layer):
    """The first half of an axis times the sigmoid of its second half; axes exclude the batch, −1 (the default) is the
    last. Source: torch.nn.GLU; Dauphin et al. 2016, arXiv:1612.08083.
    """

    dim: Axis = -1

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        axis = resolve_axis(self, "dim", self.dim, shape)
        if shape[axis] % 2:
            raise NotDivisible(
                f"glu halves axis {axis} of {list(shape)}, which is odd: {shape[axis]}",
                hint="one half carries, the other gates: give it an even size",
                axis=axis,
                size=shape[axis],
            )
        return (*shape[:axis], shape[axis] // 2, *shape[axis + 1 :])

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        shape = inputs[0]
        halved = resolve_axis(self, "dim", self.dim, shape)
        both = Window(2, dilation=shape[halved] // 2)
        return tuple(AxisLink(axis, both if axis == halved else IDENTITY) for axis in range(len(shape)))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"activation": prod(output), "elementwise": prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)
