"""Windows in the words of frameworks that round down: padding that gives the same positions, crops that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..geometry import TransposedWindow, Window, effective_kernel

Pads = tuple[tuple[int, int], ...]


def fitted_pads(windows: Sequence[Window], sizes: Sequence[int], outputs: Sequence[int]) -> Pads:
    """(before, after) of each axis with which rounding down gives these outputs, near the window's own padding.

    A pool that rounds up overhangs: its last window ends at (o - 1)s + K - pl, where the padding must end too.

    >>> fitted_pads([Window(3, 2)], [112], [56]), fitted_pads([Window(3, 2, 1, 1)], [112], [56])
    (((0, 1),), ((1, 1),))
    """
    found = []
    for window, size, output in zip(windows, sizes, outputs, strict=True):
        extent = effective_kernel(window.kernel_size, window.dilation)
        least = (output - 1) * window.stride + extent - size - window.before
        found.append((window.before, min(max(window.after, least), least + window.stride - 1)))
    return tuple(found)


def flat_pads(pads: Pads) -> tuple[int, ...]:
    """PyTorch's order: the last axis first.

    >>> flat_pads(((1, 2), (3, 4)))
    (3, 4, 1, 2)
    """
    return tuple(side for pair in reversed(pads) for side in pair)


def symmetric(pads: Pads) -> bool:
    """Whether before and after are equal on every axis."""
    return all(before == after for before, after in pads)


class Crop(NamedTuple):
    """A transposed convolution that crops (padding, padding − output_padding), and what to cut off after it."""

    padding: int
    output_padding: int
    cut: tuple[int, int]


def transposed_crop(window: TransposedWindow) -> Crop:
    """PyTorch's arguments for a crop of (before, after − output_padding) of the full extent.

    One padding serves both sides and 0 <= output_padding < max(s, d); what these cannot say is cut off.

    >>> transposed_crop(TransposedWindow(3, 2, 0, 1)), transposed_crop(TransposedWindow(3, 2, 1, 0))
    (Crop(padding=0, output_padding=0, cut=(0, 1)), Crop(padding=1, output_padding=1, cut=(0, 0)))
    """
    before, after = window.before, window.after - window.output_padding
    needed = before - after
    if needed < 0:
        return Crop(before, 0, (0, -needed))
    if needed < max(window.stride, window.dilation):
        return Crop(before, needed, (0, 0))
    beyond = max(-after, 0)
    return Crop(after + beyond, beyond, (before - after - beyond, 0))
