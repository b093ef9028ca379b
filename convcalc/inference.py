"""The shape behind a layer, with what every layer is held to: how many inputs it takes, and the limit of 2^63 − 1."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from .geometry import LIMIT, TooLarge

if TYPE_CHECKING:
    from .layers.base import Layer, Shape, Shapes

FEW_WEIGHTS = 8
"""Weights that a layer may have without counting as more than one."""


class Inference:
    """Shape inference that remembers: equal layers on equal shapes are computed once.

    Keyed by the layer's identity; it holds the layers, so that no identity is used twice. `computed` counts what was,
    and two weights beyond `FEW_WEIGHTS` as one more: a recurrent layer may have thousands.
    """

    def __init__(self) -> None:
        self.computed = 0
        self._shapes: dict[tuple[int, Shapes], Shape] = {}
        self._layers: dict[int, Layer] = {}

    def shape(self, layer: Layer, inputs: Shapes) -> Shape:
        """The output's shape; raises GeometryError where it is impossible or too large."""
        key = (id(layer), inputs)
        found = self._shapes.get(key)
        if found is None:
            self.computed += 1
            found, weights = inferred(layer, inputs)
            self.computed += max(weights - FEW_WEIGHTS, 0) // 2
            self._shapes[key] = found
            self._layers[id(layer)] = layer
        return found


def output_shape(layer: Layer, inputs: Shapes) -> Shape:
    """The layer's output on these inputs, its arity and the limit of 2^63 − 1 checked.

    >>> from convcalc.layers.registry import build
    >>> output_shape(build("conv2d", {"out_channels": 8, "kernel_size": 3}), ((3, 32, 32),))
    (8, 30, 30)
    """
    return inferred(layer, inputs)[0]


def inferred(layer: Layer, inputs: Shapes) -> tuple[Shape, int]:
    """The same, and how many weights the layer has."""
    fewest, most = layer.arity
    if len(inputs) < fewest or (most is not None and len(inputs) > most):
        from .layers.base import check_arity

        check_arity(layer, len(inputs))
    shape = layer.output_shape(inputs)
    if prod(shape) > LIMIT:
        raise TooLarge("an output", prod(shape))
    weights = layer.weights(inputs)
    for weight in weights:
        if prod(weight.shape) > LIMIT:
            raise TooLarge(f"{layer.kind}'s {weight.name}", prod(weight.shape))
    return shape, len(weights)
