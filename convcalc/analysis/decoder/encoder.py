"""The part of a network that a decoder mirrors, and where it lends its features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...network import Node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...network import Network


def needed_nodes(network: Network, start: int) -> list[int]:
    """The nodes that a node depends on, itself among them, in order; splits with all their parts."""
    nodes = network.nodes
    found = {start}
    for index in range(start, -1, -1):
        if index in found:
            found.update(nodes[index].inputs)
    for index in sorted(found):
        if nodes[index].kind == "split":
            layer: Any = nodes[index].layer
            found.update(range(index - layer.part, index - layer.part + len(layer.channels)))
    return sorted(found)


def renumbered(network: Network, places: Mapping[int, int]) -> list[Node]:
    """The nodes at their new places (old index -> new)."""
    nodes = [network.nodes[old] for old in places]
    return [node._replace(inputs=tuple(places[i] for i in node.inputs)) for node in nodes]


def skip_nodes(network: Network, needed: Sequence[int]) -> frozenset[int]:
    """For each resolution, the last node before a stride makes it smaller; the input lends nothing."""
    nodes = network.nodes
    last: dict[tuple[int, ...], int] = {}
    for index in needed:
        model: Any = nodes[index].layer
        if model is None or "transpose" in nodes[index].kind:
            continue
        strides = getattr(model, "stride", (getattr(model, "downscale_factor", 1),))
        source = nodes[index].inputs[0]
        if max(strides) > 1 and nodes[source].layer is not None:
            space = nodes[source].shape[1:]
            last[space] = max(source, last.get(space, source))
    return frozenset(last.values())


HEADS = ("global_", "adaptive_", "flatten", "reshape")


def last_features(network: Network, last: int) -> int:
    """The last node before the head (a global or adaptive pool, a flatten) on the way to the node `last`."""
    behind: set[int] = set()
    found = last
    for index in needed_nodes(network, last):
        node = network.nodes[index]
        if node.inputs and (node.kind.startswith(HEADS) or behind.issuperset(node.inputs)):
            behind.add(index)
        elif node.layer is not None:
            found = index
    return found if last in behind else last
