"""opaque: an operator that the language does not have, with its shape, its weights and its cost."""

from typing import ClassVar

from ..geometry import IDENTITY, AxisLink, GeometryError
from .base import Layer, Operations, Shape, Shapes, Size, Weight

Sizes = tuple[Size, ...]


class Opaque(Layer):
    """An operator that the language does not have, as a framework calls it: `opaque: {operator: GridSample, ...}`.

    Its output has the shape `output`, on inputs of the shapes `reads` alone where they are given: what it would give on
    others is not known. Without `output` it works element by element and broadcasts its inputs. `holds` are the shapes
    of its learned tensors, those of two axes and more being weights, `macs` its multiply-accumulates; `reason` says why
    it is opaque. The reference does not compute it. Source: the model that it was read from.
    """

    operator: str
    output: Sizes | None = None
    reads: tuple[Sizes, ...] | None = None
    holds: tuple[Sizes, ...] = ()
    macs: Size = 0
    reason: str = ""

    arity: ClassVar[tuple[int, int | None]] = (0, None)

    @property
    def weighted(self) -> bool:
        return self.macs > 0

    @property
    def cost_is_known(self) -> bool:
        """Not where it holds matrices of weights and says no multiply-accumulates."""
        return self.macs > 0 or all(len(shape) < 2 for shape in self.holds)

    def output_shape(self, inputs: Shapes) -> Shape:
        if self.reads is not None and inputs != self.reads:
            raise GeometryError(
                f"what {self.operator} gives is known for inputs of {listed(self.reads)}, not of {listed(inputs)}",
                hint="read the model again with --input",
            )
        return broadcast(*inputs) if self.output is None else self.output

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        names: dict[str, int] = {}
        found = []
        for shape in self.holds:
            name = "weight" if len(shape) > 1 else "bias"
            names[name] = names.get(name, 0) + 1
            found.append(Weight(name if names[name] == 1 else f"{names[name]}.{name}", shape))
        return tuple(found)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"mac": self.macs} if self.macs else {}

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        output = self.output_shape(inputs)
        same = self.output is None and all(len(shape) == len(output) for shape in inputs)
        return tuple(AxisLink(axis, IDENTITY) if same else None for axis in range(len(output)))


def listed(shapes: Shapes) -> str:
    """Shapes in a sentence.

    >>> listed(((8, 7), (8, 1)))
    '[8, 7] and [8, 1]'
    """
    return " and ".join(str(list(shape)) for shape in shapes) or "nothing"


def broadcast(*shapes: Shape) -> Shape:
    """The shape that NumPy broadcasts these to; raises GeometryError where they do not agree.

    >>> broadcast((8, 1, 1), (8, 7, 7), (7,))
    (8, 7, 7)
    """
    rank = max(map(len, shapes), default=0)
    result = [1] * rank
    for shape in shapes:
        for axis, size in enumerate(shape, start=rank - len(shape)):
            if size != 1:
                if result[axis] not in (1, size):
                    raise GeometryError(f"{listed(shapes)} do not broadcast to one shape", hint="axes are equal, or 1")
                result[axis] = size
    return tuple(result)
