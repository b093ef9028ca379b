"""Pools that fit their windows to the output: adaptive_avg_pool, adaptive_max_pool and the global pools."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any, Literal

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


def _adaptive_sizes(layer: AdaptivePool, x: Array) -> Sizes:
    return [have if size is None else size for have, size in zip(x.shape[2:], layer.output_size, strict=True)]


def _one_position(layer: GlobalPool, x: Array) -> Sizes:
    return (1,) * (x.ndim - 2)


def _pool(reduction: Reduction, sizes: Callable[[Any, Array], Sizes]) -> Operation:
    """A pool to the sizes that the layer asks for."""

    def forward(layer: AdaptivePool | GlobalPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
        (x,) = inputs
        return reduced(x, sizes(layer, x), reduction)

    def backward(
        layer: AdaptivePool | GlobalPool, inputs: Arrays, weights: Weights, grad: Array, context: Context
    ) -> Gradients:
        (x,) = inputs
        return (maximum_gradient(x, grad) if reduction == "max" else average_gradient(grad, x.shape[2:]),), {}

    return Operation(forward, backward)


OPERATIONS = {
    **dict.fromkeys((f"adaptive_avg_pool{rank}d" for rank in (1, 2, 3)), _pool("avg", _adaptive_sizes)),
    **dict.fromkeys((f"adaptive_max_pool{rank}d" for rank in (1, 2, 3)), _pool("max", _adaptive_sizes)),
    "global_avg_pool": _pool("avg", _one_position),
    "global_max_pool": _pool("max", _one_position),
}
