"""Local response normalization across channels, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Weights

if TYPE_CHECKING:
    from ..layers.norm import LocalResponseNorm


BLOCK_BYTES = 1 << 19
"""Bytes of the positions that are computed together."""


def _neighbour_sums(x: Array, before: int, after: int) -> Array:
    """At every channel the sum of the channels from `before` below to `after` above, as shifted additions."""
    total = x.copy()
    channels = x.shape[1]
    for shift in range(1, min(before, channels - 1) + 1):
        total[:, shift:] += x[:, :-shift]
    for shift in range(1, min(after, channels - 1) + 1):
        total[:, :-shift] += x[:, shift:]
    return total


def _power(base: Array, exponent: float) -> Array:
    """base^exponent; for the usual 0.75 by square roots, several times faster than a general power."""
    if exponent == 0.75:
        root = np.sqrt(base)
        result = np.sqrt(root)
        result *= root
        return np.asarray(result)
    return np.asarray(base**exponent)


def _base(layer: LocalResponseNorm, x: Array) -> Array:
    """k + alpha·mean of the squares over the window, which the missing neighbours at the ends count in as 0."""
    sums = _neighbour_sums(np.square(x, dtype=np.result_type(x, 0.0)), layer.size // 2, (layer.size - 1) // 2)
    sums *= layer.alpha / layer.size
    sums += layer.k
    return sums


def _forward(layer: LocalResponseNorm, inputs: Arrays, weights: Weights, context: Context) -> Array:
    """Some positions at a time, so that what lies between is small and stays in the cache."""
    (x,) = inputs
    flat = x.reshape(*x.shape[:2], -1)
    result = np.empty(flat.shape, np.result_type(x, 0.0))
    step = max(1, BLOCK_BYTES // max(flat[:, :, :1].nbytes, 1))
    for first in range(0, flat.shape[2], step):
        block = (..., slice(first, first + step))
        np.divide(flat[block], _power(_base(layer, flat[block]), layer.beta), out=result[block])
    return result.reshape(x.shape)


def _backward(layer: LocalResponseNorm, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """The window read backwards sees as many above as it saw below."""
    (x,) = inputs
    base = _base(layer, x)
    factor = 1 / _power(base, layer.beta)
    back = _neighbour_sums(grad * x * factor / base, (layer.size - 1) // 2, layer.size // 2)
    return (grad * factor - (2 * layer.beta * layer.alpha / layer.size) * x * back,), {}


OPERATIONS = {"LocalResponseNorm": Operation(_forward, _backward)}
