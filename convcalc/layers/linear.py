"""The fully connected layer: linear."""

from math import prod
from typing import ClassVar, Literal

from ..geometry import IDENTITY, AxisLink, FeatureMismatch, RankMismatch, linear_macs
from .base import Count, Flag, Operations, Product, Saved, Shape, Shapes
from .formed import Formed


class Linear(Formed):
    """A fully connected layer; weight [out_features, in_features].

    It takes [in_features]: an input that still has its space axes, such as [512, 7, 7], is refused, and `flatten` makes
    [25088] of it. With `dim: last` it acts on the last axis, as PyTorch's layer does without a word, and keeps the axes
    before it: sequences, and ConvNeXt on [height, width, channels]. Source: torch.nn.Linear.
    """

    out_features: Count
    bias: Flag = True
    dim: Literal["last"] | None = None
    """The axis that it acts on where the input has several."""

    width_field: ClassVar[str | None] = "out_features"
    multiplies: ClassVar[Product | None] = "linear"
    short_forms: ClassVar[dict[str, str]] = {"out": "out_features"}

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        if len(shape) > 1 and self.dim is None:
            raise FeatureMismatch(
                f"linear takes [features], not {list(shape)}",
                hint=f"put a 'flatten' before it, which gives [{prod(shape)}]; dim: last where the last axis is meant",
                shape=shape,
            )
        if not shape:
            raise RankMismatch("linear takes [features], not one number without axes", hint="put a reshape before it")
        self.check_given(inputs)
        return (*shape[:-1], self.out_features)

    def weight_shape(self, shape: Shape) -> Shape:
        return (self.out_features, shape[-1])

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        last = len(inputs[0]) - 1
        return (*(AxisLink(axis, IDENTITY) for axis in range(last)), AxisLink(last, None))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return self.products(linear_macs(prod(output), inputs[0][-1]), output)

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"), *self.also_saved(inputs))
