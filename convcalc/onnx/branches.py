"""An If: the nodes of the branch that it takes, or one layer for what its branches give, hold and cost."""

from __future__ import annotations

from typing import Protocol

from ..layers.base import Shape
from .builder import Builder
from .graph import living
from .messages import Graph, Graphs, Malformed, OnnxNode
from .stated import Shapeless
from .values import Constant, Value

DEEPEST = 16
"""Branches of an If inside branches that are followed."""


class Converting(Protocol):
    """What converts the nodes of a graph, one by one."""

    builder: Builder
    lost: dict[str, str]
    """Tensors whose shapes are not known -> why."""
    reasons: dict[str, list[str]]
    """Operator -> why its nodes are opaque, once a node."""

    def convert(self, node: OnnxNode, depth: int) -> None:
        """Make steps of a node that stands inside so many branches."""

    def settle(self, name: str, value: Value) -> None:
        """Give a tensor its value."""

    def same(self, name: str, inside: str) -> None:
        """Let a tensor be another one, or the sequence that it is, or lost as it is."""

    def undo(self, count: int) -> None:
        """Take back the steps after the first `count`."""


def branch(conversion: Converting, node: OnnxNode, depth: int) -> bool:
    """Convert an If; False where it has no two branches, or stands too deep in others.

    Raises `Shapeless` where nothing says what its branches give.
    """
    condition = conversion.builder.call.value(0)
    number = condition.scalar if isinstance(condition, Constant) else None
    branches = [node.attributes.get(name) for name in ("then_branch", "else_branch")]
    graphs = [graph for branch in branches if isinstance(branch, Graphs) for graph in branch.graphs]
    if len(graphs) != len(branches) or depth > DEEPEST:
        return False
    if number is None:
        _either(conversion, node, graphs, depth)
    else:
        _taken(conversion, node, graphs[not number], depth)
    return True


def _taken(conversion: Converting, node: OnnxNode, graph: Graph, depth: int) -> None:
    """The nodes of the branch that is taken, in the place of the If."""
    _inside(conversion, graph, depth)
    for name, info in zip(node.outputs, graph.outputs, strict=False):
        conversion.same(name, info.name)


def _inside(conversion: Converting, graph: Graph, depth: int) -> None:
    """Convert the nodes of a subgraph, which may read all that stands before it."""
    b, lost = conversion.builder, conversion.lost
    for name, tensor in graph.tensors.items():
        b.values.setdefault(name, Constant.of(tensor, name))
    nodes, _ = living(graph, graph.nodes)
    b.uses.update(name for inner in nodes for name in inner.reads)
    b.uses.update(info.name for info in graph.outputs)
    for inner in nodes:
        missing = next((name for name in inner.reads if name not in b.values and name not in lost), None)
        if missing is not None:
            raise Malformed(f"{inner.label} reads tensor '{missing}', which nothing gives")
        conversion.convert(inner, depth + 1)


def _either(conversion: Converting, node: OnnxNode, graphs: list[Graph], depth: int) -> None:
    """The opaque layer of an If: the weights of its branches, and what the dearer one costs."""
    b, call = conversion.builder, conversion.builder.call
    held: list[Constant] = []
    costs: list[int] = []
    given: list[list[Shape | None]] = []
    for graph in graphs:
        count, known = len(b.steps), len(b.values)
        _inside(conversion, graph, depth)
        steps = b.steps[count:]
        held += [b.values[name] for step in steps for name in step.weights if name in graph.tensors]  # type: ignore[misc]
        reads = [tuple([b.steps[i].shape for i in step.inputs]) for step in steps]
        costs.append(
            sum(
                step.layer.operations(read, step.shape).get("mac", 0)
                for step, read in zip(steps, reads, strict=True)
                if step.layer is not None
            )
        )
        values = [b.values.get(info.name) for info in graph.outputs]
        given.append([value.dims if value is not None else None for value in values])
        conversion.undo(count)
        while len(b.values) > known:
            b.values.popitem()
    b.call = call
    if given[0] != given[1] or None in given[0] or len(given[0]) < len(node.outputs):
        raise Shapeless("its branches give different shapes")
    reason = "which branch it takes depends on what flows"
    conversion.reasons.setdefault(node.op, []).append(reason)
    for position, name in enumerate(node.outputs):
        dims, first = given[0][position], position == 0
        if name and dims is not None:
            conversion.settle(name, b.keep(dims, first=first, reason=reason, macs=max(costs), weights=held))
