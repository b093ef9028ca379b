"""Reductions of axes to one number each: mean, sum, amax, amin, prod, logsumexp, var, std, norm, argmax.

Axes exclude the batch. A reduction of all axes leaves the shape [], which is one number an example.
"""

from math import prod
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic.functional_validators import BeforeValidator

from ..geometry import IDENTITY, AxisLink, InvalidWindow
from .base import Axis, Flag, Layer, Operations, Saved, Shape, Shapes, Size, resolve_axis

KEEPS_NOTHING = frozenset({"mean", "sum"})
"""Reductions whose backward needs the shapes alone; the others read their input and their output
(PyTorch tools/autograd/derivatives.yaml)."""
READS = {"logsumexp": 2}
"""Operations an element read, where they are not one."""

Axes = Annotated[
    Annotated[tuple[Axis, ...], Field(min_length=1)] | None,
    BeforeValidator(lambda v: v if v is None or isinstance(v, (list, tuple)) else (v,)),
]


class _Reduction(Layer):
    """What reductions of axes share."""

    keepdim: Flag = False

    ends_features: ClassVar[bool] = True

    def reduced(self, shape: Shape) -> tuple[int, ...]:
        """The axes that it reduces, counted from the front, in order."""
        raise NotImplementedError

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        gone = self.reduced(shape)
        if self.keepdim:
            return tuple(1 if axis in gone else size for axis, size in enumerate(shape))
        return tuple(size for axis, size in enumerate(shape) if axis not in gone)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        gone, every = self.reduced(inputs[0]), range(len(inputs[0]))
        if self.keepdim:
            return tuple(AxisLink(axis, None if axis in gone else IDENTITY) for axis in every)
        return tuple(AxisLink(axis, IDENTITY) for axis in every if axis not in gone)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"reduction": prod(inputs[0])}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"), Saved("output"))


class _OfAxes(_Reduction):
    """A reduction of any number of axes."""

    dim: Axes = None

    def reduced(self, shape: Shape) -> tuple[int, ...]:
        if self.dim is None:
            return tuple(range(len(shape)))
        found = sorted(resolve_axis(self, "dim", axis, shape) for axis in self.dim)
        if len(set(found)) < len(found):
            raise InvalidWindow(f"{self.kind} has an axis twice in dim {list(self.dim)}", dim=self.dim)
        return tuple(found)


class Reduce(_OfAxes):
    """The mean, sum, largest, smallest, product or log(∑ exp) of the axes `dim`, one or a list, by default all:
    `mean`, `sum`, `amax`, `amin`, `prod`, `logsumexp`. With `keepdim: true` each leaves an axis of 1.

    Source: torch under the same names, whose axes count the batch.
    """

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"reduction": READS.get(self.kind, 1) * prod(inputs[0])}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return () if self.kind in KEEPS_NOTHING else super().saved(inputs, output)


class Deviation(_OfAxes):
    """The variance of the axes `dim` or its square root: `var`, `std`. Squares are divided by n − correction: 1 is
    Bessel's, 0 gives the variance of the numbers themselves.

    Source: torch.var and torch.std.
    """

    correction: Size = 1

    def output_shape(self, inputs: Shapes) -> Shape:
        count = prod(inputs[0][axis] for axis in self.reduced(inputs[0]))
        if count <= self.correction:
            raise InvalidWindow(
                f"{self.kind} with correction {self.correction} needs more than {self.correction} numbers, not {count}",
                hint="correction: 0 divides by how many there are",
                correction=self.correction,
                numbers=count,
            )
        return super().output_shape(inputs)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"reduction": 4 * prod(inputs[0])}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),) if self.kind == "var" else super().saved(inputs, output)


class Norm(_OfAxes):
    """(∑|x|^p)^(1/p) of the axes `dim`: by default the Euclidean norm; `p: 1` sums magnitudes.

    Source: torch.linalg.vector_norm.
    """

    p: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"reduction": 2 * prod(inputs[0])}


class Argmax(_Reduction):
    """The position of the largest number along the axis `dim`, or among all. Nothing flows back through it.

    Source: torch.argmax.
    """

    dim: Axis | None = None

    def reduced(self, shape: Shape) -> tuple[int, ...]:
        return tuple(range(len(shape))) if self.dim is None else (resolve_axis(self, "dim", self.dim, shape),)

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return ()
