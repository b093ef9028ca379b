"""A model's graph -> steps: every node becomes layers, constants, or an opaque layer; nothing is dropped unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..findings import SpecError
from ..geometry import GeometryError
from ..layers.base import Shape
from . import folding, graph, shapes, windows
from .builder import Builder, Step, Unsupported
from .model import Graph, Malformed, Model, OnnxNode, Unknown, ValueInfo
from .operators import rule_of
from .origin import OnnxOrigin
from .values import Activation, Constant, Value
from .wire import Damaged, Data


class Conversion:
    """What came of a graph, before its layers have names."""

    def __init__(self, model: Model, inner: Graph, data: Data, origin: OnnxOrigin, sizes: Mapping[str, Shape]) -> None:
        self.origin = origin
        self.opaque: dict[str, list[str]] = {}
        """Operator -> why it is opaque, once a node."""
        nodes = graph.ordered(inner, graph.inlined(model, inner.nodes))
        nodes, self.dead = graph.living(inner, nodes)
        self.weights_left_open = graph.open_weights(inner, nodes)
        uses = Counter(name for node in nodes for name in graph.reads(node))
        uses.update(info.name for info in inner.outputs)
        self.builder = Builder(model.opset, uses)
        self.graph, self._data, self._sizes = inner, data, sizes
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
                dims = self._sizes[info.name]
                batched = len(dims) > 1
                node = OnnxNode("input", info.name, "", (), (info.name,), {}, {})
                self.builder.steps.append(Step(None, (), dims[1:] if batched else dims, node))
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
                    self.builder.node = OnnxNode("Identity", "", "", (), (info.name,), {}, {})
                    value = self.builder.emit("identity", {}, value)
                found.append((info.name, value.step))
        if not found:
            raise Malformed("no output depends on an input")
        return found

    def _convert(self, node: OnnxNode) -> None:
        b = self.builder
        b.node = node
        count = len(b.steps)
        try:
            try:
                made = self._outputs(node)
            except (Unsupported, Unknown) as reason:
                del b.steps[count:]
                made = self._opaque(node, str(reason))
            for name, value in zip(node.outputs, made, strict=False):
                if name and value is not None:
                    self._settle(name, value)
            missing = [name for name in node.outputs[len(made) :] if name and b.uses.get(name)]
            for name in missing:
                dims = self._declared(name)
                if dims is None:
                    raise Malformed(f"the shape of its output '{name}' is not known")
                self.opaque.setdefault(node.op, []).append(f"its output '{name}' is read")
                self._settle(name, b.opaque(dims, first=False))
        except (GeometryError, Malformed, Damaged) as error:
            code = error.code if isinstance(error, GeometryError) else "CC706"
            hint = error.hint if isinstance(error, GeometryError) else None
            finding = self.origin.finding(code, f"{node.label}: {error}", hint=hint)
            raise SpecError([finding]) from error

    def _settle(self, name: str, value: Value) -> None:
        b = self.builder
        if isinstance(value, Activation):
            declared = self.graph.infos.get(name)
            if declared is not None and declared.dims != value.dims and b.node.op in ("MaxPool", "AveragePool"):
                given = self._stated(name)
                value = (windows.unrounded(b, value, given) if given is not None else None) or value
            b.steps[value.step].names += 1
        b.values[name] = value

    def _outputs(self, node: OnnxNode) -> Sequence[Value | None]:
        """What the node's rule gives."""
        b = self.builder
        inputs = [b.values[name] if name else None for name in node.inputs]
        if node.op in ("Shape", "Size") and node.domain == "" and inputs and isinstance(inputs[0], Activation):
            return [folding.shape_of(node, inputs[0].dims)]
        constants = [value for value in inputs if not isinstance(value, Activation)]
        if len(constants) == len(inputs) and node.domain == "":
            folded = folding.fold(node, constants, b.opset)
            if folded is not None:
                return [folded]
        rule = rule_of(node.domain, node.op)
        if rule is None:
            raise Unsupported("the language has no such operator")
        made = rule(b)
        return [made] if isinstance(made, Activation) else list(made)

    def _opaque(self, node: OnnxNode, reason: str) -> Sequence[Value | None]:
        """The node as it is: each output that is read becomes a layer, or a constant where nothing flows in."""
        b = self.builder
        inputs = [b.values[name] if name else None for name in node.inputs]
        flows = any(isinstance(b.values[name], Activation) for name in graph.reads(node) if name in b.values)
        made: list[Value | None] = []
        for position, name in enumerate(node.outputs):
            if not name or not b.uses.get(name):
                made.append(None)
                continue
            dims = shapes.ruled(node, inputs, b.opset, position)
            dims = dims if dims is not None else self._declared(name)
            if dims is None:
                raise Malformed(f"the shape of its output is not known ({reason})")
            made.append(b.opaque(dims, first=position == 0) if flows else Constant(dims, name=name, floating=False))
        if flows:
            self.opaque.setdefault(node.op, []).append(reason)
        return made

    def _declared(self, name: str) -> Shape | None:
        """The dims of a tensor as the file states them, else as onnx infers them."""
        stated = self._stated(name)
        if stated is not None:
            return stated
        if self._inferred is None:
            self._inferred = shapes.inferred(self._data, dict(self._sizes))
        return self._inferred.get(name)

    def _stated(self, name: str) -> Shape | None:
        """The dims that the file states for a tensor, where they hold for the inputs that were chosen."""
        info = self.graph.infos.get(name) or next((i for i in self.graph.outputs if i.name == name), None)
        if info is None or info.dims is None or not self.origin.as_stated:
            return None
        batches = self.origin.open_batches
        sizes = [1 if isinstance(dim, str) and dim in batches else dim for dim in info.dims]
        return (
            tuple(n for n in sizes if isinstance(n, int)) if all(isinstance(n, int) and n >= 0 for n in sizes) else None
        )


def _open_weight(info: ValueInfo) -> Constant:
    dims = info.dims
    if dims is None or not all(isinstance(dim, int) and dim > 0 for dim in dims):
        raise Malformed(f"input '{info.name}' is a weight of open size")
    return Constant(tuple(dim for dim in dims if isinstance(dim, int)), name=info.name, floating=True)
