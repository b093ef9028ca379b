"""Reductions of axes, forward and backward: mean, sum, amax, amin, prod, logsumexp, var, std, norm, argmax."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Weights

if TYPE_CHECKING:
    from ..layers.reduce import Argmax, Deviation, Norm, Reduce

Axes = tuple[int, ...]


def _axes(dim: Any, x: Array) -> Axes:
    """The array's axes that `dim`, which excludes the batch, names: one, several, or all of an example."""
    rank = x.ndim - 1
    if dim is None:
        return tuple(range(1, x.ndim))
    named = dim if isinstance(dim, tuple) else (dim,)
    found = tuple(axis % rank + 1 for axis in named if -rank <= axis < rank)
    if len(set(found)) != len(named):
        raise DoesNotFit(f"the axes {named} of {x.shape[1:]}")
    return found


def _settled(kept: Array, keepdim: bool, axes: Axes) -> Array:
    """A result whose reduced axes are 1, with or without them."""
    return kept if keepdim else kept.squeeze(axes)


def _back(grad: Array, keepdim: bool, axes: Axes) -> Array:
    """The output's gradient with the reduced axes as 1, so that it repeats along them."""
    return grad if keepdim else np.expand_dims(grad, axes)


def _largest(x: Array, axes: Axes) -> Array:
    return np.asarray(x.max(axis=axes, keepdims=True))


def _log_sum(x: Array, axes: Axes) -> Array:
    top = _largest(x, axes)
    return np.asarray(top + np.log(np.exp(x - top).sum(axis=axes, keepdims=True)))


def _reduced(kind: str, x: Array, axes: Axes) -> Array:
    """The result, with its reduced axes as 1."""
    if not axes:
        return x.copy()
    if kind == "logsumexp":
        return _log_sum(x, axes)
    function: Any = {"mean": np.mean, "sum": np.sum, "amax": np.max, "amin": np.min, "prod": np.prod}[kind]
    return np.asarray(function(x, axis=axes, keepdims=True))


def _reduce(layer: Reduce, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axes = _axes(layer.dim, x)
    return _settled(_reduced(layer.kind, x, axes), layer.keepdim, axes)


def _reduce_backward(layer: Reduce, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    axes = _axes(layer.dim, x)
    return (np.asarray(_back(grad, layer.keepdim, axes) * _slope(layer.kind, x, axes)),), {}


def _slope(kind: str, x: Array, axes: Axes) -> Array:
    """How the result changes with each element; of several equal extremes each has its share."""
    if not axes or kind == "sum":
        return np.ones_like(x)
    if kind == "mean":
        return np.full_like(x, 1 / prod(x.shape[axis] for axis in axes))
    if kind == "logsumexp":
        return np.asarray(np.exp(x - _log_sum(x, axes)))
    if kind == "prod":
        return _products_of_others(x, axes)
    chosen = x == _reduced(kind, x, axes)
    return np.asarray(chosen / chosen.sum(axis=axes, keepdims=True, dtype=x.dtype))


def _products_of_others(x: Array, axes: Axes) -> Array:
    """For each element the product of the others, without a division, since some may be 0."""
    moved = np.moveaxis(x, axes, tuple(range(x.ndim - len(axes), x.ndim)))
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    ones = np.ones((*rows.shape[:-1], 1), x.dtype)
    below = np.cumprod(np.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)
    above = np.cumprod(np.concatenate([ones, rows[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    others = (below * above).reshape(moved.shape)
    return np.moveaxis(others, tuple(range(x.ndim - len(axes), x.ndim)), axes)


def _variance(layer: Deviation, x: Array, axes: Axes) -> tuple[Array, Array, int]:
    """(variance with its reduced axes as 1, x without its mean, what squares are divided by)."""
    divisor = prod(x.shape[axis] for axis in axes) - layer.correction
    if divisor < 1:
        raise DoesNotFit(f"{layer.kind} of {divisor + layer.correction} numbers with correction {layer.correction}")
    centred = x - x.mean(axis=axes, keepdims=True)
    return np.asarray(np.square(centred).sum(axis=axes, keepdims=True) / divisor), np.asarray(centred), divisor


def _deviation(layer: Deviation, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axes = _axes(layer.dim, x)
    variance = _variance(layer, x, axes)[0]
    return _settled(np.sqrt(variance) if layer.kind == "std" else variance, layer.keepdim, axes)


def _deviation_backward(layer: Deviation, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """Of a deviation of 0 nothing flows back, as in PyTorch."""
    (x,) = inputs
    axes = _axes(layer.dim, x)
    variance, centred, divisor = _variance(layer, x, axes)
    slope = 2 * centred / divisor
    if layer.kind == "std":
        double = 2 * np.sqrt(variance)
        slope = np.divide(slope, double, out=np.zeros_like(slope), where=double > 0)
    return (np.asarray(_back(grad, layer.keepdim, axes) * slope),), {}


def _length(layer: Norm, x: Array, axes: Axes) -> Array:
    return np.asarray((np.abs(x) ** layer.p).sum(axis=axes, keepdims=True) ** (1 / layer.p))


def _norm(layer: Norm, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axes = _axes(layer.dim, x)
    return _settled(_length(layer, x, axes), layer.keepdim, axes)


def _norm_backward(layer: Norm, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """sign(x)·(|x| / norm)^(p − 1); of a norm of 0 nothing flows back, as in PyTorch."""
    (x,) = inputs
    axes = _axes(layer.dim, x)
    length = _length(layer, x, axes)
    share = np.divide(np.abs(x), length, out=np.zeros_like(x), where=length > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(share > 0, np.sign(x) * share ** (layer.p - 1), 0)
    return (np.asarray(_back(grad, layer.keepdim, axes) * slope),), {}


def _argmax(layer: Argmax, inputs: Arrays, weights: Weights, context: Context) -> Array:
    """Positions as numbers of the input's type; of equal ones the first."""
    (x,) = inputs
    if layer.dim is None:
        found = x.reshape(x.shape[0], -1).argmax(axis=1)
        kept = found.reshape(-1, *(1,) * (x.ndim - 1))
        axes = tuple(range(1, x.ndim))
    else:
        axes = _axes(layer.dim, x)
        kept = x.argmax(axis=axes[0], keepdims=True)
    return _settled(kept.astype(x.dtype), layer.keepdim, axes)


def _argmax_backward(layer: Argmax, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (np.zeros_like(inputs[0]),), {}


OPERATIONS = {
    "Reduce": Operation(_reduce, _reduce_backward),
    "Deviation": Operation(_deviation, _deviation_backward),
    "Norm": Operation(_norm, _norm_backward),
    "Argmax": Operation(_argmax, _argmax_backward),
}
