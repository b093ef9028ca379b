"""The loss of a training step: what each output is trained with, and the gradient that it sends back.

    cross_entropy   −log softmax(z)[c] of the logits z and a class c, drawn evenly; mean over batch and positions
    mean_square     (y − t)² with a standard normal target t; mean over all numbers
    linear          y·t with standard normal t; the sum, so that the gradient has a root mean square of the weight

Each counts its `loss_weight`, and the loss is their sum, as torch.nn.CrossEntropyLoss and MSELoss have them. A softmax
that gives the output is a part of cross-entropy, which then reads the logits before it. All outputs of one shape have
the same target: auxiliary heads learn the classes that the main one learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

from ..findings import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..network import Loss, Network, Output

CLASSES = b"classes"


class OutputLoss(NamedTuple):
    """The loss of one output."""

    output: str
    loss: Loss
    weight: float
    node: int
    """Whose array it reads: the output's, or that of the logits before its softmax."""
    axis: int = 0
    """The axis of the classes, without the batch."""
    folded: str = ""
    """The softmax that is a part of it."""

    def value(self, array: NDArray[Any], seed: int) -> float:
        """The loss itself, its weight left out."""
        y = array.astype(np.float64)
        if self.loss == "cross_entropy":
            return float(-(_log_softmax(y, self.axis + 1) * self._is_class(y.shape, seed)).sum() / self._rows(y))
        target = self._noise(y.shape, seed)
        return float(np.square(y - target).mean() if self.loss == "mean_square" else (y * target).sum())

    def gradient(self, array: NDArray[Any], seed: int) -> NDArray[np.float64]:
        """Of its weight times the loss, at the array that it reads."""
        y = array.astype(np.float64)
        if self.loss == "cross_entropy":
            shares = np.exp(_log_softmax(y, self.axis + 1))
            return np.asarray((shares - self._is_class(y.shape, seed)) * (self.weight / self._rows(y)))
        target = self._noise(y.shape, seed)
        if self.loss == "mean_square":
            return np.asarray((y - target) * (2 * self.weight / y.size))
        return target * self.weight

    def _rows(self, y: NDArray[np.float64]) -> int:
        """How many classes are guessed: one an image and position."""
        return y.size // int(y.shape[self.axis + 1])

    def classes(self, shape: tuple[int, ...], seed: int) -> NDArray[np.int64]:
        """The classes to guess, one for each image and position of an array of this shape."""
        around = shape[: self.axis + 1] + shape[self.axis + 2 :]
        drawn = np.random.default_rng([seed, crc32(CLASSES), *shape])
        return drawn.integers(0, shape[self.axis + 1], around)

    def _is_class(self, shape: tuple[int, ...], seed: int) -> NDArray[np.bool_]:
        """Where the classes to guess stand among all."""
        every = np.arange(shape[self.axis + 1])
        return np.moveaxis(np.equal.outer(every, self.classes(shape, seed)), 0, self.axis + 1)

    def _noise(self, shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
        return np.random.default_rng([seed, crc32(self.output.encode()), 1]).standard_normal(shape)


def losses_of(network: Network, loss: Loss | None = None) -> tuple[OutputLoss, ...]:
    """The losses of a network's outputs; `loss` stands in place of what its spec says. Raises UsageError.

    Where nothing is said it is cross-entropy for an output that a softmax gives, and for one of several numbers without
    space that no other activation gives; it is linear for everything else.

    >>> from convcalc import load
    >>> [(o.output, o.loss, o.weight, o.folded) for o in losses_of(load("googlenet", params={"aux": True}))][:2]
    [('head', 'cross_entropy', 1.0, 'head.softmax'), ('aux1', 'cross_entropy', 0.3, '')]
    """
    return tuple(_loss_of(network, output, loss) for output in network.outputs)


def _loss_of(network: Network, output: Output, given: Loss | None) -> OutputLoss:
    nodes = network.nodes
    source = _source(network, output.node)
    node = nodes[source]
    shares = node.layer.share_axis if node.layer is not None else None
    loss = given or output.loss
    if shares is not None and loss in (None, "cross_entropy"):
        axis = shares % len(node.shape)
        found = OutputLoss(output.name, "cross_entropy", output.loss_weight, node.inputs[0], axis, node.name)
    else:
        several = prod(node.shape) > 1 and prod(nodes[output.node].shape[1:]) == 1
        logits = several and node.layer is not None and not node.layer.activates
        loss = loss or ("cross_entropy" if logits else "linear")
        found = OutputLoss(output.name, loss, output.loss_weight, output.node)
    if found.loss == "cross_entropy" and nodes[found.node].shape[found.axis] == 1:
        raise UsageError(
            f"{output.name}: cross-entropy needs more than one class, not {list(nodes[found.node].shape)}",
            "mean_square and linear take any output",
        )
    return found


def _source(network: Network, index: int) -> int:
    """The node whose numbers an output has: what gives them another shape, and what acts in training alone, is passed
    over.
    """
    nodes = network.nodes
    while True:
        node = nodes[index]
        if node.layer is None or not (node.layer.is_view or node.layer.asleep):
            return index
        before = node.inputs[0]
        if prod(nodes[before].shape) != prod(node.shape):
            return index
        index = before


def gradients(
    losses: tuple[OutputLoss, ...], outputs: Mapping[int, NDArray[Any]], seed: int
) -> dict[int, NDArray[np.float64]]:
    """The gradient of the whole loss by the node that it reads, of the arrays of these nodes."""
    found: dict[int, NDArray[np.float64]] = {}
    for loss in losses:
        if loss.node in outputs:
            gradient = loss.gradient(outputs[loss.node], seed)
            before = found.get(loss.node)
            found[loss.node] = gradient if before is None else before + gradient
    return found


def _log_softmax(y: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Logarithms of the shares; no exponential is taken of a number above 0."""
    below = y - y.max(axis=axis, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(axis=axis, keepdims=True)))
