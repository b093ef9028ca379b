"""Arithmetic with numbers and functions of one element, forward and backward. Each is a function and its derivative."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Weights, along_channels, error_function

if TYPE_CHECKING:
    from ..layers.arithmetic import Clamp, Pow, Rescale, Unary

Function = Callable[[Array], Array]


def _of_error_function(x: Array) -> Array:
    return np.asarray(2 / sqrt(pi) * np.exp(-np.square(x)))


FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "rsqrt": (lambda x: 1 / np.sqrt(x), lambda x: -0.5 / (x * np.sqrt(x))),
    "abs": (np.abs, np.sign),
    "neg": (np.negative, lambda x: np.full_like(x, -1)),
    "square": (np.square, lambda x: 2 * x),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / np.square(x)),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "erf": (error_function, _of_error_function),
    "sign": (np.sign, np.zeros_like),
    "floor": (np.floor, np.zeros_like),
    "ceil": (np.ceil, np.zeros_like),
    "round": (np.round, np.zeros_like),
}
"""Kind -> the function and its derivative; where there is none, PyTorch's choice. Outside of their domains they are not
a number, as in PyTorch."""


def _unary(layer: Unary, inputs: Arrays, weights: Weights, context: Context) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(FUNCTIONS[layer.kind][0](inputs[0]))


def _unary_backward(layer: Unary, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    with np.errstate(all="ignore"):
        return (np.asarray(grad * FUNCTIONS[layer.kind][1](inputs[0])),), {}


def _pow(layer: Pow, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    with np.errstate(all="ignore"):
        return np.asarray(x**layer.exponent)


def _pow_backward(layer: Pow, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    if layer.exponent == 0:
        return (np.zeros_like(grad),), {}
    with np.errstate(all="ignore"):
        return (np.asarray(grad * layer.exponent * x ** (layer.exponent - 1)),), {}


def _clamp(layer: Clamp, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return np.asarray(np.clip(inputs[0], layer.min, layer.max))


def _clamp_backward(layer: Clamp, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """What is cut off gets nothing, and what lies on a bound neither, as in PyTorch."""
    (x,) = inputs
    inside = np.ones(x.shape, bool)
    if layer.min is not None:
        inside &= x > layer.min
    if layer.max is not None:
        inside &= x < layer.max
    return (np.asarray(grad * inside),), {}


def _placed(value: float | tuple[float, ...], x: Array) -> Array:
    """A number for all, or one a channel."""
    numbers = np.asarray(value, np.result_type(x, 0.0))
    return along_channels(numbers, x) if isinstance(value, tuple) else numbers


def _rescale(layer: Rescale, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    return np.asarray(x * _placed(layer.scale, x) + _placed(layer.offset, x))


def _rescale_backward(layer: Rescale, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    return (np.asarray(grad * _placed(layer.scale, grad)),), {}


OPERATIONS = {
    "Unary": Operation(_unary, _unary_backward),
    "Pow": Operation(_pow, _pow_backward),
    "Clamp": Operation(_clamp, _clamp_backward),
    "Rescale": Operation(_rescale, _rescale_backward),
}
