"""Loops that run a constant number of times, written out: each turn's nodes with tensors of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import NamedTuple, Protocol

from .branches import DEEPEST, Converting
from .messages import Graph, Graphs, Malformed, OnnxNode
from .stated import Shapeless
from .values import Call, Constant

MOST_TURNS = 4096
"""Of one loop."""
MOST_INSIDE = 50_000
"""Nodes of all loops of a file, written out."""


class Turn(NamedTuple):
    """One turn of a loop."""

    nodes: list[OnnxNode]
    condition: str
    """The tensor that says whether another turn follows."""
    carried: list[str]
    """What the next turn begins with, or the loop gives."""
    scanned: list[str]
    """What the loop gives of every turn, one behind the other."""


class Looping(Converting, Protocol):
    """What converts the nodes of a graph, and counts those of its loops."""

    inside_loops: int
    """Nodes of loops that were written out."""


def loop(conversion: Looping, node: OnnxNode, depth: int) -> bool:
    """Convert the nodes of all turns of a loop; False where their number is not constant, or the loop too large.

    Raises `Shapeless` where it may end before its last turn.
    """
    b = conversion.builder
    body, count = body_of(node), turns_of(b.call)
    if body is None or count is None or depth > DEEPEST:
        return False
    conversion.inside_loops += count * len(body.nodes)
    if conversion.inside_loops > MOST_INSIDE:
        return False
    for name, tensor in body.tensors.items():
        b.values.setdefault(name, Constant.of(tensor, name))
    own = next(filter(None, node.outputs))
    condition, carried = "".join(node.inputs[1:2]) or f"{own}#goes_on", list(node.inputs[2:])
    b.values.setdefault(f"{own}#goes_on", Constant((), (1,)))
    scanned: list[list[str]] = []
    for position in range(count):
        prefix = f"{own}#{position}/"
        b.values[f"{prefix}turn"] = Constant((), (position,))
        one = turn(node, body, f"{prefix}turn", condition, carried, prefix)
        b.uses.update(name for inner in one.nodes for name in inner.reads)
        b.uses.update((*one.carried, *one.scanned))
        for inner in one.nodes:
            conversion.convert(inner, depth + 1)
        condition, carried = one.condition, one.carried
        scanned.append(one.scanned)
        holds = b.values.get(condition)
        if not (isinstance(holds, Constant) and holds.scalar == 1):
            raise Shapeless("whether it goes on depends on what flows")
    for name, inside in zip(node.outputs, carried, strict=False):
        conversion.same(name, inside)
    for name, *parts in zip(node.outputs[len(carried) :], *scanned, strict=False):
        for inner in stacked(node, name, parts) if name else ():
            b.uses.update(inner.inputs)
            conversion.convert(inner, depth + 1)
    return True


def body_of(node: OnnxNode) -> Graph | None:
    """What a loop does in one turn; None where the file does not say it, or it has subgraphs of its own."""
    value = node.attributes.get("body")
    body = value.graphs[0] if isinstance(value, Graphs) and len(value.graphs) == 1 else None
    if body is None or any(isinstance(inner, Graphs) for node in body.nodes for inner in node.attributes.values()):
        return None
    return body


def turns_of(call: Call) -> int | None:
    """How many times a loop runs if its condition holds; None where that depends on what flows, or has no end."""
    most, condition = call.value(0), call.value(1)
    numbers = most.numbers if isinstance(most, Constant) and prod(most.shape) == 1 else None
    holds = condition is None or (isinstance(condition, Constant) and condition.scalar == 1)
    if numbers is None or not holds or not 0 <= numbers[0] <= MOST_TURNS:
        return None
    return int(numbers[0])


def turn(node: OnnxNode, body: Graph, number: str, condition: str, carried: list[str], prefix: str) -> Turn:
    """One turn, of the tensors that hold its number and condition, and of what the one before it carries on."""
    given = [number, condition, *carried]
    if len(body.inputs) != len(given) or len(body.outputs) < 1 + len(carried):
        raise Malformed(f"its body takes {len(body.inputs)} tensors and gives {len(body.outputs)}, not {len(given)}")
    names = dict(zip((info.name for info in body.inputs), given, strict=True))
    own = {name for inner in body.nodes for name in inner.outputs if name}
    names |= {name: prefix + name for name in own}
    nodes = [_renamed(inner, names) for inner in body.nodes]
    found = [names.get(info.name, info.name) for info in body.outputs]
    return Turn(nodes, found[0], found[1 : 1 + len(carried)], found[1 + len(carried) :])


def _renamed(node: OnnxNode, names: Mapping[str, str]) -> OnnxNode:
    inputs, outputs = (tuple([names.get(name, name) for name in own]) for own in (node.inputs, node.outputs))
    return replace(node, inputs=inputs, outputs=outputs)


def stacked(node: OnnxNode, output: str, parts: list[str]) -> list[OnnxNode]:
    """The nodes that put tensors behind each other on a new first axis."""
    apart = [f"{output}#{position}" for position in range(len(parts))]
    made = [
        OnnxNode("Unsqueeze", node.name, "", (part,), (name,), {"axes": [0]}, node.metadata)
        for part, name in zip(parts, apart, strict=True)
    ]
    return [*made, OnnxNode("Concat", node.name, "", tuple(apart), (output,), {"axis": 0}, node.metadata)]
