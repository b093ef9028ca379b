"""Memory of a forward pass: what is alive while each layer runs, in the given order.

Rules: inputs of the network are alive from the start; a tensor lives until its last reader has run, an output of
the network to the end; while a layer runs, what it reads and what it writes are alive together. A view (flatten,
split, crop, ...) is its input's memory under another name, and so is what does nothing at inference (dropout).
Workspace (im2col) is counted apart. Sizes are in elements at batch 1: batch and dtype multiply all of them alike.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...network import Network, Node

ITEM_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
"""Dtype -> bytes of one element."""


class Liveness(NamedTuple):
    """What is alive while each node runs, in elements at batch 1."""

    live: list[int]
    """For each node, the elements alive while it runs."""
    peak: int
    """The node at which the most is alive: the first of them."""
    last: list[int]
    """For each node's memory, the node after which it is free (the number of nodes: never)."""
    storages: list[int]
    """For each node, the node whose memory holds its output."""

    def alive(self, index: int) -> list[int]:
        """The nodes whose memory is alive while node `index` runs, the one that it writes included."""
        return [i for i in range(index + 1) if self.storages[i] == i and self.last[i] >= index]


def storages(network: Network, training: bool = False) -> list[int]:
    """For each node, the node whose memory holds its output: itself, or for a view the one that it looks into."""
    found: list[int] = []
    for index, node in enumerate(network.nodes):
        layer = node.layer
        alias = layer is not None and (layer.is_view or (not training and layer.asleep))
        found.append(found[node.inputs[0]] if alias else index)
    return found


def liveness(network: Network, in_place: bool = False) -> Liveness:
    """What is alive while each layer runs, in the order of the nodes.

    With `in_place`, a layer that works element by element writes over its input where nothing else needs it
    any more. Linear in layers and edges.
    """
    nodes = network.nodes
    count = len(nodes)
    held = storages(network)
    last = list(range(count))
    for index, node in enumerate(nodes):
        last[held[index]] = index
        for i in node.inputs:
            last[held[i]] = index
    for output in network.outputs:
        last[held[output.node]] = count
    if in_place:
        _overwrite(nodes, held, last)
    sizes = [prod(node.shape) for node in nodes]
    freed: list[list[int]] = [[] for _ in range(count + 1)]
    alive = 0
    live: list[int] = []
    for index, node in enumerate(nodes):
        if node.layer is None:
            alive += sizes[index]
    for index, node in enumerate(nodes):
        if held[index] == index:
            freed[last[index]].append(index)
            if node.layer is not None:
                alive += sizes[index]
        live.append(alive)
        for i in freed[index]:
            alive -= sizes[i]
    return Liveness(live, max(range(count), key=live.__getitem__), last, held)


def _overwrite(nodes: tuple[Node, ...], held: list[int], last: list[int]) -> None:
    """Let layers that work element by element write over their first input where they are its last reader."""
    moved = list(range(len(nodes)))
    for index, node in enumerate(nodes):
        if held[index] != index:
            held[index] = moved[held[index]]
            continue
        for i in node.inputs:
            base = moved[held[i]]
            if last[base] == index and nodes[base].layer is not None and _overwrites(node, nodes[i]):
                moved[index] = held[index] = base
                last[base] = last[index]
                break


def _overwrites(node: Node, source: Node) -> bool:
    return node.layer is not None and node.layer.in_place and node.shape == source.shape
