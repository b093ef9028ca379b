"""Opaque: an operator that the language does not have, kept with its shape and its weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import ClassVar

from ..geometry import IDENTITY, AxisLink, GeometryError
from ..layers.base import Layer, Shape, Shapes, Weight
from ..layers.registry import build
from ..network import Network

PREFIX = "onnx:"
"""What the kind of an opaque layer begins with."""


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
                f"what {self.operator} gives is known for inputs of {_listed(self.reads)}, not of {_listed(inputs)}",
                hint="re-import the file with --input",
            )
        return self.output

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return tuple(Weight(name, shape) for name, shape in self.held)

    @property
    def is_plain(self) -> bool:
        """Whether it may stand as `identity`: one input, whose shape it keeps, and no weights."""
        return self.elementwise and not self.held and not self.constants

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        output = self.output_shape(inputs)
        same = self.elementwise and all(len(shape) == len(output) for shape in inputs)
        return tuple(AxisLink(axis, IDENTITY) if same else None for axis in range(len(output)))

    @property
    def operator(self) -> str:
        """The operator of ONNX that it stands for."""
        return self.kind.removeprefix(PREFIX)


def opaque(kind: str, fields: dict[str, object]) -> Opaque:
    """The layer of a kind that begins with `PREFIX`."""
    return Opaque.model_validate({"kind": kind, **fields})


def _listed(shapes: Shapes) -> str:
    return " and ".join(str(list(shape)) for shape in shapes) or "nothing"


def plain_as_identity(network: Network) -> tuple[Network, Counter[str]]:
    """(the network with `identity` for opaque operators that keep shape and cost, how many of each operator)."""
    identity = build("identity", {})
    replaced: Counter[str] = Counter()
    nodes = []
    for node in network.nodes:
        if isinstance(node.layer, Opaque) and len(node.inputs) == 1 and node.layer.is_plain:
            replaced[node.layer.operator] += 1
            node = node._replace(layer=identity)
        nodes.append(node)
    return replace(network, nodes=tuple(nodes)), replaced


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
