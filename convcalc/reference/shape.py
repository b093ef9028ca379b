"""Layers that rearrange axes or pass their input on, forward and backward: flatten, reshape, permute, identity,
dropout, stochastic_depth.

The last two pass their input on in training too: it is what they expect to give, and the reference draws no masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Weights, restore_shape

if TYPE_CHECKING:
    from ..layers.shape import Flatten, Permute, Reshape


def _flatten(layer: Flatten, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axes = x.ndim - 1
    start, end = layer.start_dim % axes + 1, layer.end_dim % axes + 1
    return x.reshape(*x.shape[:start], int(np.prod(x.shape[start : end + 1])), *x.shape[end + 1 :])


def _reshape(layer: Reshape, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return x.reshape(x.shape[0], *layer.shape)


def _order(layer: Permute) -> tuple[int, ...]:
    """The array's axes, the batch first."""
    return (0, *(dim % len(layer.dims) + 1 for dim in layer.dims))


def _permute(layer: Permute, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return inputs[0].transpose(_order(layer))


def _permute_backward(layer: Permute, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (grad.transpose(np.argsort(_order(layer))),), {}


def _identity(layer: object, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return inputs[0]


def _identity_backward(layer: object, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (grad,), {}


PASSES_ON = Operation(_identity, _identity_backward)
"""Of a layer whose output is its input."""


OPERATIONS = {
    "Flatten": Operation(_flatten, restore_shape),
    "Reshape": Operation(_reshape, restore_shape),
    "Permute": Operation(_permute, _permute_backward),
    "Identity": PASSES_ON,
    "Dropout": PASSES_ON,
    "StochasticDepth": PASSES_ON,
}
