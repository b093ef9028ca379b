"""The network in the making: operators become steps, tensors become activations or constants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import NamedTuple

from ..geometry import LIMIT
from ..inference import Inference
from ..layers.base import Layer, Shape
from ..layers.batched import batched
from ..layers.opaque import broadcast
from ..models.making import Fields, Layers, Unfit, Unsupported
from .messages import Malformed, OnnxNode
from .values import Activation, Call, Constant, Value

WITHOUT_AXES = frozenset({"Add", "Identity", "Multiply", "Opaque", "Reshape"})
"""Families that take single numbers, which have no axis that could be the channels."""


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
    view: bool = False
    """Whether all it does is to make the batch of 1 an axis like others."""
    holds: str | None = None
    """The tensor of the file that it is, where it is no operator."""

    @property
    def kind(self) -> str:
        """The layer's kind, `input` for an input."""
        return self.layer.kind if self.layer is not None else "input"

    @property
    def family(self) -> str:
        """The layer's family, empty for an input."""
        return self.layer.inside.family if self.layer is not None else ""

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

    def __init__(self, opset: int, uses: Counter[str]) -> None:
        self.uses = uses
        """Tensor -> how many nodes and outputs of the graph read it."""
        self.values: dict[str, Value] = {}
        self.steps: list[Step] = []
        self.computed: Callable[[Constant], Activation] | None = None
        """Gives the layers that compute a constant of what the file holds."""
        self.call = Call(OnnxNode("", "", "", (), (), {}, {}), (), opset)
        """The node that is being converted, with what it reads."""
        self._layers = Layers()
        self._over: dict[int, Layer] = {}
        """Layers, by their identity -> the same with a batch axis."""
        self._inference = Inference()

    def begin(self, node: OnnxNode) -> None:
        """Turn to the next node."""
        inputs = tuple([self.values.get(name) if name else None for name in node.inputs])
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
        try:
            return self._layers.of(kind, fields)
        except Unfit as error:
            raise Malformed(str(error)) from error

    def emit(self, kind: str, fields: Fields, *inputs: Activation, weights: Sequence[Constant] = ()) -> Activation:
        """One more layer; its output is batched where an input is."""
        layer = self.layer(kind, fields)
        if layer.family not in WITHOUT_AXES and any(not value.shape for value in inputs):
            raise Unsupported("its input has no axes")
        return self._add(layer, inputs, weights)

    def _opaque(
        self, fields: Fields, inputs: Sequence[Activation], weights: Sequence[Constant], reason: str, macs: int = 0
    ) -> Shape:
        """Append the node as it is, with the weights of which it is made; the shape of its step."""
        held = {name: shape for value in weights for name, shape in (value.stored or {value.name: value.shape}).items()}
        holds: Fields = {"holds": tuple(held.values())} if held else {}
        why: Fields = {"reason": reason} if reason else {}
        cost: Fields = {"macs": macs} if macs else {}
        layer = self.layer("opaque", {"operator": self.node.op or "?", **fields, **holds, **cost, **why})
        shape = self._append(layer, inputs, ())
        self.steps[-1].weights = tuple(held)
        return shape

    def _add(self, layer: Layer, inputs: Sequence[Activation], weights: Sequence[Constant]) -> Activation:
        if any(self.multiple(value) is not None for value in inputs):
            return self._add_over_rows(layer, inputs, weights)
        shape = self._append(layer, inputs, weights)
        batch = [value.dims[0] for value in inputs if value.batched]
        dims = (max(batch), *shape) if batch else shape
        return Activation(len(self.steps) - 1, dims, bool(batch))

    def _add_over_rows(self, layer: Layer, inputs: Sequence[Activation], weights: Sequence[Constant]) -> Activation:
        """A layer on values whose batch is a multiple: what it is on one of them, over all of them."""
        if len({value.dims[0] for value in inputs if value.batched}) > 1 or not all(
            self.multiple(value) for value in inputs
        ):
            raise Unsupported("only some of its inputs have merged other axes with the batch")
        shape = self._append(self._over_rows(layer, inputs), inputs, weights)
        examples = self.examples(inputs[0])
        return Activation(len(self.steps) - 1, (shape[0] * examples, *shape[1:]))

    def _over_rows(self, layer: Layer, inputs: Sequence[Activation]) -> Layer:
        """The layer that does the same to each of several rows, which are the first axis of its input."""
        shapes = tuple([value.shape for value in inputs])
        apart = layer.activates or (layer.joins and layer.joined_axis(shapes) is None)
        if apart and not layer.weights(shapes):
            return layer
        if layer.multiplies == "linear" and "weight" not in layer.fields():
            return self.layer(layer.kind, {**layer.fields(), "dim": "last"})
        found = self._over.get(id(layer))
        if found is None:
            found = self._over[id(layer)] = batched(layer, 1)
        return found

    def _append(self, layer: Layer, inputs: Sequence[Activation], weights: Sequence[Constant]) -> Shape:
        shape = self._inference.shape(layer, tuple([self.steps[value.step].shape for value in inputs]))
        names = tuple([value.name for value in weights])
        self.steps.append(Step(layer, tuple([value.step for value in inputs]), shape, self.node, names))
        return shape

    def multiple(self, value: Activation) -> int | None:
        """How many rows an example has, where the first axis holds those of all examples; None where it holds examples.

        Tokens [4·196, 768] of a batch of 4 are a value of the dims [784, 768] whose step has the shape [196, 768].
        """
        shape = self.steps[value.step].shape
        return shape[0] if value.batched and len(shape) == len(value.dims) else None

    def examples(self, value: Activation) -> int:
        """The size of the batch that a value has; 1 where it has none."""
        return value.dims[0] // (self.multiple(value) or 1) if value.batched and value.dims[0] else 1

    def is_one_example(self, value: Activation) -> bool:
        """Whether it has a batch, of 1."""
        return value.batched and self.examples(value) == 1

    def explicit(self, value: Activation) -> Activation:
        """The value with a batch of 1 as an axis like others; as it is without one."""
        if not self.is_one_example(value):
            return value
        step = self.steps[value.step]
        if self.multiple(value) is not None:
            return Activation(value.step, value.dims, False)
        if step.layer is not None and step.layer.is_constant:
            layer = self.layer("parameter", {**step.layer.fields(), "shape": value.dims})
            self.steps.append(Step(layer, (), value.dims, step.node, step.weights, holds=step.holds))
            return Activation(len(self.steps) - 1, value.dims, False)
        made = self.relayout(value, value.dims, batched=False)
        self.steps[made.step].view = True
        return made

    def extend(self, value: Activation, weight: Constant, **fields: object) -> Activation | None:
        """The same value from its layer with more fields (`bias=True`), if nothing else reads it."""
        step = self.steps[value.step]
        if step.layer is None or not self.private(value):
            return None
        step.layer = batched(self.layer(step.kind, {**step.fields, **fields}), step.layer.batch_axes)
        step.weights = (*step.weights, weight.name)
        step.names = 0
        return value

    def private(self, value: Activation) -> bool:
        """Whether the node alone reads this value, which the network does not put out."""
        step = self.steps[value.step]
        names = [name for name in self.node.inputs if _step_of(self.values.get(name)) == value.step]
        return len(names) == 1 and self.uses[names[0]] == 1 and step.names == 1 and step.part is None

    def batched(self, value: Activation) -> Activation:
        """The value with its first axis as the batch, as operators over [batch, channels, ...] take it."""
        if value.batched:
            return value
        if len(value.dims) < 2:
            raise Unsupported(f"its input {list(value.dims)} has no batch")
        return self.relayout(value, value.dims, batched=True) if value.dims[0] == 1 else Activation(*value[:2])

    def relayout(
        self, value: Activation, dims: Shape, *, batched: bool | None = None, target: Sequence[int] | None = None
    ) -> Activation:
        """The same numbers under other dims: nothing, `flatten` or `reshape`.

        Where the first axis stays the batch's size it stays the batch, and a multiple of it has an axis of its own.
        `target` may hold a −1 to keep.
        """
        examples, own = self.examples(value), self.steps[value.step]
        if own.view:
            value = Activation(own.inputs[0], (examples, *self.steps[own.inputs[0]].shape))
            own = self.steps[value.step]
        if batched is None:
            batched = len(dims) > 1 and dims[0] == examples
        if (dims[0] != examples) if batched else examples > 1:
            if len(dims) < 2 or not dims[0] or dims[0] % examples:
                raise Unsupported("it merges the batch with other axes")
            batched, shape = True, (dims[0] // examples, *dims[1:])
        else:
            shape = dims[1:] if batched else dims
        if prod(shape) != prod(own.shape):
            raise Unsupported("it merges the batch with other axes")
        if shape == own.shape:
            return Activation(value.step, dims, batched)
        if not shape:
            raise Unsupported("its output has no axes")
        layer = self._viewing(shape, own.shape, target if target is None else target[len(dims) - len(shape) :])
        self._append(layer, [value], ())
        return Activation(len(self.steps) - 1, dims, batched)

    def _viewing(self, shape: Shape, source: Shape, target: Sequence[int] | None) -> Layer:
        """The layer that gives numbers this shape."""
        if len(shape) == 1 and source:
            return self.layer("flatten", {})
        given = shape
        if target is not None and len(target) == len(shape) and 0 not in target and min(target) >= -1:
            given = tuple(target) if -1 in target or tuple(target) == shape else shape
        return self.layer("reshape", {"shape": given})

    def elementwise(self, *values: Value) -> Activation:
        """An operator without a layer of the language that works element by element."""
        active = [value for value in values if isinstance(value, Activation)]
        constants = [value for value in values if isinstance(value, Constant)]
        if not active:
            raise Unsupported("its inputs are constants")
        if any(self.multiple(value) for value in active):
            active = [self.explicit(value) for value in active]
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
        reads = tuple([self.steps[value.step].shape for value in active])
        widened = broadcast(*reads, *shapes)
        output: Fields = {} if widened == broadcast(*reads) else {"output": widened, "reads": reads}
        shape = self._opaque(output, active, [value for value in constants if value.is_weight], "")
        examples = max(map(self.examples, active))
        return Activation(len(self.steps) - 1, (examples, *shape) if batched else shape, batched)

    def keep(
        self, dims: Shape, first: bool = True, reason: str = "", macs: int = 0, weights: Sequence[Constant] = ()
    ) -> Activation:
        """An operator that the language does not have, with its output's dims; the `first` output holds the weights.

        `macs` are those of the whole batch; `weights` are beside those that it reads.
        """
        if prod(dims) > LIMIT:
            raise Malformed(f"its output {list(dims)} has more than 2^63 - 1 numbers")
        values = [self.values[name] for name in self.node.reads if name in self.values]
        active = [value for value in values if isinstance(value, Activation)]
        read = [value for value in values if isinstance(value, Constant) and value.is_weight]
        held = [*read, *weights] if first else []
        sizes = {self.examples(value) for value in active if value.batched}
        size = max(sizes, default=0)
        rows = any(self.multiple(value) and value.dims[0] == dims[0] for value in active) if dims else False
        batched = len(dims) > 1 and (dims[0] == size or rows)
        shape = (dims[0] // size, *dims[1:]) if rows and dims[0] != size else dims[1:] if batched else dims
        reads = tuple([self.steps[value.step].shape for value in active])
        self._opaque({"output": shape, "reads": reads}, active, held, reason, macs // max(size, 1) if first else 0)
        return Activation(len(self.steps) - 1, dims, batched)

    def parameter(self, value: Constant) -> Activation:
        """A constant as the layers that hold and compute it."""
        return self.computed(value) if self.computed is not None else self.held(value)

    def held(self, value: Constant) -> Activation:
        """A constant as a layer that holds it; a first axis of 1 is the batch."""
        batched = len(value.shape) > 1 and value.shape[0] == 1
        fields: Fields = {"shape": value.shape[1:] if batched else value.shape}
        learned = bool(value.stored) and all(map(isfinite, value.numbers or ()))
        if not learned:
            fields["learned"] = False
        self._append(self.layer("parameter", fields), (), [value] if learned else ())
        self.steps[-1].node = OnnxNode("Parameter", value.name, "", (), (), {}, {})
        self.steps[-1].holds = value.name
        return Activation(len(self.steps) - 1, value.shape, batched)


def _step_of(value: Value | None) -> int | None:
    return value.step if isinstance(value, Activation) else None
