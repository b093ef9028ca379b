"""Normalizations (batch, group, layer, RMS, instance, local response) and scale, a learned factor, forward and back.

Most are alike: each subtracts a mean and divides by a deviation; they differ in the axes over which these are taken.
rms_norm divides by the root of the mean square and subtracts nothing. Statistics are of the numbers at hand, except
where batch_norm (or instance_norm) runs outside training with running statistics given. local_response_norm divides
by a mean of squares over neighbouring channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .context import (
    Array,
    Arrays,
    Context,
    Gradients,
    Operation,
    Start,
    Starts,
    Weights,
    along_channels,
    sum_but_channels,
)

if TYPE_CHECKING:
    from ..layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm, Scale


def _factors(vector: Array, layer: Scale, x: Array) -> Array:
    """One number for all, or one along the axis of the channels."""
    return along_channels(vector, x) if layer.dim == 0 else vector


def _scale(layer: Scale, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    scaled = x * _factors(weights["weight"], layer, x)
    return np.asarray(scaled + _factors(weights["bias"], layer, x) if layer.bias else scaled)


def _scale_backward(layer: Scale, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs

    bias = {"bias": _summed(grad, layer)} if layer.bias else {}
    return (grad * _factors(weights["weight"], layer, x),), {"weight": _summed(grad * x, layer), **bias}


def _summed(of_each: Array, layer: Scale) -> Array:
    """What a factor gets: the sum over all that it multiplies."""
    if layer.size is not None:
        return np.asarray(of_each.sum(keepdims=True)).reshape(1)
    return sum_but_channels(np.moveaxis(of_each, _channel_axis(layer), 1))


def _channel_axis(layer: Scale | BatchNorm) -> int:
    """The array's axis of the channels."""
    return 1 if layer.dim == 0 else -1


def _tensors(layer: Scale, shape: tuple[int, ...]) -> Starts:
    return affine_tensors((1,) if layer.size is not None else (shape[layer.dim],), bias=layer.bias)


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


def _batch(layer: BatchNorm, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return np.moveaxis(_tracked(layer, _channels_first(layer, inputs), weights, context), 1, _channel_axis(layer))


def _batch_backward(layer: BatchNorm, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    arrays, axis = _channels_first(layer, inputs), _channel_axis(layer)
    (grad_x,), gradients = _tracked_backward(layer, arrays, weights, np.moveaxis(grad, axis, 1), context)
    return (np.moveaxis(grad_x, 1, axis),), gradients


def _channels_first(layer: BatchNorm, inputs: Arrays) -> Arrays:
    return (np.moveaxis(inputs[0], _channel_axis(layer), 1),)


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
    return _batch_axes(x) if layer.over_batch else tuple(range(2, x.ndim))


def updated_statistics(layer: BatchNorm, x: Array, weights: Weights) -> dict[str, Array]:
    """The running statistics after one training step on x, as PyTorch updates them.

    running ← (1 − momentum)·running + momentum·new, with the unbiased variance; without a momentum the
    plain average over all steps so far.
    """
    (x,) = _channels_first(layer, (x,))
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


def _magnitude(layer: RMSNorm, x: Array) -> tuple[Array, Axes]:
    """1 / √(mean of the squares + eps) over the trailing axes, and these."""
    named = 1 if layer.normalized_shape is None else len(layer.normalized_shape)
    axes = tuple(range(x.ndim - named, x.ndim))
    eps = np.finfo(np.result_type(x, 0.0)).eps if layer.eps is None else layer.eps
    return np.asarray(1 / np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + eps)), axes


def _root_mean_square(layer: RMSNorm, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    y = x * _magnitude(layer, x)[0]
    return np.asarray(y * weights["weight"] if "weight" in weights else y)


def _root_mean_square_backward(
    layer: RMSNorm, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    (x,) = inputs
    factor, axes = _magnitude(layer, x)
    normal = x * factor
    gradients = {}
    if "weight" in weights:
        gradients["weight"] = (grad * normal).sum(axis=tuple(axis for axis in range(x.ndim) if axis not in axes))
        grad = grad * weights["weight"]
    along = (grad * normal).mean(axis=axes, keepdims=True)
    return (np.asarray((grad - normal * along) * factor),), gradients


BLOCK_BYTES = 1 << 19
"""Bytes of the channels that are computed together."""


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


def _base(layer: LocalResponseNorm, x: Array, channels: slice = slice(None)) -> Array:
    """k + alpha·mean of the squares over the window, which the missing neighbours at the ends count in as 0."""
    below, above = layer.size // 2, (layer.size - 1) // 2
    first, stop, _ = channels.indices(x.shape[1])
    lowest = max(first - below, 0)
    squares = np.square(x[:, lowest : stop + above], dtype=np.result_type(x, 0.0))
    sums = _neighbour_sums(squares, below, above)[:, first - lowest : stop - lowest]
    sums *= layer.alpha / layer.size
    sums += layer.k
    return sums


def _response(layer: LocalResponseNorm, inputs: Arrays, weights: Weights, context: Context) -> Array:
    """Some channels at a time, so that what lies between is small and stays in the cache."""
    (x,) = inputs
    result = np.empty(x.shape, np.result_type(x, 0.0))
    step = max(layer.size, BLOCK_BYTES // max(result[:, :1].nbytes, 1))
    for first in range(0, x.shape[1], step):
        block = slice(first, first + step)
        np.divide(x[:, block], _power(_base(layer, x, block), layer.beta), out=result[:, block])
    return result


def _response_backward(
    layer: LocalResponseNorm, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    """The window read backwards sees as many above as it saw below."""
    (x,) = inputs
    base = _base(layer, x)
    factor = 1 / _power(base, layer.beta)
    back = _neighbour_sums(grad * x * factor / base, (layer.size - 1) // 2, layer.size // 2)
    return (grad * factor - (2 * layer.beta * layer.alpha / layer.size) * x * back,), {}


def affine_tensors(shape: tuple[int, ...], affine: bool = True, bias: bool = True, weight: bool = True) -> Starts:
    """A factor of 1, with `weight`, and an addend of 0, with `bias`."""
    if not affine:
        return {}
    factor = {"weight": Start(shape, constant=1.0)} if weight else {}
    return {**factor, **({"bias": Start(shape)} if bias else {})}


def _batch_tensors(layer: BatchNorm, shape: tuple[int, ...]) -> Starts:
    channels = (shape[layer.dim],)
    return _with_running(layer, channels, affine_tensors(channels, layer.affine, layer.bias, layer.weight))


def _root_mean_square_tensors(layer: RMSNorm, shape: tuple[int, ...]) -> Starts:
    return affine_tensors(layer.normalized_shape or shape[-1:], layer.elementwise_affine, bias=False)


def _tracked_tensors(layer: InstanceNorm, shape: tuple[int, ...]) -> Starts:
    return _with_running(layer, shape[:1], affine_tensors(shape[:1], layer.affine))


def _with_running(layer: BatchNorm | InstanceNorm, channels: tuple[int, ...], affine: Starts) -> Starts:
    if not layer.track_running_stats:
        return affine
    return {
        **affine,
        "running_mean": Start(channels, learned=False),
        "running_var": Start(channels, constant=1.0, learned=False),
        "num_batches_tracked": Start((), learned=False),
    }


def _group_tensors(layer: GroupNorm, shape: tuple[int, ...]) -> Starts:
    return affine_tensors(shape[:1], layer.affine, layer.bias, layer.weight)


def _layer_tensors(layer: LayerNorm, shape: tuple[int, ...]) -> Starts:
    normalized = shape[:1] if layer.dim is not None else layer.normalized_shape or shape[-1:]
    return affine_tensors(normalized, layer.elementwise_affine, layer.bias, layer.weight)


OPERATIONS = {
    "BatchNorm": Operation(_batch, _batch_backward, _batch_tensors),
    "InstanceNorm": Operation(_tracked, _tracked_backward, _tracked_tensors),
    "GroupNorm": Operation(_group, _group_backward, _group_tensors),
    "RMSNorm": Operation(_root_mean_square, _root_mean_square_backward, _root_mean_square_tensors),
    "LayerNorm": Operation(_layer, _layer_backward, _layer_tensors),
    "LocalResponseNorm": Operation(_response, _response_backward),
    "Scale": Operation(_scale, _scale_backward, _tensors),
}
