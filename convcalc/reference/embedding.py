"""A table whose rows are looked up, forward and backward: embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .context import Array, Arrays, Context, Gradients, Operation, Start, Starts, Weights

if TYPE_CHECKING:
    from ..layers.embedding import Embedding


def _rows(layer: Embedding, x: Array) -> Array:
    """Which row each number names."""
    return np.asarray(np.trunc(x).astype(np.int64) % layer.num_embeddings)


def _embedding(layer: Embedding, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return weights["weight"][_rows(layer, inputs[0])]


def _embedding_backward(layer: Embedding, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """A row gets the sum of what all its readers say; positions have no gradient."""
    (x,) = inputs
    table = np.zeros_like(weights["weight"])
    np.add.at(table, _rows(layer, x), grad)
    return (np.zeros(x.shape, grad.dtype),), {"weight": table}


def _tensors(layer: Embedding, shape: tuple[int, ...]) -> Starts:
    """Numbers of variance 1, as PyTorch draws them."""
    return {"weight": Start((layer.num_embeddings, layer.embedding_dim), fan_in=2.0, torch_fan=1)}


OPERATIONS = {"Embedding": Operation(_embedding, _embedding_backward, _tensors)}
