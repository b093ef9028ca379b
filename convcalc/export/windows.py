"""Padding of windows in the words of frameworks that round down: of all axes at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..geometry import AxisLink, Window, fitted_after

if TYPE_CHECKING:
    from ..layers.base import Shape

Pads = tuple[tuple[int, int], ...]
"""(before, after) of each space axis; negative numbers cut."""


def declared_pads(windows: Sequence[Window]) -> Pads:
    """The windows' own padding."""
    return tuple((window.before, window.after) for window in windows)


def fitted_pads(windows: Sequence[Window], shape: Shape, output: Shape) -> Pads:
    """The padding with which rounding down gives this output, near the windows' own.

    >>> fitted_pads([Window(3, 2)], (64, 112), (64, 56)), fitted_pads([Window(3, 2, 1, 1)], (64, 112), (64, 56))
    (((0, 1),), ((1, 1),))
    """
    axes = zip(windows, shape[1:], output[1:], strict=True)
    return tuple((window.before, fitted_after(size, *window, count)) for window, size, count in axes)


def counted_pads(declared: Pads, fitted: Pads) -> Pads:
    """What a mean over fitted padding counts: the layer's own padding, never what the last window overhangs.

    >>> counted_pads(((1, 0),), ((1, 2),))
    ((1, 0),)
    """
    return tuple((before, min(after, own)) for (before, after), (_, own) in zip(fitted, declared, strict=True))


def overhangs(declared: Pads, fitted: Pads) -> list[int]:
    """Positions by which the last window of each axis reaches beyond the layer's own padding."""
    return [max(after - own, 0) for (_, after), (_, own) in zip(fitted, declared, strict=True)]


def border_pads(links: Sequence[AxisLink | None]) -> Pads:
    """What the axis links of a pad or a crop add to space or, negative, cut off it."""
    maps = [link.map for link in links[1:] if link is not None]
    return tuple((window.before, window.after) for window in maps if isinstance(window, Window))


def split_pads(pads: Pads) -> tuple[Pads, Pads]:
    """What is added, and what is cut off: both as numbers from 0 on.

    >>> split_pads(((2, -1), (0, 3)))
    (((2, 0), (0, 3)), ((0, 1), (0, 0)))
    """
    grown = tuple((max(before, 0), max(after, 0)) for before, after in pads)
    return grown, tuple((max(-before, 0), max(-after, 0)) for before, after in pads)


def flat_pads(pads: Pads) -> tuple[int, ...]:
    """PyTorch's order: the last axis first.

    >>> flat_pads(((1, 2), (3, 4)))
    (3, 4, 1, 2)
    """
    return tuple(side for pair in reversed(pads) for side in pair)


def edge_pads(pads: Pads) -> list[int]:
    """ONNX's order: all sides before, then all after.

    >>> edge_pads(((1, 2), (3, 4)))
    [1, 3, 2, 4]
    """
    return [before for before, _ in pads] + [after for _, after in pads]


def symmetric(pads: Pads) -> bool:
    """Whether before and after are equal on every axis."""
    return all(before == after for before, after in pads)
