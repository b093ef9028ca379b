"""CC411: groups that leave one channel each, where that is not a depthwise convolution."""

from __future__ import annotations

from collections.abc import Iterator

from ...network import Network
from ..manual.page import Page
from .remark import Remark

PAGES = (
    Page(
        "CC411",
        "Each group of the convolution has one output channel (or, transposed, one input channel) though it is no "
        "depthwise convolution, or each group of a group norm holds one channel, which makes it an instance norm.",
        """\
convcalc: 1
input: [64, 14, 14]
layers: [{conv2d: {out: 32, k: 3, p: 1, g: 32}}]
""",
        """\
convcalc: 1
input: [64, 14, 14]
layers: [{conv2d: {out: 32, k: 3, p: 1, g: 8}}]
""",
    ),
)


def remarks(network: Network) -> Iterator[Remark]:
    """A remark for each grouped layer that leaves one channel a group; depthwise convolutions are exempt."""
    for node in network.nodes:
        if node.layer is None or not node.inputs:
            continue
        channels = network.nodes[node.inputs[0]].shape[0]
        norm_groups = node.layer.norm_groups or 1
        if norm_groups > 1 and norm_groups == channels:
            message = f"{norm_groups} groups of {channels} channels leave one channel a group"
            yield Remark("CC411", message, node.name, "fewer groups, or instance_norm if that is what is meant")
        if not node.layer.weighted:
            continue
        groups = node.layer.channel_groups or 1
        if 1 < groups != channels and groups == node.shape[0]:
            message = f"{groups} groups leave one of {node.shape[0]} output channels each, and it is not depthwise"
            hint = f"{channels} groups make it depthwise, fewer groups an ordinary grouped convolution"
            yield Remark("CC411", message, node.name, hint)
