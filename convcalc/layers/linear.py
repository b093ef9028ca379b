"""The fully connected layer: linear."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from ..geometry import IDENTITY, AxisLink, FeatureMismatch, linear_macs
from .base import Count, Flag, Layer, Operations, Product, Saved, Shape, Shapes, Weight


class Linear(Layer):
    """A fully connected layer over the last axis; weight [out_features, in_features].

    The input's last axis is in_features; axes before it are kept, as ConvNeXt uses it on [height, width,
    channels]. An input that still has its space axes, such as [512, 1, 1], is refused: `flatten` it first.
    Source: torch.nn.Linear.
    """

    out_features: Count
    bias: Flag = True

    multiplies: ClassVar[Product | None] = "linear"
    short_forms: ClassVar[dict[str, str]] = {"out": "out_features"}

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        if len(shape) > 1 and shape[-1] == 1:
            raise FeatureMismatch(
                f"linear acts on the last axis, and that of {list(shape)} is 1",
                hint=f"put a 'flatten' before it, which gives [{prod(shape)}]",
                shape=shape,
            )
        return (*shape[:-1], self.out_features)

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        weight = Weight("weight", (self.out_features, inputs[0][-1]))
        return (weight, Weight("bias", (self.out_features,))) if self.bias else (weight,)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        last = len(inputs[0]) - 1
        return (*(AxisLink(axis, IDENTITY) for axis in range(last)), AxisLink(last, None))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        macs = linear_macs(prod(output), inputs[0][-1])
        return {"mac": macs, "bias": prod(output)} if self.bias else {"mac": macs}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)
