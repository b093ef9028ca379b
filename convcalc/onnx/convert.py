"""A model's graph -> steps, from the values that flow in to those that it puts out."""

from __future__ import annotations

from collections import Counter
from math import prod

from ..geometry import LIMIT, TooLarge
from ..layers.base import Shape
from ..layers.opaque import Opaque
from ..limits import LIST_VALUES
from .builder import Builder, Step
from .graph import Inputs, inlined, living, open_weights, ordered
from .learned import frozen_norms, is_buffer, is_half_zero, recurrent_biases
from .messages import Graph, Malformed, Model, OnnxNode, ValueInfo
from .nodes import Nodes
from .stated import Stated
from .values import Activation, Constant


class Conversion:
    """What came of a graph, before its layers have names."""

    def __init__(self, model: Model, graph: Graph, path: str, inputs: Inputs) -> None:
        self.model = model
        self.graph = graph
        self.lost_outputs: list[str] = []
        """Why the shapes of outputs are not known."""
        nodes, self.dead = living(graph, ordered(graph, inlined(model, graph.nodes)))
        self.weights_left_open = open_weights(graph, nodes, model.opset)
        uses = Counter(name for node in nodes for name in node.reads)
        uses.update(info.name for info in graph.outputs)
        self.builder = Builder(model.opset, uses)
        self._inputs, stated = inputs, Stated(graph, inputs)
        self._nodes = Nodes(self.builder, stated, path)
        self._enter(nodes)
        try:
            for node in nodes:
                self._nodes.convert(node)
        finally:
            stated.close()
        self.outputs = self._leave()

    @property
    def reasons(self) -> dict[str, list[str]]:
        """Operator -> why its nodes are opaque, once a node."""
        return self._nodes.reasons

    @property
    def lost_weights(self) -> dict[str, Shape]:
        """Learned tensors that are read where shapes are not known."""
        return self._nodes.lost_weights

    def _enter(self, nodes: list[OnnxNode]) -> None:
        """Inputs and initialisers as values."""
        values, frozen, biases = self.builder.values, frozen_norms(nodes), recurrent_biases(nodes)
        for name, tensor in self.graph.tensors.items():
            if len(tensor.dims) > LIST_VALUES:
                raise Malformed(f"tensor '{name}' has {len(tensor.dims):,} axes")
            if min(tensor.dims, default=0) < 0:
                raise Malformed(f"tensor '{name}' has the shape {list(tensor.dims)}")
            values[name] = held = Constant.of(tensor, name, learned=not is_buffer(tensor, frozen))
            if name in biases and is_half_zero(tensor):
                held.stored = {name: (tensor.dims[0], tensor.dims[1] // 2)}
        for info in self.graph.inputs:
            if info.name in values:
                continue
            if info.name in self.weights_left_open:
                values[info.name] = _open_weight(info)
            elif self.builder.uses.get(info.name):
                dims = self._inputs.dims[info.name]
                batched = info.name not in self._inputs.without_batch
                shape = dims[1:] if batched else dims
                if prod(shape) > LIMIT:
                    raise TooLarge(f"input '{info.name}'", prod(shape))
                node = OnnxNode("input", info.name, "", (), (info.name,), {}, {})
                self.builder.steps.append(Step(None, (), shape, node))
                values[info.name] = Activation(len(self.builder.steps) - 1, dims, batched)

    def _leave(self) -> list[tuple[str, int]]:
        """(name, step) of the graph's outputs that depend on its inputs; an input that is put out gets a layer.

        Where the shape of an output is lost, what is known last before it stands in its place.
        """
        found: list[tuple[str, int]] = []
        why = self._nodes.lost
        lost = [info.name for info in self.graph.outputs if info.name in why]
        self.lost_outputs = list(dict.fromkeys(why[name] for name in lost))
        for info in self.graph.outputs:
            value = self.builder.values.get(info.name)
            if isinstance(value, Activation):
                self.builder.begin(OnnxNode("Identity", "", "", (), (info.name,), {}, {}))
                if not value.batched and len(value.dims) > 1 and value.dims[0] == 1 and self._inputs.have_batch:
                    value = self.builder.relayout(value, value.dims, batched=True)
                if self.builder.steps[value.step].layer is None:
                    value = self.builder.emit("identity", {}, value)
                found.append((info.name, value.step))
            elif value is None and info.name not in why:
                raise Malformed(f"output '{info.name}' is given by nothing")
        if lost:
            found += [("", step) for step in self._last_known({step for _, step in found})]
        if not found:
            raise Malformed(why[lost[0]] if lost else "no output depends on an input")
        return found

    def _last_known(self, put_out: set[int]) -> list[int]:
        """The steps that are read where shapes are lost, and that lead to no other of them and to no output."""
        steps, inside = self.builder.steps, set[int]()
        ends = {step for step in self._computed_ends() if steps[step].layer is not None}
        found: list[int] = []
        for index in reversed(range(len(steps))):
            if index in ends and index not in inside and index not in put_out:
                found.append(index)
            if index in inside or index in ends or index in put_out:
                inside.update(steps[index].inputs)
        return found[::-1]

    def _computed_ends(self) -> set[int]:
        """The ends before what chooses among numbers: comparisons, the largest of them, and what is picked by these."""
        steps, ends = self.builder.steps, self._nodes.ends
        chosen: set[int] = set()
        for index, step in enumerate(steps):
            if step.layer is not None and not step.weights and not step.layer.weighted:
                opaque = isinstance(step.layer, Opaque)
                if opaque or not chosen.isdisjoint(step.inputs):
                    chosen.add(index)
        found, pending, seen = set[int](), list(ends), set[int]()
        while pending:
            end = pending.pop()
            if end not in chosen:
                found.add(end)
            elif end not in seen:
                pending += steps[end].inputs
            seen.add(end)
        return found if any(steps[end].layer is not None for end in found) else set(ends)


def _open_weight(info: ValueInfo) -> Constant:
    dims = info.dims
    if dims is None or not all(isinstance(dim, int) and dim > 0 for dim in dims):
        raise Malformed(f"input '{info.name}' is a weight of open size")
    return Constant(tuple(dim for dim in dims if isinstance(dim, int)), name=info.name, floating=True)
