"""Pools that fit their windows to the output: adaptive_avg_pool, adaptive_max_pool and the global pools."""

from __future__ import annotations

from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Literal

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Weights
from .windows import Sizes, over

if TYPE_CHECKING:
    from ..layers.adaptive import AdaptivePool, GlobalPool


Reduction = Literal["avg", "max"]


def spans(size: int, output: int) -> list[slice]:
    """The inputs of each output: `output` equal parts of the axis, each widened to whole inputs.

    >>> spans(10, 4)
    [slice(0, 3, None), slice(2, 5, None), slice(5, 8, None), slice(7, 10, None)]
    """
    edges = [divmod(j * size, output) for j in range(output + 1)]
    return [slice(start, stop + bool(part)) for (start, _), (stop, part) in pairwise(edges)]


def reduced(x: Array, sizes: Sizes, reduction: Reduction) -> Array:
    """Means or maxima over the spans of every axis, one axis after the other."""
    for axis, output in enumerate(sizes, start=2):
        if output != x.shape[axis]:
            before = (slice(None),) * axis
            parts = [x[over(*before, span)] for span in spans(x.shape[axis], output)]
            x = np.stack([part.mean(axis) if reduction == "avg" else part.max(axis) for part in parts], axis)
    return x


def average_gradient(grad: Array, space: Sizes) -> Array:
    """The adjoint of taking means for an input of this space."""
    for axis, size in enumerate(space, start=2):
        if size != grad.shape[axis]:
            result = np.zeros((*grad.shape[:axis], size, *grad.shape[axis + 1 :]), grad.dtype)
            before = (slice(None),) * axis
            for j, span in enumerate(spans(size, grad.shape[axis])):
                result[over(*before, span)] += grad[over(*before, slice(j, j + 1))] / (span.stop - span.start)
            grad = result
    return grad


def maximum_gradient(x: Array, grad: Array) -> Array:
    """The gradient goes to the first of equal maxima of each window, row by row."""
    result = np.zeros(x.shape, grad.dtype)
    flat = result.reshape(*x.shape[:2], -1)
    places = np.arange(prod(x.shape[2:])).reshape(x.shape[2:])
    images, channels = np.ogrid[: x.shape[0], : x.shape[1]]
    every_span = [spans(size, output) for size, output in zip(x.shape[2:], grad.shape[2:], strict=True)]
    positions = product(*(range(output) for output in grad.shape[2:]))
    for position, window in zip(positions, product(*every_span), strict=True):
        chosen = x[over(..., *window)].reshape(*x.shape[:2], -1).argmax(axis=2)
        np.add.at(flat, (images, channels, places[window].reshape(-1)[chosen]), grad[over(..., *position)])
    return result


def _sizes(layer: AdaptivePool | GlobalPool, x: Array) -> tuple[int, ...]:
    wanted = getattr(layer, "output_size", None)
    if wanted is None:
        return (1,) * (x.ndim - 2)
    return tuple(have if size is None else size for have, size in zip(x.shape[2:], wanted, strict=True))


def _reduction(layer: AdaptivePool | GlobalPool) -> Reduction:
    return "max" if "max" in layer.kind else "avg"


def _forward(layer: AdaptivePool | GlobalPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return reduced(x, _sizes(layer, x), _reduction(layer))


def _backward(
    layer: AdaptivePool | GlobalPool, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    (x,) = inputs
    if _reduction(layer) == "max":
        return (maximum_gradient(x, grad),), {}
    return (average_gradient(grad, x.shape[2:]),), {}


OPERATIONS = {
    "AdaptivePool": Operation(_forward, _backward),
    "GlobalPool": Operation(_forward, _backward),
}
