"""The network in the making: calls become steps, tensors become values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from typing import Any, TypeVar

from ...geometry import GeometryError
from ...inference import Inference
from ...layers.base import Layer, Shape
from ...models.making import Fields, Layers, Unfit, Unsupported
from ...network import Tied
from ..tape import Call, Ref, Tape, refs
from .arguments import listed
from .names import base_name
from .values import Activation, Constant, Derived, Padded, Pairs, Parameter, Place, Sizes, Value, moved


def shortest(pairs: Pairs) -> object:
    """Padding as it is written shortest: one number, one an axis, or (before, after) pairs.

    >>> shortest(((1, 1), (1, 1))), shortest(((1, 1), (0, 0))), shortest(((0, 1), (0, 1)))
    (1, (1, 0), ((0, 1), (0, 1)))
    """
    if any(before != after for before, after in pairs):
        return pairs
    return pairs[0][0] if len(set(pairs)) == 1 else tuple(before for before, _ in pairs)


NEAR = 1000
"""How many tensors are looked at, from the last one on, for one of a size."""


Key = TypeVar("Key")
Found = TypeVar("Found")


@dataclass(slots=True)
class Step:
    """A layer of the network, or an input (without layer)."""

    layer: Layer | None
    inputs: tuple[int, ...]
    shape: Shape
    scope: int
    """The call of a module in which it stands."""
    call: int = -1
    """The call that it is made of; −1 for an input and a parameter."""
    weights: Mapping[str, int] = field(default_factory=dict)
    """The layer's name of a weight -> the parameter, by its place in the tape's tensors."""
    macs: int = 0
    name: str = ""
    """What it is called in its scope; empty where its module or its kind says it."""
    second: Shape | None = None
    """Of its output in the second run, as far as it is known."""
    frozen: bool = False
    """Whether it holds for the input's size in the first run alone."""
    shares: int | None = None
    """The step whose weights it has; that one holds its own."""
    tied: tuple[Tied, ...] = ()
    """Those of its tensors that steps before it hold."""


class Builder:
    """Collects the steps and values of a tape. Rules of functions call its methods."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.values: dict[int, Value] = {}
        """Tensor of the tape -> what it is."""
        self.steps: list[Step] = []
        self.index = -1
        """The call that is being lifted."""
        self.arguments: dict[str, Any] = {}
        """Its arguments under their names."""
        self.second_arguments: dict[str, Any] = {}
        """Those of the second run."""
        self.batch = 1 if tape.second is None else 2
        self.derived: dict[int, Activation] = {}
        """Tensors that calls make of parameters, once they are layers."""
        self.materialise: Callable[[Derived], Activation] | None = None
        self.readers: dict[int, list[int]] = {}
        """Tensor -> the calls that read it, each once; −1 stands for what the model puts out."""
        self.producers: dict[int, int] = {}
        """Tensor -> the call that made it."""
        for index, call in enumerate(tape.calls):
            for tensor in dict.fromkeys(refs((call.args, call.kwargs))):
                self.readers.setdefault(tensor, []).append(index)
            self.producers.update(dict.fromkeys(call.outputs, index))
        for _, tensor in tape.outputs:
            self.readers.setdefault(tensor, []).append(-1)
        self._own: dict[int, list[int]] | None = None
        """Call of a module -> the calls of functions that are its own."""
        self._layers = Layers()
        self._inference = Inference()
        self._constants: dict[int, int] = {}
        self._views: dict[tuple[int, Shape], int] = {}
        self._journal: list[tuple[dict[Any, Any], object]] = []
        """What was remembered, in order."""

    # What the call says

    @property
    def call(self) -> Call:
        """The call that is being lifted."""
        return self.tape.calls[self.index]

    def sizes(self, tensor: int) -> Sizes:
        """The sizes of a tensor of the tape."""
        first, second = self.tape.tensors[tensor].shape, self.tape.second
        return Sizes(first, first if second is None else second[tensor], self.batch)

    def output(self, position: int = 0) -> Sizes:
        """The sizes of an output of the call."""
        return self.sizes(self.call.outputs[position])

    def number(self, name: str, default: float | None = None) -> float:
        """An argument that is a number."""
        found = self.scalar(self.arguments.get(name, default))
        if found is None:
            raise Unsupported(f"its {name} is not a number")
        return found

    def scalar(self, argument: object) -> float | None:
        """A number, or a constant tensor with one known number; None for everything else."""
        if isinstance(argument, bool):
            return int(argument)
        if isinstance(argument, (int, float)):
            return argument
        if isinstance(argument, Ref):
            value = self.values[argument.tensor]
            return value.number if isinstance(value, Constant) else None
        return None

    def bound(self, argument: object) -> int | None:
        """A bound of a slice; None where there is none."""
        if argument is None:
            return None
        found = self.scalar(argument)
        if found is None:
            raise Unsupported("its bounds are computed while it runs")
        return int(found)

    def integer(self, name: str) -> int:
        """An argument that is a whole number."""
        found = self.number(name)
        if found != int(found):
            raise Unsupported(f"its {name} is {found}")
        return int(found)

    def integers(self, name: str) -> tuple[int, ...] | None:
        """An argument that is one whole number or several; None where it is not given."""
        found: Any = self.arguments.get(name)
        if found is None:
            return None
        numbers = [self.scalar(item) for item in (found if listed(found) else (found,))]
        if any(number is None for number in numbers):
            raise Unsupported(f"its {name} are no numbers")
        return tuple([int(number) for number in numbers if number is not None])

    def second_integers(self, name: str, count: int) -> tuple[int, ...] | None:
        """An argument of one whole number an axis in the second run; None where it is not numbers."""
        found: Any = self.second_arguments.get(name)
        numbers: tuple[Any, ...] = tuple(found) if listed(found) else (found,) * count
        return numbers if all(isinstance(number, int) for number in numbers) else None

    def flag(self, name: str, default: bool = False) -> bool:
        """An argument that is a truth value."""
        return bool(self.arguments.get(name, default))

    def word(self, name: str, default: str = "") -> str:
        """An argument that is a word."""
        found = self.arguments.get(name)
        return default if found is None else str(found)

    def value(self, name: str) -> Value | None:
        """An argument that is a tensor; None where it is none."""
        found = self.arguments.get(name)
        return self.values[found.tensor] if isinstance(found, Ref) else None

    def given(self, name: str) -> Value:
        """An argument that must be a tensor."""
        found = self.value(name)
        if found is None:
            raise Unsupported(f"its {name} is no tensor")
        return found

    def several(self, name: str) -> list[Value]:
        """An argument that is a list of tensors."""
        found: Any = self.arguments.get(name)
        if not listed(found) or not all(isinstance(item, Ref) for item in found):
            raise Unsupported(f"its {name} are no tensors")
        return [self.values[item.tensor] for item in found]

    def read_tensor(self, name: str) -> int:
        """The place on the tape of an argument that is a tensor; −1 where it is none."""
        found = self.arguments.get(name)
        return found.tensor if isinstance(found, Ref) else -1

    def is_read(self, tensor: int) -> bool:
        """Whether a later call reads a tensor, or the model puts it out."""
        return tensor in self.readers

    def only_reader(self, tensor: int) -> str:
        """The name of the only call that reads a tensor; empty where there are several, or the model puts it out."""
        readers = self.readers.get(tensor, [])
        return base_name(self.tape.calls[readers[0]].function) if len(readers) == 1 and readers[0] >= 0 else ""

    def alike(self) -> Iterator[Call]:
        """The calls that stand where this one stands, in other calls of modules of the same class."""
        scopes, scope = self.tape.scopes, self.call.scope
        if self._own is None:
            self._own = {}
            for index, call in enumerate(self.tape.calls):
                self._own.setdefault(call.scope, []).append(index)
        place = self._own[scope].index(self.index)
        for other, own in self._own.items():
            if other != scope and scopes[other].cls == scopes[scope].cls and place < len(own):
                yield self.tape.calls[own[place]]

    def transposed(self, value: Value) -> int | None:
        """The stored parameter of which a matrix is the transpose; None where it is none."""
        if not isinstance(value, Derived) or value.sizes.rank != 2:
            return None
        call = self.tape.calls[value.call]
        sources = [self.values[tensor] for tensor in refs((call.args, call.kwargs))]
        if base_name(call.function) not in ("t", "T", "transpose", "permute", "mT") or len(sources) != 1:
            return None
        (source,) = sources
        same = isinstance(source, Parameter) and source.sizes.first == value.sizes.first[::-1]
        return source.source if same and isinstance(source, Parameter) else None

    def of_space(self, space: Shape, second: Shape) -> int | None:
        """The step of a map of [channels, *space] with this space in both runs: an input, or one of the last maps."""
        inputs = [self.values[tensor] for tensor in self.tape.inputs]
        for value in (*inputs, *islice(reversed(self.values.values()), NEAR)):
            if not isinstance(value, Activation) or value.place != Place(0):
                continue
            if value.sizes.first[2:] == space and value.sizes.second[2:] == second:
                return self.settled(value)
        return None

    def activation(self, name: str) -> Activation:
        """An argument that must be a tensor, as layers give it."""
        return self.active(self.given(name))

    def active(self, value: Value) -> Activation:
        """The value as layers give it: a parameter or a constant becomes a layer of its own."""
        if isinstance(value, Activation):
            return value
        if isinstance(value, Derived):
            assert self.materialise is not None
            return self.materialise(value)
        if isinstance(value, Padded):
            return self.bordered(value)
        return Activation(self._constant(value), value.sizes, None, self.call.scope)

    def bordered(self, value: Padded) -> Activation:
        """A padded activation as a layer gives it; the layer pads all axes but the first."""
        inner = value.inner
        if abs(value.number) == float("inf"):
            raise Unsupported(f"it pads with {value.number}")
        own = {inner.axis(axis): pair for axis, pair in enumerate(value.first) if pair != (0, 0)}
        if None in own:
            raise Unsupported("it pads the batch")
        if not own:
            return inner._replace(sizes=value.sizes)
        shape, second = inner.shape, inner.second
        offset = int(0 in own or len(shape) < 2)
        if offset:
            shape, second = (1, *shape), (1, *second)
        fields: Fields = {"padding": shortest(tuple([own.get(axis - offset, (0, 0)) for axis in range(1, len(shape))]))}
        if value.number:
            fields["value"] = value.number
        return self.seen(self.layer("pad", fields, self.settled(inner, shape, second)), value.sizes, inner.place)

    def _constant(self, value: Parameter | Constant) -> int:
        found = self._constants.get(value.source)
        if found is None:
            tensor = self.tape.tensors[value.source]
            learned = isinstance(value, Parameter)
            fields: Fields = {"shape": tensor.shape} if learned else {"shape": tensor.shape, "learned": False}
            weights = {"value": value.source} if learned else {}
            found = self.remember(self._constants, value.source, self.layer("parameter", fields, weights=weights))
            self.steps[found].name = tensor.name.rpartition(".")[2]
        return found

    # What becomes of it

    def layer(
        self,
        kind: str,
        fields: Fields,
        *inputs: int,
        weights: Mapping[str, int] | None = None,
        leading: int = 0,
    ) -> int:
        """One more step, whose first `leading` axes count as batch."""
        layer = self._layer(kind, fields, leading)
        shapes = tuple([self.steps[step].shape for step in inputs])
        shape = self._inference.shape(layer, shapes)
        macs = layer.operations(shapes, shape).get("mac", 0)
        second = self._shape_of_second(layer, inputs)
        # The word behind the last dot of `aten.sum.dim_IntList` is the overload, and says nothing of the operator.
        name = base_name(self.call.function) if kind == "opaque" and self.call.function.startswith("aten.") else ""
        self.steps.append(Step(layer, inputs, shape, self.call.scope, self.index, weights or {}, macs, name, second))
        return len(self.steps) - 1

    def _shape_of_second(self, layer: Layer, inputs: Sequence[int]) -> Shape | None:
        """What a layer gives in the second run, where its inputs are known."""
        shapes = tuple([self.steps[step].second for step in inputs])
        try:
            return self._inference.shape(layer, shapes) if None not in shapes else None  # type: ignore[arg-type]
        except GeometryError:
            return None

    def _layer(self, kind: str, fields: Fields, leading: int) -> Layer:
        """The layer of a kind with these fields; equal ones are one object."""
        try:
            return self._layers.of(kind, fields, leading)
        except Unfit as error:
            raise Unsupported(f"{kind}: {error}") from error

    def settled(self, value: Activation, shape: Shape | None = None, second: Shape | None = None) -> int:
        """The step whose output has the value's shape, or another one of the same numbers."""
        own = shape is None or shape == value.shape
        if shape is None:
            shape, second = value.shape, value.second
        step = self.steps[value.step]
        if step.shape == shape:
            return value.step
        if not shape:
            raise Unsupported("its input has no axes")
        found = self._views.get((value.step, shape))
        if found is None and self._held_so(value.step, shape, second):
            return value.step
        if found is None:
            kind, fields = self._view(step.shape, shape, second or shape)
            scope = self._scope_of_view(value.scope if own else None)
            found = self.remember(self._views, (value.step, shape), self.layer(kind, fields, value.step))
            self.steps[found].scope = scope
        return found

    def _held_so(self, index: int, shape: Shape, second: Shape | None) -> bool:
        """Whether a parameter that nothing has read yet is held in this shape, which has other axes of size 1 alone."""
        step = self.steps[index]
        kept = [size for size in shape if size != 1] == [size for size in step.shape if size != 1]
        if step.layer is None or step.inputs or not kept:
            return False
        if any(index in other.inputs for other in self.steps[index + 1 :]):
            return False
        learned = {} if step.weights else {"learned": False}
        step.layer = self._layer("parameter", {"shape": shape, **learned}, 0)
        step.shape, step.second = shape, second or shape
        step.frozen = step.second != shape
        return True

    def _scope_of_view(self, maker: int | None) -> int:
        """The call of a module in which a view becomes a layer: that which made it, where its layers stay together.

        Else, and where only its reader asks for it, it stands where it is read: before a module that begins by
        reading it.
        """
        if maker is not None and self._stays_together(maker):
            return maker
        reader = self.call.scope
        module = self.tape.scopes[reader]
        return module.parent if module.start == self.index and module.parent >= 0 else reader

    def _stays_together(self, scope: int) -> bool:
        """Whether one more step in a call of a module parts no module's steps from each other."""
        scopes, last = self.tape.scopes, self.steps[-1].scope
        around, entered = scope, -1
        while not self._is_within(last, around):
            around, entered = scopes[around].parent, around
        left = -1
        while last != around:
            last, left = scopes[last].parent, last
        if left >= 0 and self._is_within(self.call.scope, left):
            return False
        return entered < 0 or not any(
            self._is_within(step.scope, entered) for step in self.steps if step.call >= scopes[entered].start
        )

    def _is_within(self, scope: int, outer: int) -> bool:
        """Whether a call of a module is another one, or stands in it."""
        while scope > outer:
            scope = self.tape.scopes[scope].parent
        return scope == outer

    def _view(self, before: Shape, shape: Shape, second: Shape) -> tuple[str, Fields]:
        """The layer that gives the same numbers another shape."""
        if prod(before) != prod(shape):
            raise Unsupported(f"{list(before)} does not become {list(shape)}")
        if len(shape) < len(before):
            merged = len(before) - len(shape)
            for start in range(len(shape)):
                stop = start + merged + 1
                whole = prod(before[start:stop])
                if (*before[:start], whole, *before[stop:]) == shape:
                    if merged == 1 and 1 in before[start:stop] and len(shape) > 1:
                        gone = start if before[start] == 1 else start + 1
                        return "squeeze", {"dim": (gone,)}
                    fields: Fields = {"start_dim": start} if start else {}
                    return "flatten", fields if stop == len(before) else {**fields, "end_dim": stop - 1}
        if len(shape) == len(before) + 1:
            for axis, size in enumerate(shape):
                if size == 1 and (*shape[:axis], *shape[axis + 1 :]) == before:
                    return "unsqueeze", {"dim": axis}
        changed = [axis for axis, size in enumerate(shape) if second[axis] != size]
        open_axis = changed[0] if len(changed) == 1 else None
        return "reshape", {"shape": tuple(-1 if axis == open_axis else size for axis, size in enumerate(shape))}

    def made(self, step: int, place: Place | None, position: int = 0) -> Activation:
        """An output of the call as a step gives it."""
        return self.seen(step, self.output(position), place)

    def seen(self, step: int, sizes: Sizes, place: Place | None) -> Activation:
        """A step's output under these sizes."""
        found = Activation(step, sizes, place, self.call.scope)
        if prod(found.shape) != prod(self.steps[step].shape):
            raise Unsupported(f"its output is {list(found.shape)}, not {list(self.steps[step].shape)}")
        made = self.steps[step]
        if made.second is None or prod(made.second) != prod(found.second):
            made.frozen = made.call == self.index
            made.second = found.second if found.shape == made.shape else None
        return found

    def holds(self, value: Activation) -> bool:
        """Whether a value has the numbers of its step, and its batch at one of its axes: a tape of a file may lie."""
        placed = value.place is None or 0 <= value.place.axis < value.sizes.rank
        return placed and prod(value.shape) == prod(self.steps[value.step].shape)

    def viewed(self, value: Value, sizes: Sizes) -> Value:
        """The same numbers, in the same order, under other sizes."""
        if prod(value.sizes.first) != prod(sizes.first):
            raise Unsupported(f"{list(value.sizes.first)} does not become {list(sizes.first)}")
        if isinstance(value, Padded):
            value = self.active(value)
        if not isinstance(value, Activation):
            return value._replace(sizes=sizes)
        if value.place is None:
            return value._replace(sizes=sizes, scope=self.call.scope)
        place = moved(value.place, value.sizes, sizes)
        if place is None:
            raise Unsupported("it cuts the batch")
        return Activation(value.step, sizes, place, self.call.scope)

    def aligned(self, values: Sequence[Activation], output: Sizes) -> tuple[list[int], Place | None]:
        """Steps of one rank for values that broadcast to an output, and where its batch is."""
        place: Place | None = None
        for value in values:
            if value.place is not None:
                own = value.place._replace(axis=value.place.axis + output.rank - value.sizes.rank)
                if place is not None and own != place:
                    raise Unsupported("its inputs have the batch in different places")
                place = own
        steps = []
        for value in values:
            absent = output.rank - value.sizes.rank
            first, second = (1,) * absent + value.sizes.first, (1,) * absent + value.sizes.second
            if place is not None and not place.folded:
                if first[place.axis] != 1:
                    raise Unsupported("it broadcasts over the batch")
                first, second = (dims[: place.axis] + dims[place.axis + 1 :] for dims in (first, second))
            elif place is not None and value.place is not None:
                second = (*second[: place.axis], second[place.axis] // self.batch, *second[place.axis + 1 :])
            steps.append(self.settled(value, first, second) if first else value.step)
        return steps, place

    def remember(self, cache: dict[Key, Found], key: Key, found: Found) -> Found:
        """Keep what was found, until the steps that were made since then are forgotten."""
        cache[key] = found
        self._journal.append((cache, key))
        return found

    @property
    def mark(self) -> tuple[int, int]:
        """What there is so far, for `forget`."""
        return len(self.steps), len(self._journal)

    def forget(self, mark: tuple[int, int]) -> None:
        """Take away the steps that were made since a mark, and what was remembered of them."""
        steps, remembered = mark
        del self.steps[steps:]
        while len(self._journal) > remembered:
            cache, key = self._journal.pop()
            cache.pop(key, None)
