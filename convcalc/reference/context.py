"""What a forward or backward pass carries along: the arrays' type, the mode, the count of multiplications, tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import erf
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = tuple[Array, ...]
Weights = Mapping[str, Array]
Gradients = tuple[Arrays, dict[str, Array]]
"""(gradient of each input, gradient of each learnable weight)."""


@dataclass(slots=True)
class Counter:
    """Multiply-accumulates, added where they are executed from the sizes of the operands.

    A counted pass takes only forms that multiply what the definition multiplies, so that the count is that
    of the definition.
    """

    macs: int = 0


class Context(NamedTuple):
    """How a pass runs: in training or not, whether it is counted, and on how many examples."""

    training: bool = False
    counter: Counter | None = None
    batch: int = 1
    """Examples, for what reads none of them."""


class Start(NamedTuple):
    """One tensor: its shape and what it starts from.

    A tensor with fans is drawn at random, any other is `constant`, except that PyTorch draws biases as well,
    from the weight's `torch_fan`.
    """

    shape: tuple[int, ...]
    fan_in: float = 0.0
    """Products that an output sums, on average over positions."""
    fan_out: float = 0.0
    """Products that an input takes part in."""
    torch_fan: float = 0
    """PyTorch draws uniformly within ±1/√torch_fan: weight.shape[1]·∏kernel, also where the true fan_in differs."""
    constant: float = 0.0
    learned: bool = True
    """Whether training changes it by its gradient."""


Starts = dict[str, Start]
"""Tensors under PyTorch's names."""


def no_tensors(layer: object, shape: tuple[int, ...]) -> Starts:
    """Those of a layer that holds none."""
    return {}


class Operation(NamedTuple):
    """The twin of one layer model: forward, backward, and its tensors for an input [channels, *space].

    Their first argument is the layer of which the operation is the twin.
    """

    forward: Callable[[Any, Arrays, Weights, Context], Array]
    backward: Callable[[Any, Arrays, Weights, Array, Context], Gradients]
    tensors: Callable[[Any, tuple[int, ...]], Starts] = no_tensors


class NoTwin(LookupError):
    """A layer that the reference has no forward pass of."""


class DoesNotFit(ValueError):
    """Arrays that cannot be combined as the layer says: a window larger than its input, channels that disagree."""


def multiply_matrices(a: Array, b: Array, counter: Counter | None, out: Array | None = None) -> Array:
    """a @ b over the last two axes, with its multiply-accumulates counted.

    >>> counter = Counter()
    >>> multiply_matrices(np.ones((2, 3)), np.ones((3, 4)), counter).shape, counter.macs
    ((2, 4), 24)
    """
    product: Array = np.matmul(a, b, out=out)
    if counter is not None:
        counter.macs += product.size * a.shape[-1]
    return product


def error_function(x: Array) -> Array:
    """The error function of each element."""
    values = np.fromiter(map(erf, x.ravel().tolist()), float, x.size).reshape(x.shape)
    return values.astype(np.result_type(x, 0.0), copy=False)


def along_channels(vector: Array, like: Array) -> Array:
    """One number a channel, shaped to broadcast over [batch, channels, *space]."""
    return vector.reshape(-1, *(1,) * (like.ndim - 2))


def array_axis(dim: int) -> int:
    """The array's axis of an axis that excludes the batch."""
    return dim + 1 if dim >= 0 else dim


def sum_but_channels(x: Array) -> Array:
    """The sum of each channel over batch and space."""
    total: Array = x.sum(axis=(0, *range(2, x.ndim)))
    return total


def along(x: Array, dim: int, where: Any) -> Any:
    """The index of `where` on an axis that excludes the batch, and of all of the axes before it."""
    return (*(slice(None),) * (array_axis(dim) % x.ndim), where)


def put_back(grad: Array, x: Array, index: Any) -> Array:
    """The adjoint of x[index], which takes no element twice: the gradient where it was taken, zeros elsewhere.

    >>> put_back(np.array([5.0, 7.0]), np.ones(4), slice(1, 3)).tolist()
    [0.0, 5.0, 7.0, 0.0]
    """
    result = np.zeros(x.shape, grad.dtype)
    result[index] = grad
    return result


def restore_shape(layer: object, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """The backward of a layer that gives the same numbers another shape."""
    return (grad.reshape(inputs[0].shape),), {}
