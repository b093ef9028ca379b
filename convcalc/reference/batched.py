"""A layer whose first axes count as batch, forward and backward: they are merged into it, and given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Starts, Weights
from .dispatch import operation

if TYPE_CHECKING:
    from ..layers.batched import Batched


def _merged(layer: Batched, inputs: Arrays) -> Arrays:
    """Every example of the batch axes as one of the batch."""
    axes = layer.leading + 1
    if len({x.shape[:axes] for x in inputs}) > 1:
        raise DoesNotFit(f"inputs {[x.shape for x in inputs]} whose first {axes} axes count as batch")
    return tuple(x.reshape(-1, *x.shape[axes:]) for x in inputs)


def _forward(layer: Batched, inputs: Arrays, weights: Weights, context: Context) -> Array:
    merged = _merged(layer, inputs)
    context = context._replace(batch=merged[0].shape[0])
    result = operation(layer.inner).forward(layer.inner, merged, weights, context)
    return result.reshape(*inputs[0].shape[: layer.leading + 1], *result.shape[1:])


def _backward(layer: Batched, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    merged = _merged(layer, inputs)
    context = context._replace(batch=merged[0].shape[0])
    flat = grad.reshape(-1, *grad.shape[layer.leading + 1 :])
    grads, gradients = operation(layer.inner).backward(layer.inner, merged, weights, flat, context)
    return tuple(one.reshape(x.shape) for one, x in zip(grads, inputs, strict=True)), gradients


def _tensors(layer: Batched, shape: tuple[int, ...]) -> Starts:
    return operation(layer.inner).tensors(layer.inner, shape[layer.leading :])


OPERATIONS = {"Batched": Operation(_forward, _backward, _tensors)}
