"""What tensors of the graph are while it is converted, activations or constants, and what a node reads of them."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from ..geometry import LIMIT
from ..layers.base import Shape
from .learned import of_a_module
from .messages import FLOATS, SMALL, Malformed, OnnxNode, Tensor, Unknown

Numbers = tuple[float, ...]
MOST_SOURCES = 64
"""Tensors of the file of which a constant is known to be computed."""
Stored = dict[str, Shape]
"""Names and shapes of tensors that the file holds."""


class Activation(NamedTuple):
    """The output of a step. `dims` are ONNX's; where `batched`, the first of them is the batch.

    It may be a multiple of the batch (tokens, windows): then its step has one axis more, see `Builder.multiple`.
    """

    step: int
    dims: Shape
    batched: bool = True

    @property
    def shape(self) -> Shape:
        """As the language has it: without the batch."""
        return self.dims[1:] if self.batched else self.dims


class Constant:
    """A constant: its shape, and where it is small its numbers in row order."""

    __slots__ = ("_numbers", "_tensor", "call", "fixed", "floating", "is_scale", "name", "shape", "stored")

    def __init__(
        self,
        shape: Shape,
        numbers: Numbers | None = None,
        *,
        name: str = "",
        floating: bool = False,
        tensor: Tensor | None = None,
        stored: Stored | None = None,
        is_scale: bool = False,
        fixed: bool = False,
    ) -> None:
        self.shape = shape
        self.name = name
        """Of the initialiser that it stems from, possibly transposed or reshaped."""
        self.floating = floating
        self.stored: Stored = stored if stored is not None else {}
        """The learned tensors of the file that it is computed of."""
        self.is_scale = is_scale
        """Whether it is how quantised numbers are stored: a factor that stands for nothing in the network."""
        self.fixed = fixed
        """Whether it is of tensors that nothing learns: buffers, and constants of a model's code."""
        self.call: Call | None = None
        """What computed it; None for what stands in the file."""
        self._numbers = numbers
        self._tensor = tensor

    @classmethod
    def of(cls, tensor: Tensor, name: str, learned: bool = True) -> Constant:
        """The constant of a tensor of the file; without `learned` it is no parameter, whatever the file notes."""
        floating, learned = tensor.data_type in FLOATS, learned and tensor.learned
        several = floating and prod(tensor.dims) > 1
        stored = {name: tensor.dims} if several and learned else None
        fixed = several and not learned
        return cls(tensor.dims, name=name, floating=floating, tensor=tensor, stored=stored, fixed=fixed)

    def made_by(self, call: Call) -> Constant:
        """Itself, as the node of a call gave it."""
        if self.call is None and self not in call.inputs:
            self.call = call
            sources = [value for value in call.inputs if isinstance(value, Constant)]
            found = {name: shape for value in sources for name, shape in value.stored.items()}
            self.stored = dict(list(found.items())[:MOST_SOURCES]) if found else self.stored
            self.fixed = not self.stored and (self.fixed or any(value.fixed for value in sources))
            self.is_scale = any(isinstance(value, Constant) and value.is_scale for value in call.inputs)
        return self

    @property
    def dims(self) -> Shape:
        """ONNX's dims, as an activation has them."""
        return self.shape

    @property
    def numbers(self) -> Numbers | None:
        """The numbers in row order; None where they are not known, or many."""
        if self._numbers is None and self._tensor is not None:
            self._numbers = self._tensor.numbers()
            self._tensor = None
        return self._numbers

    @property
    def is_weight(self) -> bool:
        """Whether learned tensors of the file reach it."""
        return bool(self.stored)

    @property
    def is_learned_number(self) -> bool:
        """Whether it is one number of the file that a module calls its own: `blocks.0.gain`."""
        return self.floating and self.call is None and prod(self.shape) == 1 and of_a_module(self.name)

    @property
    def holds_weights(self) -> bool:
        """Whether learned tensors reach it, or it stands in the file, or is created where a layer's weights should."""
        if self.call is None:
            return not self.is_only(0)
        return bool(self.stored) or self.call.node.op == "ConstantOfShape"

    def is_only(self, number: float) -> bool:
        """Whether it is this number over and over, and nothing learns it."""
        return self.fixed and self.numbers is not None and set(self.numbers) == {number}

    @property
    def is_stored(self) -> bool:
        """Whether it holds the numbers of learned tensors, each once, be it in another order."""
        return bool(self.stored) and sum(map(prod, self.stored.values())) == prod(self.shape)

    @property
    def scalar(self) -> float | None:
        """The number of a constant that holds just one."""
        if prod(self.shape) != 1:
            return None
        numbers = self.numbers
        return numbers[0] if numbers else None

    def become(self, shape: Shape, numbers: Numbers | None) -> Constant:
        """Other numbers under another shape that stem from this constant."""
        return Constant(shape, numbers, name=self.name, floating=self.floating, stored=self.stored, fixed=self.fixed)

    def reshaped(self, shape: Shape) -> Constant:
        """The same numbers under another shape."""
        return self.become(shape, self.numbers if prod(shape) <= SMALL else None)

    def __repr__(self) -> str:
        return f"Constant({self.shape}, {self._numbers}, name={self.name!r})"


Value = Activation | Constant


class Call(NamedTuple):
    """A node with the values that it reads, None for those that are left out."""

    node: OnnxNode
    inputs: tuple[Value | None, ...]
    opset: int

    def value(self, position: int) -> Value | None:
        """Input number `position`; None for one that is left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    def given(self, position: int) -> Value:
        """Input number `position`, which must be there."""
        value = self.value(position)
        if value is None:
            raise Malformed(f"input {position} is missing")
        return value

    def dims(self, position: int = 0) -> Shape:
        """ONNX's dims of an input that must be there."""
        return self.given(position).dims

    def constant(self, position: int = 0) -> Constant:
        """An input that must be there, and whose numbers may be known."""
        value = self.given(position)
        if isinstance(value, Activation):
            raise Unknown(f"input {position} is computed while it runs")
        return value

    def integers(self, position: int, what: str) -> tuple[int, ...]:
        """The integers of an input; raises `Unknown` where they are not known."""
        value = self.value(position)
        numbers = value.numbers if isinstance(value, Constant) else None
        if numbers is None:
            raise Unknown(f"its {what} are computed while it runs")
        if not all(abs(number) <= LIMIT for number in numbers):
            raise Malformed(f"its {what} are no integers of 64 bits: {list(numbers[:8])}")
        return tuple(int(number) for number in numbers)

    def axes(self, position: int = 1) -> tuple[int, ...] | None:
        """Its axes, an attribute in older opsets and an input in newer ones; None for none."""
        given = self.node.integers("axes")
        return given if given is not None or self.value(position) is None else self.integers(position, "axes")

    def axis(self, default: int = 0) -> int:
        """The attribute `axis`, counted from the front of the first input."""
        return counted(self.node.integer("axis", default), len(self.dims()))


def counted(axis: int, rank: int) -> int:
    """An axis counted from the front.

    >>> counted(-1, 4)
    3
    """
    if not -rank <= axis < rank:
        raise Malformed(f"axis {axis} does not exist in a tensor of {rank} axes")
    return axis % rank


def strides(shape: Shape) -> list[int]:
    """Numbers between neighbours on each axis, in row order.

    >>> strides((2, 3, 4))
    [12, 4, 1]
    """
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]
