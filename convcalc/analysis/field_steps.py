"""How a layer reads its inputs axis by axis, as receptive fields are followed through it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ..geometry import IDENTITY, AdaptiveWindow, AxisLink, AxisMap, TransposedWindow, Window

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes


class Step(NamedTuple):
    """A layer as the pass needs it, for inputs of given shapes."""

    kept: bool
    """Every axis is its input's, unmoved."""
    view: bool
    maps: tuple[tuple[int, AxisMap | None] | None, ...]
    """Input axis -> (output axis, its map or None for the whole axis); None where no output axis follows it."""
    data: int | None
    slides: AxisMap | None
    """What moves over every space axis, each of which stays the axis that it is; None where they differ."""
    still: bool
    """Whether that moves nothing: every position of the output reads the one in its place."""


class Reading(NamedTuple):
    """A layer on inputs of given shapes, as the pass needs it."""

    ways: tuple[Step, ...]
    """How each input is read; one way for all that are read alike."""
    shapes: Shapes
    shape: Shape
    """Of its output."""

    @property
    def kept(self) -> bool:
        """Whether it reads one input as data, all of whose axes stay as they are."""
        step = self.ways[0]
        return step.kept and len(self.shapes[: step.data]) == 1 and self.shapes[0] == self.shape


def reading(layer: Layer, shapes: Shapes, shape: Shape) -> Reading:
    """How a layer reads inputs of these shapes."""
    which = range(len(shapes) if layer.reads_apart else 1)
    return Reading(tuple([_step(layer, shapes, shape, one) for one in which]), shapes, shape)


def _step(layer: Layer, shapes: Shapes, shape: Shape, which: int) -> Step:
    read = shapes[which]
    links, axes = layer.axes_of(shapes, which), max(map(len, shapes))
    return _made_step(links, axes, len(read), read[1:] == shape[1:], layer.is_view, layer.data_inputs)


@lru_cache(maxsize=256)
def _made_step(
    links: tuple[AxisLink | None, ...], axes: int, read: int, in_place: bool, view: bool, data: int | None
) -> Step:
    """The step of a layer that reads its input by these links: most layers read as others do.

    `axes` are those of the input that has most, `read` those of the one that is read; `in_place` says whether the
    output has a place for each of its positions.
    """
    maps: list[tuple[int, AxisMap | None] | None] = [None] * axes
    for axis, link in enumerate(links):
        if link is not None:
            everything = isinstance(link.map, AdaptiveWindow) and link.map.output == 1
            maps[link.source] = (axis, None if everything else simplest(link.map))
    kept = all(link is not None and link == (axis, IDENTITY) for axis, link in enumerate(links))
    slides = _slides(maps[1:])
    if slides == IDENTITY and not in_place:
        slides = None
    return Step(kept and len(links) == read, view, tuple(maps), data, slides, slides == IDENTITY)


def simplest(axis_map: AxisMap | None) -> AxisMap | None:
    """The same map; a transposed window that does not spread its input is an ordinary one, read from its other end.

    >>> simplest(TransposedWindow(3, before=1, after=1))
    Window(kernel_size=3, stride=1, before=1, after=1, dilation=1)
    """
    if not isinstance(axis_map, TransposedWindow) or axis_map.stride > 1:
        return axis_map
    kernel_size, _, before, after, dilation, _ = axis_map
    reach = dilation * (kernel_size - 1)
    return Window(kernel_size, 1, reach - before, reach - after, dilation)


def _slides(maps: Sequence[tuple[int, AxisMap | None] | None]) -> AxisMap | None:
    """What moves over all of these axes alike, the first of which is axis 1."""
    found = maps[0][1] if maps and maps[0] is not None else None
    return found if all(map == (axis, found) for axis, map in enumerate(maps, start=1)) else None
