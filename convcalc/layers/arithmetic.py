"""Arithmetic with numbers and functions of one element: rescale, pow, clamp, and those without fields: exp, log, sqrt,
rsqrt, abs, neg, square, reciprocal, sin, cos, erf, sign, floor, ceil, round.

What backward keeps is PyTorch's choice: the output where the derivative is cheaper from it, else the input; nothing
where it is constant.
"""

from math import prod
from typing import Annotated, ClassVar

from pydantic import Discriminator, Tag, model_validator

from ..geometry import ChannelMismatch, InvalidWindow
from .base import Layer, Number, Operations, Saved, Shape, Shapes, Share
from .spatial import form

KEEPS_OUTPUT = frozenset({"exp", "sqrt", "rsqrt", "reciprocal"})
"""Functions whose backward reads the output (PyTorch tools/autograd/derivatives.yaml)."""
KEEPS_NOTHING = frozenset({"neg", "sign", "floor", "ceil", "round"})
"""Functions whose derivative is one number everywhere."""


class _Arithmetic(Layer):
    """A function of every element on its own that is no activation."""

    in_place: ClassVar[bool] = True

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"elementwise": prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)


class Unary(_Arithmetic):
    """A function of every element: `exp`, `log`, `sqrt`, `rsqrt` (1/√x), `abs`, `neg`, `square`, `reciprocal` (1/x),
    `sin`, `cos`, `erf`, `sign`, `floor`, `ceil`, `round` (a half to the even number). Keeps the shape.

    `log` is the natural one. Source: torch under the same names.
    """

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        if self.kind in KEEPS_NOTHING:
            return ()
        return (Saved("output" if self.kind in KEEPS_OUTPUT else "input"),)


class Pow(_Arithmetic):
    """x to the power of `exponent`. Source: torch.pow."""

    exponent: Number


class Clamp(_Arithmetic):
    """x cut off below `min` and above `max`; one of the two may be left out. Source: torch.clamp."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _bounds(self) -> "Clamp":
        if self.min is None and self.max is None:
            raise InvalidWindow("clamp needs min, max or both", hint="clamp: {min: 0, max: 1}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise InvalidWindow(f"clamp has min {self.min:g} above max {self.max:g}", min=self.min, max=self.max)
        return self


Factor = Annotated[Annotated[Number, Tag("number")] | Annotated[tuple[Number, ...], Tag("list")], Discriminator(form)]
"""One number for all, or one a channel."""


class Rescale(_Arithmetic):
    """scale·x + offset with numbers that nothing learns: one for all, or a list of one a channel.

    So x·2 is `scale: 2`, 1 − x is `scale: -1, offset: 1`, and the mean and deviation of images are two lists.
    Source: torch.mul and torch.add with numbers; keras.layers.Rescaling.
    """

    scale: Factor = 1.0
    offset: Factor = 0.0

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        for name, value in (("scale", self.scale), ("offset", self.offset)):
            if isinstance(value, tuple) and shape[:1] != (len(value),):
                channels = f"the {shape[0]} channels of {list(shape)}" if shape else "a shape without channels"
                raise ChannelMismatch(
                    f"rescale has {len(value)} numbers as {name} for {channels}",
                    hint="one number serves all, a list gives one a channel",
                    shape=shape,
                    numbers=len(value),
                )
        return shape

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        count = (self.scale != 1) + (self.offset != 0)
        return {"elementwise": count * prod(output)} if count else {}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        factors = len(self.scale) if isinstance(self.scale, tuple) else 0
        return (Saved("extra", elements=factors, batched=False),) if factors else ()

    def passes_gradient(self, inputs: Shapes, output: Shape, which: int) -> Share | None:
        return "whole" if self.scale == 1 else None
