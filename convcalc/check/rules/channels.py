"""What a norm or a grouping makes useless: a bias before a batch norm (CC403), groups of one channel (CC411)."""

from __future__ import annotations

from collections.abc import Iterator

from ...flow import consumers
from ...network import Network
from .remark import Remark


def useless_bias(network: Network) -> Iterator[Remark]:
    """A remark for each layer with a bias that only batch norms read."""
    readers = consumers(network.nodes, len(network.nodes))
    outputs = {output.node for output in network.outputs}
    for index, node in enumerate(network.nodes):
        if node.layer is None or not readers[index] or index in outputs:
            continue
        if not node.layer.weighted or node.layer.multiplies == "recurrent":
            continue
        read_by = [network.nodes[reader].layer for reader in readers[index]]
        normalized = all(layer is not None and layer.over_batch for layer in read_by)
        if normalized and node.layer.biased(network.input_shapes(node)):
            channels = node.shape[node.layer.batch_axes]
            message = f"the batch norm behind it takes away the bias of this {node.kind} (channels: {channels:,})"
            yield Remark("CC403", message, node.name, "write bias: false")


def groups_of_one_channel(network: Network) -> Iterator[Remark]:
    """A remark for each grouped layer that leaves one channel a group; depthwise convolutions are exempt."""
    for node in network.nodes:
        if node.layer is None or not node.inputs:
            continue
        axes = node.layer.batch_axes
        channels = next(iter(network.nodes[node.inputs[0]].shape[axes:]), 1)
        if node.layer.norm_groups == channels > 1:
            message = f"{channels} groups of {channels} channels leave one channel a group"
            yield Remark("CC411", message, node.name, "fewer groups, or instance_norm if that is what is meant")
        if not node.layer.weighted:
            continue
        groups = node.layer.channel_groups or 1
        if 1 < groups != channels and groups == node.shape[axes]:
            message = f"{groups} groups leave one of {node.shape[axes]} output channels each, and it is not depthwise"
            hint = f"{channels} groups make it depthwise, fewer groups an ordinary grouped convolution"
            yield Remark("CC411", message, node.name, hint)
