"""The drawing of a layer of a network, for pages that have room for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis.drawn import Drawn, drawn_layer
from ..findings import UsageError
from .window import window_page

if TYPE_CHECKING:
    from ..network import Network

MOST_STEPS = 36
"""Positions of a window on a page: of a layer with more an excerpt is drawn."""
MOST_OF_EXCERPT, LONGEST = 256, 32
"""Positions of an excerpt with two axes, and cells of its rows; of a larger one a single axis is drawn."""


def layer_drawing(network: Network, index: int, prefix: str, styled: bool = True) -> str | None:
    """The moving drawing of a layer as a whole SVG text; None where its kind has nothing to draw, or too much.

    All ids in it begin with the prefix. It does not name the layer, and of a large one it is an excerpt: layers with
    the same window have the same text. Without `styled` it has no style of its own: the page has that of
    `drawings.style()`, once for all drawings.

    >>> from convcalc.language import loads
    >>> network = loads("convcalc: 1\\ninput: [3, 8, 8]\\nlayers: [{conv2d: {out: 4, k: 3, p: 1}}, relu]")
    >>> drawn = layer_drawing(network, 1, "d1")
    >>> drawn is not None and drawn.startswith("<svg"), layer_drawing(network, 2, "d2")
    (True, None)
    """
    drawn = _drawn(network, index, 2)
    if drawn is None or drawn.steps > MOST_OF_EXCERPT or max(len(axis.cells) for axis in drawn.axes) > LONGEST:
        drawn = _drawn(network, index, 1)
    return None if drawn is None else window_page(drawn.alone, prefix).svg("auto" if styled else None)


def _drawn(network: Network, index: int, dims: int) -> Drawn | None:
    node = network.nodes[index]
    if node.layer is None:
        return None
    try:
        return drawn_layer("", node.layer, network.input_shapes(node), node.shape, dims, MOST_STEPS)
    except UsageError:
        return None
