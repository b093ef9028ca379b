"""A model's graph -> steps: every node becomes layers, constants, or an opaque layer; nothing is dropped unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

from ..findings import Finding, SpecError
from ..geometry import LIMIT, GeometryError, TooLarge
from ..layers.base import Shape
from .builder import Builder, Step, Unsupported
from .graph import Inputs, inlined, living, open_weights, ordered
from .messages import Graph, Malformed, Model, OnnxNode, Unknown, ValueInfo, without_weights
from .operators import operator_of
from .operators.record import Operator
from .values import Activation, Constant, Value
from .wire import Damaged


class Conversion:
    """What came of a graph, before its layers have names."""

    def __init__(self, model: Model, graph: Graph, data: bytes, path: str, inputs: Inputs) -> None:
        self.model = model
        self.graph = graph
        self.reasons: dict[str, list[str]] = {}
        """Operator -> why its nodes are opaque, once a node."""
        nodes, self.dead = living(graph, ordered(graph, inlined(model, graph.nodes)))
        self.weights_left_open = open_weights(graph, nodes, model.opset)
        uses = Counter(name for node in nodes for name in node.reads)
        uses.update(info.name for info in graph.outputs)
        self.builder = Builder(model.opset, uses)
        self._data, self._path, self._inputs = data, path, inputs
        self._inferred: dict[str, Shape] | None = None
        self._enter()
        for node in nodes:
            self._convert(node)
        self.outputs = self._leave()

    def _enter(self) -> None:
        """Inputs and initialisers as values."""
        values = self.builder.values
        for name, tensor in self.graph.tensors.items():
            if min(tensor.dims, default=0) < 0:
                raise Malformed(f"tensor '{name}' has the shape {list(tensor.dims)}")
            values[name] = Constant.of(tensor, name)
        for info in self.graph.inputs:
            if info.name in values:
                continue
            if info.name in self.weights_left_open:
                values[info.name] = _open_weight(info)
            elif self.builder.uses.get(info.name):
                dims = self._inputs.dims[info.name]
                batched = len(dims) > 1
                shape = dims[1:] if batched else dims
                if prod(shape) > LIMIT:
                    raise TooLarge(f"input '{info.name}'", prod(shape))
                node = OnnxNode("input", info.name, "", (), (info.name,), {}, {})
                self.builder.steps.append(Step(None, (), shape, node))
                values[info.name] = Activation(len(self.builder.steps) - 1, dims, batched)

    def _leave(self) -> list[tuple[str, int]]:
        """(name, step) of the graph's outputs that depend on its inputs; an input that is put out gets a layer."""
        found: list[tuple[str, int]] = []
        for info in self.graph.outputs:
            value = self.builder.values.get(info.name)
            if value is None:
                raise Malformed(f"output '{info.name}' is given by nothing")
            if isinstance(value, Activation):
                if self.builder.steps[value.step].layer is None:
                    self.builder.begin(OnnxNode("Identity", "", "", (), (info.name,), {}, {}))
                    value = self.builder.emit("identity", {}, value)
                found.append((info.name, value.step))
        if not found:
            raise Malformed("no output depends on an input")
        return found

    def _convert(self, node: OnnxNode) -> None:
        b, count = self.builder, len(self.builder.steps)
        b.begin(node)
        operator = operator_of(node.domain, node.op, b.call.opset)
        try:
            operator.check(b.call)
            try:
                made = self._outputs(operator)
            except (Unsupported, Unknown) as reason:
                del b.steps[count:]
                made = self._opaque(node, operator, str(reason))
            for name, value in zip(node.outputs, made, strict=False):
                if name and value is not None:
                    self._settle(name, value, operator)
            missing = [name for name in node.outputs[len(made) :] if name and b.uses.get(name)]
            for name in missing:
                dims = self._declared(name)
                if dims is None:
                    raise Malformed(f"the shape of its output '{name}' is not known")
                self.reasons.setdefault(node.op, []).append(f"its output '{name}' is read")
                self._settle(name, b.keep(dims, first=False, reason=f"its output '{name}' is read"), operator)
        except GeometryError as error:
            finding = Finding(error.code, f"{node.label}: {error.message}", self._path, hint=error.hint)
            raise SpecError([finding]) from error
        except (Malformed, Damaged) as error:
            raise SpecError([Finding("CC706", f"{node.label}: {error}", self._path)]) from error

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
        folded = operator.folded(self.builder.call)
        if folded is not None:
            return folded
        if operator.layers is None:
            raise Unsupported("the language has no such operator")
        made = operator.layers(self.builder)
        return [made] if isinstance(made, Activation) else made

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
            dims = dims if dims is not None else self._declared(name)
            if dims is None:
                raise Malformed(f"the shape of its output is not known ({reason})")
            made.append(
                b.keep(dims, first=position == 0, reason=reason) if flows else Constant(dims, name=name, floating=False)
            )
        if flows:
            self.reasons.setdefault(node.op, []).append(reason)
        return made

    def _declared(self, name: str) -> Shape | None:
        """The dims of a tensor as the file states them, else as onnx infers them."""
        stated = self._stated(name)
        if stated is not None:
            return stated
        if self._inferred is None:
            from .inference import inferred

            self._inferred = inferred(without_weights(self._data), self._inputs.dims)
        return self._inferred.get(name)

    def _stated(self, name: str) -> Shape | None:
        """The dims that the file states for a tensor, where they hold for the inputs that were chosen."""
        info = self.graph.infos.get(name) or next((i for i in self.graph.outputs if i.name == name), None)
        if info is None or info.dims is None or not self._inputs.as_stated:
            return None
        batches = self._inputs.open_batches
        sizes = [1 if isinstance(dim, str) and dim in batches else dim for dim in info.dims]
        return (
            tuple(n for n in sizes if isinstance(n, int)) if all(isinstance(n, int) and n >= 0 for n in sizes) else None
        )


def _open_weight(info: ValueInfo) -> Constant:
    dims = info.dims
    if dims is None or not all(isinstance(dim, int) and dim > 0 for dim in dims):
        raise Malformed(f"input '{info.name}' is a weight of open size")
    return Constant(tuple(dim for dim in dims if isinstance(dim, int)), name=info.name, floating=True)
