"""Layers of several inputs and their opposite: concat, add, sub, multiply, div, maximum, minimum, gate, split."""

from __future__ import annotations

from functools import reduce
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Weights, along, array_axis, put_back

if TYPE_CHECKING:
    from ..layers.join import Add, Concat, Div, Extreme, Gate, Multiply, Split, Sub


def _concat(layer: Concat, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return np.concatenate(inputs, axis=array_axis(layer.dim))


def _concat_backward(layer: Concat, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    axis = array_axis(layer.dim)
    cuts = list(accumulate(x.shape[axis] for x in inputs))[:-1]
    return tuple(np.split(grad, cuts, axis=axis)), {}


def _same_axes(inputs: Arrays) -> None:
    """NumPy would align axes from the back; the language does not."""
    if len({x.ndim for x in inputs}) > 1:
        raise DoesNotFit(f"inputs of {', '.join(str(x.ndim) for x in inputs)} axes cannot be combined")


def _summed_to(grad: Array, x: Array) -> Array:
    """The adjoint of repeating axes of size 1."""
    repeated = tuple(axis for axis in range(grad.ndim) if x.shape[axis] == 1 and grad.shape[axis] != 1)
    return grad.sum(axis=repeated, keepdims=True) if repeated else grad


def _add(layer: Add, inputs: Arrays, weights: Weights, context: Context) -> Array:
    _same_axes(inputs)
    return reduce(np.add, inputs)


def _add_backward(layer: Add, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return tuple(_summed_to(grad, x) for x in inputs), {}


def _multiply(layer: Multiply, inputs: Arrays, weights: Weights, context: Context) -> Array:
    _same_axes(inputs)
    return reduce(np.multiply, inputs)


def _multiply_backward(layer: Multiply, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """Each input's gradient is the product of all others."""
    others = [inputs[:n] + inputs[n + 1 :] for n in range(len(inputs))]
    return tuple(_summed_to(reduce(np.multiply, rest, grad), x) for x, rest in zip(inputs, others, strict=True)), {}


def _sub(layer: Sub, inputs: Arrays, weights: Weights, context: Context) -> Array:
    _same_axes(inputs)
    return np.asarray(inputs[0] - inputs[1])


def _sub_backward(layer: Sub, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    left, right = inputs
    return (_summed_to(grad, left), _summed_to(-grad, right)), {}


def _div(layer: Div, inputs: Arrays, weights: Weights, context: Context) -> Array:
    """What is over 0 is infinite or not a number, as in PyTorch."""
    _same_axes(inputs)
    with np.errstate(all="ignore"):
        return np.asarray(inputs[0] / inputs[1])


def _div_backward(layer: Div, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    left, right = inputs
    with np.errstate(all="ignore"):
        return (_summed_to(grad / right, left), _summed_to(-grad * left / np.square(right), right)), {}


def _extreme(layer: Extreme, inputs: Arrays, weights: Weights, context: Context) -> Array:
    _same_axes(inputs)
    left, right = inputs
    return np.asarray(np.maximum(left, right) if layer.kind == "maximum" else np.minimum(left, right))


def _extreme_backward(layer: Extreme, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """The one that is taken gets the gradient; equal ones get a half each, as in PyTorch."""
    left, right = inputs
    wins = left > right if layer.kind == "maximum" else left < right
    share = np.where(left == right, 0.5, wins).astype(grad.dtype)
    return (_summed_to(grad * share, left), _summed_to(grad * (1 - share), right)), {}


def _gate(layer: Gate, inputs: Arrays, weights: Weights, context: Context) -> Array:
    transform, gate, carry = inputs
    return np.asarray(transform * gate + carry * (1 - gate))


def _gate_backward(layer: Gate, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    transform, gate, carry = inputs
    return (grad * gate, grad * (transform - carry), grad * (1 - gate)), {}


def _part(layer: Split, x: Array) -> Any:
    """Where the part lies in the input."""
    before = sum(layer.channels[: layer.part])
    return along(x, layer.dim, slice(before, before + layer.channels[layer.part]))


def _split(layer: Split, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    size = x.shape[array_axis(layer.dim)]
    if sum(layer.channels) != size:
        raise DoesNotFit(f"a split into {layer.channels} of an axis of {size}")
    return np.asarray(x[_part(layer, x)])


def _split_backward(layer: Split, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    return (put_back(grad, x, _part(layer, x)),), {}


OPERATIONS = {
    "Concat": Operation(_concat, _concat_backward),
    "Add": Operation(_add, _add_backward),
    "Multiply": Operation(_multiply, _multiply_backward),
    "Sub": Operation(_sub, _sub_backward),
    "Div": Operation(_div, _div_backward),
    "Extreme": Operation(_extreme, _extreme_backward),
    "Gate": Operation(_gate, _gate_backward),
    "Split": Operation(_split, _split_backward),
}
