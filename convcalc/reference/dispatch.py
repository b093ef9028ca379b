"""forward and backward of any layer, by the operation that is its twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from .context import Array, Arrays, Context, Counter, Gradients, NoTwin, Operation, Weights

if TYPE_CHECKING:
    from ..layers.base import Layer

KEPT_BYTES = 16 << 20


def keep_freed_memory() -> None:
    """Let the allocator keep freed arrays of up to `KEPT_BYTES` instead of giving their memory back to the system.

    The system zeroes every page that it hands out: for the arrays of a network that takes a quarter of the time
    of its layers. The C library of Linux gives back what it mapped for a large block, and raises the size from
    which it does so to that of the largest block freed (mallopt(3), M_MMAP_THRESHOLD). So one is allocated here and
    freed, never touched. Elsewhere this has no effect.
    """
    np.empty(KEPT_BYTES, np.uint8)


keep_freed_memory()

_operations: dict[tuple[type, str], Operation | None] = {}


def twin(layer: type[Layer], kind: str) -> Operation | None:
    """The operation of a kind of a layer's class; None where the reference has none.

    The twin of `layers/<module>.py` is `reference/<module>.py`. Its `OPERATIONS` name classes, or kinds where the
    kinds of one class differ.
    """
    key = (layer, kind)
    if key not in _operations:
        module = f"{__package__}.{layer.__module__.rpartition('.')[2]}"
        found: dict[str, Operation] = getattr(import_module(module), "OPERATIONS", {}) if find_spec(module) else {}
        _operations[key] = found.get(kind) or found.get(layer.__name__)
    return _operations[key]


def operation(layer: Layer) -> Operation:
    """Forward, backward and tensors of a layer. Raises `NoTwin` for a kind that the reference does not know."""
    found = twin(type(layer), layer.kind)
    if found is None:
        raise NoTwin(f"the reference has no forward pass of {layer.kind}")
    return found


def forward(
    layer: Layer,
    inputs: Array | Sequence[Array],
    weights: Weights | None = None,
    *,
    training: bool = False,
    counter: Counter | None = None,
    batch: int = 1,
) -> Array:
    """The layer's output for arrays [batch, channels, *space].

    `weights` has PyTorch's names and layouts; `batch` is the number of examples of a layer without inputs.
    Outside training batch_norm uses running statistics where `weights` has them, else those of the batch. A `counter`
    receives the multiply-accumulates executed.
    float16 is computed in float32 and returned as float16. Raises `DoesNotFit` where arrays do not fit.

    >>> from convcalc.layers.registry import build
    >>> conv = build("conv1d", {"out_channels": 1, "kernel_size": 3, "stride": 2, "bias": False})
    >>> forward(conv, np.arange(7).reshape(1, 1, 7), {"weight": np.array([[[1, 10, 100]]])})
    array([[[210, 432, 654]]])
    """
    arrays, tensors, half = _prepared(inputs, weights)
    result = operation(layer).forward(layer, arrays, tensors, Context(training, counter, batch))
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
    half = any(array.dtype == np.float16 for array in arrays or tensors.values())
    if half:
        arrays = tuple(map(_widened, arrays))
        tensors = {name: _widened(array) for name, array in tensors.items()}
    return arrays, tensors, half


def _widened(array: Array) -> Array:
    widened: Any = array.astype(np.float32) if array.dtype == np.float16 else array
    return widened  # type: ignore[no-any-return]
