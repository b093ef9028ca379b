"""Recurrent layers: lstm, gru, rnn, from states of zeros."""

from __future__ import annotations

from ....layers.registry import build
from ...tape import Ref
from ..arguments import listed
from ..builder import Builder, Fields, Unsupported
from ..names import base_name
from ..values import Activation, Constant, Parameter
from .axes import spatial
from .layout import permuted
from .record import Function, Rule

ZEROS = ("zeros", "zeros_like", "new_zeros")


def _recurrent(kind: str, nonlinearity: str | None = None) -> Rule:
    def rule(b: Builder) -> Activation:
        parameters = _stored(b)
        _refuse_states(b)
        bias, directions = b.flag("has_biases"), 2 if b.flag("bidirectional") else 1
        layers = b.integer("num_layers")
        hidden, states = parameters[0].sizes.first[0] // GATES[kind], parameters[1].sizes.first[1]
        fields: Fields = {"hidden_size": hidden}
        fields |= {"num_layers": layers} if layers != 1 else {}
        fields |= {} if bias else {"bias": False}
        fields |= {"bidirectional": True} if directions == 2 else {}
        fields |= {"proj_size": states} if states != hidden else {}
        fields |= {"nonlinearity": nonlinearity} if nonlinearity else {}
        value = b.activation("input")
        swapped = not b.flag("batch_first") and value.sizes.rank == 3
        source = spatial(b, permuted(b, value, (1, 0, 2)) if swapped else value, 1)
        names = [weight.name for weight in build(kind, fields).weights((source.shape,))]
        weights = {name: held.source for name, held in zip(names, parameters, strict=True)}
        step = b.layer(kind, fields, source.step, weights=weights, leading=source.leading)
        if not swapped:
            return b.made(step, source.place)
        return permuted(b, b.seen(step, b.output().permuted((1, 0, 2)), source.place), (1, 0, 2))

    return rule


GATES = {"lstm": 4, "gru": 3, "rnn": 1}
"""Kind -> the products of the input with a matrix that a state takes."""


def _stored(b: Builder) -> list[Parameter]:
    """The weights, in the order in which layers and directions have them."""
    given = b.arguments["params"]
    if not listed(given):
        raise Unsupported("its sequences are packed")
    values = [b.values[item.tensor] for item in given]
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
