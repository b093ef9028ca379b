"""Layers that cut, repeat and move along axes, forward and backward: roll, flip, expand, slice, select, unbind,
squeeze, unsqueeze, stack, tile, repeat_interleave, index_select.

The adjoint of taking numbers is adding them back to where they were taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .context import (
    Array,
    Arrays,
    Context,
    DoesNotFit,
    Gradients,
    Operation,
    Weights,
    along,
    array_axis,
    put_back,
    restore_shape,
)

if TYPE_CHECKING:
    from ..layers.layout import (
        Expand,
        Flip,
        IndexSelect,
        RepeatInterleave,
        Roll,
        Select,
        Slice,
        Squeeze,
        Stack,
        Tile,
        Unbind,
        Unsqueeze,
    )


def _axes(dims: tuple[int, ...], x: Array) -> tuple[int, ...]:
    return tuple(array_axis(dim) % x.ndim for dim in dims)


def _roll(layer: Roll, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return np.roll(inputs[0], layer.shifts, _axes(layer.dims, inputs[0]))


def _roll_backward(layer: Roll, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (np.roll(grad, tuple(-shift for shift in layer.shifts), _axes(layer.dims, grad)),), {}


def _flip(layer: Flip, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return np.flip(inputs[0], _axes(layer.dims, inputs[0]))


def _flip_backward(layer: Flip, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (np.flip(grad, _axes(layer.dims, grad)),), {}


def _expand(layer: Expand, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    behind = x.reshape(x.shape[0], *(1,) * (len(layer.shape) + 1 - x.ndim), *x.shape[1:])
    wanted = [have if size == -1 else size for size, have in zip(layer.shape, behind.shape[1:], strict=True)]
    if any(have not in (1, size) for size, have in zip(wanted, behind.shape[1:], strict=True)):
        raise DoesNotFit(f"{x.shape[1:]} cannot be expanded to {layer.shape}")
    return np.broadcast_to(behind, (x.shape[0], *wanted))


def _expand_backward(layer: Expand, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    behind = (x.shape[0], *(1,) * (grad.ndim - x.ndim), *x.shape[1:])
    repeated = tuple(axis for axis in range(1, grad.ndim) if behind[axis] != grad.shape[axis])
    return (grad.sum(axis=repeated, keepdims=True).reshape(x.shape),), {}


def _slice(layer: Slice, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return np.asarray(x[_part(layer, x)])


def _part(layer: Slice, x: Array) -> Any:
    return along(x, layer.dim, slice(layer.start, layer.stop, layer.step))


def _slice_backward(layer: Slice, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    return (put_back(grad, x, _part(layer, x)),), {}


def _select(layer: Select, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axis = array_axis(layer.dim) % x.ndim
    if not -x.shape[axis] <= layer.index < x.shape[axis]:
        raise DoesNotFit(f"position {layer.index} of an axis of {x.shape[axis]}")
    return np.asarray(x.take(layer.index, axis))


def _select_backward(layer: Select, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    return (put_back(grad, x, along(x, layer.dim, layer.index)),), {}


def _unbind(layer: Unbind, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axis = array_axis(layer.dim)
    if x.shape[axis] != layer.parts:
        raise DoesNotFit(f"an axis of {x.shape[axis]} is not of {layer.parts} parts")
    return np.asarray(np.moveaxis(x, axis, 0)[layer.part])


def _unbind_backward(layer: Unbind, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    return (put_back(grad, x, along(x, layer.dim, layer.part)),), {}


def _squeeze(layer: Squeeze, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    gone = _axes(layer.dim, x)
    if any(x.shape[axis] != 1 for axis in gone):
        raise DoesNotFit(f"axes {layer.dim} of {x.shape[1:]} are not 1")
    return x.squeeze(gone)


def _unsqueeze(layer: Unsqueeze, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return np.expand_dims(inputs[0], array_axis(layer.dim))


def _stack(layer: Stack, inputs: Arrays, weights: Weights, context: Context) -> Array:
    if len({x.shape for x in inputs}) > 1:
        raise DoesNotFit(f"a stack of {[x.shape[1:] for x in inputs]}")
    return np.stack(inputs, array_axis(layer.dim))


def _stack_backward(layer: Stack, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return tuple(np.moveaxis(grad, array_axis(layer.dim), 0)), {}


def _tile(layer: Tile, inputs: Arrays, weights: Weights, context: Context) -> Array:
    """By concatenation: copies side by side along each axis."""
    (x,) = inputs
    tiled = x.reshape(x.shape[0], *(1,) * (len(layer.reps) + 1 - x.ndim), *x.shape[1:])
    first = tiled.ndim - len(layer.reps)
    for axis, times in enumerate(layer.reps, start=first):
        tiled = np.concatenate((tiled,) * times, axis)
    return tiled


def _tile_backward(layer: Tile, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    first = grad.ndim - len(layer.reps)
    for axis, times in enumerate(layer.reps, start=first):
        grad = np.asarray(sum(np.split(grad, times, axis)))
    return (grad.reshape(inputs[0].shape),), {}


def _repeat_interleave(layer: RepeatInterleave, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return inputs[0].repeat(layer.repeats, array_axis(layer.dim))


def _repeat_interleave_backward(
    layer: RepeatInterleave, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    (x,) = inputs
    axis = array_axis(layer.dim) % x.ndim
    apart = grad.reshape(*x.shape[: axis + 1], layer.repeats, *x.shape[axis + 1 :])
    return (apart.sum(axis=axis + 1),), {}


def _positions(layer: IndexSelect, size: int) -> Array:
    """Which positions of an axis are taken; where it is not said, the first ones, again and again."""
    if layer.relative is not None:
        return _relative(layer.relative)
    if layer.count is not None:
        return np.arange(layer.count) % size
    positions = np.asarray(layer.indices)
    if positions.min() < -size or positions.max() >= size:
        raise DoesNotFit(f"positions {positions.min()} to {positions.max()} of an axis of {size}")
    return positions


def _relative(window: tuple[int, ...]) -> Array:
    """The entries of a table of offsets, an axis a side of the window, at the offset of each two positions."""
    places = np.indices(window).reshape(len(window), -1)
    offsets = places[:, :, None] - places[:, None, :]
    table = tuple(2 * side - 1 for side in window)
    from_first = offsets - offsets.min(axis=(1, 2), keepdims=True)
    return np.asarray(np.ravel_multi_index(tuple(from_first), table)).ravel()


def _index_select(layer: IndexSelect, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axis = array_axis(layer.dim) % x.ndim
    return x.take(_positions(layer, x.shape[axis]), axis)


def _index_select_backward(
    layer: IndexSelect, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    (x,) = inputs
    result = np.zeros(x.shape, grad.dtype)
    np.add.at(result, along(x, layer.dim, _positions(layer, x.shape[array_axis(layer.dim)])), grad)
    return (result,), {}


OPERATIONS = {
    "Roll": Operation(_roll, _roll_backward),
    "Flip": Operation(_flip, _flip_backward),
    "Expand": Operation(_expand, _expand_backward),
    "Slice": Operation(_slice, _slice_backward),
    "Select": Operation(_select, _select_backward),
    "Unbind": Operation(_unbind, _unbind_backward),
    "Squeeze": Operation(_squeeze, restore_shape),
    "Unsqueeze": Operation(_unsqueeze, restore_shape),
    "Stack": Operation(_stack, _stack_backward),
    "Tile": Operation(_tile, _tile_backward),
    "RepeatInterleave": Operation(_repeat_interleave, _repeat_interleave_backward),
    "IndexSelect": Operation(_index_select, _index_select_backward),
}
