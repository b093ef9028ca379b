"""Weights to run with: the tensors of every layer, and the numbers that they start with.

Their shapes follow from the input's shape and the layer's fields alone, apart from the layer models' own rule: each
twin of a layer says them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from .context import Array, Start, Starts
from .dispatch import operation

if TYPE_CHECKING:
    from ..layers.base import Layer


Draw = Callable[[Start, np.random.Generator], Array]


def starts(layer: Layer, input_shapes: Sequence[Sequence[int]]) -> Starts:
    """The tensors of a layer for inputs of these shapes (without batch), by PyTorch's names. Raises `NoTwin`."""
    return operation(layer).tensors(layer, tuple(input_shapes[0]) if input_shapes else ())


def learned(layer: Layer, input_shapes: Sequence[Sequence[int]]) -> frozenset[str]:
    """The names of those tensors that a gradient changes; the others are buffers."""
    return frozenset(name for name, start in starts(layer, input_shapes).items() if start.learned)


def _normal(deviation: float, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if not deviation:
        return np.zeros(shape, np.float32)
    drawn = rng.standard_normal(shape, np.float32)
    drawn *= np.float32(deviation)
    return drawn


def _torch(start: Start, rng: np.random.Generator) -> Array:
    """PyTorch's default, kaiming_uniform(√5): uniform within ±1/√fan_in, biases too."""
    drawn = rng.random(start.shape, np.float32)
    drawn -= np.float32(0.5)
    drawn *= np.float32(2 / sqrt(start.torch_fan))
    return drawn


def scheme_of(scheme: str) -> Draw:
    """How a scheme draws a weight.

    `kaiming`: normal of variance 2 / fan_in (He et al. 2015). `xavier`: normal of variance
    2 / (fan_in + fan_out) (Glorot & Bengio 2010). `torch`: PyTorch's default. `normal:STD`: normal of that
    deviation, 0 where it is 0, without a draw. Fans are the true ones, also of grouped and transposed
    convolutions. Raises ValueError otherwise.
    """
    if scheme == "kaiming":
        return lambda start, rng: _normal(sqrt(2 / start.fan_in), start.shape, rng)
    if scheme == "xavier":
        return lambda start, rng: _normal(sqrt(2 / (start.fan_in + start.fan_out)), start.shape, rng)
    if scheme == "torch":
        return _torch
    name, _, text = scheme.partition(":")
    if name == "normal":
        try:
            deviation = float(text)
        except ValueError:
            deviation = -1.0
        if 0 <= deviation < float("inf"):
            return lambda start, rng: _normal(deviation, start.shape, rng)
    raise ValueError(f"'{scheme}' is none of kaiming, xavier, torch and normal:STD (such as normal:0.01)")


def init(
    layer: Layer,
    input_shapes: Sequence[Sequence[int]],
    rng: np.random.Generator,
    scheme: str = "kaiming",
    dtype: str | np.dtype[Any] = "float32",
) -> dict[str, Array]:
    """Every tensor of a layer for inputs of these shapes (without batch), weights drawn by the scheme.

    Biases are 0 (except by `torch`), factors of norms 1, running statistics those of a standard normal.

    >>> from convcalc.layers.registry import build
    >>> conv = build("conv2d", {"out_channels": 4, "kernel_size": 3, "groups": 2})
    >>> {name: w.shape for name, w in init(conv, [(6, 8, 8)], np.random.default_rng(0)).items()}
    {'weight': (4, 3, 3, 3), 'bias': (4,)}
    """
    draw = scheme_of(scheme)
    found: dict[str, Array] = {}
    for name, start in starts(layer, input_shapes).items():
        if name == "num_batches_tracked":
            found[name] = np.zeros((), np.int64)
        elif start.fan_in:
            found[name] = draw(start, rng).astype(dtype, copy=False)
        elif start.torch_fan and scheme == "torch":
            found[name] = _torch(start, rng).astype(dtype, copy=False)
        else:
            found[name] = np.full(start.shape, start.constant, dtype)
    return found
