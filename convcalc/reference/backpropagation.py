"""The gradients of a network that has run, from its last layer back to its first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from .context import Array, Arrays
from .dispatch import backward

if TYPE_CHECKING:
    from ..network import Node
    from .running import Step


class BackStep(NamedTuple):
    """One layer whose gradients are known."""

    number: int
    """Of the node in `network.nodes`."""
    node: Node
    grad_output: Array
    grad_inputs: Arrays
    grad_weights: dict[str, Array]


def backpropagate(steps: list[Step], gradients: Mapping[int, Array], *, training: bool = True) -> Iterator[BackStep]:
    """The steps of a run in reverse, each with the gradients of the loss that `gradients` describe.

    `steps` are all steps of `run`, in order; they are taken from the list one by one, so that their arrays are
    freed on the way. `gradients` are those of the loss by the number of the node whose output it reads. Layers
    that the loss does not depend on are passed over.

    >>> from convcalc.layers.registry import build
    >>> from convcalc.network import Node
    >>> from convcalc.reference.running import Step
    >>> import numpy as np
    >>> x, ones = np.array([[-1.0, 2.0]]), np.array([[1.0, 1.0]])
    >>> step = Step(1, Node("relu", build("relu", {}), (0,), (2,)), (x,), np.maximum(x, 0), {}, 0)
    >>> [back.grad_inputs[0].tolist() for back in backpropagate([step], {1: ones})]
    [[[0.0, 1.0]]]
    """
    arrived = dict(gradients)
    while steps:
        number, node, inputs, _, weights, _ = steps.pop()
        grad = arrived.pop(number, None)
        if grad is None or node.layer is None:
            continue
        grads, grad_weights = backward(node.layer, inputs, weights, grad, training=training)
        for source, array in zip(node.inputs, grads, strict=True):
            before = arrived.get(source)
            arrived[source] = array if before is None else before + array
        yield BackStep(number, node, grad, grads, grad_weights)
        del grad, grads, grad_weights, inputs, weights
