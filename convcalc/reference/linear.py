"""The fully connected layer: linear, on the last axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Start, Starts, Weights, multiply_matrices

if TYPE_CHECKING:
    from ..layers.linear import Linear


def _rows(x: Array) -> Array:
    """The input as one row a vector."""
    return x.reshape(-1, x.shape[-1])


def _forward(layer: Linear, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    w = weights["weight"]
    if x.shape[-1] != w.shape[1]:
        raise DoesNotFit(f"the input's last axis is {x.shape[-1]}, the weights take {w.shape[1]}")
    y = multiply_matrices(_rows(x), w.T, context.counter)
    if layer.bias:
        y += weights["bias"]
    return y.reshape(*x.shape[:-1], w.shape[0])


def _backward(layer: Linear, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    rows = _rows(grad)
    grad_x = multiply_matrices(rows, weights["weight"], context.counter).reshape(x.shape)
    gradients = {"weight": multiply_matrices(rows.T, _rows(x), context.counter)}
    if layer.bias:
        gradients["bias"] = rows.sum(axis=0)
    return (grad_x,), gradients


def _tensors(layer: Linear, shape: tuple[int, ...]) -> Starts:
    features = shape[-1]
    found = {"weight": Start((layer.out_features, features), features, layer.out_features, features)}
    if layer.bias:
        found["bias"] = Start((layer.out_features,), torch_fan=features)
    return found


OPERATIONS = {"Linear": Operation(_forward, _backward, _tensors)}
