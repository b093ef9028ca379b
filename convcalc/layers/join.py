"""Layers of several inputs, and their opposite: concat, add, sub, multiply, div, maximum, minimum, gate, split."""

from itertools import zip_longest
from math import prod
from typing import ClassVar

from pydantic import Field, model_validator

from ..geometry import IDENTITY, AxisLink, ChannelMismatch, InvalidWindow, UnequalInputs, Window
from .base import Axis, Count, Layer, Operations, Part, Saved, Shape, Shapes, Share, Size, resolve_axis


def _disagree(layer: Layer, first: Shape, which: int, inputs: Shapes, skip: int | None = None, hint: str = "") -> None:
    """Raise `UnequalInputs` that names both shapes and the axes on which they differ.

    `first` is the shape of what stands before input number `which`, together.
    """
    other = inputs[which]
    axes = [n for n, (a, b) in enumerate(zip_longest(first, other)) if a != b and n != skip]
    if len(first) != len(other):
        where = f"{len(first)} axes and {len(other)} axes"
    else:
        where = ", ".join(f"axis {n}: {first[n]} and {other[n]}" for n in axes)
    one = inputs.index(first) if first in inputs[:which] else 0
    raise UnequalInputs(layer.kind, one, first, which, other, where, hint=hint or None, axes=tuple(axes))


class Concat(Layer):
    """Puts its inputs side by side along an axis, by default the channels; the other axes must be equal.

    Axes exclude the batch. Source: torch.cat.
    """

    dim: Axis = 0

    arity: ClassVar[tuple[int, int | None]] = (1, None)
    joins: ClassVar[bool] = True

    def joined_axis(self, inputs: Shapes) -> int:
        return resolve_axis(self, "dim", self.dim, inputs[0])

    def output_shape(self, inputs: Shapes) -> Shape:
        first = inputs[0]
        dim = resolve_axis(self, "dim", self.dim, first)
        before, after = first[:dim], first[dim + 1 :]
        for which, shape in enumerate(inputs):
            if len(shape) != len(first) or shape[:dim] != before or shape[dim + 1 :] != after:
                _disagree(self, first, which, inputs, skip=dim, hint=f"only axis {dim} may differ: crop, pad or resize")
        return (*before, sum(shape[dim] for shape in inputs), *after)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        dim = self.joined_axis(inputs)
        return tuple(None if axis == dim else AxisLink(axis, IDENTITY) for axis in range(len(inputs[0])))

    def passes_gradient(self, inputs: Shapes, output: Shape, which: int) -> Share:
        return "part"


class _Broadcast(Layer):
    """Element by element; axes of size 1 are repeated, as PyTorch broadcasts, and the batch never is.

    The axis links hold for every input; where an input's axis is 1 and the output's is not, all positions
    read its only one.
    """

    arity: ClassVar[tuple[int, int | None]] = (2, None)
    joins: ClassVar[bool] = True
    in_place: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        result = inputs[0]
        for which, shape in enumerate(inputs):
            if shape == result:
                continue
            if len(shape) != len(result) or any(a != b and 1 not in (a, b) for a, b in zip(shape, result, strict=True)):
                _disagree(self, result, which, inputs, hint="axes must be equal, or 1")
            result = tuple(b if a == 1 else a for a, b in zip(shape, result, strict=True))
        return result

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"elementwise": (len(inputs) - 1) * prod(output)}


class Add(_Broadcast):
    """The sum of its inputs, element by element; an axis of size 1 is repeated. Source: torch.add."""

    def passes_gradient(self, inputs: Shapes, output: Shape, which: int) -> Share | None:
        return "whole" if inputs[which] == output else None


class Multiply(_Broadcast):
    """The product of its inputs, element by element; an axis of size 1 is repeated, so that [C, 1, 1] scales
    the channels of [C, H, W] (squeeze and excitation). Source: torch.mul; Hu et al. 2018, arXiv:1709.01507.
    """

    multiplies_inputs: ClassVar[bool] = True

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        factors = tuple(Saved("input", which) for which in range(len(inputs)))
        products = (len(inputs) - 2) * prod(output)
        return (*factors, Saved("extra", elements=products)) if products else factors


class _Pair(_Broadcast):
    """Of two inputs, which are not alike: the first is the left one."""

    arity: ClassVar[tuple[int, int | None]] = (2, 2)


class Sub(_Pair):
    """The first input minus the second, element by element; an axis of size 1 is repeated. Source: torch.sub."""

    def passes_gradient(self, inputs: Shapes, output: Shape, which: int) -> Share | None:
        return "whole" if which == 0 and inputs[which] == output else None


class Div(_Pair):
    """The first input over the second, element by element; an axis of size 1 is repeated. Source: torch.div."""

    multiplies_inputs: ClassVar[bool] = True

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input", 0), Saved("input", 1))


class Extreme(_Pair):
    """The larger (`maximum`) or the smaller (`minimum`) of two inputs, element by element; an axis of size 1 is
    repeated. Where both are equal each gets half of the gradient. Source: torch.maximum; torch.minimum.
    """

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input", 0), Saved("input", 1))


class Gate(Layer):
    """transform·gate + carry·(1 − gate), of three inputs of one shape in this order: a highway layer.

    Source: Srivastava et al. 2015, arXiv:1505.00387.
    """

    arity: ClassVar[tuple[int, int | None]] = (3, 3)
    joins: ClassVar[bool] = True
    branch_roles: ClassVar[tuple[str, ...]] = ("transform", "gate", "carry")
    multiplies_inputs: ClassVar[bool] = True
    gate_input: ClassVar[int | None] = 1
    in_place: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        for which, shape in enumerate(inputs):
            if shape != inputs[0]:
                _disagree(self, inputs[0], which, inputs, hint="transform, gate and carry must have one shape")
        return inputs[0]

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"elementwise": 3 * prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (*(Saved("input", which) for which in range(3)), Saved("extra", elements=prod(output)))


class Split(Layer):
    """Cuts an axis, by default the channels, into parts of the sizes `channels`; this node is number `part` of them.

    The sizes must sum to that of the axis. Axes exclude the batch. Source: torch.split.
    """

    channels: tuple[Count, ...] = Field(min_length=1)
    dim: Axis = 0
    part: Size = 0

    is_view: ClassVar[bool] = True
    splits: ClassVar[bool] = True

    @property
    def part_of(self) -> Part:
        return Part(self.part, len(self.channels), self.channels)

    @model_validator(mode="after")
    def _part_exists(self) -> "Split":
        if self.part >= len(self.channels):
            raise InvalidWindow(f"part {self.part} of a split into {len(self.channels)}", part=self.part)
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        shape, total = inputs[0], sum(self.channels)
        dim = resolve_axis(self, "dim", self.dim, shape)
        if total != shape[dim]:
            what = "channels" if dim == 0 else f"positions of axis {dim}"
            raise ChannelMismatch(
                f"split into {' + '.join(map(str, self.channels))} = {total} {what} of {list(shape)}, "
                f"which has {shape[dim]}",
                hint=f"the parts must sum to the {what} of the input",
                channels=self.channels,
                shape=shape,
            )
        return (*shape[:dim], self.channels[self.part], *shape[dim + 1 :])

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        dim = resolve_axis(self, "dim", self.dim, inputs[0])
        before, after = sum(self.channels[: self.part]), sum(self.channels[self.part + 1 :])
        cut = AxisLink(dim, Window(before=-before, after=-after))
        return tuple(cut if axis == dim else AxisLink(axis, IDENTITY) for axis in range(len(inputs[0])))
