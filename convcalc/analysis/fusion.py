"""Which layers ride with the layer that feeds them: computed with it, without a trip through memory of their own.

Two answers, for two questions. `in_passing`: everything that a runtime can do to a value while it has it at hand, which
a bound from below has to grant. `converted`: what converters to TensorFlow Lite fold into weights and fuse into
operators (those of TensorFlow 2.21 under full int8 quantisation, recorded in tests/oracle/tflite_micro.json), which
says what buffers a microcontroller needs.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..flow import consumers

if TYPE_CHECKING:
    from ..layers.base import Layer
    from ..network import Network, Node

Heads = list[int]
"""For each node, the node with which it is computed: itself, or the first of those that it rides with."""


class Passing(NamedTuple):
    """Who computes each node where everything is done in passing that can be."""

    heads: Heads
    left: list[bool]
    """For each node, whether it is left to whoever reads it: nothing is written for it, its input is read instead."""


def in_passing(network: Network) -> Passing:
    """What works element by element, or normalizes, rides with the last computed of what feeds it.

    What only moves numbers is left to whoever reads them: a view, dropout, a concatenation, padding, a shuffle, nearest
    upsampling. So is what works on the elements of one tensor behind such a one or behind an input of the network,
    where there is nothing to ride with, unless the network puts it out.

    >>> from convcalc import loads
    >>> layers = "[tanh, {linear: {out: 4}}, relu, {add: {}, from: [relu, linear]}]"
    >>> in_passing(loads(f"{{convcalc: 1, input: [4], layers: {layers}}}"))
    Passing(heads=[0, 0, 2, 2, 2], left=[True, True, False, False, False])
    """
    put_out = {output.node for output in network.outputs}
    heads: Heads = []
    left: list[bool] = []
    for index, node in enumerate(network.nodes):
        layer = node.layer
        head, is_left = index, layer is None
        if layer is not None:
            data = [i for i in node.data if network.nodes[i].elements]
            is_left = layer.is_view or layer.asleep or _only_moves(layer, network, node)
            if layer.in_place and data and not is_left:
                last = max([heads[i] for i in data])
                head = index if left[last] else last
                is_left = head == index and len(data) == 1 and index not in put_out
            if is_left and len(data) == 1:
                head = heads[data[0]]
        heads.append(head)
        left.append(is_left)
    return Passing(heads, left)


def _only_moves(layer: Layer, network: Network, node: Node) -> bool:
    """Whether a layer computes nothing."""
    if layer.in_place or layer.weighted:
        return False
    inputs = network.input_shapes(node)
    return not layer.operations(inputs, node.shape) and not layer.weights(inputs)


def converted(network: Network) -> Heads:
    """What a converter to TensorFlow Lite leaves of the layers: each that is left, and what rides with it.

    - Dropout, and views that leave every number in its place, are nothing.
    - A batch norm or scale behind a convolution or linear layer is folded into its weights, one behind the other.
    - ReLU and ReLU6 are fused into the convolution, linear layer, sliding pool, sum, product or batch norm before.

    Folding and fusing take that nothing else reads the value in between. Concatenations, other activations and pools
    over the whole input are operators of their own, and take nothing in.

    >>> from convcalc import loads
    >>> layers = "[{conv2d: {out: 4, k: 1}}, batch_norm, relu, tanh, relu]"
    >>> converted(loads(f"{{convcalc: 1, input: [4, 8, 8], layers: {layers}}}"))
    [0, 1, 1, 1, 4, 5]
    """
    nodes = network.nodes
    alone = _read_once(network)
    heads: Heads = []
    last: list[int] = []
    """For each node, the last layer before it that is something, itself included."""
    for index, node in enumerate(nodes):
        layer = node.layer
        head, real = index, index
        if layer is not None and node.inputs:
            source = node.inputs[0]
            if keeps_places(layer, network, index):
                head, real = heads[source], last[source]
                alone[index] = alone[index] and alone[source]
            elif alone[source] and _takes_in(network, last[source], heads, layer):
                head = heads[source]
        heads.append(head)
        last.append(real)
    return heads


def _read_once(network: Network) -> list[bool]:
    """For each node, whether one layer alone reads it, and it is no output of the network."""
    found = [len(readers) == 1 for readers in consumers(network.nodes, len(network.nodes))]
    for output in network.outputs:
        found[output.node] = False
    return found


def keeps_places(layer: Layer, network: Network, index: int) -> bool:
    """Whether its output is its input's memory as it stands: dropout, flatten, reshape; no permute and no part."""
    if layer.asleep:
        return True
    node = network.nodes[index]
    inputs = network.input_shapes(node)
    if not layer.is_view or prod(node.shape) != prod(inputs[0]):
        return False
    sources = [link.source for link in layer.axes(inputs) if link is not None]
    return sources == sorted(sources)


def _takes_in(network: Network, before: int, heads: Heads, layer: Layer) -> bool:
    """Whether the operator that ends with the node `before` takes in a layer behind it."""
    node = network.nodes[before]
    feeding, weighted = node.layer, network.nodes[heads[before]].layer
    if feeding is None or weighted is None:
        return False
    if layer.scales_channels:
        folds = feeding is weighted or feeding.scales_channels
        return folds and weighted.multiplies is not None and (weighted.multiplies != "linear" or len(node.shape) == 1)
    return layer.clips and _fuses(feeding)


def _fuses(feeding: Layer) -> bool:
    """Whether the operator of a layer has a fused activation."""
    if feeding.reduction is not None:
        return feeding.patch is not None
    return feeding.weighted or feeding.scales_channels or (feeding.joins and feeding.in_place)
