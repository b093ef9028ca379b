"""How one axis of an output reads one axis of an input.

An `AxisMap` is a `Window`, a `TransposedWindow`, a `Resize` or an `AdaptiveWindow`; `None` in its place
says that every output position sees the whole axis.
"""

from typing import Literal, NamedTuple

from .transposed import TransposedWindow
from .window import Window


class Resize(NamedTuple):
    """An interpolated axis: `size` inputs stretched to `output` positions.

    `scale` is the given scale factor where the positions follow from it rather than from output / size.
    """

    size: int
    output: int
    mode: Literal["nearest", "nearest-exact", "linear", "cubic"] = "nearest"
    align_corners: bool = False
    scale: float | None = None


class AdaptiveWindow(NamedTuple):
    """An adaptive pool's axis: `size` inputs spread over `output` windows."""

    size: int
    output: int


AxisMap = Window | TransposedWindow | Resize | AdaptiveWindow


class AxisLink(NamedTuple):
    """An output axis is fed by the input axis `source` through `map` (None: it sees the whole axis)."""

    source: int
    map: AxisMap | None
