"""A model's graph -> steps: every node becomes layers, constants, or an opaque layer; nothing is dropped unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING

from ..findings import Finding, SpecError
from ..geometry import LIMIT, GeometryError, TooLarge
from ..layers.base import Shape
from ..layers.opaque import Opaque
from .builder import Builder, Step, Unsupported
from .graph import Inputs, inlined, living, open_weights, ordered
from .learned import frozen_norms, is_buffer
from .loops import MOST_INSIDE, body_of, stacked, turn, turns_of
from .messages import Graph, Graphs, Malformed, Model, OnnxNode, Unknown, ValueInfo
from .operators import operator_of
from .operators.record import Operator
from .sequences import SEQUENCES, sequence_of
from .values import Activation, Call, Constant, Value
from .wire import Damaged

if TYPE_CHECKING:
    from .inference import Inference

DEEPEST_BRANCH = 16
"""Branches of an If inside branches that are followed."""
DEEPEST_CONSTANT = 32
"""Operators behind each other whose computation with learned tensors is followed."""


class Shapeless(Exception):
    """The shape of what a node gives is not known; the message says why."""


class Conversion:
    """What came of a graph, before its layers have names."""

    def __init__(self, model: Model, graph: Graph, data: bytes, path: str, inputs: Inputs) -> None:
        self.model = model
        self.graph = graph
        self.reasons: dict[str, list[str]] = {}
        """Operator -> why its nodes are opaque, once a node."""
        self.lost: dict[str, str] = {}
        """Tensors whose shapes are not known -> why."""
        self.lost_weights: dict[str, Shape] = {}
        """Learned tensors that are read where shapes are not known."""
        self.lost_outputs: list[str] = []
        """Why the shapes of outputs are not known."""
        self.ends: dict[int, None] = {}
        """Steps that are read where shapes are lost."""
        nodes, self.dead = living(graph, ordered(graph, inlined(model, graph.nodes)))
        self.weights_left_open = open_weights(graph, nodes, model.opset)
        uses = Counter(name for node in nodes for name in node.reads)
        uses.update(info.name for info in graph.outputs)
        self.builder = Builder(model.opset, uses)
        self.builder.computed = self._layers_of
        self._path, self._inputs = path, inputs
        self._infos = {info.name: info for info in graph.outputs} | graph.infos
        self._inference: Inference | None = None
        self._sequences: dict[str, tuple[str, ...]] = {}
        """Sequences -> the tensors in them."""
        self._inside_loops = 0
        """Nodes of loops that were written out."""
        self._learned: dict[int, Activation] = {}
        """Constants, by their identity -> the layers that compute them."""
        self._enter(nodes)
        try:
            for node in nodes:
                self._convert(node)
        finally:
            if self._inference is not None:
                self._inference.close()
        self.outputs = self._leave()

    def _enter(self, nodes: list[OnnxNode]) -> None:
        """Inputs and initialisers as values."""
        values, frozen = self.builder.values, frozen_norms(nodes)
        for name, tensor in self.graph.tensors.items():
            if min(tensor.dims, default=0) < 0:
                raise Malformed(f"tensor '{name}' has the shape {list(tensor.dims)}")
            values[name] = Constant.of(tensor, name, learned=not is_buffer(tensor, frozen))
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
        lost = [info.name for info in self.graph.outputs if info.name in self.lost]
        self.lost_outputs = list(dict.fromkeys(self.lost[name] for name in lost))
        for info in self.graph.outputs:
            value = self.builder.values.get(info.name)
            if isinstance(value, Activation):
                self.builder.begin(OnnxNode("Identity", "", "", (), (info.name,), {}, {}))
                if not value.batched and len(value.dims) > 1 and value.dims[0] == 1 and self._inputs.have_batch:
                    value = self.builder.relayout(value, value.dims, batched=True)
                if self.builder.steps[value.step].layer is None:
                    value = self.builder.emit("identity", {}, value)
                found.append((info.name, value.step))
            elif value is None and info.name not in self.lost:
                raise Malformed(f"output '{info.name}' is given by nothing")
        if lost:
            found += [("", step) for step in self._last_known({step for _, step in found})]
        if not found:
            raise Malformed(self.lost[lost[0]] if lost else "no output depends on an input")
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
        steps = self.builder.steps
        chosen: set[int] = set()
        for index, step in enumerate(steps):
            if step.layer is not None and not step.weights and not step.layer.weighted:
                opaque = isinstance(step.layer, Opaque)
                if opaque or not chosen.isdisjoint(step.inputs):
                    chosen.add(index)
        found, pending, seen = set[int](), list(self.ends), set[int]()
        while pending:
            end = pending.pop()
            if end not in chosen:
                found.add(end)
            elif end not in seen:
                pending += steps[end].inputs
            seen.add(end)
        return found if any(steps[end].layer is not None for end in found) else set(self.ends)

    def _convert(self, node: OnnxNode, depth: int = 0) -> None:
        b, count = self.builder, len(self.builder.steps)
        lost = next((name for name in node.reads if name in self.lost), None)
        if lost is not None:
            self._lose(node, self.lost[lost])
            return
        b.begin(node)
        operator = operator_of(node.domain, node.op, b.call.opset)
        if node.op == "Concat":
            filled = tuple([value for value in b.call.inputs if not _is_empty(value)])
            b.call = b.call._replace(inputs=filled or b.call.inputs)
        try:
            if node.op in SEQUENCES and not node.domain:
                self._sequence(node)
                return
            if node.op == "If" and self._branch(node, depth):
                return
            if node.op == "Loop" and self._loop(node, depth):
                return
            operator.check(b.call)
            try:
                made = self._outputs(operator)
            except (Unsupported, Unknown) as reason:
                self._undo(count)
                made = self._opaque(node, operator, str(reason))
            for name, value in zip(node.outputs, made, strict=False):
                if name and value is not None:
                    self._settle(name, value, operator)
            missing = [name for name in node.outputs[len(made) :] if name and b.uses.get(name)]
            for name in missing:
                why = f"its output '{name}' is read"
                self.reasons.setdefault(node.op, []).append(why)
                self._settle(name, b.keep(self._declared(name, why), first=False, reason=why), operator)
        except Shapeless as reason:
            self._undo(count)
            self._lose(node, f"{node.label}: {reason}")
        except GeometryError as error:
            finding = Finding(error.code, f"{node.label}: {error.message}", self._path, hint=error.hint)
            raise SpecError([finding]) from error
        except (Malformed, Damaged) as error:
            raise SpecError([Finding("CC706", f"{node.label}: {error}", self._path)]) from error

    def _lose(self, node: OnnxNode, why: str) -> None:
        """Note that the shapes of a node's outputs are not known, and what the node reads."""
        self.lost.update(dict.fromkeys(filter(None, node.outputs), why))
        values = [self.builder.values.get(name) for name in node.reads]
        self.ends.update(dict.fromkeys(value.step for value in values if isinstance(value, Activation)))
        for value in values:
            if isinstance(value, Constant):
                self.lost_weights.update(value.stored)

    def _sequence(self, node: OnnxNode) -> None:
        """A node that makes, changes or reads a sequence of tensors: all that is left is which tensor is meant."""
        found = sequence_of(self.builder.call, self._sequences)
        if found is None:
            raise Shapeless("which tensors it has depends on what flows")
        for inner in found.nodes:
            self.builder.uses.update(name for name in inner.outputs if name)
            self._convert(inner)
        for name, tensors in found.sequences.items():
            self._sequences[name] = tensors
        for name, tensor in found.tensors.items():
            if tensor in self.lost:
                self.lost[name] = self.lost[tensor]
            else:
                self._settle(name, self.builder.values[tensor], operator_of("", "Identity", 1))

    def _branch(self, node: OnnxNode, depth: int) -> bool:
        """An If: the nodes of the branch that it takes, or what its branches give, hold and cost; False if neither."""
        condition = self.builder.call.value(0)
        number = condition.scalar if isinstance(condition, Constant) else None
        branches = [node.attributes.get(name) for name in ("then_branch", "else_branch")]
        graphs = [graph for branch in branches if isinstance(branch, Graphs) for graph in branch.graphs]
        if len(graphs) != len(branches) or depth > DEEPEST_BRANCH:
            return False
        if number is None:
            return self._either(node, graphs, depth)
        graph = graphs[not number]
        self._inside(graph, depth)
        for name, info in zip(node.outputs, graph.outputs, strict=False):
            self._same(name, info.name)
        return True

    def _loop(self, node: OnnxNode, depth: int) -> bool:
        """A loop: the nodes of all its turns, where their number is constant; False where it is not."""
        b, body, count = self.builder, body_of(node), turns_of(self.builder.call)
        if body is None or count is None or depth > DEEPEST_BRANCH:
            return False
        self._inside_loops += count * len(body.nodes)
        if self._inside_loops > MOST_INSIDE:
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
                self._convert(inner, depth + 1)
            condition, carried = one.condition, one.carried
            scanned.append(one.scanned)
            holds = b.values.get(condition)
            if not (isinstance(holds, Constant) and holds.scalar == 1):
                raise Shapeless("whether it goes on depends on what flows")
        for name, inside in zip(node.outputs, carried, strict=False):
            self._same(name, inside)
        for name, *parts in zip(node.outputs[len(carried) :], *scanned, strict=False):
            for inner in stacked(node, name, parts) if name else ():
                b.uses.update(inner.inputs)
                self._convert(inner, depth + 1)
        return True

    def _same(self, name: str, inside: str) -> None:
        """A tensor that is another one, or the sequence that it is, or lost as it is."""
        if inside in self.lost:
            self.lost[name] = self.lost[inside]
        elif inside in self._sequences:
            self._sequences[name] = self._sequences[inside]
        elif name and inside in self.builder.values:
            self._settle(name, self.builder.values[inside], operator_of("", "Identity", 1))

    def _inside(self, graph: Graph, depth: int) -> None:
        """Convert the nodes of a subgraph, which may read all that stands before it."""
        b = self.builder
        for name, tensor in graph.tensors.items():
            b.values.setdefault(name, Constant.of(tensor, name))
        nodes, _ = living(graph, graph.nodes)
        b.uses.update(name for inner in nodes for name in inner.reads)
        b.uses.update(info.name for info in graph.outputs)
        for inner in nodes:
            missing = next((name for name in inner.reads if name not in b.values and name not in self.lost), None)
            if missing is not None:
                raise Malformed(f"{inner.label} reads tensor '{missing}', which nothing gives")
            self._convert(inner, depth + 1)

    def _either(self, node: OnnxNode, graphs: list[Graph], depth: int) -> bool:
        """The opaque layer of an If: the weights of its branches, and what the dearer one costs."""
        b, call = self.builder, self.builder.call
        held: list[Constant] = []
        costs: list[int] = []
        given: list[list[Shape | None]] = []
        for graph in graphs:
            count, known = len(b.steps), len(b.values)
            self._inside(graph, depth)
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
            self._undo(count)
            while len(b.values) > known:
                b.values.popitem()
        b.call = call
        if given[0] != given[1] or None in given[0] or len(given[0]) < len(node.outputs):
            raise Shapeless("its branches give different shapes")
        reason = "which branch it takes depends on what flows"
        self.reasons.setdefault(node.op, []).append(reason)
        for position, name in enumerate(node.outputs):
            dims, first = given[0][position], position == 0
            if name and dims is not None:
                made = b.keep(dims, first=first, reason=reason, macs=max(costs), weights=held)
                self._settle(name, made, operator_of("", "Identity", 1))
        return True

    def _settle(self, name: str, value: Value, operator: Operator) -> None:
        b = self.builder
        if isinstance(value, Activation):
            info = self.graph.infos.get(name)
            if operator.restate is not None and info is not None and info.dims != value.dims:
                stated = self._stated(name)
                value = (operator.restate(b, value, stated) if stated is not None else None) or value
            b.steps[value.step].names += 1
        b.values[name] = value

    def _outputs(self, operator: Operator) -> Sequence[Value | None]:
        """What the operator gives: numbers of constants, or layers."""
        call = self.builder.call
        folded = operator.folded(call)
        if folded is None and operator.dims is not None and 0 in (operator.output_dims(call, 0) or ()):
            folded = [Constant(operator.dims(call))]
        if folded is not None:
            return [value.made_by(call) for value in folded]
        if operator.layers is None:
            raise Unsupported("the language has no such operator")
        scaled = [value for value in call.inputs if not (isinstance(value, Constant) and value.is_scale)]
        if call.node.op in ("Mul", "Div", "Cast") and len(scaled) == 1:
            return scaled
        return self._layers(operator)

    def _layers(self, operator: Operator) -> Sequence[Value | None]:
        """The layers of a node, of what it reads as it is, else with its learned constants or the batch as layers."""
        assert operator.layers is not None
        b, call = self.builder, self.builder.call
        first: Exception | None = None
        for inputs in self._readings(call):
            count = len(b.steps)
            b.call = call._replace(inputs=inputs)
            try:
                made = operator.layers(b)
            except (Unsupported, Unknown) as error:
                first = first or error
            except (GeometryError, Malformed):
                if first is None:
                    raise
            else:
                return [made] if isinstance(made, Activation) else made
            self._undo(count)
        b.call = call
        assert first is not None
        raise first

    def _readings(self, call: Call) -> Iterator[tuple[Value | None, ...]]:
        """What a node reads, and the same in other forms, each made when the ones before it do not serve."""
        yield call.inputs
        learned = any(isinstance(value, Constant) and prod(value.shape) > 1 for value in call.inputs)
        explicit = any(isinstance(value, Activation) and self.builder.is_one_example(value) for value in call.inputs)
        if learned:
            yield tuple([self._as_layers(value) for value in call.inputs])
        if explicit:
            yield tuple([self._explicit(value) for value in call.inputs])
        if learned:
            yield tuple([self._explicit(self._as_layers(value)) for value in call.inputs])

    def _undo(self, count: int) -> None:
        """Take back the steps after the first `count`."""
        del self.builder.steps[count:]
        while self._learned and next(reversed(self._learned.values())).step >= count:
            self._learned.popitem()

    def _explicit(self, value: Value | None) -> Value | None:
        return self.builder.explicit(value) if isinstance(value, Activation) else value

    def _as_layers(self, value: Value | None, depth: int = 0) -> Value | None:
        """A constant of several numbers as the layers that hold and compute it; every other value as it is."""
        if not isinstance(value, Constant) or prod(value.shape) < 2:
            return value
        return self._layers_of(value, depth)

    def _layers_of(self, value: Constant, depth: int = 0) -> Activation:
        """The layers that hold and compute a constant."""
        found = self._learned.get(id(value))
        if found is None:
            found = self._learned[id(value)] = self._computed(value, depth)
        return found

    def _computed(self, value: Constant, depth: int) -> Activation:
        b, call, count = self.builder, value.call, len(self.builder.steps)
        if not value.stored or value.is_stored or call is None or depth > DEEPEST_CONSTANT:
            return b.held(value)
        before = b.call
        b.call = call._replace(
            inputs=tuple(
                [
                    self._as_layers(read, depth + 1) if isinstance(read, Constant) and read.stored else read
                    for read in call.inputs
                ]
            )
        )
        operator = operator_of(call.node.domain, call.node.op, call.opset)
        try:
            made = self._layers(operator) if operator.layers is not None else []
            found = next((made for made in made if isinstance(made, Activation) and made.dims == value.shape), None)
            return found or b.keep(value.shape, reason="the language has no such operator")
        except (Unsupported, Unknown, GeometryError, Malformed) as reason:
            self._undo(count)
            return b.keep(value.shape, reason=str(reason))
        finally:
            b.call = before

    def _opaque(self, node: OnnxNode, operator: Operator, reason: str) -> Sequence[Value | None]:
        """The node as it is: each output that is read becomes a layer, or a constant where nothing flows in."""
        b = self.builder
        flows = any(isinstance(b.values.get(name), Activation) for name in node.reads)
        made: list[Value | None] = []
        for position, name in enumerate(node.outputs):
            if not name or not b.uses.get(name):
                made.append(None)
                continue
            dims = operator.output_dims(b.call, position)
            dims = dims if dims is not None else self._declared(name, reason)
            if flows:
                macs = operator.cost(b.call, dims) if position == 0 else 0
                made.append(b.keep(dims, first=position == 0, reason=reason, macs=macs))
            else:
                floating = any(isinstance(value, Constant) and value.floating for value in b.call.inputs)
                made.append(Constant(dims, name=name, floating=floating).made_by(b.call))
        if flows:
            self.reasons.setdefault(node.op, []).append(reason)
        return made

    def _declared(self, name: str, reason: str) -> Shape:
        """The dims of an output as the file states them, else as onnx infers them. Raises `Shapeless`."""
        stated = self._stated(name)
        if stated is not None:
            return stated
        call = self.builder.call
        if operator_of(call.node.domain, call.node.op, call.opset).open_ended:
            raise Shapeless("its shape depends on what flows")
        if self._inference is None:
            from .inference import Inference

            self._inference = Inference()
        found = self._inference.outputs(call).get(name)
        if found is None:
            raise Shapeless(f"the shape of its output is not known ({reason})")
        return found

    def _stated(self, name: str) -> Shape | None:
        """The dims that the file states for a tensor, where they hold for the inputs that were chosen."""
        info = self._infos.get(name)
        if info is None or info.dims is None or not self._inputs.as_stated:
            return None
        batches = self._inputs.open_batches
        sizes = [1 if isinstance(dim, str) and dim in batches else dim for dim in info.dims]
        return (
            tuple(n for n in sizes if isinstance(n, int)) if all(isinstance(n, int) and n >= 0 for n in sizes) else None
        )


def _is_empty(value: Value | None) -> bool:
    """Whether it has no numbers."""
    return isinstance(value, Constant) and 0 in value.shape and len(value.shape) > 1


def _open_weight(info: ValueInfo) -> Constant:
    dims = info.dims
    if dims is None or not all(isinstance(dim, int) and dim > 0 for dim in dims):
        raise Malformed(f"input '{info.name}' is a weight of open size")
    return Constant(tuple(dim for dim in dims if isinstance(dim, int)), name=info.name, floating=True)
