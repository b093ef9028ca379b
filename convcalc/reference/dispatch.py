"""forward and backward of any layer: the table from layer models to the families that compute them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from .context import Array, Arrays, Context, Counter, Gradients, Operation, Weights
from .memory import keep_freed_memory

if TYPE_CHECKING:
    from ..layers.base import Layer

_FAMILIES: dict[str, tuple[str, ...]] = {
    "convolution": ("Conv", "SeparableConv"),
    "transposed": ("ConvTranspose",),
    "pooling": ("MaxPool", "AvgPool", "LpPool"),
    "adaptive": ("AdaptivePool", "GlobalPool"),
    "linear": ("Linear",),
    "norms": ("BatchNorm", "GroupNorm", "LayerNorm", "InstanceNorm"),
    "lrn": ("LocalResponseNorm",),
    "activations": ("Activation", "Gelu", "LeakyReLU", "PReLU", "ELU", "Softplus", "Softmax"),
    "joins": ("Concat", "Add", "Multiply", "Gate", "Split", "Scale"),
    "shapes": (
        "Flatten",
        "Reshape",
        "Permute",
        "Identity",
        "Dropout",
        "StochasticDepth",
        "ChannelShuffle",
        "PixelShuffle",
        "PixelUnshuffle",
        "Unfold",
    ),
    "interpolation": ("Upsample",),
    "borders": ("Pad", "Crop"),
}

MODULES: dict[str, str] = {model: module for module, models in _FAMILIES.items() for model in models}
"""Class of a layer model -> the module that computes it."""


keep_freed_memory()


def operation(layer: Layer) -> Operation:
    """Forward and backward of a layer; KeyError for a model that the reference does not know."""
    return _operation(type(layer).__name__)


@cache
def _operation(model: str) -> Operation:
    operations: dict[str, Operation] = import_module(f".{MODULES[model]}", __package__).OPERATIONS
    return operations[model]


def forward(
    layer: Layer,
    inputs: Array | Sequence[Array],
    weights: Weights | None = None,
    *,
    training: bool = False,
    counter: Counter | None = None,
) -> Array:
    """The layer's output for arrays [batch, channels, *space].

    `weights` has PyTorch's names and layouts. Outside training batch_norm uses running statistics where
    `weights` has them, else those of the batch. A `counter` receives the multiply-accumulates executed.
    float16 is computed in float32 and returned as float16. Raises `DoesNotFit` where arrays do not fit.

    >>> from convcalc.layers.registry import build
    >>> conv = build("conv1d", {"out_channels": 1, "kernel_size": 3, "stride": 2, "bias": False})
    >>> forward(conv, np.arange(7).reshape(1, 1, 7), {"weight": np.array([[[1, 10, 100]]])})
    array([[[210, 432, 654]]])
    """
    arrays, tensors, half = _prepared(inputs, weights)
    result = operation(layer).forward(layer, arrays, tensors, Context(training, counter))
    return result.astype(np.float16) if half else result


def backward(
    layer: Layer,
    inputs: Array | Sequence[Array],
    weights: Weights | None,
    grad_output: Array,
    *,
    training: bool = False,
    counter: Counter | None = None,
) -> Gradients:
    """The gradients of sum(output·grad_output): (of each input, {name: of each learnable weight}).

    Arguments are as `forward` takes them. An input that only lends its size has gradient 0.

    >>> from convcalc.layers.registry import build
    >>> backward(build("relu", {}), np.array([[-1.0, 2.0]]), None, np.array([[5.0, 5.0]]))
    ((array([[0., 5.]]),), {})
    """
    arrays, tensors, half = _prepared(inputs, weights)
    grad = grad_output.astype(np.float32) if half else grad_output
    grads, grad_weights = operation(layer).backward(layer, arrays, tensors, grad, Context(training, counter))
    if half:
        halves = {name: value.astype(np.float16) for name, value in grad_weights.items()}
        return tuple(value.astype(np.float16) for value in grads), halves
    return grads, grad_weights


def _prepared(inputs: Array | Sequence[Array], weights: Weights | None) -> tuple[Arrays, Weights, bool]:
    """Inputs as a tuple, no weights as an empty mapping, float16 widened, and whether it was."""
    arrays = (inputs,) if isinstance(inputs, np.ndarray) else tuple(inputs)
    tensors: Mapping[str, Array] = weights or {}
    half = any(array.dtype == np.float16 for array in arrays)
    if half:
        arrays = tuple(map(_widened, arrays))
        tensors = {name: _widened(array) for name, array in tensors.items()}
    return arrays, tensors, half


def _widened(array: Array) -> Array:
    widened: Any = array.astype(np.float32) if array.dtype == np.float16 else array
    return widened  # type: ignore[no-any-return]
