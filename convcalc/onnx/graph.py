"""The graph before it is converted: functions written out, nodes in order, dead ones left out, sizes of inputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..findings import UsageError
from ..layers.base import Shape
from .messages import Attribute, Graph, Malformed, Model, OnnxNode, Reference, Tensor, ValueInfo
from .operators import operator_of
from .wire import Excessive

MOST_NODES = 250_000
"""Nodes of a graph, calls of the file's own functions written out."""
MOST_CHARACTERS = 1 << 25
"""Of the names that writing them out makes."""
DEEPEST_CALL = 64


def inlined(model: Model, nodes: list[OnnxNode]) -> list[OnnxNode]:
    """The nodes, with calls of the file's own functions replaced by what they do. Raises `Malformed`."""
    if len(nodes) > MOST_NODES:
        raise Excessive(f"more than {MOST_NODES:,} nodes")
    if not model.functions:
        return nodes
    result: list[OnnxNode] = []
    pending = deque((node, 0) for node in nodes)
    calls = characters = 0
    while pending:
        node, depth = pending.popleft()
        function = model.functions.get((node.domain, node.op))
        if function is None:
            result.append(node)
            continue
        calls += 1
        if depth >= DEEPEST_CALL:
            raise Malformed(f"function '{node.op}' calls itself")
        prefix = f"{node.name or node.op}#{calls}/"
        characters += sum(len(prefix) * (1 + len(inner.inputs) + len(inner.outputs)) for inner in function.nodes)
        if len(result) + len(pending) + len(function.nodes) > MOST_NODES or characters > MOST_CHARACTERS:
            raise Excessive(f"more than {MOST_NODES:,} nodes where its functions are written out")
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
        inner.place,
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
    waits = [len({made[name] for name in node.reads if name in made}) for node in nodes]
    followers: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        for source in {made[name] for name in node.reads if name in made}:
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
            needed.update(node.reads)
            alive.append(node)
        else:
            dead.append(node)
    return alive[::-1], dead[::-1]


def open_weights(graph: Graph, nodes: list[OnnxNode], opset: int) -> set[str]:
    """Inputs of the graph without an initialiser that are read as weights alone."""
    opened = {info.name for info in graph.inputs} - graph.tensors.keys()
    weights: set[str] = set()
    data = {info.name for info in graph.outputs}
    for node in nodes:
        found = opened.intersection(node.reads)
        if not found:
            continue
        places = operator_of(node.domain, node.op, opset).weights
        for position, name in enumerate(node.inputs):
            if name in found:
                (weights if position in places else data).add(name)
        data |= found.difference(node.inputs)
    return weights - data


class Inputs(NamedTuple):
    """The sizes that a graph is converted for."""

    dims: dict[str, Shape]
    """ONNX's dims of the inputs that are no weights."""
    as_stated: bool
    """Whether they are those that the file states."""
    open_batches: frozenset[str]
    """Names under which the file leaves the batch open."""
    without_batch: frozenset[str]
    """Inputs whose first axis is no batch."""

    @property
    def have_batch(self) -> bool:
        """Whether an input has one."""
        return len(self.without_batch) < len(self.dims)


def input_sizes(model: Model, graph: Graph, given: object, path: str) -> Inputs:
    """The sizes of the inputs: the file's, or those that were given. Raises UsageError for open and wrong ones."""
    weights = open_weights(graph, graph.nodes, model.opset)
    read = {name for node in graph.nodes for name in node.reads} | {info.name for info in graph.outputs}
    data = read - graph.tensors.keys() - weights
    inputs = [info for info in graph.inputs if info.name in data]
    chosen = _chosen(inputs, given)
    apart = frozenset(info.name for info in inputs if not _has_batch(info, graph))
    batches = frozenset(
        info.dims[0] for info in inputs if info.name not in apart and info.dims and isinstance(info.dims[0], str)
    )
    dims = {info.name: _dims(info, chosen.get(info.name), path, info.name not in apart) for info in inputs}
    return Inputs(dims, not chosen, batches, apart)


KEEPING = frozenset({"Add", "Cast", "Clip", "Div", "Identity", "Mul", "Relu", "Sub"})
"""Operators behind which a tensor still has the axes of an input."""


def _has_batch(info: ValueInfo, graph: Graph) -> bool:
    """Whether an input's first axis is the batch: not where it has one axis, or the graph puts one before it."""
    dims = info.dims
    if dims is None:
        return True
    if len(dims) < 2:
        return False
    if not (isinstance(dims[0], int) and dims[0] > 1):
        return True
    same = {info.name}
    for node in graph.nodes:
        if not same.isdisjoint(node.inputs):
            if node.op in KEEPING:
                same.update(node.outputs)
            elif node.op == "Unsqueeze" and 0 in _new_axes(node, graph):
                return False
    return True


def _new_axes(node: OnnxNode, graph: Graph) -> tuple[float, ...]:
    """The axes of an Unsqueeze, as far as they stand in the file."""
    given = node.attributes.get("axes")
    if isinstance(given, list):
        return tuple(axis for axis in given if isinstance(axis, int))
    tensor = graph.tensors.get(node.inputs[1]) if len(node.inputs) > 1 else None
    if tensor is None:
        made = (n.attributes.get("value") for n in graph.nodes if n.op == "Constant" and n.outputs == node.inputs[1:])
        tensor = next((value for value in made if isinstance(value, Tensor)), None)
    return (tensor.numbers() or ()) if tensor is not None else ()


def _chosen(inputs: list[ValueInfo], given: object) -> dict[str, Shape]:
    if not given:
        return {}
    names = [info.name for info in inputs]
    if not isinstance(given, Mapping):
        if len(names) != 1:
            listed = ", ".join(names) or "none"
            raise UsageError(f"--input names no input, and the file has {len(names)}: {listed}", "NAME=3,224,224")
        given = {names[0]: given}
    elif len(names) == 1 and set(given) == {"input"}:
        given = {names[0]: given["input"]}
    found: dict[str, Shape] = {}
    for name, sizes in given.items():
        if name not in names:
            raise UsageError(f"the file has no input '{name}'", f"inputs: {', '.join(names)}")
        if not isinstance(sizes, (list, tuple)) or not all(isinstance(size, int) and size > 0 for size in sizes):
            raise UsageError(f"the input '{name}' takes sizes of at least 1, not {sizes!r}", "for example 3,224,224")
        found[name] = tuple(sizes)
    return found


def _dims(info: ValueInfo, given: Shape | None, path: str, batched: bool) -> Shape:
    dims = info.dims
    if dims is None:
        if not info.tensor:
            raise Malformed(f"input '{info.name}' is no tensor")
        if given is None:
            raise UsageError(f"{path} does not say what shape input '{info.name}' has", "give it: --input 3,224,224")
        return (1, *given)
    first = dims[0] if dims else None
    batch = ((first if isinstance(first, int) and first > 0 else 1),) if batched else ()
    rest = dims[1:] if batched else dims
    if given is not None:
        if len(given) != len(rest):
            beside = " beside the batch" if batched else ""
            raise UsageError(f"input '{info.name}' has {len(rest)} axes{beside}, not {len(given)}")
        return (*batch, *given)
    known = tuple(size for size in rest if isinstance(size, int) and size > 0)
    if len(known) != len(rest):
        shown = ", ".join("?" if dim is None else str(dim) for dim in dims)
        example = ",".join(str(dim) if isinstance(dim, int) and dim > 0 else "224" for dim in rest)
        raise UsageError(
            f"{path} leaves the size of input '{info.name}' open: [{shown}]",
            f"give it without the batch: --input {example}",
        )
    return (*batch, *known)
