"""A learned factor a channel: scale."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from .base import Flag, Layer, Operations, Saved, Shape, Shapes, Weight


class Scale(Layer):
    """Multiplies each channel by a learned number and, with `bias: true`, adds another (ConvNeXt's layer scale
    without a bias, Caffe's Scale with or without).

    Weight [channels], bias [channels]. Source: Touvron et al. 2021, arXiv:2103.17239; Liu et al. 2022,
    arXiv:2201.03545; Caffe scale_layer.cpp.
    """

    bias: Flag = False

    in_place: ClassVar[bool] = True

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        weight = Weight("weight", inputs[0][:1])
        return (weight, Weight("bias", inputs[0][:1])) if self.bias else (weight,)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"elementwise": prod(output), "bias": prod(output)} if self.bias else {"elementwise": prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)
