"""The flash of a microcontroller: what is left of the parameters once a converter has folded and quantised them.

With int8: each weight 1 byte, each bias 4 (int32), and a float32 scale for each output channel of a weight, as
TensorFlow Lite's quantisation specification has it. Convolutions always have biases there, linear layers where they
have one or a batch norm is folded into them; a batch norm that is not folded is the constants of a MUL and an ADD. What
other layers learn takes a byte a number. Other dtypes have no scales. Left out are the graph, its names and tables,
zero points, and the scales of activations and biases.
Weights that several layers have are there once, unless different batch norms are folded into them, or one of the layers
is transposed, which lays them out otherwise. Their biases are not with int8: their scale is the product of that of the
weights and that of the layer's input.
Source: https://ai.google.dev/edge/litert/models/quantization_spec; TensorFlow Lite's schema.fbs.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..network import holder, tied_nodes, used
from .fusion import converted

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes
    from ..layers.sharing import Use
    from ..network import Network

BIAS_BYTES = SCALE_BYTES = 4


class Flash(NamedTuple):
    """Bytes of one layer, or of a network."""

    weights: int = 0
    biases: int = 0
    scales: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.biases + self.scales


NOTHING = Flash()


def flash(network: Network, dtype: str, item: int) -> list[Flash]:
    """For each node, what it leaves in flash; what is folded leaves a bias where it is folded into."""
    bias_bytes, scale_bytes = (BIAS_BYTES, SCALE_BYTES) if dtype == "int8" else (item, 0)
    heads = converted(network)
    nodes = network.nodes
    folded = _folded(network, heads)
    found = [NOTHING] * len(nodes)
    known: dict[tuple[int, Shapes], Flash] = {}
    for index, node in enumerate(nodes):
        layer = node.layer
        if layer is None:
            continue
        inputs = network.input_shapes(node)
        if layer.scales_channels and heads[index] != index:
            if _shifts(layer, inputs):
                head = heads[index]
                found[head] = found[head]._replace(biases=node.shape[0] * bias_bytes)
            continue
        key = (id(layer), inputs)
        if key not in known:
            known[key] = _alone(layer, inputs, node.shape, item, bias_bytes, scale_bytes)
        found[index] = known[key]
    for index in tied_nodes(nodes):
        for tensor, lender in nodes[index].tied:
            if folded[index] == folded[lender]:
                found[index] = _beside_tied(used(nodes, index), tensor, used(nodes, lender), found[index], item, dtype)
    for index, node in enumerate(nodes):
        held_by = node.shares
        if held_by is None or (heads[index] == index) != (heads[held_by] == held_by):
            continue
        if folded[index] == folded[held_by]:
            found[index] = Flash(biases=found[index].biases) if dtype == "int8" else NOTHING
    return found


def _beside_tied(use: Use, tensor: str, lender: Use, left: Flash, item: int, dtype: str) -> Flash:
    """What a layer leaves beside a tensor that another one holds, where both keep it, and in one layout."""
    layer, other = use.layer, lender.layer
    if layer.scales_channels or (layer.multiplies == "transposed") != (other.multiplies == "transposed"):
        return left
    size = item * next(prod(weight.shape) for weight in use.weights if weight.name == tensor)
    if "weight" in tensor or not layer.weighted:
        return Flash(left.weights - size, left.biases, 0 if other.weighted else left.scales)
    return left if dtype == "int8" else left._replace(biases=left.biases - size)


def _folded(network: Network, heads: list[int]) -> list[list[int]]:
    """For each node, the holders of the weights that are folded into it, in order."""
    found: list[list[int]] = [[] for _ in heads]
    for index, node in enumerate(network.nodes):
        if node.layer is not None and node.layer.scales_channels and heads[index] != index:
            found[heads[index]].append(holder(network.nodes, index))
    return found


def _alone(layer: Layer, inputs: Shapes, output: Shape, item: int, bias_bytes: int, scale_bytes: int) -> Flash:
    """What a layer leaves that is not folded into another."""
    layer, inputs, output, _ = layer.alone(inputs, output)
    if layer.weighted:
        weights, channels = _products(layer, inputs, output[0])
        biases = channels if layer.multiplies != "linear" or layer.biased(inputs) else 0
        return Flash(weights * item, biases * bias_bytes, channels * scale_bytes)
    if layer.scales_channels:
        constants = 2 if _shifts(layer, inputs) else 1
        factors = inputs[0][0] if layer.over_batch else prod(layer.weights(inputs)[0].shape)
        return Flash(constants * factors * item, 0, constants * scale_bytes)
    return Flash(item * sum([prod(weight.shape) for weight in layer.weights(inputs)]))


def _products(layer: Layer, inputs: Shapes, out_channels: int) -> tuple[int, int]:
    """(numbers of a weighted layer's weights, output channels of these)."""
    shapes = [weight.shape for weight in layer.weights(inputs) if "weight" in weight.name]
    channels = [out_channels if layer.multiplies == "transposed" else shape[0] for shape in shapes]
    return sum(map(prod, shapes)), sum(channels)


def _shifts(layer: Layer, inputs: Shapes) -> bool:
    """Whether it adds something to each channel: a learned bias, or less the mean."""
    return layer.over_batch or layer.biased(inputs)


def total(flashes: list[Flash]) -> Flash:
    """The sum.

    >>> total([Flash(10, 4, 4), Flash(6)])
    Flash(weights=16, biases=4, scales=4)
    """
    weights, biases, scales = (sum(column) for column in zip(*flashes, strict=True)) if flashes else NOTHING
    return Flash(weights, biases, scales)
