"""Opaque: an operator that the language does not have, kept with its shape and its weights."""

from __future__ import annotations

from typing import ClassVar

from ..geometry import GeometryError
from ..layers.base import Layer, Shape, Shapes, Weight


class Opaque(Layer):
    """An operator of an ONNX file that the language does not have. Its kind is `onnx:` and the operator.

    `elementwise` ones broadcast their inputs. Others have the shape `output`, and that only on inputs of the
    shapes `reads`: what they would give on others is not known. They count their weights and no operations.
    """

    elementwise: bool = False
    output: tuple[int, ...] = ()
    reads: tuple[tuple[int, ...], ...] = ()
    held: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Names and shapes of its weights."""
    constants: tuple[tuple[int, ...], ...] = ()
    """Of an elementwise one: shapes of the constants that it broadcasts with its inputs."""

    arity: ClassVar[tuple[int, int | None]] = (0, None)

    def output_shape(self, inputs: Shapes) -> Shape:
        if self.elementwise:
            return broadcast(*inputs, *self.constants)
        if inputs != self.reads:
            raise GeometryError(
                f"what {self.kind.removeprefix('onnx:')} gives is known for inputs of {_listed(self.reads)}, "
                f"not of {_listed(inputs)}",
                hint="re-import the file with --input",
            )
        return self.output

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return tuple(Weight(name, shape) for name, shape in self.held)

    def axes(self, inputs: Shapes) -> tuple[None, ...]:
        return (None,) * len(self.output_shape(inputs))


def _listed(shapes: Shapes) -> str:
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
                    raise GeometryError(f"{_listed(shapes)} do not broadcast to one shape", hint="axes are equal, or 1")
                result[axis] = size
    return tuple(result)
