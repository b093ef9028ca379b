"""The graph before it is converted: functions written out, nodes in order, what leads to no output left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from .model import Attribute, Graph, Graphs, Malformed, Model, OnnxNode, Reference

MOST_NODES = 1_000_000
DEEPEST_CALL = 64

WEIGHT_POSITIONS = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "BatchNormalization": (1, 2, 3, 4),
    "InstanceNormalization": (1, 2),
    "LayerNormalization": (1, 2),
    "GroupNormalization": (1, 2),
    "PRelu": (1,),
}
"""Inputs that hold weights: what the graph leaves open there and nowhere else is a weight."""


def reads(node: OnnxNode) -> list[str]:
    """The tensors that a node reads, those of its subgraphs included."""
    names = [name for name in node.inputs if name]
    if node.nested:
        for value in node.attributes.values():
            if isinstance(value, Graphs):
                names += sorted(value.reads)
    return names


def inlined(model: Model, nodes: list[OnnxNode]) -> list[OnnxNode]:
    """The nodes, with calls of the file's own functions replaced by what they do. Raises `Malformed`."""
    if not model.functions:
        return nodes
    result: list[OnnxNode] = []
    pending = deque((node, 0) for node in nodes)
    calls = 0
    while pending:
        node, depth = pending.popleft()
        function = model.functions.get((node.domain, node.op))
        if function is None:
            result.append(node)
            continue
        calls += 1
        if depth >= DEEPEST_CALL or len(result) + len(pending) > MOST_NODES:
            raise Malformed(f"function '{node.op}' calls itself, or makes more than {MOST_NODES} nodes")
        prefix = f"{node.name or node.op}#{calls}/"
        names = dict(zip(function.inputs, node.inputs, strict=False))
        names |= dict.fromkeys(function.inputs[len(node.inputs) :], "")
        names |= dict(zip(function.outputs, node.outputs, strict=False))
        body = [
            _instance(inner, names, prefix, {**function.defaults, **node.attributes}, node) for inner in function.nodes
        ]
        pending.extendleft((inner, depth + 1) for inner in reversed(body))
    return result


def _instance(
    inner: OnnxNode, names: dict[str, str], prefix: str, given: dict[str, Attribute], call: OnnxNode
) -> OnnxNode:
    """A function's node with the tensors and attributes of one call."""

    def renamed(tensors: Iterable[str]) -> tuple[str, ...]:
        return tuple(name and names.get(name, prefix + name) for name in tensors)

    attributes: dict[str, Attribute] = {}
    for key, value in inner.attributes.items():
        if not isinstance(value, Reference):
            attributes[key] = value
        elif value.name in given:
            attributes[key] = given[value.name]
    return OnnxNode(
        inner.op,
        f"{call.name}/{inner.name or inner.op}" if call.name else inner.name,
        inner.domain,
        renamed(inner.inputs),
        renamed(inner.outputs),
        attributes,
        call.metadata,
    )


def ordered(graph: Graph, nodes: list[OnnxNode]) -> list[OnnxNode]:
    """The nodes so that each stands behind those that it reads. Raises `Malformed` for cycles and missing tensors."""
    known = {"", *graph.tensors, *(info.name for info in graph.inputs)}
    made: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.outputs:
            if name and (name in made or name in known):
                raise Malformed(f"{node.label} gives tensor '{name}', which exists already")
            made[name] = index
    sorted_already = True
    for node in nodes:
        sorted_already = sorted_already and all(name in known for name in node.inputs)
        known.update(node.outputs)
    for node in nodes:
        for name in node.inputs:
            if name not in known:
                raise Malformed(f"{node.label} reads tensor '{name}', which nothing gives")
    return nodes if sorted_already else _sorted(nodes, made)


def _sorted(nodes: list[OnnxNode], made: dict[str, int]) -> list[OnnxNode]:
    waits = [len({made[name] for name in reads(node) if name in made}) for node in nodes]
    followers: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        for source in {made[name] for name in reads(node) if name in made}:
            followers[source].append(index)
    ready = deque(index for index, count in enumerate(waits) if count == 0)
    result: list[OnnxNode] = []
    while ready:
        index = ready.popleft()
        result.append(nodes[index])
        for follower in followers[index]:
            waits[follower] -= 1
            if waits[follower] == 0:
                ready.append(follower)
    if len(result) < len(nodes):
        stuck = next(node for node, count in zip(nodes, waits, strict=True) if count > 0)
        raise Malformed(f"the graph is a cycle: {stuck.label} reads what comes of it")
    return result


def living(graph: Graph, nodes: list[OnnxNode]) -> tuple[list[OnnxNode], list[OnnxNode]]:
    """(the nodes that lead to an output, those that do not), both in order."""
    needed = {info.name for info in graph.outputs}
    alive: list[OnnxNode] = []
    dead: list[OnnxNode] = []
    for node in reversed(nodes):
        if any(name in needed for name in node.outputs if name):
            needed.update(reads(node))
            alive.append(node)
        else:
            dead.append(node)
    return alive[::-1], dead[::-1]


def open_weights(graph: Graph, nodes: list[OnnxNode]) -> set[str]:
    """Inputs of the graph without an initialiser that are read as weights alone."""
    opened = {info.name for info in graph.inputs} - graph.tensors.keys()
    weights: set[str] = set()
    data: set[str] = set()
    for node in nodes:
        places = WEIGHT_POSITIONS.get(node.op, ())
        for position, name in enumerate(node.inputs):
            if name in opened:
                (weights if position in places else data).add(name)
        data.update(name for name in reads(node) if name in opened and name not in node.inputs)
    return weights - data
