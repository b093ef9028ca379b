"""The network in the making: operators become steps, tensors become activations or constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from pydantic import ValidationError

from ..geometry import LIMIT, GeometryError
from ..layers.base import Layer, Shape
from ..layers.opaque import broadcast
from ..layers.refusals import asked, deepest
from ..layers.registry import build
from ..network import Inference
from .messages import Malformed, OnnxNode
from .values import Activation, Call, Constant, Value

Fields = dict[str, object]

DEFAULTS: Fields = {
    "bias": True,
    "dilation": 1,
    "dim": 0,
    "eps": 1e-5,
    "groups": 1,
    "output_padding": 0,
    "padding": 0,
    "stride": 1,
}
"""What the language takes for granted of convolutions, norms and concatenation."""
WITHOUT_AXES = frozenset({"Add", "Identity", "Multiply", "Opaque", "Reshape"})
"""Families that take single numbers, which have no axis that could be the channels."""


def spelled(fields: Fields) -> Fields:
    """The fields that the language does not take for granted.

    >>> spelled({"out_channels": 8, "groups": 1, "bias": False})
    {'out_channels': 8, 'bias': False}
    """
    return {name: value for name, value in fields.items() if name not in DEFAULTS or value != DEFAULTS[name]}


class Unsupported(Exception):
    """The language cannot say what a node does; the message says why."""


class Tag(NamedTuple):
    """What a step computes, where that may grow into an activation or a norm of the step `base`."""

    name: str
    base: int
    axes: tuple[int, ...] = ()
    """Over which a norm runs."""
    eps: float = 0.0


@dataclass(slots=True)
class Step:
    """A layer of the network, or an input (without layer)."""

    layer: Layer | None
    inputs: tuple[int, ...]
    shape: Shape
    node: OnnxNode
    weights: tuple[str, ...] = ()
    """The initialisers that it holds."""
    names: int = 0
    """How many tensors of the graph are its output."""
    tag: Tag | None = None

    @property
    def kind(self) -> str:
        """The layer's kind, `input` for an input."""
        return self.layer.kind if self.layer is not None else "input"

    @property
    def family(self) -> str:
        """The layer's family, empty for an input."""
        return self.layer.family if self.layer is not None else ""

    @property
    def part(self) -> int | None:
        """Which part of a split it is."""
        found = self.layer.part_of if self.layer is not None else None
        return found.which if found is not None else None

    @property
    def fields(self) -> Fields:
        """The fields of its layer that were given."""
        return self.layer.fields() if self.layer is not None else {}


class Builder:
    """Collects the steps and values of a graph. Rules of operators call its methods."""

    def __init__(self, opset: int, uses: dict[str, int]) -> None:
        self.uses = uses
        """Tensor -> how many nodes and outputs of the graph read it."""
        self.values: dict[str, Value] = {}
        self.steps: list[Step] = []
        self.standins: dict[str, int] = {}
        """Operators that stand as another of the same shape and cost."""
        self.call = Call(OnnxNode("", "", "", (), (), {}, {}), (), opset)
        """The node that is being converted, with what it reads."""
        self._layers: dict[tuple[object, ...], Layer] = {}
        self._inference = Inference()

    def begin(self, node: OnnxNode) -> None:
        """Turn to the next node."""
        inputs = tuple([self.values[name] if name else None for name in node.inputs])
        self.call = Call(node, inputs, self.call.opset)

    @property
    def node(self) -> OnnxNode:
        """The node that is being converted."""
        return self.call.node

    def activation(self, position: int = 0) -> Activation:
        """An input that is computed from the network's inputs."""
        value = self.call.given(position)
        if isinstance(value, Constant):
            raise Unsupported(f"input {position} is a constant")
        return value

    def activations(self) -> list[Activation]:
        """All inputs, at least one, each computed from the network's inputs."""
        return [self.activation(position) for position in range(max(len(self.call.inputs), 1))]

    def constant(self, position: int) -> Constant | None:
        """An input that is a constant, or none."""
        value = self.call.value(position)
        if isinstance(value, Activation):
            raise Unsupported(f"input {position} is computed from the network's input")
        return value

    def weight(self, position: int, rank: int | None = None) -> Constant:
        """A constant input that must be there, with this many axes."""
        value = self.constant(position)
        if value is None:
            raise Malformed(f"input {position} is missing")
        if rank is not None and len(value.shape) != rank:
            raise Malformed(f"input {position} has the shape {list(value.shape)}, not {rank} axes")
        return value

    def layer(self, kind: str, fields: Fields) -> Layer:
        """The layer of a kind with these fields; equal ones are one object."""
        key = (kind, *fields.items())
        found = self._layers.get(key)
        if found is None:
            try:
                found = build(kind, fields)
            except ValidationError as error:
                detail = deepest(error.errors())
                cause = detail.get("ctx", {}).get("error")
                if isinstance(cause, GeometryError):
                    raise cause from error
                raise Malformed(f"{detail['loc'][0]} {asked(detail)}, not {detail['input']!r}") from error
            self._layers[key] = found
        return found

    def emit(self, kind: str, fields: Fields, *inputs: Activation, weights: Sequence[Constant] = ()) -> Activation:
        """One more layer; its output is batched where an input is."""
        layer = self.layer(kind, fields)
        if layer.family not in WITHOUT_AXES and any(not value.shape for value in inputs):
            raise Unsupported("its input has no axes")
        return self._add(layer, inputs, weights)

    def _emit_opaque(
        self, fields: Fields, inputs: Sequence[Activation], weights: Sequence[Constant], reason: str
    ) -> Activation:
        holds = {"holds": tuple(value.shape for value in weights)} if weights else {}
        why = {"reason": reason} if reason else {}
        layer = self.layer("opaque", {"operator": self.node.op or "?", **fields, **holds, **why})
        return self._add(layer, inputs, weights)

    def _add(self, layer: Layer, inputs: Sequence[Activation], weights: Sequence[Constant]) -> Activation:
        shape = self._inference.shape(layer, tuple([value.shape for value in inputs]))
        names = tuple([value.name for value in weights])
        self.steps.append(Step(layer, tuple([value.step for value in inputs]), shape, self.node, names))
        batch = [value.dims[0] for value in inputs if value.batched]
        dims = (max(batch), *shape) if batch else shape
        return Activation(len(self.steps) - 1, dims, bool(batch))

    def extend(self, value: Activation, weight: Constant, **fields: object) -> Activation | None:
        """The same value from its layer with more fields (`bias=True`), if nothing else reads it."""
        step = self.steps[value.step]
        if step.layer is None or not self.private(value):
            return None
        step.layer = self.layer(step.kind, {**step.fields, **fields})
        step.weights = (*step.weights, weight.name)
        step.names = 0
        return value

    def private(self, value: Activation) -> bool:
        """Whether the node alone reads this value, which the network does not put out."""
        step = self.steps[value.step]
        names = [name for name in self.node.inputs if self.values.get(name) == value]
        return len(names) == 1 and self.uses[names[0]] == 1 and step.names == 1 and step.part is None

    def batched(self, value: Activation) -> Activation:
        """The value with its first axis as the batch, as operators over [batch, channels, ...] take it."""
        if value.batched:
            return value
        if len(value.dims) < 2 or value.dims[0] != 1:
            raise Unsupported(f"its input {list(value.dims)} mixes the batch with other axes")
        return self.relayout(value, value.dims, batched=True)

    def relayout(
        self, value: Activation, dims: Shape, *, batched: bool | None = None, target: Sequence[int] | None = None
    ) -> Activation:
        """The same numbers under other dims: nothing, `flatten` or `reshape`.

        Where the first axis stays the batch's size it stays the batch. `target` may hold a −1 to keep.
        """
        if batched is None:
            size = value.dims[0] if value.batched else 1
            batched = len(dims) > 1 and dims[0] == size
        shape = dims[1:] if batched else dims
        if prod(shape) != prod(value.shape):
            raise Unsupported("it merges the batch with other axes")
        if shape == value.shape:
            return Activation(value.step, dims, batched)
        if not shape:
            raise Unsupported("its output has no axes")
        if len(shape) == 1 and value.shape:
            made = self.emit("flatten", {}, value)
        else:
            wanted = tuple(target[1:] if batched else target) if target is not None else shape
            given = wanted if len(wanted) == len(shape) and 0 not in wanted and min(wanted) >= -1 else shape
            made = self.emit("reshape", {"shape": given}, value)
        return Activation(made.step, dims, batched)

    def elementwise(self, *values: Value) -> Activation:
        """An operator without a layer of the language that works element by element."""
        active = [value for value in values if isinstance(value, Activation)]
        constants = [value for value in values if isinstance(value, Constant)]
        if not active:
            raise Unsupported("its inputs are constants")
        batched = any(value.batched for value in active)
        rank = max(len(value.dims) for value in active)
        shapes = []
        for value in constants:
            shape = value.shape
            if batched and len(shape) == rank and shape[0] == 1:
                shape = shape[1:]
            if len(shape) >= rank and batched:
                raise Unsupported("it broadcasts a constant over the batch")
            shapes.append(shape)
        if any(len(value.dims) != rank if value.batched else len(value.dims) > rank - batched for value in active):
            raise Unsupported("it broadcasts over the batch")
        reads = tuple([value.shape for value in active])
        widened = broadcast(*reads, *shapes)
        output: Fields = {} if widened == broadcast(*reads) else {"output": widened, "reads": reads}
        weights = [value for value in constants if value.is_weight]
        return self._emit_opaque(output, active, weights, "")

    def keep(self, dims: Shape, first: bool = True, reason: str = "") -> Activation:
        """An operator that the language does not have, with its output's dims; the `first` output holds the weights."""
        if prod(dims) > LIMIT:
            raise Malformed(f"its output {list(dims)} has more than 2^63 - 1 numbers")
        values = [self.values[name] for name in self.node.reads if name in self.values]
        active = [value for value in values if isinstance(value, Activation)]
        weights = [value for value in values if isinstance(value, Constant) and value.is_weight] if first else []
        batched = len(dims) > 1 and any(value.batched and value.dims[0] == dims[0] for value in active)
        shape = dims[1:] if batched else dims
        reads = tuple([value.shape for value in active])
        made = self._emit_opaque({"output": shape, "reads": reads}, active, weights, reason)
        return Activation(made.step, dims, batched)

    def stand_in(self) -> None:
        """Note that the node stands as another operator of the same shape and cost."""
        self.standins[self.node.op] = self.standins.get(self.node.op, 0) + 1
