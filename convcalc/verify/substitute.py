"""What is run in the place of a network: the same layers on smaller inputs, or with another activation.

Smaller inputs have the same geometry: same strides, paddings, remainders and weights, fewer positions. Sizes of one
residue class modulo the product of the strides leave the same remainder at every layer, so that each window starts,
ends and overhangs as it does at full size. Within a class a network that builds at one size builds at all larger
ones, and one whose weights are those of the full size keeps them in between, so that the smallest size is found by
bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..analysis.size_survey import combined_period, follow, moving_size
from ..flow import consumers
from ..geometry import GeometryError
from ..inference import Inference
from ..layers.registry import KINDS, build
from ..naming import UniqueNames

if TYPE_CHECKING:
    from ..layers.base import Shape, Shapes, Weight
    from ..network import Network, Node

OTHERS = ("softmax", "log_softmax", "glu", "threshold")
"""Kinds of that module that are no function of one element, or need fields."""
ACTIVATIONS = tuple(kind for kind, (module, _) in KINDS.items() if module == "activation" and kind not in OTHERS)
"""Kinds that `--activation` takes and replaces."""

FEWEST_VALUES = 16
"""Values a channel that a batch norm in training keeps: of fewer, its statistics and its gradient say little."""


def with_activation(network: Network, kind: str) -> Network:
    """The network with every activation of that kind, its fields at their defaults, and named as that kind is.

    What stays: softmax, activations that only a `multiply` or a `gate` reads, which are gates rather than
    activations, and names that the spec gives.

    >>> from convcalc import loads
    >>> spec = "{convcalc: 1, input: [3, 8, 8], layers: [relu, {relu: {}, name: last}, softmax]}"
    >>> [(node.name, node.kind) for node in with_activation(loads(spec), "tanh").nodes]
    [('input', 'input'), ('tanh', 'tanh'), ('last', 'tanh'), ('softmax', 'softmax')]
    """
    layer = build(kind, {})
    readers = consumers(network.nodes, len(network.nodes))
    replaced = {index for index in range(len(network.nodes)) if _is_activation(network, index, readers)}
    names = UniqueNames(node.name for index, node in enumerate(network.nodes) if index not in replaced)
    nodes = []
    for index, node in enumerate(network.nodes):
        alike = (node.shares in replaced) == (index in replaced)
        shares = node.shares if alike else None
        if index in replaced:
            nodes.append(node._replace(layer=layer, name=names.give(_renamed(node, kind)), shares=shares, tied=()))
        else:
            tied = tuple([tie for tie in node.tied if tie.node not in replaced])
            nodes.append(node._replace(shares=shares, tied=tied))
    return replace(network, nodes=tuple(nodes))


def _is_activation(network: Network, index: int, readers: Sequence[Sequence[int]]) -> bool:
    """Whether a node is an activation that is no gate."""
    node = network.nodes[index]
    if node.layer is None or not node.layer.activates:
        return False
    read_by = [network.nodes[i].layer for i in readers[index]]
    return not read_by or not all(reader is not None and reader.multiplies_inputs for reader in read_by)


def _renamed(node: Node, kind: str) -> str:
    """Its name where it is called by its kind, with the other one in place of that."""
    path, dot, own = node.name.rpartition(".")
    called = own.removeprefix(node.kind)
    by_kind = own.startswith(node.kind) and (not called or (called[0] == "_" and called[1:].isdigit()))
    return f"{path}{dot}{kind}" if by_kind else node.name


def smallest_inputs(network: Network, batch: int = 1, backward: bool = False) -> dict[str, Shape] | None:
    """The smallest inputs of the same residue classes that build and leave every weight's shape unchanged.

    Axes of the same number and size are shrunk together in all inputs, and all axes together before each on its
    own. With `backward` a batch norm keeps at least 16 values a channel (or what it has at full size). None where
    no smaller input does.
    """
    full = network.inputs
    axes = range(1, max(len(shape) for shape in full.values()))
    sizes = {axis: moving_size(network, axis) for axis in axes}
    moduli = {axis: modulus(network, axis) for axis in axes}
    most = {axis: (sizes[axis] - 1) // moduli[axis] for axis in axes}
    weights = _weights(network)
    fewest = _fewest_values(network) if backward else {}

    def shrunk(steps: Mapping[int, int]) -> dict[str, Shape]:
        return {
            name: tuple(
                size - steps[axis] * moduli[axis] if axis and size == sizes[axis] else size
                for axis, size in enumerate(shape)
            )
            for name, shape in full.items()
        }

    def builds(steps: Mapping[int, int]) -> bool:
        return _same_layers(network, shrunk(steps), weights, fewest, batch)

    def further(axis: int, more: int) -> bool:
        return builds({**steps, axis: steps[axis] + more})

    together = _largest(min(most.values(), default=0), lambda count: builds(dict.fromkeys(axes, count)))
    steps = dict.fromkeys(axes, together)
    for axis in axes:
        steps[axis] += _largest(most[axis] - together, partial(further, axis))
    return shrunk(steps) if any(steps.values()) else None


def modulus(network: Network, axis: int) -> int:
    """The period of an axis of the network's inputs: sizes that differ by it leave the same remainders.

    >>> from convcalc import loads
    >>> pool = "{max_pool2d: {k: 2, s: 2}}"
    >>> modulus(loads(f"{{convcalc: 1, input: [3, 32, 32], layers: [{pool}, {pool}, {pool}]}}"), 1)
    8
    """
    return combined_period(follow(network, axis))


def _largest(most: int, works: Callable[[int], bool]) -> int:
    """The largest count up to `most` that works, where all smaller ones do; 0 always does.

    >>> _largest(10, lambda count: count <= 6)
    6
    """
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if works(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _weights(network: Network) -> dict[int, tuple[Weight, ...]]:
    """Node -> its tensors, where it has any."""
    found = {}
    for index, node in enumerate(network.nodes):
        tensors = node.layer.weights(network.input_shapes(node)) if node.layer is not None else ()
        if tensors:
            found[index] = tensors
    return found


def _fewest_values(network: Network) -> dict[int, int]:
    """Node of a batch norm -> values a channel that it must keep."""
    return {
        index: min(FEWEST_VALUES, node.layer.values_a_channel(node.shape))
        for index, node in enumerate(network.nodes)
        if node.layer is not None and node.layer.over_batch
    }


def _same_layers(
    network: Network,
    inputs: Mapping[str, Shape],
    weights: Mapping[int, tuple[Weight, ...]],
    fewest: Mapping[int, int],
    batch: int,
) -> bool:
    """Whether every layer builds on these inputs with the weights that it had."""
    inference = Inference()
    shapes: list[Shape] = []
    try:
        for index, node in enumerate(network.nodes):
            if node.layer is None:
                shapes.append(inputs[node.name])
                continue
            read: Shapes = tuple([shapes[i] for i in node.inputs])
            shapes.append(inference.shape(node.layer, read))
            if index in weights and node.layer.weights(read) != weights[index]:
                return False
            if index in fewest and batch * node.layer.values_a_channel(shapes[-1]) < fewest[index]:
                return False
    except GeometryError:
        return False
    return True
