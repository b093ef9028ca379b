"""How an input is written: its channels last (CC412)."""

from __future__ import annotations

from collections.abc import Iterator

from ...flow import consumers
from ...network import Network, channels_first
from .remark import Remark


def channels_last(network: Network) -> Iterator[Remark]:
    """A remark for each input of a window that seems to be an image with its channels last."""
    turned = {
        index: first
        for index, node in enumerate(network.nodes)
        if node.layer is None and (first := channels_first(node.shape))
    }
    if not turned:
        return
    readers = consumers(network.nodes, len(network.nodes))
    for index, first in turned.items():
        layers = [network.nodes[reader].layer for reader in readers[index]]
        if any(layer is not None and layer.patch is not None for layer in layers):
            height, width, channels = network.nodes[index].shape
            message = f"{height} channels of {width}×{channels}, as an image with its channels last"
            yield Remark("CC412", message, network.nodes[index].name, f"channels stand first: {list(first)}")
