"""Normalizations: batch_norm, group_norm, layer_norm, instance_norm, forward and backward.

Each subtracts a mean and divides by a deviation; they differ in the axes over which these are taken. Statistics
are of the numbers at hand, except where batch_norm (or instance_norm) runs outside training with running
statistics given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Weights, along_channels, sum_but_channels

if TYPE_CHECKING:
    from ..layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm

Axes = tuple[int, ...]


def _normalized(x: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """(x − mean) / √(variance + eps) over the axes, and the factor 1 / √(variance + eps)."""
    centred = x - x.mean(axis=axes, keepdims=True)
    factor = 1 / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + eps)
    return centred * factor, np.asarray(factor)


def _normalized_gradient(grad: Array, normal: Array, factor: Array, axes: Axes) -> Array:
    """Through `_normalized`: what is left of the gradient without its mean and its part along the normal."""
    along = (grad * normal).mean(axis=axes, keepdims=True)
    return np.asarray((grad - grad.mean(axis=axes, keepdims=True) - normal * along) * factor)


def _affine(normal: Array, weights: Weights) -> Array:
    """weight·normal + bias, one number a channel, where given."""
    y = normal
    if "weight" in weights:
        y = y * along_channels(weights["weight"], y)
    if "bias" in weights:
        y = y + along_channels(weights["bias"], y)
    return y


def _affine_gradients(grad: Array, normal: Array, weights: Weights) -> tuple[Array, dict[str, Array]]:
    """Of the normal, and of weight and bias."""
    gradients = {}
    if "weight" in weights:
        gradients["weight"] = sum_but_channels(grad * normal)
    if "bias" in weights:
        gradients["bias"] = sum_but_channels(grad)
    return (grad * along_channels(weights["weight"], grad) if "weight" in weights else grad), gradients


def _batch_axes(x: Array) -> Axes:
    return (0, *range(2, x.ndim))


def _uses_running(layer: BatchNorm | InstanceNorm, weights: Weights, context: Context) -> bool:
    return layer.track_running_stats and not context.training and "running_mean" in weights


def _by_running(layer: BatchNorm | InstanceNorm, x: Array, weights: Weights) -> tuple[Array, Array]:
    factor = 1 / np.sqrt(along_channels(weights["running_var"], x) + layer.eps)
    normal = (x - along_channels(weights["running_mean"], x)) * factor
    return normal.astype(np.result_type(x, np.float32), copy=False), np.asarray(factor)


def _statistics(
    layer: BatchNorm | InstanceNorm, x: Array, axes: Axes, weights: Weights, context: Context
) -> tuple[Array, Array]:
    if _uses_running(layer, weights, context):
        return _by_running(layer, x, weights)
    return _normalized(x, axes, layer.eps)


def _tracked(layer: BatchNorm | InstanceNorm, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return _affine(_statistics(layer, x, _tracked_axes(layer, x), weights, context)[0], weights)


def _tracked_backward(
    layer: BatchNorm | InstanceNorm, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    (x,) = inputs
    axes = _tracked_axes(layer, x)
    normal, factor = _statistics(layer, x, axes, weights, context)
    grad_normal, gradients = _affine_gradients(grad, normal, weights)
    if _uses_running(layer, weights, context):
        return (grad_normal * factor,), gradients
    return (_normalized_gradient(grad_normal, normal, factor, axes),), gradients


def _tracked_axes(layer: BatchNorm | InstanceNorm, x: Array) -> Axes:
    return _batch_axes(x) if layer.kind == "batch_norm" else tuple(range(2, x.ndim))


def updated_statistics(layer: BatchNorm, x: Array, weights: Weights) -> dict[str, Array]:
    """The running statistics after one training step on x, as PyTorch updates them.

    running ← (1 − momentum)·running + momentum·new, with the unbiased variance; without a momentum the
    plain average over all steps so far.
    """
    axes, count = _batch_axes(x), x.size // x.shape[1]
    steps = int(weights["num_batches_tracked"]) + 1 if "num_batches_tracked" in weights else 1
    share = 1 / steps if layer.momentum is None else layer.momentum
    new = {"running_mean": x.mean(axis=axes), "running_var": x.var(axis=axes) * (count / (count - 1))}
    updated = {name: (1 - share) * weights[name] + share * value for name, value in new.items()}
    return {**updated, "num_batches_tracked": np.asarray(steps)}


def _grouped(x: Array, groups: int) -> Array:
    return x.reshape(x.shape[0], groups, -1)


def _group(layer: GroupNorm, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    normal, _ = _normalized(_grouped(x, layer.num_groups), (2,), layer.eps)
    return _affine(normal.reshape(x.shape), weights)


def _group_backward(layer: GroupNorm, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    normal, factor = _normalized(_grouped(x, layer.num_groups), (2,), layer.eps)
    grad_normal, gradients = _affine_gradients(grad, normal.reshape(x.shape), weights)
    grad_x = _normalized_gradient(_grouped(grad_normal, layer.num_groups), normal, factor, (2,))
    return (grad_x.reshape(x.shape),), gradients


def _layer_axes(layer: LayerNorm, x: Array) -> Axes:
    """The channels with `dim: 0`, else as many trailing axes as are named, else the last."""
    if layer.dim is not None:
        return (1,)
    named = 1 if layer.normalized_shape is None else len(layer.normalized_shape)
    return tuple(range(x.ndim - named, x.ndim))


def _placed(vector: Array, layer: LayerNorm, x: Array) -> Array:
    """Trailing weights broadcast by themselves; weights of the channels stand before the space."""
    return along_channels(vector, x) if layer.dim is not None else vector


def _layer(layer: LayerNorm, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    y, _ = _normalized(x, _layer_axes(layer, x), layer.eps)
    if "weight" in weights:
        y = y * _placed(weights["weight"], layer, x)
    if "bias" in weights:
        y = y + _placed(weights["bias"], layer, x)
    return y


def _layer_backward(layer: LayerNorm, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    axes = _layer_axes(layer, x)
    normal, factor = _normalized(x, axes, layer.eps)
    others = tuple(axis for axis in range(x.ndim) if axis not in axes)
    summed = {"weight": (grad * normal).sum(axis=others), "bias": grad.sum(axis=others)}
    grad_normal = grad * _placed(weights["weight"], layer, x) if "weight" in weights else grad
    return (_normalized_gradient(grad_normal, normal, factor, axes),), {k: v for k, v in summed.items() if k in weights}


OPERATIONS = {
    "BatchNorm": Operation(_tracked, _tracked_backward),
    "InstanceNorm": Operation(_tracked, _tracked_backward),
    "GroupNorm": Operation(_group, _group_backward),
    "LayerNorm": Operation(_layer, _layer_backward),
}
