"""A learned factor a channel: scale."""

from __future__ import annotations

from math import prod

from .base import Layer, Operations, Saved, Shape, Shapes, Weight


class Scale(Layer):
    """Multiplies each channel by a learned number (ConvNeXt's layer scale, Caffe's Scale without bias).

    Weight [channels]. Source: Touvron et al. 2021, arXiv:2103.17239; Liu et al. 2022, arXiv:2201.03545.
    """

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return (Weight("weight", inputs[0][:1]),)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"elementwise": prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)
