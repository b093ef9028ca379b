"""The weights of convolutions and linear layers: as they are held, standardised, gained, or read from an input.

What a layer does with its weights is given here as two functions; they see the weights that are multiplied with.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Starts, Weights

if TYPE_CHECKING:
    from ..layers.formed import Formed

EPSILON = 1e-6
"""Added to the variance of weights: Qiao et al. 2019, arXiv:1903.10520, their code; timm.layers.std_conv."""

Apply = Callable[[Any, Array, Array, "Array | None", Context], Array]
"""The output for a layer, its input, weights and bias."""
Differentiate = Callable[[Any, Array, Array, Array, Context], tuple[Array, Array, Array]]
"""(gradient of the input, of the weights, of a bias) for a layer, its input, weights and the output's gradient."""
Rows = Callable[[Any, Array], Array]
"""Weights with one row an output channel."""


def by_output(layer: Formed, w: Array) -> Array:
    """Weights [outputs, ...] as rows."""
    return w.reshape(w.shape[0], -1)


def multiplied(rows: Array, layer: Formed, weights: Weights) -> Array:
    """The rows that are multiplied with."""
    made = _standard(rows)[0] if layer.standardize else rows
    return np.asarray(made * _gains(rows, layer, weights)) if layer.gain else made


def multiplied_gradients(grad: Array, rows: Array, layer: Formed, weights: Weights) -> tuple[Array, Array | None]:
    """Through `multiplied`: of the rows, and of the gains."""
    made, factor = _standard(rows) if layer.standardize else (rows, None)
    grad_gain = None
    if layer.gain:
        along = grad * made / _shrunk(rows, layer)
        grad_gain = along.sum(axis=1).reshape(weights["gain"].shape)
        grad = grad * _gains(rows, layer, weights)
    if factor is not None:
        along = (grad * made).mean(axis=1, keepdims=True)
        grad = (grad - grad.mean(axis=1, keepdims=True) - made * along) * factor
    return np.asarray(grad), grad_gain


def _standard(rows: Array) -> tuple[Array, Array]:
    """Rows of mean 0 and variance 1, and what each was multiplied with."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    factor = 1 / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + EPSILON)
    return centred * factor, np.asarray(factor)


def _shrunk(rows: Array, layer: Formed) -> float:
    """What gains are divided by: √N of standardised rows of N weights, which makes the output's variance 1."""
    return sqrt(rows.shape[1]) if layer.standardize else 1.0


def _gains(rows: Array, layer: Formed, weights: Weights) -> Array:
    return np.asarray(weights["gain"].reshape(-1, 1) / _shrunk(rows, layer))


def operation(
    apply: Apply,
    differentiate: Differentiate,
    tensors: Callable[[Any, tuple[int, ...]], Starts],
    rows: Rows = by_output,
) -> Operation:
    """The twin of a layer that multiplies with weights of any form."""

    def forward(layer: Any, inputs: Arrays, weights: Weights, context: Context) -> Array:
        if layer.weight == "input":
            each = [apply(layer, *example, context) for example in _examples(inputs)]
            return np.concatenate(each)
        w, bias = weights["weight"], weights["bias"] if layer.bias else None
        return apply(layer, inputs[0], _made(layer, w, weights, rows), bias, context)

    def backward(layer: Any, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
        if layer.weight == "input":
            found = [
                differentiate(layer, x, w, grad[n : n + 1], context) for n, (x, w, _) in enumerate(_examples(inputs))
            ]
            grads = (np.concatenate([x for x, _, _ in found]), np.stack([w for _, w, _ in found]))
            return (*grads, *(np.stack([bias for _, _, bias in found]) for _ in inputs[2:])), {}
        w = weights["weight"]
        grad_x, grad_made, grad_bias = differentiate(layer, inputs[0], _made(layer, w, weights, rows), grad, context)
        made = layer.standardize or layer.gain
        gradients = _of_formed(grad_made, layer, weights, rows) if made else {"weight": grad_made}
        if layer.fixed:
            del gradients["weight"]
        elif layer.bias:
            gradients["bias"] = grad_bias
        return (grad_x,), gradients

    def held(layer: Any, shape: tuple[int, ...]) -> Starts:
        if layer.weight == "input":
            return {}
        found = tensors(layer, shape)
        if not layer.fixed:
            return found
        return {name: start if name == "gain" else start._replace(learned=False) for name, start in found.items()}

    return Operation(forward, backward, held)


def _examples(inputs: Arrays) -> list[tuple[Array, Array, Array | None]]:
    """(input with a batch of one, weights, bias) of each example."""
    x, w = inputs[:2]
    biases = inputs[2] if len(inputs) > 2 else [None] * len(x)
    return [(x[n : n + 1], w[n], biases[n]) for n in range(len(x))]


def _of_formed(grad: Array, layer: Formed, weights: Weights, rows: Rows) -> dict[str, Array]:
    """The gradients of weights, and of gains, through what is made of them."""
    w = weights["weight"]
    grad_rows, grad_gain = multiplied_gradients(rows(layer, grad), rows(layer, w), layer, weights)
    found = {} if grad_gain is None else {"gain": grad_gain}
    return {**found, "weight": _unrowed(grad_rows, w, layer, rows)}


def _made(layer: Formed, w: Array, weights: Weights, rows: Rows) -> Array:
    if not (layer.standardize or layer.gain):
        return w
    return _unrowed(multiplied(rows(layer, w), layer, weights), w, layer, rows)


def _unrowed(made: Array, w: Array, layer: Formed, rows: Rows) -> Array:
    """Rows put back where the weights that they were made of stand."""
    places = rows(layer, np.arange(w.size).reshape(w.shape)).reshape(-1)
    result = np.empty(w.size, made.dtype)
    result[places] = made.reshape(-1)
    return result.reshape(w.shape)
