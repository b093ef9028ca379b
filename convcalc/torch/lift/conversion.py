"""A tape -> steps: every call becomes layers, or an opaque layer with its exact cost; nothing is dropped unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...flow import ancestors
from ...geometry import GeometryError
from ...layers.base import Shape
from ...layers.sharing import Use
from ...models.apart import taken_apart
from ...models.making import Unsupported
from ...models.tying import Held, tied
from ..tape import Call, Tape, refs
from .arguments import WrongCall, bound
from .builder import Builder, Step
from .functions import FUNCTIONS
from .functions.parts import PARTS
from .functions.record import Function
from .names import base_name
from .values import Activation, Constant, Derived, Padded, Parameter, Place, Sizes, Value, without_batch


@dataclass
class Lifted:
    """What came of a tape, before its layers have names."""

    tape: Tape
    steps: list[Step]
    outputs: list[tuple[str, int]]
    """Name and step of what the model puts out."""
    opaque: dict[str, list[str]] = field(default_factory=dict)
    """Function -> why its calls are opaque, once a call."""
    constant_macs: int = 0
    """Multiply-accumulates of calls that no input and no parameter feeds."""

    @property
    def frozen(self) -> dict[str, int]:
        """Function -> how many layers of its calls hold for the input's size alone, of those that lead to an output."""
        steps = self.steps
        needed = ancestors(steps, {step for _, step in self.outputs})
        found = [steps[index] for index in sorted(needed) if steps[index].frozen]
        return dict(Counter(self.tape.calls[step.call].function for step in found))


class Conversion:
    """Goes through the calls of a tape in order."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.builder = Builder(tape)
        self.builder.materialise = self._materialise
        self.reasons: dict[str, list[str]] = {}
        self.constant_macs = 0
        self._parts: dict[tuple[int, str, str, int], int] = {}
        """What takes a part of a constant -> the tensor."""

    def run(self) -> Lifted:
        """The steps of the whole tape."""
        self._enter()
        for index, call in enumerate(self.tape.calls):
            self._call(index, call)
        outputs = self._leave()
        ends = {step for _, step in outputs}
        steps, places = taken_apart(self.builder.steps, ends, lambda step: step.scope)
        _share(steps)
        return Lifted(
            self.tape, steps, [(name, places[step]) for name, step in outputs], self.reasons, self.constant_macs
        )

    def _enter(self) -> None:
        """Inputs, parameters and constants as values."""
        b = self.builder
        for index, tensor in enumerate(self.tape.tensors):
            sizes = b.sizes(index)
            if tensor.origin == "parameter":
                b.values[index] = Parameter(index, sizes)
            elif tensor.origin == "input":
                batched = sizes.rank > 1 and (sizes.first[0] == 1 and sizes.second[0] == b.batch)
                place = Place(0) if batched else None
                value = Activation(len(b.steps), sizes, place, 0)
                b.steps.append(Step(None, (), value.shape, 0, second=value.second))
                b.values[index] = value
            elif tensor.origin != "call":
                b.values[index] = Constant(index, sizes, tensor.numbers)

    def _leave(self) -> list[tuple[str, int]]:
        """What the model puts out; what is an input, or the same for every input, gets a layer."""
        b, found = self.builder, []
        b.index = len(self.tape.calls) - 1
        for name, tensor in self.tape.outputs:
            value = b.values[tensor]
            if isinstance(value, (Parameter, Derived, Padded)):
                value = b.active(value)
            if isinstance(value, Activation):
                step = b.settled(value)
                if b.steps[step].layer is None:
                    step = b.layer("identity", {}, step)
                found.append((name, step))
        return found

    def _call(self, index: int, call: Call) -> None:
        b = self.builder
        b.index = index
        read = [b.values[tensor] for tensor in refs((call.args, call.kwargs)) if tensor in b.values]
        if any(isinstance(value, (Activation, Padded)) for value in read):
            self._lift(index)
            return
        function = FUNCTIONS.get(base_name(call.function))
        view = self._view(index, call, function)
        for position, tensor in enumerate(call.outputs):
            sizes = b.sizes(tensor)
            if view is not None and position == 0:
                b.values[tensor] = view
            elif any(isinstance(value, (Parameter, Derived)) for value in read):
                b.values[tensor] = Derived(tensor, index, sizes)
            else:
                b.values[tensor] = Constant(self._made_before(call, position), sizes, self.tape.tensors[tensor].numbers)
        if not any(isinstance(value, (Parameter, Derived)) for value in read):
            self.constant_macs += call.macs

    def _made_before(self, call: Call, position: int) -> int:
        """The output of a call, or of an earlier one in the same module that took the same parts of a constant."""
        output = call.outputs[position]
        if base_name(call.function) not in PARTS:
            return output
        return self._parts.setdefault((call.scope, call.function, repr((call.args, call.kwargs)), position), output)

    def _view(self, index: int, call: Call, function: Function | None) -> Value | None:
        """A view of a parameter or a constant, which is one still."""
        if function is None or not function.views or len(call.outputs) != 1:
            return None
        b = self.builder
        try:
            b.arguments = bound(function.signature, call.args, call.kwargs)
            value = b.given("input")
            if not isinstance(value, (Parameter, Constant)):
                return None
            seen = b.viewed(value, b.output())
        except (WrongCall, Unsupported, KeyError):
            return None
        return seen

    def _materialise(self, value: Derived) -> Activation:
        """Layers of all calls that make a tensor of parameters, in the order of the tape."""
        b = self.builder
        found = b.derived.get(value.tensor)
        if found is not None:
            return found
        index, arguments, second = b.index, b.arguments, b.second_arguments
        needed: set[int] = set()
        pending = [value.call]
        while pending:
            number = pending.pop()
            if number in needed:
                continue
            needed.add(number)
            for tensor in refs((self.tape.calls[number].args, self.tape.calls[number].kwargs)):
                other = b.values[tensor]
                if isinstance(other, Derived) and tensor not in b.derived:
                    pending.append(other.call)
        derived = {tensor: b.values[tensor] for number in needed for tensor in self.tape.calls[number].outputs}
        for number in sorted(needed):
            for tensor in refs((self.tape.calls[number].args, self.tape.calls[number].kwargs)):
                if tensor in b.derived and tensor not in derived:
                    derived[tensor] = b.values[tensor]
                    b.values[tensor] = b.derived[tensor]
            self._lift(number)
        for tensor, before in derived.items():
            made = b.values[tensor]
            if made is not before:  # an output that nothing reads has no layer
                b.remember(b.derived, tensor, b.active(made))
            b.values[tensor] = before
        b.index, b.arguments, b.second_arguments = index, arguments, second
        return b.derived[value.tensor]

    def _lift(self, index: int) -> None:
        """Layers of a call, whose cost is the call's; else an opaque layer."""
        b = self.builder
        b.index = index
        call, mark = self.tape.calls[index], b.mark
        try:
            made = self._layers(call)
            self._check(call, mark[0], made)
        except (Unsupported, WrongCall) as reason:
            made = self._opaque(call, mark, str(reason))
        except GeometryError as error:
            made = self._opaque(call, mark, error.message)
        except (IndexError, TypeError, ValueError, KeyError, OverflowError) as error:
            made = self._opaque(call, mark, f"its arguments are not understood: {error}")
        for tensor, value in zip(call.outputs, made, strict=False):
            if value is not None:
                b.values[tensor] = value

    def _layers(self, call: Call) -> Sequence[Value | None]:
        b = self.builder
        function = FUNCTIONS.get(base_name(call.function))
        if function is None:
            raise Unsupported("the language has no such function")
        b.arguments = bound(function.signature, call.args, call.kwargs)
        second = self.tape.second_arguments.get(b.index)
        b.second_arguments = b.arguments if second is None else bound(function.signature, *second)
        made = function.rule(b)
        values: list[Value | None] = made if isinstance(made, list) else [made]
        values += [None] * (len(call.outputs) - len(values))
        for position, (tensor, value) in enumerate(zip(call.outputs, values, strict=True)):
            if value is None and b.is_read(tensor):
                values[position] = self._beside(call, position, values[0])
        return values

    def _beside(self, call: Call, position: int, first: Value | None) -> Activation:
        """An output that the language does not have, beside a first one that it has, which it follows from."""
        if not isinstance(first, Activation) or not first.shape:
            raise Unsupported(f"its output {position} is read")
        b, reason = self.builder, f"the language has only its output 0, and {position} is read"
        self.reasons.setdefault(call.function, []).append(reason)
        sizes, source = b.sizes(call.outputs[position]), b.settled(first)
        place = _guessed(sizes, [first])
        fields: dict[str, object] = {"operator": call.function, "output": without_batch(sizes.first, place)}
        step = b.layer("opaque", {**fields, "reads": (b.steps[source].shape,), "reason": reason}, source)
        return Activation(step, sizes, place, call.scope)

    def _check(self, call: Call, count: int, made: Sequence[Value | None]) -> None:
        """Raise `Unsupported` where the layers' cost or sizes are not those of the call."""
        b = self.builder
        macs = sum(step.macs for step in b.steps[count:] if step.call == b.index)
        if macs != call.macs:
            raise Unsupported(f"its layers would take {macs:,} multiply-accumulates, not {call.macs:,}")
        for tensor, value in zip(call.outputs, made, strict=False):
            if isinstance(value, Activation) and value.sizes.first != b.sizes(tensor).first:
                raise Unsupported(f"its layers would give {list(value.sizes.first)}, not {list(b.sizes(tensor).first)}")
            if isinstance(value, Activation) and not b.holds(value):
                raise Unsupported(f"it does not become {list(value.sizes.first)}")

    def _opaque(self, call: Call, mark: tuple[int, int], reason: str) -> Sequence[Value | None]:
        """The call as it is: each output that is read becomes a layer, the first of them with the cost and the weights.

        Where none is read, the first output is that layer.
        """
        b = self.builder
        b.forget(mark)
        self.reasons.setdefault(call.function, []).append(reason)
        inputs: dict[int, Activation] = {}
        held: dict[int, Shape] = {}
        for tensor in refs((call.args, call.kwargs)):
            value = b.values[tensor]
            if isinstance(value, Padded):
                value = value.inner if abs(value.number) == float("inf") else b.active(value)
            if isinstance(value, Derived):
                value = b.active(value)
            if isinstance(value, Activation):
                inputs[tensor] = value
            elif isinstance(value, Parameter):
                held[value.source] = self.tape.tensors[value.source].shape
        if not inputs:
            inputs = {tensor: b.active(b.values[tensor]) for tensor in refs((call.args, call.kwargs))}
            held = {}
        steps = [b.settled(value) if value.shape else value.step for value in inputs.values()]
        made: list[Value | None] = []
        read = [position for position, tensor in enumerate(call.outputs) if b.is_read(tensor)] or [0]
        for position, tensor in enumerate(call.outputs):
            if position not in read:
                made.append(None)
                continue
            sizes = b.sizes(tensor)
            place = _guessed(sizes, list(inputs.values()))
            fields: dict[str, object] = {"operator": call.function, "output": without_batch(sizes.first, place)}
            fields["reads"] = tuple([b.steps[step].shape for step in steps])
            fields["reason"] = reason
            if position == read[0]:
                fields |= {"holds": tuple(held.values())} if held else {}
                fields |= {"macs": call.macs} if call.macs else {}
            weights = {str(number): source for number, source in enumerate(held)} if position == read[0] else {}
            step = b.layer("opaque", fields, *steps, weights=weights)
            made.append(Activation(step, sizes, place, call.scope))
        return made


def _share(steps: Sequence[Step]) -> None:
    """Steps with the same weights as an earlier one of their family share that one's; others, single tensors."""
    holders: dict[tuple[str, tuple[tuple[str, int], ...]], int] = {}
    for index, step in enumerate(steps):
        if not step.weights or step.layer is None:
            continue
        key = (step.layer.kind, tuple(sorted(step.weights.items())))
        holder = holders.setdefault(key, index)
        if holder != index:
            step.shares = holder
    layers = [
        None
        if step.layer is None or step.shares is not None
        else Held(Use(step.name, step.layer, tuple([steps[source].shape for source in step.inputs])), step.weights)
        for step in steps
    ]
    for step, ties in zip(steps, tied(layers), strict=True):
        step.tied = ties


def _guessed(sizes: Sizes, inputs: Sequence[Activation]) -> Place | None:
    """Where the batch is in what an opaque call gives: at the axis where an input has it, else where it grew.

    An axis that is the batch alone is that rather than one that has grown with the input.
    """
    places = [value.place for value in inputs if value.place is not None]
    if not places:
        return None
    grown = [
        axis
        for axis in range(sizes.rank)
        if sizes.second[axis] % sizes.batch == 0 and (sizes.batch == 1 or sizes.second[axis] != sizes.first[axis])
    ]
    alone = [axis for axis in grown if (sizes.first[axis], sizes.second[axis]) == (1, sizes.batch)]
    grown = (alone if sizes.batch > 1 else None) or grown
    axis = next((place.axis for place in places if place.axis in grown), grown[0] if grown else None)
    if axis is None:
        return None
    folded = sizes.first[axis] != 1 or sizes.second[axis] != sizes.batch
    return Place(axis, sizes.second[axis] // sizes.batch if folded else 1, folded)


def lift(tape: Tape) -> Lifted:
    """The layers of a tape."""
    return Conversion(tape).run()
