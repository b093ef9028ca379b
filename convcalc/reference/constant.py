"""A tensor that the network holds, forward and backward: parameter. Every example of a batch gets the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Start, Starts, Weights

if TYPE_CHECKING:
    from ..layers.constant import Parameter


def _parameter(layer: Parameter, inputs: Arrays, weights: Weights, context: Context) -> Array:
    value = weights["value"]
    return np.broadcast_to(value, (context.batch, *layer.repeats, *value.shape)).copy()


def _parameter_backward(layer: Parameter, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """What all examples say of the one tensor is added up."""
    return (), {"value": grad.sum(axis=tuple(range(1 + len(layer.repeats))))} if layer.learned else {}


def _tensors(layer: Parameter, shape: tuple[int, ...]) -> Starts:
    """Numbers of variance 1 under the schemes by fans, so that neither sums nor products with it lose the signal."""
    return {"value": Start(layer.shape, fan_in=2.0, torch_fan=1, learned=layer.learned)}


OPERATIONS = {"Parameter": Operation(_parameter, _parameter_backward, _tensors)}
