"""The messages of an ONNX file that say what the network is. Weights are known by shape; their bytes stay unread.

Field numbers: onnx/onnx.proto.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from .wire import Damaged, Message, written

SMALL = 4096
"""Elements up to which a tensor's numbers are read: shapes, axes, pads. Larger ones are weights."""
PAYLOAD = 1 << 12
"""Bytes above which an attribute of a node is no setting of it."""
DEEPEST = 32
"""Subgraphs inside subgraphs that are followed."""

Place = tuple[bytes, tuple[int, int]]
"""The data of a file, and where in them a message stands."""

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
    """A tensor of the file: its shape, and the message that has its numbers, or None where they are elsewhere."""

    name: str
    dims: tuple[int, ...]
    data_type: int
    message: Message | None
    learned: bool = True
    """Whether it may be a parameter: not where the exporter says that it is a buffer, or made of no parameter."""
    source: str = ""
    """The parameter of which the exporter says that it was computed."""

    @property
    def floating(self) -> bool:
        """Whether it holds floats, as weights do."""
        return self.data_type in FLOATS

    def numbers(self, most: int = SMALL) -> tuple[float, ...] | None:
        """Its numbers in row order; None where they are more than `most`, in other files, or not there."""
        count, message = prod(self.dims), self.message
        if count > most or message is None:
            return None
        code = STRUCT.get(self.data_type)
        found: list[float]
        if code is None:
            return None
        if 9 in message:
            start, stop = message.spans(9)[-1]
            if stop - start != count * struct.calcsize(f"<{code}"):
                raise Damaged(f"tensor '{self.name}' has {stop - start} bytes for {count} numbers")
            found = list(struct.unpack_from(f"<{count}{code}", message.data, start))
        elif self.data_type == 1:
            found = message.floats(4)
        elif self.data_type == 11:
            found = message.floats(10, size=8)
        elif self.data_type == 10:
            return None
        else:
            found = [*message.integers({7: 7, 12: 11, 13: 11}.get(self.data_type, 5))]
        return tuple(found) if len(found) == count else None

    def first_numbers(self, most: int) -> tuple[float, ...]:
        """The first of its numbers in row order, also of a large one whose bytes are cut off behind them."""
        code = STRUCT.get(self.data_type)
        if code is None or self.message is None or 9 not in self.message:
            return self.numbers(most) or ()
        start, stop = self.message.spans(9)[-1]
        count = min(most, (stop - start) // struct.calcsize(f"<{code}"))
        return struct.unpack_from(f"<{count}{code}", self.message.data, start)


@dataclass(slots=True)
class Graphs:
    """Subgraphs of an attribute (of If, Loop, Scan), and the tensors that their nodes read."""

    places: tuple[Place, ...]
    reads: frozenset[str]

    @property
    def graphs(self) -> list[Graph]:
        """What they are."""
        return [_graph(Message(data, *span)) for data, span in self.places]


@dataclass(slots=True)
class Reference:
    """Inside a function: the attribute of the call whose value this one takes."""

    name: str


Attribute = int | float | str | Tensor | Graphs | Reference | list[int] | list[float] | list[str]


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
    place: Place | None = None
    """Where its message stands."""

    @property
    def content(self) -> bytes:
        """Its message, without subgraphs and large tensors; empty for a node that is not the file's."""
        if self.place is None:
            return b""
        data, span = self.place
        return b"".join(
            written(data, number, field)
            for number, field in Message(data, *span).every()
            if number != 5 or field[3] - field[2] <= PAYLOAD
        )

    @property
    def label(self) -> str:
        """How messages call it."""
        output = next(filter(None, self.outputs), "")
        named = self.name or (f"→ {output}" if output else "")
        return f"{self.op} '{named}'"

    @property
    def reads(self) -> list[str]:
        """The tensors that it reads, those of its subgraphs included."""
        names = [name for name in self.inputs if name]
        for value in self.attributes.values():
            if isinstance(value, Graphs):
                names += sorted(value.reads)
        return names

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

    def words(self, name: str) -> tuple[str, ...]:
        """An attribute of several strings; empty where the node does not have it."""
        value = self.attributes.get(name, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise Malformed(f"attribute '{name}' must be strings, not {value!r}")
        return tuple(str(word) for word in value)

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
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Graph:
    """The graph of a file; `infos` are the tensors in between whose shapes it states."""

    nodes: list[OnnxNode]
    tensors: dict[str, Tensor]
    inputs: list[ValueInfo]
    outputs: list[ValueInfo]
    infos: dict[str, ValueInfo]


@dataclass(slots=True)
class Function:
    """An operator that the file defines by other operators."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: list[OnnxNode]
    defaults: dict[str, Attribute]


@dataclass(slots=True)
class Model:
    """A file: its graph, who wrote it, the version of the standard operators, and functions by domain and name."""

    graph: Graph | None
    producer: str
    opset: int
    functions: dict[tuple[str, str], Function]


def parse_model(data: bytes) -> Model:
    """The model of a file's bytes, in one walk that steps over the weights. Raises `Damaged`."""
    model = Message(data)
    graphs = [_graph(message) for message in model.messages(7)]
    opsets = {message.text(1): message.integer(2, 1) for message in model.messages(8)}
    functions = {(message.text(10), message.text(1)): _function(message) for message in model.messages(25)}
    producer = f"{model.text(2)} {model.text(3)}".strip()
    return Model(graphs[-1] if graphs else None, producer, opsets.get("", opsets.get("ai.onnx", 1)), functions)


def _graph(message: Message) -> Graph:
    tensors = [_tensor(inner) for inner in message.messages(5)]
    for sparse in message.messages(15):
        for values in sparse.messages(1):
            tensor = _tensor(values)
            tensors.append(Tensor(tensor.name, tuple(sparse.integers(3)), tensor.data_type, None))
    infos = [_value_info(inner) for inner in message.messages(13)]
    _tell_apart(tensors, infos, message)
    return Graph(
        nodes=[_node(inner) for inner in message.messages(1)],
        tensors={tensor.name: tensor for tensor in tensors},
        inputs=[_value_info(inner) for inner in message.messages(11)],
        outputs=[_value_info(inner) for inner in message.messages(12)],
        infos={info.name: info for info in infos},
    )


KIND = "pkg.torch.export.graph_signature.InputSpec.kind"
PARAMETER = "PARAMETER"
FOLDED = "pkg.onnxscript.optimizer.folded_from"
SIGNATURE = "pkg.torch.export.ExportedProgram.graph_signature"
"""Where PyTorch's exporter notes what a tensor was, of which tensors it was computed, and which are parameters; what
convcalc's own files note at tensors, and at nodes that fill them."""
COMPUTED = re.compile(r"val_\d+")
"""What it calls values that no module has a name for."""


def _tell_apart(tensors: list[Tensor], infos: list[ValueInfo], graph: Message) -> None:
    """Note which tensors are no parameters, where the file says so."""
    said = {pair.text(1): pair.text(2) for pair in graph.messages(16)}
    if SIGNATURE not in said:
        return
    parameters = set(re.findall(r"PARAMETER target='([^']*)'", said[SIGNATURE]))
    notes = {info.name: info.metadata for info in infos}
    for tensor in tensors:
        note = notes.get(tensor.name, {})
        if KIND in note:
            tensor.learned = note[KIND] == PARAMETER
        elif FOLDED in note:
            tensor.source = next((name for name in re.findall(r"'([^']*)'", note[FOLDED]) if name in parameters), "")
            tensor.learned = bool(tensor.source)
        elif COMPUTED.fullmatch(tensor.name):
            tensor.learned = False


def _function(message: Message) -> Function:
    return Function(
        inputs=tuple(message.texts(4)),
        outputs=tuple(message.texts(5)),
        nodes=[_node(inner) for inner in message.messages(7)],
        defaults=_attributes(message.messages(11), 0),
    )


def _node(message: Message, depth: int = 0) -> OnnxNode:
    domain = message.text(7)
    return OnnxNode(
        op=message.text(4),
        name=message.text(3),
        domain="" if domain == "ai.onnx" else domain,
        inputs=tuple(message.texts(1)),
        outputs=tuple(message.texts(2)),
        attributes=_attributes(message.messages(5), depth),
        metadata={pair.text(1): pair.text(2) for pair in message.messages(9)},
        place=(message.data, message.span),
    )


def _attributes(messages: Iterable[Message], depth: int) -> dict[str, Attribute]:
    found = {message.text(1): _attribute(message, depth) for message in messages}
    return {name: value for name, value in found.items() if value is not None}


def _attribute(message: Message, depth: int) -> Attribute | None:
    if 21 in message:
        return Reference(message.text(21))
    kind = message.integer(20)
    # Attribute types 1 … 8 are float, int, string, tensor, graph, floats, ints, strings, in fields 2 … 9;
    # 10 is graphs in field 11. Files before IR version 2 leave the type out.
    number = {10: 11}.get(kind, kind + 1) if kind else next((n for n in message.fields if n not in (1, 20)), 0)
    if number == 2:
        return [0.0, *message.floats(2)][-1]
    if number == 3:
        return message.integer(3)
    if number == 4:
        return message.text(4)
    if number == 5:
        tensors = [_tensor(inner) for inner in message.messages(5)]
        return tensors[-1] if tensors else None
    if number in (6, 11):
        graphs = tuple(message.messages(number))
        places = tuple((graph.data, graph.span) for graph in graphs)
        return Graphs(places, _reads(graphs, depth + 1)) if graphs else None
    if number == 7:
        return message.floats(7)
    if number == 8:
        return message.integers(8)
    return message.texts(9) if number == 9 else None


def _reads(graphs: Iterable[Message], depth: int) -> frozenset[str]:
    """Every tensor that the nodes of subgraphs read, wherever it comes from."""
    if depth > DEEPEST:
        raise Damaged(f"subgraphs nest deeper than {DEEPEST}")
    names: set[str] = set()
    for graph in graphs:
        for message in graph.messages(1):
            node = _node(message, depth)
            names.update(node.inputs, node.reads)
        names.update(output.text(1) for output in graph.messages(12))
    return frozenset(names)


def _tensor(message: Message) -> Tensor:
    external = message.integer(14) == 1
    kinds = [pair.text(2) for pair in message.messages(16) if pair.text(1) == KIND]
    dims, learned = tuple(message.integers(1)), all(kind == PARAMETER for kind in kinds)
    return Tensor(message.text(8), dims, message.integer(2), None if external else message, learned)


def _value_info(message: Message) -> ValueInfo:
    info = ValueInfo(message.text(1), metadata={pair.text(1): pair.text(2) for pair in message.messages(4)})
    for kind in message.messages(2):
        info.tensor = not any(number in kind for number in (4, 5, 8, 9))
        for tensor in kind.messages(1):
            for shape in tensor.messages(2):
                info.dims = tuple(_dim(dim) for dim in shape.messages(1))
    return info


def _dim(message: Message) -> Dim:
    return message.integer(1) if 1 in message else message.text(2) or None
