"""Parameters, MACs and FLOPs of layers, derived from their facts in one place.

Units: params, weights and buffers are numbers (elements); macs are multiply-accumulates of weights (convolutions,
transposed convolutions, linear and recurrent layers), all taps, padding included, without biases, and of two
activations (matmul, attention) alike: every product of a sum counts once, whatever its factors are; how much of them
is products of two activations is the quantity `activation_macs`.
flops = 2·macs + bias additions + the operations of `layers.base.OPERATIONS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..geometry import checked
from ..layers.base import OPERATIONS

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes, Weight


_FLOPS = {kind: flops for kind, (flops, _) in OPERATIONS.items()}


class Cost(NamedTuple):
    """What a layer holds and what one forward pass of it does, at batch 1."""

    params: int = 0
    weights: int = 0
    buffers: int = 0
    macs: int = 0
    flops: int = 0

    @property
    def work(self) -> Cost:
        """What it does alone: of a layer whose weights another one holds."""
        return Cost(macs=self.macs, flops=self.flops)

    def times(self, batch: int) -> Cost:
        """The same at a batch, which multiplies macs and flops, never what is held."""
        params, weights, buffers, macs, flops = self
        return Cost(params, weights, buffers, macs * batch, flops * batch)


FREE = Cost()
FEW = 8
"""Costs up to which each is added alone; of many, most are equal."""


def layer_cost(layer: Layer, inputs: Shapes, output: Shape) -> Cost:
    """The cost of one layer on inputs of these shapes.

    >>> from convcalc.layers.registry import build
    >>> conv = build("conv2d", {"out_channels": 128, "kernel_size": 3, "padding": 1})
    >>> layer_cost(conv, ((192, 28, 28),), (128, 28, 28))
    Cost(params=221312, weights=221184, buffers=0, macs=173408256, flops=346916864)
    """
    operations = layer.operations(inputs, output)
    macs = operations.get("mac", 0)
    flops = checked(f"{layer.kind}'s flops", sum([_FLOPS[kind] * count for kind, count in operations.items()]))
    return Cost(*tensor_numbers(layer.weights(inputs)), macs, flops)


def tensor_numbers(tensors: Iterable[Weight]) -> tuple[int, int, int]:
    """(params, weights, buffers): the numbers of these tensors that are learned, of these no biases, and the others."""
    params = weights = buffers = 0
    for name, shape, learnable in tensors:
        count = prod(shape)
        if not learnable:
            buffers += count
            continue
        params += count
        if "weight" in name:
            weights += count
    return params, weights, buffers


def total(costs: Iterable[Cost], batch: int = 1) -> Cost:
    """The sum of costs; a batch multiplies macs and flops, never what is held.

    >>> total([Cost(1, 1, 0, 10, 20), Cost(2, 0, 4, 5, 9)], batch=2)
    Cost(params=3, weights=1, buffers=4, macs=30, flops=58)
    """
    params = weights = buffers = macs = flops = 0
    found = list(costs)
    counted = Counter(found).items() if len(found) > FEW else [(cost, 1) for cost in found]
    for cost, times in counted:
        params += times * cost.params
        weights += times * cost.weights
        buffers += times * cost.buffers
        macs += times * cost.macs
        flops += times * cost.flops
    return Cost(params, weights, buffers, macs, flops).times(batch)
