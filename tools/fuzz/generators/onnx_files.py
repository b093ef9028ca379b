"""ONNX files: small graphs that are right, most of them, written field by field; and damaged trees and bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from math import inf
from pathlib import Path
from random import Random

from ..case import Case
from . import words
from .mutations import changed_bytes

Message = list[tuple[int, "int | float | bytes | Message"]]
"""The fields of a message in their order: number and value. Source: onnx/onnx.proto, whose numbers these are."""
FLOAT, INT, TEXT, INTS = 1, 2, 3, 7
"""AttributeProto.AttributeType."""
FLOAT32, INT64 = 1, 7
"""TensorProto.DataType."""
ODD = (
    *(
        "Mean",
        "BitShift",
        "Sub",
        "Einsum",
        "Expand",
        "Split",
        "ReduceMean",
        "Resize",
        "Constant",
        "Shape",
        "Gather",
        "If",
    ),
    *("Unsqueeze", "Squeeze", "MatMul", "Clip", "ConvTranspose", "Loop", "Where", "Range", "ConstantOfShape", "Cast"),
)
"""Operators that are given inputs and attributes at random."""
LARGEST = 200_000
"""The most fields of a file, which copies of copies would pass a thousandfold."""
EDGES = (0, 1, 2, 3, -1, -2, 7, 255, 2**31 - 1, 2**31, 2**62, 2**63 - 1, -(2**63))
COMMANDS = (
    *(("import", "m.onnx"), ("import", "m.onnx"), ("table", "m.onnx"), ("table", "m.onnx", "--format", "json")),
    *(
        ("check", "m.onnx"),
        ("check", "m.onnx", "--advice", "--format", "json"),
        ("check", "m.onnx", "--format", "sarif"),
    ),
    *(("explain", "m.onnx"), ("diff", "m.onnx", "lenet5"), ("export", "m.onnx", "--to", "torch")),
    *(("export", "m.onnx", "--to", "svg"), ("export", "m.onnx", "--to", "onnx"), ("sizes", "m.onnx", "--to", "32")),
    *(
        ("invert", "m.onnx"),
        ("import", "m.onnx", "--input", "3,8,8"),
        ("verify", "m.onnx", "--quick", "--max-memory", "50M"),
    ),
)


def case(random: Random) -> Case:
    """A file, and a command that reads it."""
    return of_file(random, file(random))


def of_file(random: Random, data: bytes) -> Case:
    """A command that reads this file."""
    return Case(random.choice(COMMANDS), files={"m.onnx": data}, ci=random.random() < 0.5)


def file(random: Random) -> bytes:
    """Most often a graph that fits together, else one that was damaged."""
    chance = random.random()
    if chance < 0.6:
        return encode(model(random))
    if chance < 0.85:
        return encode(damaged(random, model(random)))
    if chance < 0.93 or not _packaged():
        return changed_bytes(random, encode(model(random)))
    return changed_bytes(random, random.choice(_packaged()))


@cache
def _packaged() -> tuple[bytes, ...]:
    """Small files that the onnx package has for its own tests."""
    package = find_spec("onnx")
    if package is None or package.origin is None:
        return ()
    folder = Path(package.origin).parent / "backend" / "test" / "data"
    paths = [
        p for name in ("simple", "pytorch-converted", "pytorch-operator") for p in folder.glob(f"{name}/*/model.onnx")
    ]
    return tuple(path.read_bytes() for path in sorted(paths) if path.stat().st_size < 10_000)


def varint(number: int) -> bytes:
    """A number as protobuf writes it: seven bits a byte, the last ones first.

    >>> varint(300).hex(), len(varint(-1))
    ('ac02', 10)
    """
    number &= 2**64 - 1
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def encode(message: Message) -> bytes:
    """A message in protobuf's wire format. Source: protobuf.dev/programming-guides/encoding."""
    found = bytearray()
    for number, value in message:
        if isinstance(value, int):
            found += varint(number << 3) + varint(value)
        elif isinstance(value, float):
            found += varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            content = value if isinstance(value, bytes) else encode(value)
            found += varint(number << 3 | 2) + varint(len(content)) + content
    return bytes(found)


def damaged(random: Random, message: Message) -> Message:
    """A message with one to three fields at any depth taken out, doubled, moved, renumbered or given another value."""
    for _ in range(random.choice((1, 1, 2, 3))):
        parent = random.choice(_messages(message))
        if not parent:
            continue
        at = random.randrange(len(parent))
        number, value = parent[at]
        match random.randrange(7):
            case 0:
                del parent[at]
            case 1:
                parent[at:at] = [parent[at]] * random.choice((1, 1, 1, 3, 3, 200, 20_000))
            case 2:
                parent.append(parent.pop(at))
            case 3:
                parent[at] = (random.choice((1, 2, 3, 4, 5, 7, 8, 9, 13, 20, number + 1)), value)
            case 4:
                parent[at] = (number, random.choice(EDGES))
            case 5:
                parent[at] = (number, words.text(random, 1).encode("utf-8", "replace"))
            case _:
                parent[at] = (number, float("nan") if isinstance(value, float) else random.choice(_messages(message)))
    return message if _written(message, {}) <= LARGEST else []


def _messages(message: Message) -> list[Message]:
    """A message and those inside it, without those that damage put into themselves."""
    found, waiting, seen = [], [message], set()
    while waiting:
        current = waiting.pop()
        if id(current) not in seen:
            seen.add(id(current))
            found.append(current)
            waiting += [value for _, value in current if isinstance(value, list)]
    return found


def _written(message: Message, known: dict[int, float]) -> float:
    """How many fields a message has when it is written, each message counted once; infinite where it holds itself.

    >>> leaf: Message = [(1, 1)]
    >>> twice: Message = [(2, leaf)] * 3
    >>> _written(twice, {})
    6
    >>> leaf.append((3, twice))
    >>> _written(twice, {})
    inf
    """
    if id(message) not in known:
        known[id(message)] = inf
        known[id(message)] = len(message) + sum(
            _written(value, known) for _, value in message if isinstance(value, list)
        )
    return known[id(message)]


def attribute(name: str, value: int | float | str | list[int]) -> Message:
    """An AttributeProto."""
    head: Message = [(1, name.encode())]
    if isinstance(value, list):
        return [*head, *((8, item) for item in value), (20, INTS)]
    if isinstance(value, float):
        return [*head, (2, value), (20, FLOAT)]
    if isinstance(value, str):
        return [*head, (4, value.encode()), (20, TEXT)]
    return [*head, (3, value), (20, INT)]


def tensor_info(name: str, dims: list[int | str]) -> Message:
    """A ValueInfoProto of a float tensor; a text is an open size."""
    shape: Message = [(1, [(1, dim) if isinstance(dim, int) else (2, dim.encode())]) for dim in dims]
    return [(1, name.encode()), (2, [(1, [(1, FLOAT32), (2, shape)])])]


class Graph:
    """A graph as it comes about: the tensor at its end and its dims."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.nodes: list[Message] = []
        self.tensors: list[Message] = []
        self.dims = [
            1,
            random.choice((1, 3, 4, 8)),
            *(random.choice((4, 8, 9, 16)) for _ in range(random.choice((1, 2, 2, 2, 3)))),
        ]
        self.first = list(self.dims)
        self.end = "x"
        self.older: list[tuple[str, list[int]]] = []

    def weight(self, *dims: int) -> str:
        """An initialiser without its numbers."""
        name = f"w{len(self.tensors)}"
        self.tensors.append([*((1, dim) for dim in dims), (2, FLOAT32), (8, name.encode())])
        return name

    def integers(self, values: list[int]) -> str:
        """An initialiser with whole numbers."""
        name = f"k{len(self.tensors)}"
        raw = struct.pack(f"<{len(values)}q", *values)
        self.tensors.append([(1, len(values)), (2, INT64), (8, name.encode()), (9, raw)])
        return name

    def node(
        self, operator: str, inputs: list[str], dims: list[int], **attributes: int | float | str | list[int]
    ) -> None:
        """A node that reads these tensors, and gives the new end."""
        self.older.append((self.end, self.dims))
        made = f"t{len(self.nodes)}"
        name = words.text(self.random, 0.5).encode("utf-8", "replace") if self.random.random() < 0.1 else made.encode()
        self.nodes.append(
            [
                *((1, source.encode()) for source in inputs),
                (2, made.encode()),
                *([(3, name)] if self.random.random() < 0.7 else []),
                (4, operator.encode()),
                *((5, attribute(key, value)) for key, value in attributes.items()),
            ]
        )
        self.end, self.dims = made, dims

    @property
    def rank(self) -> int:
        """Axes of space."""
        return len(self.dims) - 2


def conv(graph: Graph) -> None:
    """A convolution that keeps the space, or halves it."""
    random, channels, rank = graph.random, graph.dims[1], graph.rank
    if rank < 1:
        return relu(graph)
    out, k, stride = random.choice((2, 4, 8)), random.choice((1, 3)), random.choice((1, 1, 2))
    group = channels if random.random() < 0.15 else 1
    out = out * group if group > 1 else out
    inputs = [graph.end, graph.weight(out, channels // group, *[k] * rank)]
    inputs += [graph.weight(out)] if random.random() < 0.6 else []
    space = [(size + 2 * (k // 2) - k) // stride + 1 for size in graph.dims[2:]]
    said = {"kernel_shape": [k] * rank} if random.random() < 0.8 else {}
    graph.node("Conv", inputs, [1, out, *space], **said, pads=[k // 2] * 2 * rank, strides=[stride] * rank, group=group)
    return None


def pool(graph: Graph) -> None:
    """Windows of two, or the whole."""
    rank = graph.rank
    if rank < 1 or min(graph.dims[2:]) < 2:
        return relu(graph)
    if graph.random.random() < 0.3:
        graph.node("GlobalAveragePool", [graph.end], [*graph.dims[:2], *[1] * rank])
    else:
        kind = graph.random.choice(("MaxPool", "AveragePool"))
        graph.node(
            kind,
            [graph.end],
            [*graph.dims[:2], *(d // 2 for d in graph.dims[2:])],
            kernel_shape=[2] * rank,
            strides=[2] * rank,
        )
    return None


def relu(graph: Graph) -> None:
    """What keeps the shape."""
    kind = graph.random.choice(
        ("Relu", "Relu", "Sigmoid", "Tanh", "Identity", "LeakyRelu", "Softplus", "Dropout", "Elu", "Erf")
    )
    graph.node(kind, [graph.end], graph.dims)


def norm(graph: Graph) -> None:
    """Batch norm."""
    graph.node(
        "BatchNormalization", [graph.end, *(graph.weight(graph.dims[1]) for _ in range(4))], graph.dims, epsilon=1e-5
    )


def join(graph: Graph) -> None:
    """The sum with an older tensor, or the two side by side."""
    equal = [name for name, dims in graph.older if dims == graph.dims and name != graph.end]
    if not equal:
        return relu(graph)
    if graph.random.random() < 0.5:
        graph.node(graph.random.choice(("Add", "Mul", "Sum")), [graph.random.choice(equal), graph.end], graph.dims)
    else:
        dims = [graph.dims[0], 2 * graph.dims[1], *graph.dims[2:]]
        graph.node("Concat", [graph.random.choice(equal), graph.end], dims, axis=1)
    return None


def flat(graph: Graph) -> None:
    """Flat, and a matrix product behind it."""
    whole = 1
    for size in graph.dims[1:]:
        whole *= size
    if graph.random.random() < 0.5:
        graph.node("Flatten", [graph.end], [1, whole])
    else:
        graph.node("Reshape", [graph.end, graph.integers([1, -1])], [1, whole])
    out = graph.random.choice((2, 10))
    graph.node("Gemm", [graph.end, graph.weight(out, whole), graph.weight(out)], [1, out], transB=1)


def moved(graph: Graph) -> None:
    """Axes in another order, cut or padded."""
    rank = len(graph.dims)
    match graph.random.randrange(3):
        case 0:
            order = [0, *graph.random.sample(range(1, rank), rank - 1)]
            graph.node("Transpose", [graph.end], [graph.dims[axis] for axis in order], perm=order)
        case 1 if rank > 2:
            pads = graph.integers([0, 0, *[1] * (rank - 2)] * 2)
            graph.node("Pad", [graph.end, pads], [*graph.dims[:2], *(d + 2 for d in graph.dims[2:])])
        case _:
            parts = [graph.integers([start]) for start in (0, 1, 1)]
            graph.node("Slice", [graph.end, *parts], [graph.dims[0], 1, *graph.dims[2:]])


def odd(graph: Graph) -> None:
    """An operator with inputs and attributes that it need not take."""
    inputs = [graph.end, graph.integers([graph.random.choice(EDGES)]), graph.weight(2, 2), ""]
    chosen = graph.random.sample(inputs, graph.random.randint(0, 4))
    said: dict[str, int | float | str | list[int]] = {}
    for name in graph.random.sample(("axis", "axes", "value", "equation", "to", "kernel_shape", "perm", "mode"), 2):
        said[name] = graph.random.choice((1, -1, 2**40, 0.5, [0, 1], [], "nchw,cd->ndhw", graph.random.choice(EDGES)))
    graph.node(graph.random.choice(ODD), chosen, graph.dims, **said)


STEPS: tuple[Callable[[Graph], None], ...] = (*[conv] * 5, *[relu] * 4, pool, pool, norm, join, join, moved)


def model(random: Random) -> Message:
    """A ModelProto whose graph fits together, most often."""
    graph = Graph(random)
    for _ in range(random.choice((1, 2, 3, 4, 6))):
        random.choice(STEPS)(graph)
    if random.random() < 0.3:
        flat(graph)
    if random.random() < 0.15:
        odd(graph)
    dims: list[int | str] = [random.choice(("N", 1)), *graph.first[1:]]
    if random.random() < 0.05:
        dims = [random.choice(("H", -1, 0, 2**40, dim)) for dim in dims]
    content: Message = [(1, node) for node in graph.nodes]
    content += [(2, words.text(random).encode("utf-8", "replace"))]
    content += [(5, tensor) for tensor in graph.tensors]
    content += [(11, tensor_info("x", dims)), (12, tensor_info(graph.end, []))]
    opset = random.choice((13, 17, 17, 17, 7, 18, 23, 99, 1))
    return [(1, 8), (2, words.text(random, 0.2).encode("utf-8", "replace")), (7, content), (8, [(2, opset)])]
