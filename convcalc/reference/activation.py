"""Activations, forward and backward. Each is a function and its derivative, of one element; softmax couples an axis.

Exponentials are only taken of numbers that are not positive, so that none overflows.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from .context import (
    Array,
    Arrays,
    Context,
    DoesNotFit,
    Gradients,
    Operation,
    Start,
    Starts,
    Weights,
    along_channels,
    array_axis,
    error_function,
    sum_but_channels,
)

if TYPE_CHECKING:
    from ..layers.activation import (
        CELU,
        ELU,
        GLU,
        Activation,
        Gelu,
        Hardtanh,
        LeakyReLU,
        PReLU,
        Shrink,
        Softmax,
        Softplus,
        Threshold,
    )

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
"""Klambauer et al. 2017, arXiv:1706.02515."""


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)).

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, small) / (1 + small))


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


def _exp_below_0(x: Array) -> Array:
    """exp(x) − 1 where x is negative, else 0."""
    return np.asarray(np.expm1(np.minimum(x, 0)))


def _relu(x: Array) -> Array:
    """max(x, 0), with zeros for a channel: NumPy compares arrays several numbers at a time, but not with one number."""
    return np.asarray(np.maximum(x, np.zeros(x.shape[min(2, x.ndim - 1) :], x.dtype)))


def _relu6(x: Array) -> Array:
    return np.asarray(np.clip(x, 0, 6))


def _mish_slope(x: Array) -> Array:
    squashed = np.tanh(softplus(x))
    return np.asarray(squashed + x * sigmoid(x) * (1 - np.square(squashed)))


def _silu_slope(x: Array) -> Array:
    share = sigmoid(x)
    return np.asarray(share * (1 + x * (1 - share)))


PLAIN: dict[str, Callable[[Array], Array]] = {
    "relu": _relu,
    "relu6": _relu6,
    "silu": lambda x: x * sigmoid(x),
    "hardswish": lambda x: x * _relu6(x + 3) / 6,
    "hardsigmoid": lambda x: _relu6(x + 3) / 6,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "mish": lambda x: x * np.tanh(softplus(x)),
    "selu": lambda x: SELU_SCALE * (np.maximum(x, 0) + SELU_ALPHA * _exp_below_0(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "logsigmoid": lambda x: -softplus(-x),
    "tanhshrink": lambda x: x - np.tanh(x),
}
"""Kind -> the function."""

SLOPES: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: x > 0,
    "relu6": lambda x: (x > 0) & (x < 6),
    "silu": _silu_slope,
    "hardswish": lambda x: np.where(np.abs(x) < 3, x / 3 + 0.5, x > 0),
    "hardsigmoid": lambda x: (np.abs(x) < 3) / np.asarray(6, x.dtype),
    "sigmoid": lambda x: sigmoid(x) * sigmoid(-x),
    "tanh": lambda x: 1 - np.square(np.tanh(x)),
    "mish": _mish_slope,
    "selu": lambda x: SELU_SCALE * np.where(x > 0, 1, SELU_ALPHA * (_exp_below_0(x) + 1)),
    "softsign": lambda x: 1 / np.square(1 + np.abs(x)),
    "logsigmoid": lambda x: sigmoid(-x),
    "tanhshrink": lambda x: np.square(np.tanh(x)),
}
"""Kind -> its derivative; where there is none, PyTorch's choice."""


def _plain(function: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Operation:
    """An activation without fields."""

    def forward(layer: Activation, inputs: Arrays, weights: Weights, context: Context) -> Array:
        return np.asarray(function(inputs[0]))

    def backward(layer: Activation, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
        return (np.asarray(grad * slope(inputs[0])),), {}

    return Operation(forward, backward)


GELU_FACTOR, GELU_CUBIC = sqrt(2 / pi), 0.044715
"""Of the tanh approximation: Hendrycks & Gimpel 2016, arXiv:1606.08415."""


def _gelu(layer: Gelu, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    if layer.approximate == "tanh":
        return np.asarray(0.5 * x * (1 + np.tanh(GELU_FACTOR * (x + GELU_CUBIC * x**3))))
    return np.asarray(0.5 * x * (1 + error_function(x / sqrt(2))))


def _gelu_backward(layer: Gelu, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    if layer.approximate == "tanh":
        squashed = np.tanh(GELU_FACTOR * (x + GELU_CUBIC * x**3))
        inner = GELU_FACTOR * (1 + 3 * GELU_CUBIC * np.square(x))
        return (np.asarray(grad * 0.5 * (1 + squashed + x * (1 - np.square(squashed)) * inner)),), {}
    density = np.exp(-0.5 * np.square(x)) / sqrt(2 * pi)
    return (np.asarray(grad * (0.5 * (1 + error_function(x / sqrt(2))) + x * density)),), {}


def _leaky(layer: LeakyReLU, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return np.asarray(np.where(x > 0, x, layer.negative_slope * x))


def _leaky_backward(layer: LeakyReLU, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (np.asarray(np.where(inputs[0] > 0, grad, layer.negative_slope * grad)),), {}


def _prelu(layer: PReLU, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return np.asarray(np.where(x > 0, x, along_channels(weights["weight"], x) * x))


def _prelu_backward(layer: PReLU, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    slope = along_channels(weights["weight"], x)
    a_channel = sum_but_channels(np.where(x > 0, 0, grad * x))
    grad_w = a_channel if weights["weight"].size > 1 else a_channel.sum(keepdims=True)
    return (np.asarray(np.where(x > 0, grad, slope * grad)),), {"weight": grad_w}


def _prelu_tensors(layer: PReLU, shape: tuple[int, ...]) -> Starts:
    return {"weight": Start((layer.num_parameters,), constant=0.25)}


def _elu(layer: ELU, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return np.asarray(np.maximum(x, 0) + layer.alpha * _exp_below_0(x))


def _elu_backward(layer: ELU, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    return (np.asarray(grad * np.where(x > 0, 1, layer.alpha * (_exp_below_0(x) + 1))),), {}


def _softplus(layer: Softplus, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    scaled = layer.beta * x
    return np.asarray(np.where(scaled > layer.threshold, x, softplus(scaled) / layer.beta))


def _softplus_backward(layer: Softplus, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    scaled = layer.beta * inputs[0]
    return (np.asarray(grad * np.where(scaled > layer.threshold, 1, sigmoid(scaled))),), {}


def _celu(layer: CELU, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return np.asarray(np.maximum(x, 0) + layer.alpha * _exp_below_0(x / layer.alpha))


def _celu_backward(layer: CELU, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    return (np.asarray(grad * np.where(x > 0, 1, _exp_below_0(x / layer.alpha) + 1)),), {}


def _hardtanh(layer: Hardtanh, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return np.asarray(np.clip(inputs[0], layer.min_val, layer.max_val))


def _hardtanh_backward(layer: Hardtanh, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    return (np.asarray(grad * ((x > layer.min_val) & (x < layer.max_val))),), {}


def _threshold(layer: Threshold, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return np.asarray(np.where(x > layer.threshold, x, layer.value))


def _threshold_backward(layer: Threshold, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (np.asarray(grad * (inputs[0] > layer.threshold)),), {}


def _shrink(layer: Shrink, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    moved = x - np.sign(x) * layer.lambd if layer.kind == "softshrink" else x
    return np.asarray(np.where(np.abs(x) > layer.lambd, moved, 0))


def _shrink_backward(layer: Shrink, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (np.asarray(grad * (np.abs(inputs[0]) > layer.lambd)),), {}


def _softmax(layer: Softmax, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axis = array_axis(layer.dim)
    below = x - x.max(axis=axis, keepdims=True)
    powers = np.exp(below)
    total = powers.sum(axis=axis, keepdims=True)
    return np.asarray(below - np.log(total) if layer.kind == "log_softmax" else powers / total)


def _softmax_backward(layer: Softmax, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    y, axis = _softmax(layer, inputs, weights, context), array_axis(layer.dim)
    if layer.kind == "log_softmax":
        return (np.asarray(grad - np.exp(y) * grad.sum(axis=axis, keepdims=True)),), {}
    return (np.asarray(y * (grad - (grad * y).sum(axis=axis, keepdims=True))),), {}


def _halves(layer: GLU, x: Array) -> tuple[Array, Array]:
    axis = array_axis(layer.dim)
    if x.shape[axis] % 2:
        raise DoesNotFit(f"glu halves an axis of {x.shape[axis]}")
    first, second = np.split(x, 2, axis=axis)
    return first, second


def _glu(layer: GLU, inputs: Arrays, weights: Weights, context: Context) -> Array:
    first, second = _halves(layer, inputs[0])
    return np.asarray(first * sigmoid(second))


def _glu_backward(layer: GLU, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    first, second = _halves(layer, inputs[0])
    share = sigmoid(second)
    both = (grad * share, grad * first * share * (1 - share))
    return (np.concatenate(both, axis=array_axis(layer.dim)),), {}


OPERATIONS = {
    **{kind: _plain(function, SLOPES[kind]) for kind, function in PLAIN.items()},
    "Gelu": Operation(_gelu, _gelu_backward),
    "LeakyReLU": Operation(_leaky, _leaky_backward),
    "PReLU": Operation(_prelu, _prelu_backward, _prelu_tensors),
    "ELU": Operation(_elu, _elu_backward),
    "CELU": Operation(_celu, _celu_backward),
    "Hardtanh": Operation(_hardtanh, _hardtanh_backward),
    "Threshold": Operation(_threshold, _threshold_backward),
    "Shrink": Operation(_shrink, _shrink_backward),
    "GLU": Operation(_glu, _glu_backward),
    "Softplus": Operation(_softplus, _softplus_backward),
    "Softmax": Operation(_softmax, _softmax_backward),
}
