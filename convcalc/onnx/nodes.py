"""Nodes -> steps: every node becomes layers, constants, or an opaque layer; nothing is dropped unsaid."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..findings import Finding, SpecError
from ..geometry import GeometryError
from ..layers.base import Shape
from ..models.making import Unsupported
from .branches import branch
from .builder import Builder
from .loops import loop
from .messages import Malformed, OnnxNode, Unknown
from .operators import operator_of
from .operators.record import Operator, Restate
from .readings import Readings
from .sequences import SEQUENCES, sequence_of
from .stated import Shapeless, Stated
from .values import Activation, Constant, Value
from .wire import Damaged

WITH_GRAPHS: dict[str, Callable[[Nodes, OnnxNode, int], bool]] = {"If": branch, "Loop": loop}
"""Operators that hold graphs -> what converts the nodes of these in their place, where it can."""


class Nodes:
    """Converts the nodes of a graph in order."""

    def __init__(self, builder: Builder, stated: Stated, path: str) -> None:
        self.builder = builder
        self.reasons: dict[str, list[str]] = {}
        """Operator -> why its nodes are opaque, once a node."""
        self.lost: dict[str, str] = {}
        """Tensors whose shapes are not known -> why."""
        self.lost_weights: dict[str, Shape] = {}
        """Learned tensors that are read where shapes are not known."""
        self.inside_loops = 0
        """Nodes of loops that were written out."""
        self.ends: dict[int, None] = {}
        """Steps that are read where shapes are lost."""
        self._stated, self._path = stated, path
        self._readings = Readings(builder)
        builder.computed = self._readings.layers_of
        self._sequences: dict[str, tuple[str, ...]] = {}
        """Sequences -> the tensors in them."""

    def convert(self, node: OnnxNode, depth: int = 0) -> None:
        """Make steps of a node that stands inside so many branches of an If. Raises SpecError for a wrong one."""
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
                self._sequence()
            elif node.op not in WITH_GRAPHS or not WITH_GRAPHS[node.op](self, node, depth):
                self._operator(node, operator)
        except Shapeless as reason:
            self.undo(count)
            self._lose(node, f"{node.label}: {reason}")
        except GeometryError as error:
            finding = Finding(error.code, f"{node.label}: {error.message}", self._path, hint=error.hint)
            raise SpecError([finding]) from error
        except (Malformed, Damaged) as error:
            raise SpecError([Finding("CC706", f"{node.label}: {error}", self._path)]) from error

    def settle(self, name: str, value: Value, restate: Restate | None = None) -> None:
        """Give a tensor its value, which `restate` gives under the dims that the file states for it."""
        b = self.builder
        if isinstance(value, Activation):
            stated = self._stated.otherwise(name, value.dims) if restate is not None else None
            if restate is not None and stated is not None:
                value = restate(b, value, stated) or value
            b.steps[value.step].names += 1
        b.values[name] = value

    def same(self, name: str, inside: str) -> None:
        """Let a tensor be another one, or the sequence that it is, or lost as it is."""
        if inside in self.lost:
            self.lost[name] = self.lost[inside]
        elif inside in self._sequences:
            self._sequences[name] = self._sequences[inside]
        elif name and inside in self.builder.values:
            self.settle(name, self.builder.values[inside])

    def undo(self, count: int) -> None:
        """Take back the steps after the first `count`."""
        self._readings.undo(count)

    def _operator(self, node: OnnxNode, operator: Operator) -> None:
        """A node by the record of its operator, else as it is."""
        b, count = self.builder, len(self.builder.steps)
        operator.check(b.call)
        try:
            made = self._outputs(operator)
        except (Unsupported, Unknown) as reason:
            self.undo(count)
            made = self._opaque(node, operator, str(reason))
        for name, value in zip(node.outputs, made, strict=False):
            if name and value is not None:
                self.settle(name, value, operator.restate)
        missing = [name for name in node.outputs[len(made) :] if name and b.uses.get(name)]
        for name in missing:
            why = f"its output '{name}' is read"
            self.reasons.setdefault(node.op, []).append(why)
            kept = b.keep(self._stated.found(name, b.call, why), first=False, reason=why)
            self.settle(name, kept, operator.restate)

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
        return self._readings.layers(operator)

    def _opaque(self, node: OnnxNode, operator: Operator, reason: str) -> Sequence[Value | None]:
        """The node as it is: each output that is read becomes a layer, or a constant where nothing flows in.

        The first of them has the weights and the cost.
        """
        b = self.builder
        flows = any(isinstance(b.values.get(name), Activation) for name in node.reads)
        made: list[Value | None] = []
        read = [position for position, name in enumerate(node.outputs) if name and b.uses.get(name)]
        for position, name in enumerate(node.outputs):
            if position not in read:
                made.append(None)
                continue
            dims = operator.output_dims(b.call, position)
            dims = dims if dims is not None else self._stated.found(name, b.call, reason)
            if flows:
                first = position == read[0]
                macs = operator.cost(b.call, dims if position == 0 else operator.output_dims(b.call, 0) or dims)
                made.append(b.keep(dims, first=first, reason=reason, macs=macs if first else 0))
            else:
                floating = any(isinstance(value, Constant) and value.floating for value in b.call.inputs)
                made.append(Constant(dims, name=name, floating=floating).made_by(b.call))
        if flows:
            self.reasons.setdefault(node.op, []).append(reason)
        return made

    def _sequence(self) -> None:
        """A node that makes, changes or reads a sequence of tensors: all that is left is which tensor is meant."""
        found = sequence_of(self.builder.call, self._sequences)
        if found is None:
            raise Shapeless("which tensors it has depends on what flows")
        for inner in found.nodes:
            self.builder.uses.update(name for name in inner.outputs if name)
            self.convert(inner)
        self._sequences.update(found.sequences)
        for name, tensor in found.tensors.items():
            if tensor in self.lost:
                self.lost[name] = self.lost[tensor]
            else:
                self.settle(name, self.builder.values[tensor])

    def _lose(self, node: OnnxNode, why: str) -> None:
        """Note that the shapes of a node's outputs are not known, and what the node reads."""
        self.lost.update(dict.fromkeys(filter(None, node.outputs), why))
        values = [self.builder.values.get(name) for name in node.reads]
        self.ends.update(dict.fromkeys(value.step for value in values if isinstance(value, Activation)))
        for value in values:
            if isinstance(value, Constant):
                self.lost_weights.update(value.stored)


def _is_empty(value: Value | None) -> bool:
    """Whether it has no numbers."""
    return isinstance(value, Constant) and 0 in value.shape and len(value.shape) > 1
