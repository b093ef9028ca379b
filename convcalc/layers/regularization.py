"""Layers that only act in training: dropout, stochastic_depth."""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .base import Layer, Saved, Shape, Shapes

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Dropout(Layer):
    """Zeroes elements with probability p in training. Keeps the shape; costs nothing at inference.

    Source: torch.nn.Dropout.
    """

    p: Probability = 0.5

    asleep: ClassVar[bool] = True

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("extra", elements=prod(output)),) if self.p > 0 else ()


class StochasticDepth(Layer):
    """Drops whole examples (`row`) or the whole batch (`batch`) of a residual branch with probability p.

    Source: Huang et al. 2016, arXiv:1603.09382; torchvision.ops.StochasticDepth.
    """

    p: Probability
    mode: Literal["row", "batch"] = "row"

    asleep: ClassVar[bool] = True

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("extra", elements=1, batched=self.mode == "row"),) if self.p > 0 else ()
