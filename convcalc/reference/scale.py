"""A learned factor a channel: scale, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Starts, Weights, along_channels, sum_but_channels
from .norm import affine_tensors

if TYPE_CHECKING:
    from ..layers.scale import Scale


def _scale(layer: Scale, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    scaled = x * along_channels(weights["weight"], x)
    return np.asarray(scaled + along_channels(weights["bias"], x) if layer.bias else scaled)


def _scale_backward(layer: Scale, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    bias = {"bias": sum_but_channels(grad)} if layer.bias else {}
    return (grad * along_channels(weights["weight"], x),), {"weight": sum_but_channels(grad * x), **bias}


def _tensors(layer: Scale, shape: tuple[int, ...]) -> Starts:
    return affine_tensors(shape[:1], bias=layer.bias)


OPERATIONS = {"Scale": Operation(_scale, _scale_backward, _tensors)}
