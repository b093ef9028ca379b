"""The flash of a microcontroller: what is left of the parameters once a converter has folded and quantised them.

With int8: each weight 1 byte, each bias 4 (int32), and a float32 scale for each output channel of a weight, as
TensorFlow Lite's quantisation specification has it. Convolutions always have biases there, linear layers where they
have one or a batch norm is folded into them; a batch norm that is not folded is the constants of a MUL and an ADD. What
other layers learn takes a byte a number. Other dtypes have no scales. Left out are the graph, its names and tables,
zero points, and the scales of activations and biases.
Source: https://ai.google.dev/edge/litert/models/quantization_spec; TensorFlow Lite's schema.fbs.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from .fusion import converted

if TYPE_CHECKING:
    from ..layers.base import Layer, Shapes
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
    quantised = dtype == "int8"
    bias_bytes, scale_bytes = (BIAS_BYTES, SCALE_BYTES) if quantised else (item, 0)
    heads = converted(network)
    nodes = network.nodes
    found = [NOTHING] * len(nodes)
    for index, node in enumerate(nodes):
        layer, head = node.layer, heads[index]
        if layer is None:
            continue
        inputs = network.input_shapes(node)
        if layer.weighted:
            weights, channels = _products(layer, inputs, node.shape[0])
            biases = channels if layer.multiplies != "linear" or layer.biased(inputs) else 0
            found[index] = Flash(weights * item, biases * bias_bytes, channels * scale_bytes)
        elif layer.scales_channels and head == index:
            found[index] = _factor(layer, inputs, item, scale_bytes)
        elif layer.scales_channels and _shifts(layer, inputs):
            found[head] = found[head]._replace(biases=node.shape[0] * bias_bytes)
        elif not layer.scales_channels:
            found[index] = Flash(item * sum([prod(weight.shape) for weight in layer.weights(inputs)]))
    return found


def _products(layer: Layer, inputs: Shapes, out_channels: int) -> tuple[int, int]:
    """(numbers of a weighted layer's weights, output channels of these)."""
    shapes = [weight.shape for weight in layer.weights(inputs) if weight.name.endswith("weight")]
    channels = [out_channels if layer.multiplies == "transposed" else shape[0] for shape in shapes]
    return sum(map(prod, shapes)), sum(channels)


def _factor(layer: Layer, inputs: Shapes, item: int, scale_bytes: int) -> Flash:
    """A batch norm or scale that stands alone: a factor a channel and, where it shifts, an addend, a scale each."""
    constants = 2 if _shifts(layer, inputs) else 1
    return Flash(constants * inputs[0][0] * item, 0, constants * scale_bytes)


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
