"""What a tensor of the graph is while it is converted: an activation, or a constant."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from ..layers.base import Shape
from .model import FLOATS, SMALL, Tensor

Numbers = tuple[float, ...]


def strides(shape: Shape) -> list[int]:
    """Numbers between neighbours on each axis, in row order.

    >>> strides((2, 3, 4))
    [12, 4, 1]
    """
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]


class Activation(NamedTuple):
    """The output of a step. `dims` are ONNX's; where `batched`, the first of them is the batch."""

    step: int
    dims: Shape
    batched: bool = True

    @property
    def shape(self) -> Shape:
        """As the language has it: without the batch."""
        return self.dims[1:] if self.batched else self.dims


class Constant:
    """A constant: its shape, and where it is small its numbers in row order."""

    __slots__ = ("_numbers", "_tensor", "floating", "name", "shape")

    def __init__(
        self,
        shape: Shape,
        numbers: Numbers | None = None,
        *,
        name: str = "",
        floating: bool = False,
        tensor: Tensor | None = None,
    ) -> None:
        self.shape = shape
        self.name = name
        """Of the initialiser that it stems from, possibly transposed or reshaped."""
        self.floating = floating
        self._numbers = numbers
        self._tensor = tensor

    @classmethod
    def of(cls, tensor: Tensor, name: str) -> Constant:
        """The constant of a tensor of the file."""
        return cls(tensor.dims, name=name, floating=tensor.data_type in FLOATS, tensor=tensor)

    @property
    def numbers(self) -> Numbers | None:
        """The numbers in row order; None where they are not known, or many."""
        if self._numbers is None and self._tensor is not None:
            self._numbers = self._tensor.numbers()
            self._tensor = None
        return self._numbers

    @property
    def is_weight(self) -> bool:
        """Whether it counts as weights: floats, more than one."""
        return self.floating and prod(self.shape) > 1

    @property
    def scalar(self) -> float | None:
        """The number of a constant that holds just one."""
        if prod(self.shape) != 1:
            return None
        numbers = self.numbers
        return numbers[0] if numbers else None

    def reshaped(self, shape: Shape) -> Constant:
        """The same numbers under another shape."""
        return Constant(shape, self.numbers if prod(shape) <= SMALL else None, name=self.name, floating=self.floating)

    def __repr__(self) -> str:
        return f"Constant({self.shape}, {self._numbers}, name={self.name!r})"


Value = Activation | Constant
