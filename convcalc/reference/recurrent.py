"""Recurrent layers, forward and backward through time: rnn, gru, lstm.

A cell is a function of what arrives at a position and of the state before it; its backward step gives the gradients of
both. It takes products with W_hh where it needs them. What all positions share, those of the whole input with W_ih, is
taken at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from .activation import sigmoid
from .context import (
    Array,
    Arrays,
    Context,
    Counter,
    DoesNotFit,
    Gradients,
    Operation,
    Start,
    Starts,
    Weights,
    multiply_matrices,
)

if TYPE_CHECKING:
    from ..layers.recurrent import GRU, LSTM, RNN

    Recurrent = RNN | GRU | LSTM

Kept = tuple[Array, ...]


ALL = slice(None)
"""The rows of all gates."""


class Recall(Protocol):
    """The product of an array with W_hh, and its bias, for the rows of some gates."""

    def __call__(self, read: Array, gates: slice = ALL, /) -> Array: ...


class Spread(Protocol):
    """The gradient of what such a product reads, from its own; those of W_hh and its bias are gathered."""

    def __call__(self, grad: Array, read: Array, gates: slice = ALL, /) -> Array: ...


class Cell(NamedTuple):
    """One position of a recurrent layer: what becomes of the product of its input and of the state before."""

    forward: Callable[[Any, Array, Array, Kept, Recall], tuple[Array, Kept]]
    """(layer, W_ih x + b_ih, the state before, what the position before kept, ·) -> (state, what is kept)."""
    backward: Callable[[Any, Kept, Kept, Array, Array, Array, Spread], tuple[Array, Array, Array]]
    """(layer, kept, kept before, the state before, gradient of the state, what flows back besides, ·) ->
    gradients of W_ih x + b_ih and of the state before, and what flows back besides."""
    gates: int


def _simple(layer: RNN, arrived: Array, before: Array, kept: Kept, recall: Recall) -> tuple[Array, Kept]:
    total = arrived + recall(before)
    state = np.tanh(total) if layer.nonlinearity == "tanh" else np.maximum(total, 0)
    return state, (state,)


def _simple_backward(
    layer: RNN, kept: Kept, before: Kept, state: Array, grad: Array, flow: Array, spread: Spread
) -> tuple[Array, Array, Array]:
    (made,) = kept
    total = np.asarray(grad * (1 - np.square(made)) if layer.nonlinearity == "tanh" else np.where(made > 0, grad, 0))
    return total, spread(total, state), flow


def _gated(layer: GRU, arrived: Array, state: Array, kept: Kept, recall: Recall) -> tuple[Array, Kept]:
    before = recall(state)
    reset, update = (
        sigmoid(a + b) for a, b in zip(np.split(arrived, 3, -1)[:2], np.split(before, 3, -1)[:2], strict=True)
    )
    recalled = np.split(before, 3, -1)[2]
    new = np.tanh(np.split(arrived, 3, -1)[2] + reset * recalled)
    made = (1 - update) * new + update * state
    return made, (made, reset, update, new, recalled)


def _gated_backward(
    layer: GRU, kept: Kept, before: Kept, state: Array, grad: Array, flow: Array, spread: Spread
) -> tuple[Array, Array, Array]:
    _, reset, update, new, recalled = kept
    to_new = grad * (1 - update) * (1 - np.square(new))
    to_reset = to_new * recalled * reset * (1 - reset)
    to_update = grad * (state - new) * update * (1 - update)
    arrived = np.concatenate((to_reset, to_update, to_new), -1)
    product = np.concatenate((to_reset, to_update, to_new * reset), -1)
    return arrived, grad * update + spread(product, state), flow


def _reset_first(layer: GRU, arrived: Array, state: Array, kept: Kept, recall: Recall) -> tuple[Array, Kept]:
    """The state is reset before its product with W_hn."""
    gates, last = _apart(layer)
    reset, update = np.split(sigmoid(arrived[..., gates] + recall(state, gates)), 2, -1)
    new = np.tanh(arrived[..., last] + recall(reset * state, last))
    made = (1 - update) * new + update * state
    return made, (made, reset, update, new)


def _reset_first_backward(
    layer: GRU, kept: Kept, before: Kept, state: Array, grad: Array, flow: Array, spread: Spread
) -> tuple[Array, Array, Array]:
    gates, last = _apart(layer)
    _, reset, update, new = kept
    to_new = grad * (1 - update) * (1 - np.square(new))
    to_read = spread(to_new, reset * state, last)
    to_update = grad * (state - new) * update * (1 - update)
    to_gates = np.concatenate((to_read * state * reset * (1 - reset), to_update), -1)
    arrived = np.concatenate((to_gates, to_new), -1)
    return arrived, grad * update + to_read * reset + spread(to_gates, state, gates), flow


def _apart(layer: GRU) -> tuple[slice, slice]:
    """The rows of both gates, and those of what a state is made of."""
    return slice(0, 2 * layer.hidden_size), slice(2 * layer.hidden_size, None)


def remembered(total: Array, memory: Array, axis: int) -> Kept:
    """What long short-term memory makes of the sum of its products, whose gates i f g o stand along an axis, and of the
    memory before: (state, memory, i, f, g, o).
    """
    into, forget, new, out = np.split(total, 4, axis)
    into, forget, out = sigmoid(into), sigmoid(forget), sigmoid(out)
    new = np.tanh(new)
    memory = forget * memory + into * new
    return out * np.tanh(memory), memory, into, forget, new, out


def remembered_gradients(kept: Kept, before: Array, grad: Array, flow: Array, axis: int) -> tuple[Array, Array]:
    """The gradients of that sum and of the memory before, from those of the state and of the memory."""
    _, memory, into, forget, new, out = kept
    squashed = np.tanh(memory)
    to_memory = flow + grad * out * (1 - np.square(squashed))
    parts = (
        to_memory * new * into * (1 - into),
        to_memory * before * forget * (1 - forget),
        to_memory * into * (1 - np.square(new)),
        grad * squashed * out * (1 - out),
    )
    return np.concatenate(parts, axis), np.asarray(to_memory * forget)


def _remembering(layer: LSTM, arrived: Array, before: Array, kept: Kept, recall: Recall) -> tuple[Array, Kept]:
    found = remembered(arrived + recall(before), kept[1], -1)
    return found[0], found


def _remembering_backward(
    layer: LSTM, kept: Kept, before: Kept, state: Array, grad: Array, flow: Array, spread: Spread
) -> tuple[Array, Array, Array]:
    total, flow = remembered_gradients(kept, before[1], grad, flow, -1)
    return total, spread(total, state), flow


CELLS = {
    "rnn": Cell(_simple, _simple_backward, 1),
    "gru": Cell(_gated, _gated_backward, 3),
    "lstm": Cell(_remembering, _remembering_backward, 4),
}
RESET_FIRST = Cell(_reset_first, _reset_first_backward, 3)


def _cell(layer: Recurrent) -> Cell:
    return CELLS[layer.kind] if dict(layer).get("reset_after", True) else RESET_FIRST


class Ran(NamedTuple):
    """One direction of one layer that has run: [batch, L, …] in the order of its positions."""

    read: Array
    states: list[Array]
    """What it puts out, the first of them before all positions."""
    kept: list[Kept]
    """What each position keeps, the first of them before all positions."""
    end: str


def _ends(layer: Recurrent, number: int) -> tuple[str, ...]:
    """What the names of one layer's tensors end with, a direction each."""
    return tuple(f"_l{number}{end}" for end in (("", "_reverse") if layer.bidirectional else ("",)))


def _run(layer: Recurrent, x: Array, weights: Weights, end: str, counter: Counter | None) -> Ran:
    cell, hidden = _cell(layer), layer.hidden_size
    matrix = weights[f"weight_ih{end}"]
    if x.ndim != 3 or x.shape[2] != matrix.shape[1]:
        raise DoesNotFit(f"positions {x.shape[1:]} for weights of {matrix.shape[1]} features")
    batch, length, features = x.shape
    read = x[:, ::-1] if end.endswith("_reverse") else x
    arrived = multiply_matrices(read.reshape(-1, features), matrix.T, counter).reshape(batch, length, -1)
    if layer.bias:
        arrived = arrived + weights[f"bias_ih{end}"]
    recurrent, projection = weights[f"weight_hh{end}"], weights.get(f"weight_hr{end}")
    states = [np.zeros((batch, recurrent.shape[1]), x.dtype)]
    kept: list[Kept] = [(np.zeros((batch, hidden), x.dtype),) * 2]
    bias = weights[f"bias_hh{end}"] if layer.bias and layer.biases == 2 else None

    def recall(array: Array, gates: slice = ALL) -> Array:
        product = multiply_matrices(array, recurrent[gates].T, counter)
        return product if bias is None else product + bias[gates]

    for position in range(length):
        state, found = cell.forward(layer, arrived[:, position], states[-1], kept[-1], recall)
        kept.append(found)
        if projection is not None:
            state = multiply_matrices(state, projection.T, counter)
        states.append(state)
    return Ran(read, states, kept, end)


def _given(ran: Ran) -> Array:
    """What a direction puts out, in the order of the input."""
    made = np.stack(ran.states[1:], axis=1)
    return made[:, ::-1] if ran.end.endswith("_reverse") else made


def _layers(layer: Recurrent, x: Array, weights: Weights, counter: Counter | None) -> list[list[Ran]]:
    """Every layer's directions, run in order."""
    found: list[list[Ran]] = []
    for number in range(layer.num_layers):
        found.append([_run(layer, x, weights, end, counter) for end in _ends(layer, number)])
        x = np.concatenate([_given(ran) for ran in found[-1]], axis=-1)
    return found


def _forward(layer: Recurrent, inputs: Arrays, weights: Weights, context: Context) -> Array:
    *_, last = _layers(layer, inputs[0], weights, context.counter)
    return np.concatenate([_given(ran) for ran in last], axis=-1)


def _through_time(
    layer: Recurrent, ran: Ran, weights: Weights, grad: Array, counter: Counter | None
) -> tuple[Array, dict[str, Array]]:
    """The gradients of what a direction reads and of its tensors, from that of what it puts out."""
    cell, end = _cell(layer), ran.end
    batch, length, features = ran.read.shape
    named = {name: f"weight_{name}{end}" for name in ("ih", "hh", "hr")}
    matrices = {name: weights[whole] for name, whole in named.items() if whole in weights}
    gradients = {f"weight_{name}{end}": np.zeros_like(matrix) for name, matrix in matrices.items()}
    later = np.zeros((batch, matrices["hh"].shape[1]), grad.dtype)
    flow = np.zeros((batch, layer.hidden_size), grad.dtype)
    arrived: list[Array] = []
    sums = np.zeros(cell.gates * layer.hidden_size, grad.dtype)
    ordered = grad[:, ::-1] if end.endswith("_reverse") else grad

    def spread(product: Array, array: Array, gates: slice = ALL) -> Array:
        sums[gates] += product.sum(axis=0)
        gradients[f"weight_hh{end}"][gates] += multiply_matrices(product.T, array, counter)
        return multiply_matrices(product, matrices["hh"][gates], counter)

    for position in range(length, 0, -1):
        total = ordered[:, position - 1] + later
        if "hr" in matrices:
            gradients[f"weight_hr{end}"] += multiply_matrices(total.T, ran.kept[position][0], counter)
            total = multiply_matrices(total, matrices["hr"], counter)
        before = ran.states[position - 1]
        step, later, flow = cell.backward(
            layer, ran.kept[position], ran.kept[position - 1], before, total, flow, spread
        )
        arrived.append(step)
    rows = np.stack(arrived[::-1], axis=1).reshape(-1, sums.size)
    gradients[f"weight_ih{end}"] = multiply_matrices(rows.T, ran.read.reshape(-1, features), counter)
    if layer.bias:
        gradients |= {f"bias_ih{end}": rows.sum(axis=0)} | ({f"bias_hh{end}": sums} if layer.biases == 2 else {})
    back = multiply_matrices(rows, matrices["ih"], counter).reshape(ran.read.shape)
    return (back[:, ::-1] if end.endswith("_reverse") else back), gradients


def _backward(layer: Recurrent, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    gradients: dict[str, Array] = {}
    for directions in reversed(_layers(layer, inputs[0], weights, None)):
        parts = np.split(grad, len(directions), axis=-1)
        backs = []
        for ran, part in zip(directions, parts, strict=True):
            back, found = _through_time(layer, ran, weights, part, context.counter)
            backs.append(back)
            gradients |= found
        grad = np.asarray(sum(backs))
    return (grad,), gradients


def _tensors(layer: Recurrent, shape: tuple[int, ...], projected: int = 0) -> Starts:
    """All uniform within ±1/√hidden_size, as PyTorch has them."""
    rows, hidden = CELLS[layer.kind].gates * layer.hidden_size, layer.hidden_size
    state, features = projected or hidden, shape[-1]
    found: Starts = {}
    for number in range(layer.num_layers):
        for end in _ends(layer, number):
            found[f"weight_ih{end}"] = Start((rows, features), features, rows, hidden)
            found[f"weight_hh{end}"] = Start((rows, state), state, rows, hidden)
            if layer.bias:
                found |= {
                    f"bias_{name}{end}": Start((rows,), torch_fan=hidden) for name in ("ih", "hh")[: layer.biases]
                }
            if projected:
                found[f"weight_hr{end}"] = Start((state, hidden), hidden, state, hidden)
        features = state * (2 if layer.bidirectional else 1)
    return found


def _projected_tensors(layer: LSTM, shape: tuple[int, ...]) -> Starts:
    return _tensors(layer, shape, layer.proj_size)


OPERATIONS = {
    **dict.fromkeys(("RNN", "GRU"), Operation(_forward, _backward, _tensors)),
    "LSTM": Operation(_forward, _backward, _projected_tensors),
}
