"""The arithmetic of a window as a drawing shows it: a row of cells an axis, and the cells that each output reads.

A convolution and a pool slide over the padded input. A transposed convolution is drawn as the lecture has it: zeros
between its inputs, padding, and a convolution at stride 1 with the flipped kernel. What resizes reads the inputs that
lie around each output; beyond the border it reads the last one again. Everything is an integer of
`geometry/` or of `seen.taps`, which `explain` and `invert` print too; where nothing is large, nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import gcd, prod
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..findings import UsageError
from ..geometry import (
    IDENTITY,
    AdaptiveWindow,
    InvalidWindow,
    Resize,
    Rounding,
    TransposedWindow,
    Window,
    adaptive_window,
    checked,
    conv_output,
    conv_transpose_output,
    effective_kernel,
    rounded_output,
    transposed_padding,
)
from ..geometry.transposed import contribution_counts
from .explanation import Step, step
from .seen import ratio, taps

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes

Role = Literal["input", "zero", "padding", "output_padding", "beyond"]
"""What a cell is: a number of the input, a zero put between two of them, padding, what output_padding adds to it, or
what a pool that rounds up reaches beyond it."""
ROLES: tuple[Role, ...] = ("input", "zero", "padding", "output_padding", "beyond")
"""In the order in which one prevails where two axes cross."""
Drawable = Window | TransposedWindow | AdaptiveWindow | Resize
"""The maps of an axis whose windows can be drawn."""

WIDEST = {1: 640, 2: 64}
"""Cells of a row of a drawing, by its axes."""
MOST_STEPS = 1_024
"""Positions that a drawn window takes."""
FEWEST, SMALLEST = 3, 5
"""Positions and inputs that an excerpt keeps of an axis, where it has so many."""
SMALLEST_TRANSPOSED = SMALLEST_RESIZED = 3


class DrawnAxis(NamedTuple):
    """One axis of a drawing: a row of cells, and what each output reads of it."""

    map: Drawable
    size: int
    """Inputs that are drawn."""
    output: int
    """Outputs that are drawn."""
    begin: int
    """The place of the first cell; the first input stands at 0."""
    cells: tuple[Role, ...]
    windows: tuple[Sequence[int], ...]
    """The places that each output reads, padding and zeros among them, in rising order."""
    whole: tuple[int, int]
    """Inputs and outputs of the layer, of which fewer are drawn where they are many."""

    @property
    def places(self) -> range:
        """The places of all cells."""
        return range(self.begin, self.begin + len(self.cells))

    @property
    def stretched(self) -> int:
        """Places from one input to the next: the stride of a transposed window, else 1."""
        return self.map.stride if isinstance(self.map, TransposedWindow) else 1

    @property
    def read(self) -> frozenset[int]:
        """The places that any window reads."""
        return frozenset(place for window in self.windows for place in window)

    @property
    def rigid(self) -> bool:
        """Whether all windows are one that moves; those of an adaptive pool and at a resized border may differ."""
        return isinstance(self.map, Window | TransposedWindow) or len({len(window) for window in self.windows}) == 1

    @property
    def kernel_size(self) -> int:
        """Taps of a window; of windows that differ those of the largest."""
        return max(map(len, self.windows))

    @property
    def counts(self) -> tuple[int, ...] | None:
        """Contributions that each output of a transposed window gets; None for others.

        >>> drawn_axis(TransposedWindow(3, 2), 3, 7).counts
        (1, 1, 2, 1, 2, 1, 1)
        """
        if not isinstance(self.map, TransposedWindow):
            return None
        counts = contribution_counts(self.size, *self.map)
        return counts + (0,) * (self.output - len(counts))

    def input_at(self, place: int) -> int | None:
        """The input that stands at a place; None where there is none."""
        return place // self.stretched if self.cells[place - self.begin] == "input" else None

    def inputs_of(self, position: int) -> tuple[int, ...]:
        """The inputs that an output reads: neither padding nor zeros.

        >>> drawn_axis(Window(3, 2, 1, 1), 5, 3).inputs_of(0), drawn_axis(TransposedWindow(3, 2), 3, 7).inputs_of(2)
        ((0, 1), (0, 1))
        """
        found = (self.input_at(place) for place in self.windows[position] if place in self.places)
        return tuple(index for index in found if index is not None)

    def to_dict(self) -> dict[str, object]:
        """The axis as plain data."""
        return {
            "size": self.whole[0],
            "output": self.whole[1],
            "drawn": {"size": self.size, "output": self.output},
            "begin": self.begin,
            "cells": list(self.cells),
            "read": [place in self.read for place in self.places],
            "windows": [list(window) for window in self.windows],
            "contributions": None if self.counts is None else list(self.counts),
        }


class Drawn(NamedTuple):
    """A window over one or two axes, as it is drawn."""

    name: str
    """What it is called; names of layers are as files have them."""
    what: str
    """What it does: `convolution`, `transposed convolution`, `max pool`."""
    axes: tuple[DrawnAxis, ...]
    border: str = "zeros"
    """What fills the padding."""
    rounding: Rounding | None = None
    """How it rounds the number of its positions; None where it always rounds down."""
    beside: int = 0
    """Axes that are not drawn: the first ones of a window over three."""

    @property
    def transposed(self) -> bool:
        """Whether it is drawn with zeros between its inputs."""
        return any(isinstance(axis.map, TransposedWindow) for axis in self.axes)

    @property
    def weighted(self) -> bool:
        """Whether its window holds a kernel; that of a pool does not."""
        return self.what.endswith("convolution")

    @property
    def excerpt(self) -> bool:
        """Whether fewer inputs are drawn than there are."""
        return any(axis.whole != (axis.size, axis.output) for axis in self.axes)

    def excerpt_text(self, arrow: str = "->") -> str:
        """What is said of an excerpt: the sizes that are drawn."""
        return f"drawn on {f' {arrow} '.join(self.drawn_sizes)}: the same windows, padding and leftover"

    @property
    def alone(self) -> Drawn:
        """What is drawn, as if it were all."""
        return self._replace(axes=tuple(axis._replace(whole=(axis.size, axis.output)) for axis in self.axes))

    @property
    def steps(self) -> int:
        """Positions that the window takes: one an output."""
        return prod(axis.output for axis in self.axes)

    def position(self, number: int) -> tuple[int, ...]:
        """The output that a step fills, counted from 0, the last axis fastest."""
        found: list[int] = []
        for axis in reversed(self.axes):
            number, position = divmod(number, axis.output)
            found.append(position)
        return tuple(reversed(found))

    @property
    def sizes(self) -> tuple[str, str]:
        """The sizes of the layer's input and output: `5 × 5`."""
        return by(axis.whole[0] for axis in self.axes), by(axis.whole[1] for axis in self.axes)

    @property
    def drawn_sizes(self) -> tuple[str, str]:
        """The sizes that are drawn."""
        return by(axis.size for axis in self.axes), by(axis.output for axis in self.axes)

    @property
    def said(self) -> str:
        """Its window in words: kernel 3, stride 2, padding 1."""
        return window_text([axis.map for axis in self.axes])

    @property
    def formulas(self) -> list[Step]:
        """The size rule of each axis with its numbers in it, once where the axes agree."""
        rules = [_rule(axis.map, *axis.whole, self.rounding) for axis in self.axes]
        if len(set(rules)) == 1:
            return rules[:1]
        return [replace(rule, unit=f"positions of axis {number}") for number, rule in enumerate(rules)]

    def to_dict(self) -> dict[str, object]:
        """The drawing as plain data: everything that stands in it."""
        return {
            "name": self.name,
            "what": self.what,
            "window": self.said,
            "padding_mode": self.border,
            "excerpt": self.excerpt,
            "steps": self.steps,
            "axes": [axis.to_dict() for axis in self.axes],
        }


def by(sizes: Iterable[int | Fraction]) -> str:
    """Sizes with a sign between them.

    >>> by((3, 5))
    '3 × 5'
    """
    return " × ".join(map(str, sizes))


def _rule(axis_map: Drawable, size: int, output: int, rounding: Rounding | None) -> Step:
    """The size rule of an axis, as `explain` has it."""
    values = {"size": size, **axis_map._asdict()}
    if isinstance(axis_map, AdaptiveWindow):
        first, last = (adaptive_window(size, output, position) for position in (0, output - 1))
        return Step("o", output, note=f"windows from {first[0]}…{first[1] - 1} to {last[0]}…{last[1] - 1}")
    if isinstance(axis_map, Resize):
        return Step("o", output, note=_resized(axis_map))
    if isinstance(axis_map, TransposedWindow):
        return step(conv_transpose_output, values)
    if rounding in (None, "floor"):
        return step(conv_output, values)
    found = step(rounded_output, {**values, "up": 1})
    return found if found.value == output else replace(found, note=f"the last one is dropped: {output}")


def _resized(resize: Resize) -> str:
    """Which inputs an output of a resized axis reads.

    >>> _resized(Resize(3, 6)), _resized(Resize(3, 6, "linear"))
    ('output q is input floor(q*1/2)', 'output q lies at input (q + 1/2)*1/2 - 1/2, between two')
    """
    by = ratio(resize)
    if resize.mode == "nearest":
        return f"output q is input floor(q*{by})"
    if resize.mode == "nearest-exact":
        return f"output q is input floor((q + 1/2)*{by})"
    place = f"q*{by}" if resize.align_corners else f"(q + 1/2)*{by} - 1/2"
    return f"output q lies at input {place}, between {'two' if resize.mode == 'linear' else 'four'}"


def window_text(maps: Sequence[Drawable]) -> str:
    """A window in words, one number where its axes agree.

    >>> window_text([Window(3, 2, 1, 1)] * 2)
    'kernel 3 × 3, stride 2, padding 1'
    >>> window_text([TransposedWindow(3, 2, 1, 1, 1, 1), TransposedWindow(5, 2, 1, 2)])
    'kernel 3 × 5, stride 2, padding 1 × 1:2, output_padding 1 × 0'
    >>> window_text([Resize(3, 6, "linear"), Resize(4, 6, "linear")])
    'linear, scale 2 × 3/2'
    """
    resized = [axis for axis in maps if isinstance(axis, Resize)]
    if resized:
        corners = ", corners aligned" if resized[0].align_corners else ""
        scales = by(Fraction(axis.output, axis.size) if isinstance(axis, Resize) else 1 for axis in maps)
        return f"{resized[0].mode}, scale {scales}{corners}"
    adaptive = [axis for axis in maps if isinstance(axis, AdaptiveWindow)]
    if adaptive:
        return f"windows that spread the input over {by(axis.output for axis in adaptive)}"
    windows = [axis for axis in maps if isinstance(axis, Window | TransposedWindow)]
    pads = [str(w.before) if w.before == w.after else f"{w.before}:{w.after}" for w in windows]
    parts = [
        f"kernel {by(w.kernel_size for w in windows)}",
        f"stride {_agreed([str(w.stride) for w in windows])}",
        f"padding {_agreed(pads)}",
    ]
    if any(w.dilation > 1 for w in windows):
        parts.append(f"dilation {_agreed([str(w.dilation) for w in windows])}")
    more = [str(w.output_padding) for w in windows if isinstance(w, TransposedWindow)]
    if set(more) - {"0"}:
        parts.append(f"output_padding {_agreed(more)}")
    return ", ".join(parts)


def _agreed(values: Sequence[str]) -> str:
    """One value where all axes have it, else all of them."""
    return values[0] if len(set(values)) == 1 else " × ".join(values)


def drawn_axis(axis_map: Drawable, size: int, output: int, whole: tuple[int, int] | None = None) -> DrawnAxis:
    """An axis of `size` inputs and `output` outputs, cell by cell.

    >>> drawn = drawn_axis(Window(3, 2, 1, 1), 6, 3)
    >>> drawn.begin, drawn.cells.count("padding"), sorted(set(drawn.places) - drawn.read)
    (-1, 2, [6])
    >>> [window[0] for window in drawn.windows]
    [-1, 1, 3]
    """
    windows = tuple(_places(axis_map, position) for position in range(output))
    stride, before, after, added = 1, 0, 0, 0
    if isinstance(axis_map, TransposedWindow):
        stride, added = axis_map.stride, axis_map.output_padding
        before, after = (
            transposed_padding(axis_map.kernel_size, side, axis_map.dilation)
            for side in (axis_map.before, axis_map.after)
        )
    elif isinstance(axis_map, Window):
        before, after = axis_map.before, axis_map.after
    length = (size - 1) * stride + 1
    begin = min(0, -before, windows[0][0])
    end = max(length, length + after + added, windows[-1][-1] + 1)

    def role(place: int) -> Role:
        if 0 <= place < length:
            return "zero" if place % stride else "input"
        if place < length + after:
            return "padding"
        return "output_padding" if place < length + after + added else "beyond"

    return DrawnAxis(
        axis_map, size, output, begin, tuple(map(role, range(begin, end))), windows, whole or (size, output)
    )


def _places(axis_map: Drawable, position: int) -> Sequence[int]:
    """The places that an output reads; of a transposed window those among the zeros, where it moves by one."""
    if isinstance(axis_map, TransposedWindow):
        k, _, before, _, d, _ = axis_map
        return taps(Window(k, 1, transposed_padding(k, before, d), 0, d), position)
    if isinstance(axis_map, Resize):
        return sorted({min(max(tap, 0), axis_map.size - 1) for tap in taps(axis_map, position)})
    return taps(axis_map, position)


def shortened(axis_map: Drawable, size: int, output: int) -> tuple[int, int]:
    """Inputs and outputs of the smallest axis with the same windows, padding and leftover.

    Where s inputs are taken away, one window goes with them, and nothing else changes; of a transposed window one input
    goes with s outputs, of an adaptive one and of a resized axis they go in the ratio of their sizes.

    >>> shortened(Window(7, 2, 3, 3), 224, 112), shortened(TransposedWindow(2, 2), 112, 224)
    ((6, 3), (3, 6))
    >>> shortened(AdaptiveWindow(224, 7), 224, 7)
    (96, 3)
    >>> shortened(Resize(112, 224), 112, 224), shortened(Resize(33, 65, "linear", True), 33, 65)
    ((3, 6), (3, 5))
    """
    if isinstance(axis_map, Resize):
        step = ratio(axis_map)
        fewer = max(min((output - FEWEST) // step.denominator, (size - SMALLEST_RESIZED) // max(step.numerator, 1)), 0)
        return size - fewer * step.numerator, output - fewer * step.denominator
    if isinstance(axis_map, AdaptiveWindow):
        shared = gcd(size, output)
        kept = min(-(-FEWEST * shared // output), shared)
        return size // shared * kept, output // shared * kept
    if isinstance(axis_map, TransposedWindow):
        fewer = max(min(size - SMALLEST_TRANSPOSED, (output - 1) // axis_map.stride), 0)
        return size - fewer, output - fewer * axis_map.stride
    fewer = max(min(output - FEWEST, (size - SMALLEST) // axis_map.stride), 0)
    return size - fewer * axis_map.stride, output - fewer


def _sized(axis_map: Drawable, size: int, output: int) -> Drawable:
    """The map of an axis of these sizes, which some maps know."""
    if isinstance(axis_map, AdaptiveWindow | Resize):
        return axis_map._replace(size=size, output=output)
    return axis_map


def row_length(axis_map: Drawable, size: int) -> int:
    """Cells of the row of an axis, without building it."""
    if isinstance(axis_map, TransposedWindow):
        reach = 2 * axis_map.dilation * (axis_map.kernel_size - 1) - axis_map.before - axis_map.after
        return (size - 1) * axis_map.stride + 1 + max(reach, 0) + axis_map.output_padding
    if isinstance(axis_map, Window):
        return max(size + axis_map.before + axis_map.after, axis_map.dilation * (axis_map.kernel_size - 1) + 1)
    return size


class Given(NamedTuple):
    """An axis as the layer has it."""

    map: Drawable
    size: int
    output: int


def given_axis(window: Window | TransposedWindow, size: int | None = None) -> Given:
    """An axis of so many inputs; without a size of a few: as many as give three outputs, at least five or three.

    Raises a GeometryError for a size that the window cannot have.

    >>> given_axis(Window(3, 2, 1, 1))[1:], given_axis(TransposedWindow(3, 2, 1, 1))[1:]
    ((5, 3), (3, 5))
    """
    extent = effective_kernel(window.kernel_size, window.dilation) - window.before - window.after
    if isinstance(window, TransposedWindow):
        if size is None:
            size = max(SMALLEST_TRANSPOSED, -(-(FEWEST - extent - window.output_padding) // window.stride) + 1)
        return Given(window, _size(size), conv_transpose_output(size, *window))
    if size is None:
        size = max(SMALLEST, (FEWEST - 1) * window.stride + extent)
    return Given(window, _size(size), conv_output(size, *window))


def _size(size: int) -> int:
    if size < 1:
        raise InvalidWindow(f"the size must be at least 1, not {size}")
    return checked("a size", size)


def drawn_axes(given: Sequence[Given], most_steps: int = MOST_STEPS) -> tuple[DrawnAxis, ...]:
    """The axes of a drawing: whole, or the smallest with the same windows where they take more steps or cells.

    Raises UsageError, with the numbers, where even those are too large to be looked at.
    """
    widest = WIDEST[len(given)]
    if prod(axis.output for axis in given) <= most_steps and all(row_length(a.map, a.size) <= widest for a in given):
        return tuple(drawn_axis(*axis) for axis in given)
    lengths = [shortened(a.map, a.size, a.output) for a in given]
    fewer = [Given(_sized(a.map, *length), *length) for a, length in zip(given, lengths, strict=True)]
    longest = max(row_length(axis.map, axis.size) for axis in fewer)
    if longest > widest:
        room = WIDEST[1]
        raise UsageError(
            f"too large to be drawn: a row of {longest:,} cells, of {widest} at the most",
            f"one axis (--dims 1) has up to {room}"
            if len(given) > 1 and longest <= room
            else "a smaller kernel, stride or padding has room",
        )
    steps = prod(axis.output for axis in fewer)
    if steps > MOST_STEPS:
        raise UsageError(
            f"too large to be drawn: {steps:,} positions, of {MOST_STEPS:,} at the most", "--dims 1 draws one axis"
        )
    return tuple(drawn_axis(*axis, whole=(one.size, one.output)) for axis, one in zip(fewer, given, strict=True))


def window_axes(layer: Layer | None, inputs: Shapes, output: Shape) -> list[Given]:
    """The axes over which a layer slides a window, spreads windows or resizes; none where it does nothing of it."""
    if layer is None or not inputs:
        return []
    layer, inputs, output, _ = layer.alone(inputs, output)
    if layer.patch is not None and len(output) != len(inputs[0]):
        return _columns(layer, inputs, output)
    found = _linked(layer, inputs, output)
    moves = layer.patch is not None or layer.reduction is not None or layer.changes_border
    return found if moves or any(_reshapes(given.map) for given in found) else []


def _linked(layer: Layer, inputs: Shapes, output: Shape) -> list[Given]:
    """The space axes with their maps; none where one of them has none. A pool over a whole axis has one window."""
    read = inputs[0]
    if len(read) != len(output):
        return []
    found = []
    for axis, link in enumerate(layer.axes(inputs)[1:], start=1):
        if link is None or link.source != axis or (link.map is None and layer.reduction is None):
            return []
        found.append(Given(link.map or AdaptiveWindow(read[axis], 1), read[axis], output[axis]))
    return found


def _reshapes(axis_map: Drawable) -> bool:
    """Whether a map does more than to move an axis."""
    return not isinstance(axis_map, Window) or axis_map.kernel_size > 1 or axis_map.stride > 1


def _columns(layer: Layer, inputs: Shapes, output: Shape) -> list[Given]:
    """The axes of an image whose windows stand in one axis: of what it reads, or of what it writes."""
    slides = layer.slides(inputs, output)
    if slides:
        return [Given(slide.window, inputs[0][slide.axis], slide.positions) for slide in slides]
    windows = zip(layer.windows(output), output[1:], strict=True)
    return [Given(window, conv_output(size, *window[:5]), size) for window, size in windows]


def drawn_layer(
    name: str, layer: Layer, inputs: Shapes, output: Shape, dims: int = 2, most_steps: int = MOST_STEPS
) -> Drawn | None:
    """A layer that has a window or a map of one axis or more; None for others. Of more axes than `dims` the last are
    drawn.

    Raises UsageError where its window is too large to be drawn.
    """
    given = window_axes(layer, inputs, output)
    if not given:
        return None
    layer = layer.alone(inputs, output)[0]
    return Drawn(
        name,
        _what(layer, given),
        drawn_axes(given[-dims:], most_steps),
        layer.border_mode,
        layer.rounding,
        len(given) - len(given[-dims:]),
    )


def undrawn(layer: Layer | None, inputs: Shapes, output: Shape) -> str:
    """Why a layer that is not drawn has no picture."""
    if layer is None:
        return "it is what the network reads"
    layer, inputs, output, _ = layer.alone(inputs, output)
    if not inputs:
        return f"{layer.kind} reads nothing"
    links = layer.axes(inputs)
    if len(inputs[0]) == len(output) == len(links) and all(
        link is not None and link == (axis, IDENTITY) for axis, link in enumerate(links)
    ):
        return f"each output of {layer.kind} reads the number at its own place"
    return f"{layer.kind} has no window and no map over the space of its input"


def _what(layer: Layer, given: Sequence[Given]) -> str:
    """What a window does, in words."""
    if layer.multiplies is not None:
        return {"transposed": "transposed convolution", "separable": "separable convolution"}.get(
            layer.multiplies, "convolution"
        )
    if layer.reduction is None:
        return layer.kind.replace("_", " ")
    whole = all(axis.output == 1 for axis in given)
    adaptive = "" if layer.patch is not None else "global " if whole else "adaptive "
    return f"{adaptive}{ {'max': 'max', 'avg': 'average'}.get(layer.reduction or '', layer.reduction) } pool"
