"""Upsample: interpolation, forward and backward, as torch.nn.functional.interpolate computes it.

Every mode is a linear map of each axis on its own: an output is a weighted sum of a few inputs.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .border import add_at
from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Weights
from .pool import average_gradient, reduced

if TYPE_CHECKING:
    from ..layers.resize import Upsample

CUBIC = -0.75
"""The free parameter of the cubic kernel, PyTorch's and OpenCV's choice (Keys 1981 has −0.5)."""


class Taps(NamedTuple):
    """An axis's outputs, each a sum of weights[:, t]·input[indices[:, t]]."""

    indices: Array
    weights: Array


def taps(size: int, output: int, mode: str, align_corners: bool, scale: float | None, rank: int) -> Taps:
    """The taps of one axis of `rank`; `scale` is the factor where one was given.

    >>> taps(2, 4, "linear", align_corners=False, scale=None, rank=1).weights[:, 1]
    array([0.  , 0.25, 0.75, 0.25])
    """
    if mode.startswith("nearest"):
        return _nearest(size, output, mode, scale, rank)
    positions = _positions(size, output, align_corners, scale)
    if mode == "cubic":
        return _cubic(positions, size)
    positions = np.maximum(positions, 0)
    lower = np.floor(positions).astype(np.intp)
    upper = np.minimum(lower + 1, size - 1)
    share = positions - lower
    return Taps(np.stack([lower, upper], axis=1), np.stack([1 - share, share], axis=1))


def _nearest(size: int, output: int, mode: str, scale: float | None, rank: int) -> Taps:
    """PyTorch steps in float32 here, and the step is rounded with it. On two axes alone it does not ask the factor
    where an axis keeps its size or doubles it, unless the mode is nearest-exact.
    """
    step = np.float32(1 / scale if scale else np.float32(size) / np.float32(output))
    places = np.arange(output, dtype=np.float32) + np.float32(0.5 if mode == "nearest-exact" else 0)
    if rank == 2 and mode == "nearest" and output in (size, 2 * size):
        indices = np.arange(output) // (output // size)
    else:
        indices = np.minimum(np.floor(places * step).astype(np.intp), size - 1)
    return Taps(indices[:, None], np.ones((output, 1)))


def _positions(size: int, output: int, align_corners: bool, scale: float | None) -> Array:
    """Where each output lies between the inputs: corners on corners, or pixels as areas."""
    places = np.arange(output)
    if align_corners:
        return places * ((size - 1) / (output - 1) if output > 1 else 0.0)
    return (places + 0.5) * (1 / scale if scale else size / output) - 0.5


def _cubic(positions: Array, size: int) -> Taps:
    """Four neighbours weighted by Keys's kernel; beyond the ends the last input is repeated."""
    lower = np.floor(positions)
    share = positions - lower

    def near(x: Array) -> Array:
        return np.asarray(((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1)

    def far(x: Array) -> Array:
        return np.asarray(((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC)

    weights = np.stack([far(share + 1), near(share), near(1 - share), far(2 - share)], axis=1)
    indices = (lower.astype(np.intp)[:, None] + np.arange(-1, 3)).clip(0, size - 1)
    return Taps(indices, weights)


AXIS_MODE = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def _scales(layer: Upsample, x: Array) -> tuple[float | None, ...]:
    rank = x.ndim - 2
    given = layer.scale_factor
    if given is None:
        return (None,) * rank
    return given if isinstance(given, tuple) else (given,) * rank


def _sizes(layer: Upsample, inputs: Arrays) -> tuple[int, ...]:
    """The output's space: of the second input, as given, or the input's times the factor, rounded down."""
    x = inputs[0]
    if len(inputs) == 2:
        return inputs[1].shape[2:]
    if layer.size is not None:
        return layer.size if isinstance(layer.size, tuple) else (layer.size,) * (x.ndim - 2)
    scales = _scales(layer, x)
    sizes = tuple(floor(have * scale) for have, scale in zip(x.shape[2:], scales, strict=True) if scale is not None)
    if not sizes or 0 in sizes:
        raise DoesNotFit(f"upsampling {x.shape[2:]} by {scales} gives no size")
    return sizes


def _axis_taps(layer: Upsample, inputs: Arrays) -> list[Taps]:
    x, sizes = inputs[0], _sizes(layer, inputs)
    mode, align = AXIS_MODE.get(layer.mode, layer.mode), bool(layer.align_corners)
    axes = zip(x.shape[2:], sizes, _scales(layer, x), strict=True)
    return [taps(size, output, mode, align, scale, len(sizes)) for size, output, scale in axes]


def _weights_of(tap: Array, values: Array, axis: int) -> Array:
    """A tap's weights along an axis, in the type of floating values."""
    dtype = values.dtype if np.issubdtype(values.dtype, np.floating) else tap.dtype
    return tap.astype(dtype).reshape(-1, *(1,) * (values.ndim - axis - 1))


def _forward(layer: Upsample, inputs: Arrays, weights: Weights, context: Context) -> Array:
    x = inputs[0]
    if layer.mode == "area":
        return reduced(x, _sizes(layer, inputs), "avg")
    for axis, (indices, factors) in enumerate(_axis_taps(layer, inputs), start=2):
        if factors.shape[1] == 1:
            x = np.take(x, indices[:, 0], axis=axis)
            continue
        terms = (
            np.take(x, index, axis=axis) * _weights_of(factor, x, axis)
            for index, factor in zip(indices.T, factors.T, strict=True)
        )
        total = next(terms)
        for term in terms:
            total += term
        x = total
    return x


def _backward(layer: Upsample, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    x = inputs[0]
    lent = tuple(np.zeros_like(second) for second in inputs[1:])
    if layer.mode == "area":
        return (average_gradient(grad, x.shape[2:]), *lent), {}
    for axis, (indices, factors) in enumerate(_axis_taps(layer, inputs), start=2):
        size = x.shape[axis]
        parts = [
            add_at(grad * _weights_of(factor, grad, axis), index, size, axis)
            for index, factor in zip(indices.T, factors.T, strict=True)
        ]
        grad = sum(parts[1:], start=parts[0])
    return (grad, *lent), {}


OPERATIONS = {"Upsample": Operation(_forward, _backward)}
