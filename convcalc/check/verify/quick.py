"""A smaller input with the same geometry: same strides, paddings, remainders and weights, fewer positions.

Sizes of one residue class modulo the product of the strides leave the same remainder at every layer, so that each
window starts, ends and overhangs as it does at full size. Within a class a network that builds at one size builds
at all larger ones, and one whose weights are those of the full size keeps them in between, so that the smallest
size is found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import lcm, prod
from typing import TYPE_CHECKING

from ...analysis.reads import ratio
from ...geometry import AdaptiveWindow, GeometryError
from ...network import Inference

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes, Weight
    from ...network import Network, Node

FEWEST_VALUES = 16
"""Values a channel that a batch norm in training keeps: of fewer, its statistics and its gradient say little."""

Jumps = tuple[Fraction | None, ...]


def smallest_inputs(network: Network, batch: int = 1, backward: bool = False) -> dict[str, Shape] | None:
    """The smallest inputs of the same residue classes that build and leave every weight's shape unchanged.

    Axes of the same number are shrunk together in all inputs, and all axes together before each on its own. With
    `backward` a batch norm keeps at least 16 values a channel (or what it has at full size). None where no
    smaller input does.
    """
    full = network.inputs
    axes = range(1, max(len(shape) for shape in full.values()))
    moduli = [0, *(modulus(network, axis) for axis in axes)]
    weights = _weights(network)
    fewest = _fewest_values(network) if backward else {}

    def shrunk(steps: Mapping[int, int]) -> dict[str, Shape]:
        return {
            name: tuple(size - steps.get(axis, 0) * moduli[axis] if axis else size for axis, size in enumerate(shape))
            for name, shape in full.items()
        }

    def builds(steps: Mapping[int, int]) -> bool:
        return _same_layers(network, shrunk(steps), weights, fewest, batch)

    def most(axis: int) -> int:
        return min((shape[axis] - 1) // moduli[axis] for shape in full.values() if len(shape) > axis)

    steps: dict[int, int] = dict.fromkeys(axes, 0)
    if axes:
        together = _largest(min(map(most, axes)), lambda count: builds(dict.fromkeys(axes, count)))
        steps = dict.fromkeys(axes, together)
    for axis in axes:
        base = dict(steps)
        more = _largest(most(axis) - base[axis], lambda count, a=axis, b=base: builds({**b, a: b[a] + count}))  # type: ignore[misc]
        steps[axis] += more
    return shrunk(steps) if any(steps.values()) else None


def modulus(network: Network, axis: int) -> int:
    """The period of an axis of the network's inputs: sizes that differ by it leave the same remainders.

    The least common multiple of the steps, in input positions, between neighbouring positions of every layer.

    >>> from convcalc import loads
    >>> pool = "{max_pool2d: {k: 2, s: 2}}"
    >>> modulus(loads(f"{{convcalc: 1, input: [3, 32, 32], layers: [{pool}, {pool}, {pool}]}}"), 1)
    8
    """
    jumps: list[Jumps] = []
    found = 1
    for node in network.nodes:
        if node.layer is None:
            own: Jumps = tuple(Fraction(1) if a == axis else None for a in range(len(node.shape)))
        else:
            own = _passed_on(network, node, jumps)
        jumps.append(own)
        found = lcm(found, *(jump.numerator for jump in own if jump))
    return found


def _passed_on(network: Network, node: Node, jumps: list[Jumps]) -> Jumps:
    """The steps of a layer's axes. An adaptive pool's output has its size whatever the input's."""
    assert node.layer is not None
    own: list[Fraction | None] = []
    for link in node.layer.axes(network.input_shapes(node)):
        if link is None or link.map is None or isinstance(link.map, AdaptiveWindow):
            own.append(None)
            continue
        # A broadcast input has none; where several have one, all were counted when they arose.
        arrived = [jumps[i][link.source] for i in node.inputs if len(jumps[i]) > link.source]
        moving = next((jump for jump in arrived if jump), None)
        own.append(moving * ratio(link.map) if moving else None)
    return tuple(own)


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
        index: min(FEWEST_VALUES, prod(node.shape[1:]))
        for index, node in enumerate(network.nodes)
        if node.kind == "batch_norm"
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
            if index in fewest and batch * prod(shapes[-1][1:]) < fewest[index]:
                return False
    except GeometryError:
        return False
    return True
