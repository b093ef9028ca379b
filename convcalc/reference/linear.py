"""The fully connected layer: linear, on the last axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .context import Array, Context, DoesNotFit, Start, Starts, multiply_matrices
from .formed import operation

if TYPE_CHECKING:
    from ..layers.linear import Linear


def _rows(x: Array) -> Array:
    """The input as one row a vector."""
    return x.reshape(-1, x.shape[-1])


def _forward(layer: Linear, x: Array, w: Array, bias: Array | None, context: Context) -> Array:
    if x.shape[-1] != w.shape[1]:
        raise DoesNotFit(f"the input's last axis is {x.shape[-1]}, the weights take {w.shape[1]}")
    y = multiply_matrices(_rows(x), w.T, context.counter)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], w.shape[0])


def _backward(layer: Linear, x: Array, w: Array, grad: Array, context: Context) -> tuple[Array, Array, Array]:
    rows = _rows(grad)
    grad_x = multiply_matrices(rows, w, context.counter).reshape(x.shape)
    return grad_x, multiply_matrices(rows.T, _rows(x), context.counter), rows.sum(axis=0)


def _tensors(layer: Linear, shape: tuple[int, ...]) -> Starts:
    features = shape[-1]
    found = {"weight": Start((layer.out_features, features), features, layer.out_features, features)}
    if layer.bias:
        found["bias"] = Start((layer.out_features,), torch_fan=features)
    if layer.gain:
        found["gain"] = Start((layer.out_features, 1), constant=1.0)
    return found


OPERATIONS = {"Linear": operation(_forward, _backward, _tensors)}
