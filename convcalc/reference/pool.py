"""Pools whose window slides (max_pool, avg_pool, lp_pool) or fits the output (adaptive and global), both ways.

Maxima and sums are taken axis by axis: a window's maximum is the maximum of its rows' maxima. Those of windows that
slide are in `sliding`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .border import border, border_gradient
from .context import Array, Arrays, Context, Gradients, Operation, Weights
from .sliding import Axes, axis_of, over_windows
from .windows import Pairs, Sizes, over, reads, resolved_pads, taps

if TYPE_CHECKING:
    from ..layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool


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
    return tuple(have if size is None else size for have, size in zip(x.shape[2:], layer.output_size, strict=True))


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


def _axes(layer: MaxPool | AvgPool | LpPool, space: Sizes, padding: Pairs | str, dilations: Sizes) -> Axes:
    return _sliding(space, layer.kernel_size, layer.stride, dilations, padding, layer.ceil_mode)


@lru_cache(maxsize=64)
def _sliding(
    space: Sizes, kernel: Sizes, stride: Sizes, dilations: Sizes, padding: Pairs | str, ceil_mode: bool | str
) -> Axes:
    pads = resolved_pads(padding, space, kernel, stride, dilations)
    drops = ceil_mode is True or (ceil_mode == "caffe" and any(map(any, pads)))
    fields = zip(space, kernel, stride, dilations, pads, strict=True)
    return tuple(axis_of(*numbers, up=bool(ceil_mode), drops=drops) for numbers in fields)


def _border(axes: Axes) -> Pairs:
    return tuple((axis.before, axis.after + axis.overhang) for axis in axes)


def _numbers_read(axes: Axes) -> list[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """(tap, places) of every tap over all windows, row by row."""
    kernel, counts = tuple(axis.kernel_size for axis in axes), tuple(len(axis.starts) for axis in axes)
    steps = (tuple(axis.stride for axis in axes), tuple(axis.dilation for axis in axes))
    return list(zip(taps(kernel), reads(kernel, (0,) * len(axes), counts, *steps), strict=True))


def _lowest(dtype: np.dtype[Any]) -> float:
    return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


def _max_axes(layer: MaxPool, x: Array) -> Axes:
    return _axes(layer, x.shape[2:], layer.padding, layer.dilation)


def _max(layer: MaxPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axes = _max_axes(layer, x)
    return over_windows(x, axes, np.maximum, _lowest(x.dtype))


def _max_backward(layer: MaxPool, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """The gradient goes to the first of equal maxima, row by row, as in PyTorch."""
    (x,) = inputs
    axes = _max_axes(layer, x)
    bordered = border(x, _border(axes), "constant", _lowest(x.dtype))
    maxima = over_windows(x, axes, np.maximum, _lowest(x.dtype))
    open_windows = np.ones(grad.shape, bool)
    result = np.zeros(bordered.shape, grad.dtype)
    for _, places in _numbers_read(axes):
        chosen = open_windows & (bordered[over(..., *places)] == maxima)
        result[over(..., *places)] += grad * chosen
        open_windows &= ~chosen
    return (border_gradient(result, x.shape[2:], _border(axes), "zeros"),), {}


def _divisors(axes: Axes, include_padding: bool) -> Array:
    """How many numbers each window averages, of shape [*positions].

    Padding counts or does not; what a window overhangs never counts. A window of nothing but that divides by 1.
    """
    result = np.ones((), np.int64)
    for axis in axes:
        begins = np.asarray(axis.starts)
        ends = begins + axis.kernel_size
        first, last = (
            (0, axis.before + axis.size + axis.after)
            if include_padding
            else (
                axis.before,
                axis.before + axis.size,
            )
        )
        counts = (np.minimum(ends, last) - np.maximum(begins, first)).clip(0)
        result = result[..., None] * counts
    return result.clip(1)


def _average_axes(layer: AvgPool, x: Array) -> tuple[Axes, Array | int]:
    axes = _axes(layer, x.shape[2:], layer.padding, (1,) * len(layer.kernel_size))
    return axes, layer.divisor_override or _divisors(axes, layer.count_include_pad)


def _average(layer: AvgPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axes, divisors = _average_axes(layer, x)
    return _divided(over_windows(x, axes, np.add, 0), divisors)


def _divided(total: Array, divisors: Array | int) -> Array:
    """total / divisors in the type of floating totals."""
    if np.issubdtype(total.dtype, np.floating):
        divisors = np.asarray(divisors, total.dtype)
    return np.asarray(total / divisors)


def _average_backward(layer: AvgPool, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    axes, divisors = _average_axes(layer, x)
    return (_spread(_divided(grad, divisors), axes, x.shape[2:]),), {}


def _spread(shares: Array, axes: Axes, space: tuple[int, ...]) -> Array:
    """The adjoint of summing windows: every window's share added to all that it read."""
    sizes = [pad[0] + size + pad[1] for pad, size in zip(_border(axes), space, strict=True)]
    result = np.zeros((*shares.shape[:2], *sizes), shares.dtype)
    for _, places in _numbers_read(axes):
        result[over(..., *places)] += shares
    return border_gradient(result, space, _border(axes), "zeros")


def _power_parts(layer: LpPool, x: Array) -> tuple[Axes, Array | int, Array]:
    """Windows, divisors over the kernel's size, and the scaled sums of the powers.

    PyTorch averages the powers and multiplies by the kernel's size, so that a window which overhangs is scaled.
    """
    axes = _axes(layer, x.shape[2:], ((0, 0),) * len(layer.kernel_size), (1,) * len(layer.kernel_size))
    divisors = _divisors(axes, include_padding=True)
    sums = _divided(over_windows(x**layer.norm_type, axes, np.add, 0), divisors) * prod(layer.kernel_size)
    return axes, divisors, sums


def _power(layer: LpPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    with np.errstate(invalid="ignore"):
        _, _, sums = _power_parts(layer, x)
        return np.asarray(sums ** (1 / layer.norm_type))


def _power_backward(layer: LpPool, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """d y/d x = (x / y)^(p − 1), scaled as the forward pass scales; 0 where the window is 0, as in PyTorch."""
    (x,) = inputs
    p = layer.norm_type
    with np.errstate(invalid="ignore", divide="ignore"):
        axes, divisors, sums = _power_parts(layer, x)
        slope = np.where(sums == 0, 0, grad * sums ** (1 / p - 1) / p)
        shares = _divided(slope, divisors) * prod(layer.kernel_size)
        return (_spread(shares, axes, x.shape[2:]) * p * x ** (p - 1),), {}


OPERATIONS = {
    "MaxPool": Operation(_max, _max_backward),
    "AvgPool": Operation(_average, _average_backward),
    "LpPool": Operation(_power, _power_backward),
    **dict.fromkeys((f"adaptive_avg_pool{rank}d" for rank in (1, 2, 3)), _pool("avg", _adaptive_sizes)),
    **dict.fromkeys((f"adaptive_max_pool{rank}d" for rank in (1, 2, 3)), _pool("max", _adaptive_sizes)),
    "global_avg_pool": _pool("avg", _one_position),
    "global_max_pool": _pool("max", _one_position),
}
