"""Activations: relu, relu6, silu, hardswish, hardsigmoid, sigmoid, tanh, mish, selu, and those with fields:
gelu, leaky_relu, prelu, elu, softplus, softmax.

What backward keeps is PyTorch's choice: the output where the derivative is cheaper from it, else the input.
"""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..geometry import IDENTITY, AxisLink, ChannelMismatch
from .base import Count, Layer, Number, Operations, Saved, Shape, Shapes, Weight, resolve_axis

KEEPS_OUTPUT = frozenset({"relu", "sigmoid", "tanh"})
"""Plain activations whose backward reads the output (PyTorch tools/autograd/derivatives.yaml)."""


CLIPS = frozenset({"relu", "relu6"})
"""Plain activations that only cut off values (TensorFlow Lite's fused activations, of those that convcalc has)."""


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
    `mish`, `selu`. Keeps the shape. Source: torch.nn under the same names.
    """

    @property
    def clips(self) -> bool:
        return self.kind in CLIPS

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
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
        channels = inputs[0][0]
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


class Softplus(_Elementwise):
    """log(1 + exp(beta·x))/beta, and x itself where beta·x > threshold. Source: torch.nn.Softplus."""

    beta: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    threshold: Number = 20.0


class Softmax(Layer):
    """exp(x) over its sum along an axis; axes exclude the batch, 0 (the default) is the channels.

    Source: torch.nn.Softmax (whose axes count the batch).
    """

    dim: Annotated[int, Field(strict=True, ge=-64, le=63)] = 0

    @property
    def share_axis(self) -> int | None:
        return self.dim

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
