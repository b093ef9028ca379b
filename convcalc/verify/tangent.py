"""The derivative of a layer along a direction: J v, where the backward pass gives Jᵀ g.

A spectral norm needs both. What a layer is to its inputs decides how: affine (J v = f(v) − f(0)), of each element on
its own (J is diagonal, so that the backward pass gives J v), a choice of the largest (J picks), or smooth (a central
difference in double precision).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..layers.kind_table import BATCHED, KindTable
from ..layers.registry import build
from ..reference import backward, forward
from ..reference.context import Array, Arrays, Weights

if TYPE_CHECKING:
    from ..layers.base import Layer

STEP = 1e-5
"""Of a central difference, over the size of what the layer reads: its error is about its square."""

Tangent = Callable[["Layer", Arrays, Weights, Arrays], Array]
"""(layer, inputs, weights, direction of each input) -> J v."""


def _affine(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    at_rest = tuple(map(np.zeros_like, direction))
    return np.asarray(
        forward(layer, direction, weights, training=True) - forward(layer, at_rest, weights, training=True)
    )


def _diagonal(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    (along,), _ = backward(layer, inputs, weights, direction[0], training=True)
    return along


def _smooth(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    wide = {name: array.astype(np.float64) for name, array in weights.items()}
    size, speed = (np.sqrt(sum(np.square(a, dtype=np.float64).sum() for a in arrays)) for arrays in (inputs, direction))
    if not size or not speed:
        return np.zeros_like(forward(layer, inputs, weights, training=True))
    step = STEP * size / speed
    ahead, behind = (
        forward(
            layer,
            tuple(x.astype(np.float64) + sign * step * v for x, v in zip(inputs, direction, strict=True)),
            wide,
            training=True,
        )
        for sign in (1, -1)
    )
    return np.asarray((ahead - behind) / (2 * step)).astype(direction[0].dtype)


def _largest(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    """Ranks in place of numbers, of equal ones the highest to the first, name the one that each window picks."""
    (x,), (v,) = inputs, direction
    flat = x.reshape(-1)
    order = np.lexsort((-np.arange(flat.size), flat))
    ranks = np.empty(flat.size)
    ranks[order] = np.arange(flat.size)
    picked = forward(layer, ranks.reshape(x.shape), weights, training=True)
    return np.asarray(v.reshape(-1)[order[picked.astype(np.int64)]])


def _product(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    """A product with weights of its own is affine; one with weights that are computed moves with them too."""
    rule = _affine if len(inputs) == 1 else _smooth
    return rule(layer, inputs, weights, direction)


def _pooled(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    rule = {"max": _largest, "avg": _affine}.get(layer.reduction or "", _smooth)
    return rule(layer, inputs, weights, direction)


def _over_examples(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    """As the layer inside, to each of the examples that its batch axes count."""
    return _rule(layer.inside)(layer, inputs, weights, direction)


def _reduced(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    """Each number is read for one output: what that hands back, times how it moves, is summed as it is reduced."""
    ones = np.ones_like(forward(layer, inputs, weights, training=True), direction[0].dtype)
    (handed,), _ = backward(layer, inputs, weights, ones, training=True)
    over = {name: value for name, value in layer.fields().items() if name in ("dim", "keepdim")}
    return forward(build("sum", over), handed * direction[0])


def _flat(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    """What is looked up moves in steps: its derivative is 0."""
    return np.zeros_like(forward(layer, inputs, weights, training=True), direction[0].dtype)


TANGENTS: KindTable[Tangent] = KindTable(
    {
        **dict.fromkeys(("Conv", "ConvTranspose", "Linear"), _product),
        **dict.fromkeys(("SeparableConv", "Scale"), _affine),
        **dict.fromkeys(("Flatten", "Reshape", "Permute", "Identity", "Dropout", "StochasticDepth"), _affine),
        **dict.fromkeys(("ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Unfold", "Fold"), _affine),
        **dict.fromkeys(("Roll", "Flip", "Slice", "Select", "Unbind", "IndexSelect", "Stack"), _affine),
        **dict.fromkeys(("Squeeze", "Unsqueeze", "Expand", "Tile", "RepeatInterleave"), _affine),
        **dict.fromkeys(("MatMul", "ScaledDotProductAttention", "MultiheadAttention"), _smooth),
        **dict.fromkeys(("RNN", "GRU", "LSTM", "ConvLSTM"), _smooth),
        "Embedding": _flat,
        BATCHED: _over_examples,
        **dict.fromkeys(("Concat", "Split", "Crop", "Pad", "Add", "Sub", "Upsample", "Parameter"), _affine),
        **dict.fromkeys(("Unary", "Pow", "Clamp", "Rescale"), _diagonal),
        **dict.fromkeys(("BatchNorm", "GroupNorm", "LayerNorm", "InstanceNorm", "LocalResponseNorm"), _smooth),
        **dict.fromkeys(("RMSNorm", "Softmax", "GLU", "Multiply", "Div", "Gate", "Extreme"), _smooth),
        **dict.fromkeys(("Reduce", "Deviation", "Norm", "Argmax"), _reduced),
        **dict.fromkeys(("MaxPool", "AvgPool", "LpPool", "AdaptivePool", "GlobalPool"), _pooled),
    },
    absent="its derivative along a direction is not known",
)
"""Layer -> how its derivative along a direction is found, where that does not follow from its being an activation."""


def _rule(layer: Layer) -> Tangent:
    return _diagonal if layer.activates else TANGENTS.of(layer)


def tangent(layer: Layer, inputs: Arrays, weights: Weights, direction: Arrays) -> Array:
    """J v of a layer in training: how its output changes where its inputs move in a direction. Raises Refused.

    >>> from convcalc.layers.registry import build
    >>> tangent(build("relu", {}), (np.array([[-1.0, 2.0]]),), {}, (np.array([[5.0, 7.0]]),))
    array([[0., 7.]])
    """
    return _rule(layer)(layer, inputs, weights, direction)
