"""Keras layers: one table from the layers of the language to what builds them.

Source: Keras 3 on TensorFlow, channels last, for TensorFlow convolves so on a CPU. An order names, for each axis that
Keras holds (without the batch), the axis of the network that it is; images are (1, 2, 0). Layers that only relabel
axes change the order and cost nothing; what needs another order permutes. Every mapper says in which order its
output's axes are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.kind_table import BATCHED, KindTable
from .for_keras import activation, arithmetic, conv, layout, norm, pool, product, space
from .for_keras.common import Mapped, Mapper, Order, in_order, natural_order, permuted, reading
from .program import OPAQUE, Inline, keywords

if TYPE_CHECKING:
    from ..layers.base import Shape, Shapes
    from ..layers.batched import Batched


def _batched(layer: Batched, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """The batch axes merged into the batch, the layer inside, and the axes apart again."""
    inner, inside, result, _ = layer.alone(inputs, output)
    plain = [natural_order(len(shape)) for shape in inside]
    steps, order = KERAS.of(inner)(inner, inside, result, plain)
    texts = [
        f"ops.reshape({in_order(number, given, natural_order(len(given)))}, {(-1, *shape)})"
        for number, (given, shape) in enumerate(zip(orders, inside, strict=True))
    ]
    first = steps[0] if len(inputs) > 1 else Inline("{0}")
    rest = steps[1:] if len(inputs) > 1 else steps
    back = [
        *permuted(order, natural_order(len(result))),
        Inline("ops.reshape({0}, {shape})", keywords(shape=(-1, *output))),
    ]
    return Mapped([reading(first, texts), *rest, *back], natural_order(len(output)))


KERAS: KindTable[Mapper] = KindTable(
    {
        **conv.ROWS,
        **pool.ROWS,
        **space.ROWS,
        **layout.ROWS,
        **norm.ROWS,
        **arithmetic.ROWS,
        **activation.ROWS,
        **product.ROWS,
        BATCHED: _batched,
    },
    absent="no layer of Keras is known to do what it does",
    refused={
        **OPAQUE,
        "Unfold": "Keras has no layer that writes windows out as columns",
    },
)
"""Kind or family -> its layers."""
