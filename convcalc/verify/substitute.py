"""The same network with another activation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..layers.registry import KINDS, build
from ..network import consumers

if TYPE_CHECKING:
    from ..network import Network

ACTIVATIONS = tuple(kind for kind, (module, _) in KINDS.items() if module == "activation" and kind != "softmax")
"""Kinds that `--activation` takes and replaces."""


def with_activation(network: Network, kind: str) -> Network:
    """The network with every activation of that kind, its fields at their defaults.

    What stays: softmax, and activations that only a `multiply` or a `gate` reads, which are gates rather than
    activations.

    >>> from convcalc import loads
    >>> spec = "{convcalc: 1, input: [3, 8, 8], layers: [relu, softmax]}"
    >>> [node.kind for node in with_activation(loads(spec), "tanh").nodes]
    ['input', 'tanh', 'softmax']
    """
    layer = build(kind, {})
    readers = consumers(network.nodes, len(network.nodes))
    nodes = []
    for index, node in enumerate(network.nodes):
        read_by = [network.nodes[i].layer for i in readers[index]]
        gate = bool(read_by) and all(reader is not None and reader.multiplies_inputs for reader in read_by)
        active = node.layer is not None and node.layer.activates
        nodes.append(node._replace(layer=layer) if active and not gate else node)
    return replace(network, nodes=tuple(nodes))
