"""Recurrent layers: lstm, gru, rnn, from states of zeros; the states with which they end are parts of their output."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from ....layers.registry import build
from ....models.making import Fields, Unsupported
from ...tape import Call, Ref
from ..arguments import bound, listed
from ..builder import Builder
from ..names import base_name
from ..values import Activation, Constant, Parameter, Value
from .axes import spatial
from .layout import permuted
from .parts import selected, sliced, unsqueezed
from .record import Function, Rule

ZEROS = ("zeros", "zeros_like", "new_zeros")


def _recurrent(kind: str, nonlinearity: str | None = None) -> Rule:
    def rule(b: Builder) -> list[Value | None]:
        parameters = _stored(b)
        _refuse_states(b)
        bias, directions = b.flag("has_biases"), 2 if b.flag("bidirectional") else 1
        layers = b.integer("num_layers")
        hidden, states = parameters[0].sizes.first[0] // GATES[kind], parameters[1].sizes.first[1]
        fields: Fields = {"hidden_size": hidden}
        fields |= {} if bias else {"bias": False}
        fields |= {"bidirectional": True} if directions == 2 else {}
        fields |= {"proj_size": states} if states != hidden else {}
        fields |= {"nonlinearity": nonlinearity} if nonlinearity else {}
        value, output = b.activation("input"), b.output()
        swapped = not b.flag("batch_first") and value.sizes.rank == 3
        if swapped:
            value, output = permuted(b, value, (1, 0, 2)), output.permuted((1, 0, 2))
        wanted = _states_read(b, layers * directions)
        ends = sorted({number // directions for number in wanted} | {layers - 1})
        finals: dict[int, Activation] = {}
        for before, last in pairwise((-1, *ends)):
            count = last - before
            own = {**fields, "num_layers": count} if count > 1 else fields
            source = spatial(b, value, 1)
            names = [weight.name for weight in build(kind, own).weights((source.shape,))]
            first = (before + 1) * len(parameters) // layers
            held = parameters[first : first + len(names)]
            weights = {name: one.source for name, one in zip(names, held, strict=True)}
            step = b.layer(kind, own, source.step, weights=weights, leading=source.leading)
            value = b.seen(step, output, source.place)
            for direction in range(directions):
                number = last * directions + direction
                if number in wanted:
                    finals[number] = _final(b, value, states, direction, directions)
        made: list[Value | None] = [permuted(b, value, (1, 0, 2)) if swapped else value]
        return made + ([_stacked(b, finals, layers * directions)] if finals else [])

    return rule


def _states_read(b: Builder, count: int) -> set[int]:
    """The last states of layers and directions that are read, of so many: all, unless calls select them one by one."""
    found: set[int] = set()
    for reader in (reader for states in b.call.outputs[1:2] for reader in b.readers.get(states, [])):
        number = None if reader < 0 else _number_selected(b.tape.calls[reader])
        if number is None:
            return set(range(count))
        found.add(number % count)
    return found


def _number_selected(call: Call) -> int | None:
    """The position of the first axis that a call selects; None where it does something else."""
    name = base_name(call.function)
    if name == "__getitem__":
        index = bound("input index", call.args, call.kwargs)["index"]
        found = index[0] if listed(index) and index else index
    elif name == "select":
        arguments = bound("input dim index", call.args, call.kwargs)
        found = arguments["index"] if arguments["dim"] == 0 else None
    else:
        return None
    return found if type(found) is int else None


def _final(b: Builder, value: Activation, states: int, direction: int, directions: int) -> Activation:
    """The state with which a direction ends: at the last position, of the reversed one at the first."""
    last = selected(b, value, -2, -1 if direction == 0 else 0)
    return last if directions == 1 else sliced(b, last, -1, direction * states, (direction + 1) * states)


def _stacked(b: Builder, finals: Mapping[int, Activation], count: int) -> Activation:
    """The last states on top of each other; another one stands where nothing reads what would stand there."""
    one = next(iter(finals.values()))
    if count == 1:
        return unsqueezed(b, one, 0)
    steps = [b.settled(finals.get(number, one)) for number in range(count)]
    place = one.place and one.place._replace(axis=one.place.axis + 1)
    return b.made(b.layer("stack", {}, *steps), place, 1)


GATES = {"lstm": 4, "gru": 3, "rnn": 1}
"""Kind -> the products of the input with a matrix that a state takes."""


def _stored(b: Builder) -> list[Parameter]:
    """The weights, in the order in which layers and directions have them."""
    if not listed(b.arguments["params"]):
        raise Unsupported("its sequences are packed")
    values = b.several("params")
    found = [value for value in values if isinstance(value, Parameter)]
    if len(found) < len(values):
        raise Unsupported("its weights are computed")
    return found


def _refuse_states(b: Builder) -> None:
    """Raise `Unsupported` where the states at the start are not zeros."""
    states = b.arguments["hx"]
    for state in states if listed(states) else (states,):
        value = b.values[state.tensor] if isinstance(state, Ref) else None
        if not isinstance(value, Constant) or not _is_zero(b, value):
            raise Unsupported("its states at the start are given")


def _is_zero(b: Builder, value: Constant) -> bool:
    if value.numbers is not None:
        return not any(value.numbers)
    producer = b.producers.get(value.source)
    return producer is not None and base_name(b.tape.calls[producer].function) in ZEROS


SIGNATURE = "input hx params has_biases num_layers dropout train bidirectional batch_first=False"
FUNCTIONS = (
    Function("lstm", SIGNATURE, _recurrent("lstm")),
    Function("gru", SIGNATURE, _recurrent("gru")),
    Function("rnn_tanh", SIGNATURE, _recurrent("rnn")),
    Function("rnn_relu", SIGNATURE, _recurrent("rnn", "relu")),
)
