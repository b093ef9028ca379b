"""Sequences of tensors: known while a graph is converted, so that nothing of them is left in the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .messages import Attribute, Malformed, OnnxNode
from .values import Call, Constant, counted

SEQUENCES = frozenset(
    {
        "ConcatFromSequence",
        "SequenceAt",
        "SequenceConstruct",
        "SequenceEmpty",
        "SequenceErase",
        "SequenceInsert",
        "SequenceLength",
        "SplitToSequence",
    }
)
"""Operators that make, change or read a sequence."""
MOST_TENSORS = 4096
"""In a sequence."""

Sequences = Mapping[str, tuple[str, ...]]


@dataclass
class Meant:
    """What a node on sequences comes to."""

    sequences: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Sequences that it gives -> their tensors."""
    tensors: dict[str, str] = field(default_factory=dict)
    """Tensors that it gives -> the tensor that each is."""
    nodes: list[OnnxNode] = field(default_factory=list)
    """Nodes on tensors that stand for it."""


def sequence_of(call: Call, known: Sequences) -> Meant | None:
    """What a node on sequences comes to; None where that depends on the numbers that flow. Raises `Malformed`."""
    node, (output, *_) = call.node, call.node.outputs or ("",)
    tensors = known.get(node.inputs[0], ()) if node.inputs else ()
    match node.op:
        case "SequenceEmpty":
            return Meant({output: ()})
        case "SequenceConstruct":
            return Meant({output: tuple(node.inputs)})
        case "SequenceLength":
            return _counted(call, len(tensors))
        case "ConcatFromSequence":
            return Meant(nodes=_joined(node, tensors))
        case "SplitToSequence":
            return _split(call)
    insert = node.op == "SequenceInsert"
    at = _position(call, 2 if insert else 1, len(tensors) + insert)
    if at is None:
        return None
    if node.op == "SequenceAt":
        return Meant(tensors={output: tensors[at]})
    if insert and len(tensors) >= MOST_TENSORS:
        raise Malformed(f"its sequence has more than {MOST_TENSORS} tensors")
    return Meant({output: (*tensors[:at], *((node.inputs[1],) if insert else ()), *tensors[at + (not insert) :])})


def _position(call: Call, place: int, count: int) -> int | None:
    """The position that an input gives among `count`, by default the last."""
    value = call.value(place)
    if place >= len(call.node.inputs) or not call.node.inputs[place]:
        found = count - 1
    elif isinstance(value, Constant) and value.scalar is not None:
        found = int(value.scalar) + count * (value.scalar < 0)
    else:
        return None
    if not 0 <= found < count:
        raise Malformed(f"its sequence of {count} has no such position")
    return found


def _counted(call: Call, count: int) -> Meant:
    node = OnnxNode("Constant", call.node.name, "", (), call.node.outputs[:1], {"value_int": count}, {})
    return Meant(nodes=[node])


def _joined(node: OnnxNode, tensors: tuple[str, ...]) -> list[OnnxNode]:
    """The Concat of a sequence's tensors, which get an axis of their own first where `new_axis` says so."""
    axis, made = node.integer("axis"), list(tensors)
    nodes = []
    if node.integer("new_axis"):
        made = [f"{node.outputs[0]}/{position}" for position in range(len(tensors))]
        for name, tensor in zip(made, tensors, strict=True):
            nodes.append(OnnxNode("Unsqueeze", node.name, "", (tensor,), (name,), {"axes": [axis]}, node.metadata))
    nodes.append(OnnxNode("Concat", node.name, "", tuple(made), node.outputs[:1], {"axis": axis}, node.metadata))
    return nodes


def _split(call: Call) -> Meant | None:
    """The Split of a tensor: into parts of one size, of given sizes, or of size 1 that may lose their axis."""
    node, dims = call.node, call.dims()
    axis = counted(node.integer("axis"), len(dims))
    size, given = dims[axis], call.value(1)
    if given is None:
        parts = [1] * size if size <= MOST_TENSORS else []
    elif not isinstance(given, Constant) or given.numbers is None:
        return None
    elif given.shape:
        parts = [int(number) for number in given.numbers]
    else:
        each = int(given.numbers[0])
        fits = each > 0 and size // each < MOST_TENSORS
        parts = [min(each, size - start) for start in range(0, size, each)] if fits else []
    if not parts or len(parts) > MOST_TENSORS:
        raise Malformed(f"its parts {parts[:8]} are none, or more than {MOST_TENSORS}")
    names = [f"{node.outputs[0]}/{position}" for position in range(len(parts))]
    attributes: dict[str, Attribute] = {"axis": axis, "split": parts}
    nodes = [OnnxNode("Split", node.name, "", node.inputs[:1], tuple(names), attributes, node.metadata)]
    if given is None and not node.integer("keepdims", 1):
        flat = [f"{name}/squeezed" for name in names]
        for name, tensor in zip(flat, names, strict=True):
            nodes.append(OnnxNode("Squeeze", node.name, "", (tensor,), (name,), {"axes": [axis]}, node.metadata))
        names = flat
    return Meant({node.outputs[0]: tuple(names)}, nodes=nodes)
