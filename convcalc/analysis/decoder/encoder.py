"""The part of a network that a decoder mirrors, and where it lends its features."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        layer = nodes[index].layer
        part = layer.part_of if layer is not None else None
        if part is not None:
            found.update(range(index - part.which, index - part.which + len(part.sizes)))
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
        node = nodes[index]
        if node.layer is None:
            continue
        slides = node.layer.slides(network.input_shapes(node), node.shape)
        source = node.inputs[0]
        if any(slide.window.stride > 1 for slide in slides) and nodes[source].layer is not None:
            space = nodes[source].shape[1:]
            last[space] = max(source, last.get(space, source))
    return frozenset(last.values())


def last_features(network: Network, last: int) -> int:
    """The last node before the head (a global or adaptive pool, a flatten) on the way to the node `last`."""
    behind: set[int] = set()
    found = last
    for index in needed_nodes(network, last):
        node = network.nodes[index]
        if node.layer is None:
            continue
        if node.layer.ends_features or behind.issuperset(node.inputs):
            behind.add(index)
        else:
            found = index
    return found if last in behind else last
