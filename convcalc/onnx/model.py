"""The parts of an ONNX file that say what the network is. Weights are known by shape; their bytes stay unread.

Field numbers: onnx/onnx.proto.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from math import prod

from . import wire
from .wire import Damaged, Data, Field

SMALL = 4096
"""Elements up to which a tensor's numbers are read: shapes, axes, pads. Larger ones are weights."""

Dim = int | str | None
"""A size, the name of one that is open, or nothing."""

STRUCT = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "?", 10: "e", 11: "d", 12: "I", 13: "Q"}
"""Data type -> format of an element in raw_data."""
FLOATS = frozenset({1, 10, 11, 16})
"""float32, float16, float64, bfloat16."""


class Malformed(ValueError):
    """A node whose attributes or inputs are not what its operator takes."""


class Unknown(Malformed):
    """Numbers that a node needs, and that are computed while the network runs."""


@dataclass(slots=True)
class Tensor:
    """A tensor of the file: its shape, and where its numbers are."""

    name: str
    dims: tuple[int, ...]
    data_type: int
    data: Data
    payloads: dict[int, list[Field]]
    external: bool

    @property
    def floating(self) -> bool:
        """Whether it holds floats, as weights do."""
        return self.data_type in FLOATS

    def numbers(self) -> tuple[float, ...] | None:
        """Its numbers in row order; None for large tensors, those in other files and those without numbers."""
        count = prod(self.dims)
        if count > SMALL or self.external:
            return None
        found: list[float]
        if 9 in self.payloads:
            last, code = self.payloads[9][-1], STRUCT.get(self.data_type)
            if code is None:
                return None
            if last.stop - last.start != count * struct.calcsize(f"<{code}"):
                raise Damaged(f"tensor '{self.name}' has {last.stop - last.start} bytes for {count} numbers")
            found = list(struct.unpack_from(f"<{count}{code}", self.data, last.start))
        elif self.data_type == 1:
            found = wire.floats(self.data, self.payloads.get(4, []))
        elif self.data_type == 11:
            found = wire.floats(self.data, self.payloads.get(10, []), size=8)
        elif self.data_type in (10, 16) or self.data_type not in STRUCT:
            return None
        else:
            number = {7: 7, 12: 11, 13: 11}.get(self.data_type, 5)
            found = [*wire.integers(self.data, self.payloads.get(number, []))]
        return tuple(found) if len(found) == count else None


@dataclass(slots=True)
class Graphs:
    """Subgraphs of an attribute (of If, Loop, Scan): the tensors that their nodes read."""

    reads: frozenset[str]


@dataclass(slots=True)
class Reference:
    """Inside a function: the attribute of the call whose value this one takes."""

    name: str


Attribute = int | float | str | Tensor | Graphs | Reference | list[int] | list[float] | list[str]


NESTED = frozenset({"If", "Loop", "Scan", "SequenceMap"})
"""Standard operators that hold subgraphs."""


@dataclass(slots=True)
class OnnxNode:
    """One operator of the graph."""

    op: str
    name: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]
    metadata: dict[str, str]

    @property
    def nested(self) -> bool:
        """Whether it holds subgraphs."""
        return self.op in NESTED or self.domain != ""

    @property
    def label(self) -> str:
        """How messages call it."""
        named = self.name or (f"→ {self.outputs[0]}" if self.outputs else "")
        return f"{self.op} '{named}'"

    def integer(self, name: str, default: int = 0) -> int:
        """An integer attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise Malformed(f"attribute '{name}' must be an integer, not {value!r}")
        return value

    def number(self, name: str, default: float = 0.0) -> float:
        """A float attribute, without the digits that float32 adds: 1e-05, not 9.999999747378752e-06."""
        value = self.attributes.get(name, default)
        if not isinstance(value, (int, float)):
            raise Malformed(f"attribute '{name}' must be a number, not {value!r}")
        return float(f"{value:.7g}")

    def word(self, name: str, default: str = "") -> str:
        """A string attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, str):
            raise Malformed(f"attribute '{name}' must be a string, not {value!r}")
        return value

    def integers(self, name: str) -> tuple[int, ...] | None:
        """An attribute of several integers; None where the node does not have it."""
        value = self.attributes.get(name)
        if value is None:
            return None
        if isinstance(value, int):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            raise Malformed(f"attribute '{name}' must be a list of integers, not {value!r}")
        return tuple(int(item) for item in value)


@dataclass(slots=True)
class ValueInfo:
    """A tensor's declared shape; None for none, or for what is no tensor."""

    name: str
    dims: tuple[Dim, ...] | None = None
    tensor: bool = True


@dataclass(slots=True)
class Graph:
    """The graph of a file."""

    name: str = ""
    nodes: list[OnnxNode] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    inputs: list[ValueInfo] = field(default_factory=list)
    outputs: list[ValueInfo] = field(default_factory=list)
    infos: dict[str, ValueInfo] = field(default_factory=dict)


@dataclass(slots=True)
class Model:
    """A file: its graph, its functions and the versions of its operators."""

    graph: Graph | None = None
    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    functions: dict[tuple[str, str], Function] = field(default_factory=dict)

    @property
    def opset(self) -> int:
        """Version of the standard operators."""
        return self.opsets.get("", self.opsets.get("ai.onnx", 1))


@dataclass(slots=True)
class Function:
    """An operator that the file defines by other operators."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: list[OnnxNode]
    defaults: dict[str, Attribute]
