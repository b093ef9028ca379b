"""Weights to run with: the tensors of every layer, and the numbers that they start with.

Their shapes follow here from the input's shape and the layer's fields alone, apart from the layer models' own rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any, NamedTuple

import numpy as np

from .context import Array

Shape = tuple[int, ...]


class Start(NamedTuple):
    """One tensor: its shape and what it starts from.

    A tensor with fans is drawn at random, any other is `constant`, except that PyTorch draws biases as well,
    from the weight's `torch_fan`.
    """

    shape: Shape
    fan_in: float = 0.0
    """Products that an output sums, on average over positions."""
    fan_out: float = 0.0
    """Products that an input takes part in."""
    torch_fan: int = 0
    """PyTorch's fan_in: weight.shape[1]·∏kernel, also where the true one differs."""
    constant: float = 0.0


Starts = dict[str, Start]


def _with_bias(layer: Any, weight: Start, prefix: str = "") -> Starts:
    found = {f"{prefix}weight": weight}
    if layer.bias:
        found[f"{prefix}bias"] = Start((layer.out_channels,), torch_fan=weight.torch_fan)
    return found


def _conv(layer: Any, shape: Shape) -> Starts:
    inputs, outputs, taps = shape[0] // layer.groups, layer.out_channels // layer.groups, prod(layer.kernel_size)
    weight_shape = (layer.out_channels, inputs, *layer.kernel_size)
    return _with_bias(layer, Start(weight_shape, inputs * taps, outputs * taps / prod(layer.stride), inputs * taps))


def _conv_transpose(layer: Any, shape: Shape) -> Starts:
    inputs, outputs, taps = shape[0] // layer.groups, layer.out_channels // layer.groups, prod(layer.kernel_size)
    weight_shape = (shape[0], outputs, *layer.kernel_size)
    return _with_bias(layer, Start(weight_shape, inputs * taps / prod(layer.stride), outputs * taps, outputs * taps))


def _separable(layer: Any, shape: Shape) -> Starts:
    multiplier, taps = layer.depth_multiplier, prod(layer.kernel_size)
    middle = shape[0] * multiplier
    depthwise = Start((middle, 1, *layer.kernel_size), taps, multiplier * taps / prod(layer.stride), taps)
    pointwise = Start((layer.out_channels, middle, *(1 for _ in layer.kernel_size)), middle, layer.out_channels, middle)
    return {"depthwise.weight": depthwise, **_with_bias(layer, pointwise, "pointwise.")}


def _linear(layer: Any, shape: Shape) -> Starts:
    features = shape[-1]
    found = {"weight": Start((layer.out_features, features), features, layer.out_features, features)}
    if layer.bias:
        found["bias"] = Start((layer.out_features,), torch_fan=features)
    return found


def _affine(shape: Shape, affine: bool, bias: bool = True) -> Starts:
    if not affine:
        return {}
    return {"weight": Start(shape, constant=1.0), **({"bias": Start(shape)} if bias else {})}


def _tracked(layer: Any, shape: Shape) -> Starts:
    channels = shape[:1]
    if not layer.track_running_stats:
        return _affine(channels, layer.affine)
    running = {"running_mean": Start(channels), "running_var": Start(channels, constant=1.0)}
    return {**_affine(channels, layer.affine), **running, "num_batches_tracked": Start(())}


def _layer_norm(layer: Any, shape: Shape) -> Starts:
    normalized = shape[:1] if layer.dim is not None else layer.normalized_shape or shape[-1:]
    return _affine(normalized, layer.elementwise_affine, layer.bias)


TENSORS: dict[str, Callable[[Any, Shape], Starts]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable,
    "Linear": _linear,
    "BatchNorm": _tracked,
    "InstanceNorm": _tracked,
    "GroupNorm": lambda layer, shape: _affine(shape[:1], layer.affine),
    "LayerNorm": _layer_norm,
    "PReLU": lambda layer, shape: {"weight": Start((layer.num_parameters,), constant=0.25)},
    "Scale": lambda layer, shape: _affine(shape[:1], True, layer.bias),
}
"""Class of a layer model -> its tensors; a model that is missing here has none."""


def starts(layer: Any, input_shapes: Sequence[Sequence[int]]) -> Starts:
    """The tensors of a layer for inputs of these shapes (without batch), by PyTorch's names."""
    plan = TENSORS.get(type(layer).__name__)
    return plan(layer, tuple(input_shapes[0])) if plan else {}


Draw = Callable[[Start, np.random.Generator], Array]


def _normal(deviation: float, shape: Shape, rng: np.random.Generator) -> Array:
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
    deviation. Fans are the true ones, also of grouped and transposed convolutions. Raises ValueError otherwise.
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
    layer: Any,
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
