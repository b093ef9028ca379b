"""The network in the making: layers of Keras become steps. Rules of layers call the builder's methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from ..geometry import LIMIT, TooLarge
from ..inference import Inference
from ..layers.base import Layer, Shape, Weight
from ..layers.batched import batched
from ..limits import LAYERS
from ..models.document import Malformed
from ..models.making import Fields, Layers, Unfit
from ..models.steps import Place
from .configuration import Settings
from .graph import Array, Dims, LayerConfig, Slice, Source
from .tensor import Order, Tensor, channels_last, dims_between, plain, same_reading


class Unsupported(Exception):
    """The language cannot say what a layer does; the message says why. What is known of its cost goes with it."""

    def __init__(
        self,
        reason: str,
        *,
        holds: Sequence[Shape] = (),
        macs: int = 0,
        sizes: Sequence[Shape] = (),
        known: bool = True,
    ) -> None:
        super().__init__(reason)
        self.holds = tuple(holds)
        """The shapes of its weights."""
        self.macs = macs
        """Its multiply-accumulates."""
        self.sizes = tuple(sizes)
        """The shapes of its outputs as Keras holds them, where the layer's settings tell."""
        self.known = known
        """Whether these are all of its weights."""

    def repeated(self, times: int) -> Unsupported:
        """The same of a layer that works at so many positions."""
        sizes = [(times, *shape) for shape in self.sizes]
        return Unsupported(str(self), holds=self.holds, macs=times * self.macs, sizes=sizes, known=self.known)


@dataclass(slots=True)
class Step:
    """A layer of the network, or an input (without layer)."""

    layer: Layer | None
    inputs: tuple[int, ...]
    shape: Shape
    scope: tuple[Place, ...]
    """The models in which it stands, from outermost."""
    name: str
    """Of Keras's layer."""
    cls: str = ""
    """The class of Keras's layer."""
    call: int = 0
    """The number of the call that made it."""
    label: str | None = None
    """What it is called inside that layer, where it has a name of its own there."""
    arranges: bool = False
    """Whether it only brings axes into another order for what follows."""
    shares: int | None = None
    """The step whose weights it uses."""
    trained: bool = True
    """Whether its weights are trained."""
    holds: int = 0
    """How many numbers it learns."""
    weights: tuple[Weight, ...] = ()
    """What it holds."""

    @property
    def kind(self) -> str:
        """The layer's kind, `input` for an input."""
        return self.layer.kind if self.layer is not None else "input"


@dataclass
class Use:
    """A call of a layer in the making."""

    config: LayerConfig
    arguments: Sequence[object]
    """What stands at each place: tensors, numbers, texts, lists of them."""
    named: Mapping[str, object]
    stated: Sequence[Dims | None] = ()
    """The shapes of its outputs, where the file states them."""

    @property
    def settings(self) -> Settings:
        """The layer's settings."""
        return self.config.settings

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors that it reads, in order."""
        return [*tensors_in(self.arguments), *tensors_in(list(self.named.values()))]

    @property
    def tensor(self) -> Tensor:
        """The only tensor that it reads, or the first."""
        found = self.tensors
        if not found:
            raise Malformed("it reads nothing")
        return found[0]


def tensors_in(value: object) -> list[Tensor]:
    """The tensors in an argument."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        return [found for inner in value.values() for found in tensors_in(inner)]
    if isinstance(value, (list, tuple)) and not isinstance(value, (Array, Slice, Source)):
        return [found for inner in value for found in tensors_in(inner)]
    return []


class Builder:
    """Collects the steps of a network."""

    def __init__(self, modern: bool) -> None:
        self.modern = modern
        """Whether Keras 3 wrote the configuration."""
        self.steps: list[Step] = []
        self.scope: tuple[Place, ...] = ()
        self.name = ""
        """The layer that is being converted."""
        self.cls = ""
        """Its class."""
        self.call = 0
        """Calls so far."""
        self.trained = True
        """Whether what is being converted is trained."""
        self.leading: Shape = ()
        """The sizes of the first axes that count as batch in what is emitted."""
        self.uncounted: list[str] = []
        """Layers whose weights the file does not state."""
        self._layers = Layers()
        self._inference = Inference()
        self._holders: dict[tuple[str, ...], list[int]] = {}
        """Path of a layer -> the steps of its first call that hold weights."""
        self._arranged: dict[tuple[int, Order], Tensor] = {}

    def input(self, name: str, shape: Shape, order: Order) -> Tensor:
        """An input of the network."""
        if prod(shape) > LIMIT:
            raise TooLarge(f"input '{name}'", prod(shape))
        self.steps.append(Step(None, (), shape, (), name))
        return Tensor(len(self.steps) - 1, shape, order)

    def layer(self, kind: str, fields: Fields) -> Layer:
        """The layer of a kind with these fields; equal ones are one object."""
        try:
            return self._layers.of(kind, fields)
        except Unfit as error:
            raise Malformed(str(error)) from error

    def emit(
        self, kind: str, fields: Fields, *inputs: Tensor, order: Order | None = None, label: str | None = None
    ) -> Tensor:
        """One more layer, whose output is in the order of its first input where no other is given."""
        layer = batched(self.layer(kind, fields), len(self.leading))
        shapes = tuple([self.leading + value.shape for value in inputs])
        shape = self._inference.shape(layer, shapes)
        if len(self.steps) >= LAYERS:
            raise Malformed(f"it has more than {LAYERS:,} layers")
        step = Step(layer, tuple([value.step for value in inputs]), shape, self.scope, self.name, self.cls, self.call)
        step.label, step.trained, step.weights = label, self.trained, layer.weights(shapes)
        step.holds = sum(prod(weight.shape) for weight in step.weights if weight.learnable)
        self.steps.append(step)
        given = inputs[0].order if order is None else order
        shape = shape[len(self.leading) :]
        if len(given) != len(shape):
            raise Malformed(f"it gives {list(shape)}, which has {len(shape)} axes, not {len(given)}")
        return Tensor(len(self.steps) - 1, shape, given)

    def arranged(self, tensor: Tensor, want: Order) -> Tensor:
        """The tensor with its axes in another order: a permute, made once for all that want it."""
        if tensor.order == want:
            return tensor
        key = (tensor.step, want)
        found = self._arranged.get(key)
        if found is None:
            dims = dims_between(tensor.order, want)
            found = self._arranged[key] = self.emit("permute", {"dims": dims}, tensor, order=want)
            self.steps[found.step].arranges = True
        return found

    def opaque(self, use: Use, error: Unsupported) -> list[Tensor]:
        """A layer that the language cannot say, with its weights and its cost; other outputs follow from the first.

        Raises `Malformed` without a shape.
        """
        outputs: list[Dims] = [*error.sizes] or [shape[1:] for shape in use.stated if shape is not None]
        if not outputs or any(size is None for shape in outputs for size in shape):
            raise Malformed(f"{error}, and nothing in the file says what it gives")
        tensors = use.tensors
        made: list[Tensor] = []
        for index, sizes in enumerate(outputs):
            tensors = made[:1] or tensors
            known = tuple([size for size in sizes if size is not None])
            order = self._order_of(known, tensors)
            fields: Fields = {
                "operator": use.config.class_name,
                "output": tuple([known[order.index(axis)] for axis in range(len(known))]),
                "reads": tuple([tensor.shape for tensor in tensors]),
                "reason": str(error),
            }
            if index == 0 and error.holds:
                fields["holds"] = error.holds
            if index == 0 and error.macs:
                fields["macs"] = error.macs
            made.append(self.emit("opaque", fields, *tensors, order=order))
        if not error.known:
            self.uncounted.append(self.name)
        return made

    def unsaid_beside(self, operator: str, first: Tensor, shape: Shape, reason: str) -> Tensor:
        """An output that the language does not have, which follows from a first one that it has."""
        fields: Fields = {"operator": operator, "output": shape, "reads": (first.shape,), "reason": reason}
        return self.emit("opaque", fields, first, order=plain(len(shape)))

    def unknown_activation(self, name: str, tensor: Tensor) -> Tensor:
        """An activation of every element that the language does not have."""
        reason = f"the language has no activation {name}"
        return self.emit("opaque", {"operator": name, "reason": reason}, tensor)

    def _order_of(self, sizes: Shape, tensors: Sequence[Tensor]) -> Order:
        """The order of what an opaque layer gives: that of its input where it has as many axes."""
        if tensors and tensors[0].rank == len(sizes):
            return tensors[0].order
        return channels_last(len(sizes)) if len(sizes) > 2 else plain(len(sizes))

    def first(self, tensor: Tensor, settings: Settings) -> Tensor:
        """The tensor with the channels first, for a layer over space."""
        return self.arranged(tensor, self.image_order(tensor.rank, settings))

    def image_order(self, rank: int, settings: Settings) -> Order:
        """The order of what a layer over space reads: Keras's `data_format` says where it has the channels."""
        first = settings.text("data_format", "channels_last") == "channels_first"
        return plain(rank) if first else channels_last(rank)

    def last(self, tensor: Tensor) -> Tensor:
        """The tensor with Keras's last axis last."""
        return tensor if tensor.order[-1:] == (tensor.rank - 1,) else self.arranged(tensor, plain(tensor.rank))

    def last_of_two(self, tensor: Tensor) -> Tensor:
        """Positions and features with the features last."""
        return self.arranged(tensor, plain(2)) if tensor.rank == 2 else tensor

    def read_plain(self, tensor: Tensor) -> Tensor:
        """The tensor so that its numbers stand in Keras's order."""
        want = plain(tensor.rank)
        if same_reading(tensor.shape, tensor.order, want):
            return tensor
        return self.arranged(tensor, want)

    def reshaped(self, tensor: Tensor, sizes: Sequence[int]) -> Tensor:
        """The same numbers under another shape of Keras's."""
        target = tuple(sizes)
        if tensor.sizes == target:
            return tensor
        kept = tensor.rank > 1 and tensor.order == channels_last(tensor.rank) and len(target) > 1
        if kept and tensor.sizes[-1] == target[-1] and not same_reading(tensor.shape, tensor.order, plain(tensor.rank)):
            shape, order = (target[-1], *target[:-1]), channels_last(len(target))
            return self.emit("reshape", {"shape": shape}, tensor, order=order)
        read = self.read_plain(tensor)
        if len(target) == 1:
            return self.emit("flatten", {}, read, order=(0,))
        order = channels_last(len(target)) if len(target) > 2 else plain(len(target))
        shape = tuple([target[order.index(axis)] for axis in range(len(target))])
        if not same_reading(shape, order, plain(len(target))):
            shape, order = target, plain(len(target))
        return self.emit("reshape", {"shape": shape}, read, order=order)

    def aligned(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Tensors of one rank in one order, that of images where one of them has it."""
        orders = [tensor.order for tensor in tensors]
        want = channels_last(tensors[0].rank)
        if want not in orders:
            want = orders[0]
        return [self.arranged(tensor, want) for tensor in tensors]

    def axis(self, tensor: Tensor, axis: int) -> int:
        """The network's axis of one that Keras counts with the batch. Raises `Unsupported` for the batch."""
        count = tensor.rank + 1
        if not -count <= axis < count:
            raise Malformed(f"axis {axis} of a tensor with {count} axes")
        if axis % count == 0:
            raise Unsupported("it works on the batch axis")
        return tensor.order[axis % count - 1]

    def share(self, start: int, path: tuple[str, ...]) -> None:
        """The steps from there on are a call of the layer at a path: what an earlier call holds is held once."""
        made = [index for index in range(start, len(self.steps)) if self.steps[index].weights]
        for index, first in zip(made, self._holders.setdefault(path, made), strict=False):
            one, other = self.steps[index], self.steps[first]
            if index != first and one.kind == other.kind and one.weights == other.weights:
                one.shares = first
