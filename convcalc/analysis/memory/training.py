"""What training adds: the tensors that backward needs, gradients, the optimiser's state, and the backward pass.

The tensors kept are PyTorch's: each layer says which (`layer.saved`), a tensor that several layers keep is
counted once, and a view is the memory that it looks into. The sum equals that of
torch.autograd.graph.saved_tensors_hooks without the parameters, to the byte.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from .liveness import storages

if TYPE_CHECKING:
    from ...network import Network
    from ..cost.costs import Cost

OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}
"""Optimiser -> numbers that it keeps for each parameter: momentum a velocity, Adam two moments."""


def saved_bytes(network: Network, batch: int, item: int) -> list[int]:
    """For each node, the bytes that its backward pass keeps and no earlier layer's does.

    `item`: bytes of an activation's element. Linear in layers and edges.
    """
    nodes = network.nodes
    held = storages(network, training=True)
    seen: set[int] = set()
    facts: dict[tuple[object, ...], tuple[tuple[int, ...], int]] = {}
    found: list[int] = []
    for index, node in enumerate(nodes):
        if node.layer is None:
            found.append(0)
            continue
        inputs = tuple([nodes[i].shape for i in node.inputs])
        key = (id(node.layer), inputs)
        fact = facts.get(key)
        if fact is None:
            kept = node.layer.saved(inputs, node.shape)
            extra = sum(
                [s.elements * (s.bytes or item) * (batch if s.batched else 1) for s in kept if s.tensor == "extra"]
            )
            fact = facts[key] = (
                tuple([-1 if s.tensor == "output" else s.which for s in kept if s.tensor != "extra"]),
                extra,
            )
        places, total = fact
        for which in places:
            place = held[index if which < 0 else node.inputs[which]]
            if place not in seen:
                seen.add(place)
                total += prod(nodes[place].shape) * batch * item
        found.append(total)
    return found


def backward_macs(network: Network, costs: list[Cost]) -> list[int]:
    """For each node, the MACs of its backward pass at batch 1.

    The gradient of the weights costs as much as the forward pass, and so does the gradient of the input; the
    latter is needed only where something before the layer learns, so that a first layer costs 2 × forward in
    all and every other 3 ×.
    """
    nodes = network.nodes
    learns: list[bool] = []
    found: list[int] = []
    for node, cost in zip(nodes, costs, strict=True):
        upstream = any(learns[i] for i in node.inputs)
        found.append(cost.macs * ((cost.params > 0) + upstream))
        learns.append(upstream or cost.params > 0)
    return found
