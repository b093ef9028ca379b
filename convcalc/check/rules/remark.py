"""What a rule says of one layer, and the layers whose windows slide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...geometry import Window
from ...layers.base import Layer
from ...marked import Marked
from ...network import Network, Node


class Remark(NamedTuple):
    """One piece of advice, at a layer or at a place of the document."""

    code: str
    message: str
    where: str = ""
    hint: str | None = None
    at: Marked | None = None


class Slide(NamedTuple):
    """One space axis of one layer whose window slides over its input."""

    node: Node
    layer: Layer
    axis: int | None
    """Of the space axes, from 0; None where all are alike."""
    size: int
    output: int
    window: Window


def slides(network: Network) -> Iterator[Slide]:
    """Every axis of every convolution and pool whose window slides over the input; axes that are alike, once."""
    for node in network.nodes:
        if node.layer is None or node.layer.patch is None or node.kind == "unfold":
            continue
        shape = network.nodes[node.inputs[0]].shape
        windows = node.layer.windows(shape)
        axes = list(zip(shape[1:], node.shape[1:], windows, strict=True))
        alike = all(axis == axes[0] for axis in axes)
        for number, (size, output, window) in enumerate(axes[:1] if alike else axes):
            if isinstance(window, Window):
                yield Slide(node, node.layer, None if alike else number, size, output, window)


_AXES: dict[int, tuple[str, ...]] = {2: ("height", "width"), 3: ("depth", "height", "width")}


def axis_name(slide: Slide) -> str:
    """How a message names the axis; empty where all are alike."""
    return "" if slide.axis is None else _AXES[len(slide.node.shape) - 1][slide.axis]
