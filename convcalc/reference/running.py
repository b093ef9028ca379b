"""A whole network, layer by layer, forwards and back: what each layer reads and gives is freed when used up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import frexp, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

from .context import Array, Arrays, Counter, DoesNotFit, NoTwin, Weights
from .dispatch import backward, forward, operation
from .initial import init, scheme_of

if TYPE_CHECKING:
    from ..network import Network, Node


class Step(NamedTuple):
    """One layer that has run."""

    number: int
    """Of the node in `network.nodes`."""
    node: Node
    inputs: Arrays
    output: Array
    weights: Weights
    """Learnable tensors and buffers, under PyTorch's names."""
    macs: int
    """Multiply-accumulates executed, for the whole batch."""


def run(
    network: Network,
    inputs: Array | Mapping[str, Array] | None = None,
    *,
    seed: int = 0,
    batch: int = 1,
    dtype: str | np.dtype[Any] = "float32",
    scheme: str = "kaiming",
    weights: Mapping[str, Weights] | None = None,
    training: bool = False,
) -> Iterator[Step]:
    """The network's layers in order, each run on the arrays that the layers before it gave.

    `inputs` are arrays [batch, channels, *space] by the name of the input, or the one array of a network with
    one input; without them standard normal numbers of the shapes that the network takes. A node's weights are
    `weights[its name]`, else drawn by `scheme` (see `init`) from the seed and the node's name; those of a node that
    shares another's are that node's. An array is freed as soon as no layer needs it: keep what you need of a step.

    Raises `NoTwin` before anything runs where the reference has no forward pass of a layer, `DoesNotFit` where a
    layer's arrays do not fit and ValueError for a scheme that does not exist.
    """
    scheme_of(scheme)
    _check_twins(network)
    given = _inputs_by_name(network, inputs)
    waiting = _readers(network)
    arrays: dict[int, Array] = {}
    examples = next((len(array) for array in given.values()), batch)
    shared: dict[int, Weights] = {}
    """The weights of nodes that others have too."""
    holders = {node.shares for node in network.nodes} | {place for node in network.nodes for _, place in node.tied}
    for index, node in enumerate(network.nodes):
        if node.layer is None:
            array = given.get(node.name)
            arrays[index] = _noise(generator(seed, node.name), (batch, *node.shape), dtype) if array is None else array
            continue
        read = tuple(arrays[source] for source in node.inputs)
        held = (weights or {}).get(node.name) if node.shares is None else shared[node.shares]
        if held is None:
            held = init(node.layer, [array.shape[1:] for array in read], generator(seed, node.name), scheme, dtype)
        if node.tied:
            held = {**held, **{tensor: shared[place][tensor] for tensor, place in node.tied}}
        if index in holders:
            shared[index] = held
        counter = Counter()
        try:
            output = forward(node.layer, read, held, training=training, counter=counter, batch=examples)
        except DoesNotFit as error:
            raise DoesNotFit(f"{node.name}: {error}") from error
        if waiting[index]:
            arrays[index] = output
        for source in node.inputs:
            waiting[source] -= 1
            if not waiting[source]:
                arrays.pop(source, None)
        yield Step(index, node, read, output, held, counter.macs)
        del read, output, held


def _check_twins(network: Network) -> None:
    for node in network.nodes:
        if node.layer is not None:
            try:
                operation(node.layer)
            except NoTwin as error:
                raise NoTwin(f"{node.name}: {error}") from error


def generator(seed: int, name: str) -> np.random.Generator:
    """What draws a node's weights: by its name, so that it keeps them when others are added before it."""
    return np.random.default_rng([seed, crc32(name.encode())])


def _noise(rng: np.random.Generator, shape: tuple[int, ...], dtype: str | np.dtype[Any]) -> Array:
    return rng.standard_normal(shape, np.float32).astype(dtype, copy=False)


def _inputs_by_name(network: Network, inputs: Array | Mapping[str, Array] | None) -> Mapping[str, Array]:
    names = [node.name for node in network.nodes if node.layer is None]
    if inputs is None:
        return {}
    if isinstance(inputs, np.ndarray):
        if len(names) != 1:
            raise DoesNotFit(f"one array for the inputs {', '.join(names)}: give them by name")
        return {names[0]: inputs}
    unknown = sorted(set(inputs) - set(names))
    if unknown:
        raise DoesNotFit(f"the network has no input {', '.join(unknown)}; its inputs are {', '.join(names)}")
    return inputs


def _readers(network: Network) -> list[int]:
    """How many reads of each node's array are to come."""
    counts = [0] * len(network.nodes)
    for node in network.nodes:
        for source in node.inputs:
            counts[source] += 1
    return counts


class BackStep(NamedTuple):
    """One layer whose gradients are known. Those of arrays stand for 2**exponent times their numbers."""

    number: int
    """Of the node in `network.nodes`."""
    node: Node
    grad_output: Array
    grad_inputs: Arrays
    grad_weights: dict[str, Array]
    """Of weights that several layers have those of all, added up, at the first that the loss depends on."""
    exponent: int
    weights_exponent: int
    """Those of weights stand for 2**weights_exponent times their numbers."""


class Scaled(NamedTuple):
    """An array that stands for 2**exponent times its numbers."""

    array: Array
    exponent: int = 0

    def near_one(self) -> Scaled:
        """The same, its numbers moved towards 1 where the largest is not below 2**`ROOM`, or below 2**−(`ROOM` + 1)."""
        largest = float(max(self.array.max(initial=0), -self.array.min(initial=0)))
        power = frexp(largest)[1] if isfinite(largest) else 0
        if abs(power) <= ROOM:
            return self
        return Scaled(np.ldexp(self.array, -power), self.exponent + power)

    def at(self, exponent: int) -> Scaled:
        """The same with another exponent."""
        return self if exponent == self.exponent else Scaled(np.ldexp(self.array, self.exponent - exponent), exponent)

    def plus(self, other: Scaled) -> Scaled:
        """The sum."""
        exponent = max(self.exponent, other.exponent)
        return Scaled(self.at(exponent).array + other.at(exponent).array, exponent)


class _Sums:
    """Gradients of the weights that several layers have, added up on the way back."""

    def __init__(self, steps: list[Step], gradients: Mapping[int, Array]) -> None:
        reached = set(gradients)
        self._tied = {step.number: dict(step.node.tied) for step in steps if step.node.tied}
        """Node -> the nodes that hold some of its tensors."""
        self._last: dict[tuple[int, str], int] = {}
        """A tensor, by the node that holds it and its name -> the layer that is the last on the way back to have it."""
        self._sums: dict[tuple[int, str], Scaled] = {}
        for step in reversed(steps):
            if step.number in reached:
                reached.update(step.node.inputs)
                for name in step.weights:
                    self._last[self._holder(step.number, step.node, name)] = step.number

    def _holder(self, number: int, node: Node, name: str) -> tuple[int, str]:
        """The number of the node that holds a tensor of a node, and the tensor's name."""
        whole = number if node.shares is None else node.shares
        return self._tied.get(whole, {}).get(name, whole), name

    def add(self, number: int, node: Node, grads: dict[str, Array], exponent: int) -> tuple[dict[str, Array], int]:
        """The gradients of a layer's weights as they come with it, and the power of two that is left out of them."""
        sums: dict[str, Scaled] = {}
        for name, grad in grads.items():
            tensor = self._holder(number, node, name)
            before, scaled = self._sums.pop(tensor, None), Scaled(grad, exponent)
            summed = scaled if before is None else scaled.plus(before)
            if self._last.get(tensor) == number:
                sums[name] = summed
            else:
                self._sums[tensor] = summed
        power = max((scaled.exponent for scaled in sums.values()), default=exponent)
        return {name: scaled.at(power).array for name, scaled in sums.items()}, power


ROOM = 8
"""Powers of two that float16, too, has room for on both sides of 1, so that little is moved."""


def _arrive(arrived: dict[int, Scaled], source: int, scaled: Scaled) -> None:
    """Add what a reader hands back to what has arrived."""
    before = arrived.get(source)
    arrived[source] = scaled if before is None else before.plus(scaled)


def backpropagate(steps: list[Step], gradients: Mapping[int, Array], *, training: bool = True) -> Iterator[BackStep]:
    """The steps of a run in reverse, each with the gradients of the loss that `gradients` describe.

    `steps` are all steps of `run`, in order; they are taken from the list one by one, so that their arrays are
    freed on the way. `gradients` are those of the loss by the number of the node whose output it reads. Layers
    that the loss does not depend on are passed over. A gradient is linear in the one that it is made of, so that a
    power of two is taken out of it before it leaves the range of its type: however deep the network, it neither
    becomes 0 nor infinite on the way.

    >>> from convcalc.layers.registry import build
    >>> from convcalc.network import Node
    >>> x, ones = np.array([[-1.0, 2.0]]), np.array([[1.0, 1.0]])
    >>> step = Step(1, Node("relu", build("relu", {}), (0,), (2,)), (x,), np.maximum(x, 0), {}, 0)
    >>> [back.grad_inputs[0].tolist() for back in backpropagate([step], {1: ones})]
    [[[0.0, 1.0]]]
    """
    arrived = {number: Scaled(array) for number, array in gradients.items()}
    sums = _Sums(steps, gradients)
    while steps:
        number, node, inputs, output, weights, _ = steps.pop()
        dtype = output.dtype
        del output
        received = arrived.pop(number, None)
        if received is None or node.layer is None:
            continue
        array, exponent = received.near_one()
        grad = array.astype(dtype, copy=False)
        grads, grad_weights = backward(node.layer, inputs, weights, grad, training=training)
        for which, source in enumerate(node.inputs):
            _arrive(arrived, source, Scaled(grads[which], exponent))
        summed, weights_exponent = sums.add(number, node, grad_weights, exponent)
        yield BackStep(number, node, grad, grads, summed, exponent, weights_exponent)
        del summed, received, array, grad, grads, grad_weights, inputs, weights
