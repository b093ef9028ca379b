"""Borders filled with a constant or from the input: the padding modes, and the layers pad and crop."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Weights
from .windows import Pairs, over

if TYPE_CHECKING:
    from ..layers.border import Crop, Pad

CONSTANT = ("zeros", "constant")


def border(x: Array, pads: Pairs, mode: str, value: float = 0) -> Array:
    """x [batch, channels, *space] with a border; negative padding crops. The array itself where nothing changes."""
    if not any(map(any, pads)):
        return x
    if mode not in CONSTANT:
        for axis, (size, (before, after)) in enumerate(zip(x.shape[2:], pads, strict=True), start=2):
            if before or after:
                x = np.take(x, source_indices(size, before, after, mode), axis=axis)
        return x
    sizes = tuple(size + before + after for size, (before, after) in zip(x.shape[2:], pads, strict=True))
    if min(sizes) < 1:
        raise DoesNotFit(f"padding by {pads} leaves nothing of {x.shape[2:]}")
    shape = (*x.shape[:2], *sizes)
    result = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    target, source = _overlap(x.shape[2:], pads)
    result[target] = x[source]
    return result


def border_gradient(grad: Array, space: tuple[int, ...], pads: Pairs, mode: str) -> Array:
    """The adjoint of `border` for an input of this space: what the border copied is added back."""
    if not any(map(any, pads)):
        return grad
    if mode in CONSTANT:
        result = np.zeros((*grad.shape[:2], *space), grad.dtype)
        target, source = _overlap(space, pads)
        result[source] = grad[target]
        return result
    for axis, (size, (before, after)) in enumerate(zip(space, pads, strict=True), start=2):
        if before or after:
            grad = add_at(grad, source_indices(size, before, after, mode), size, axis)
    return grad


def add_at(values: Array, indices: Array, size: int, axis: int) -> Array:
    """The adjoint of `np.take` along an axis of `size`: values of one index are added up."""
    moved = np.moveaxis(values, axis, 0)
    result = np.zeros((size, *moved.shape[1:]), values.dtype)
    np.add.at(result, indices, moved)
    return np.moveaxis(result, 0, axis)


def source_indices(size: int, before: int, after: int, mode: str) -> Array:
    """The input position that each position of a padded axis copies.

    >>> source_indices(4, 2, 2, "reflect"), source_indices(4, 1, 1, "circular")
    (array([2, 1, 0, 1, 2, 3, 2, 1]), array([3, 0, 1, 2, 3, 0]))
    """
    largest, bound = max(before, after), {"reflect": size - 1, "circular": size}.get(mode)
    if bound is not None and largest > bound:
        raise DoesNotFit(f"{mode} padding of {largest} cannot be taken from an axis of {size}")
    wanted = np.arange(-before, size + after)
    if not wanted.size:
        raise DoesNotFit(f"padding by {before} and {after} leaves nothing of an axis of {size}")
    if mode == "circular":
        return wanted % size
    if mode == "replicate":
        return wanted.clip(0, size - 1)
    mirrored = np.abs(wanted)
    return np.where(mirrored < size, mirrored, 2 * (size - 1) - mirrored)


@lru_cache(maxsize=64)
def _overlap(space: tuple[int, ...], pads: Pairs) -> tuple[Any, Any]:
    """Where the kept input lies in the padded array, and where in the input; nowhere if all of it is cropped."""
    target, source = [], []
    for size, (before, after) in zip(space, pads, strict=True):
        start, stop = max(-before, 0), size + min(after, 0)
        kept = stop > start
        source.append(slice(start, stop) if kept else slice(0, 0))
        target.append(slice(start + before, stop + before) if kept else slice(0, 0))
    return over(..., *target), over(..., *source)


def pairs_of(sides: Any, rank: int) -> Pairs:
    """(before, after) of each axis from one number, one an axis, or pairs.

    >>> pairs_of((1, (0, 2)), 2)
    ((1, 1), (0, 2))
    """
    each = sides if isinstance(sides, tuple) else (sides,) * rank
    if len(each) != rank:
        raise DoesNotFit(f"{len(each)} values for {rank} space axes")
    return tuple(side if isinstance(side, tuple) else (side, side) for side in each)


def _pad(layer: Pad, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    if not layer.value.is_integer():
        x = x.astype(np.result_type(x, layer.value), copy=False)
    return border(x, pairs_of(layer.padding, x.ndim - 2), layer.mode, layer.value)


def _pad_backward(layer: Pad, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    return (border_gradient(grad, x.shape[2:], pairs_of(layer.padding, x.ndim - 2), layer.mode),), {}


def _cut(layer: Crop, inputs: Arrays) -> Pairs:
    """Crop as negative padding."""
    x = inputs[0]
    rank = x.ndim - 2
    if layer.cropping is not None:
        return tuple((-before, -after) for before, after in pairs_of(layer.cropping, rank))
    size = inputs[1].shape[2:] if len(inputs) == 2 else layer.size
    if size is None:
        raise DoesNotFit("crop needs cropping, size or a second input")
    wanted = size if isinstance(size, tuple) else (size,) * rank
    starts = [(have - want) // 2 for have, want in zip(x.shape[2:], wanted, strict=True)]
    if min(starts) < 0:
        raise DoesNotFit(f"{wanted} cannot be cut out of {x.shape[2:]}")
    return tuple((-start, start + want - have) for start, have, want in zip(starts, x.shape[2:], wanted, strict=True))


def _crop(layer: Crop, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return border(inputs[0], _cut(layer, inputs), "zeros")


def _crop_backward(layer: Crop, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    lent = tuple(np.zeros_like(second) for second in inputs[1:])
    return (border_gradient(grad, inputs[0].shape[2:], _cut(layer, inputs), "zeros"), *lent), {}


OPERATIONS = {
    "Pad": Operation(_pad, _pad_backward),
    "Crop": Operation(_crop, _crop_backward),
}
