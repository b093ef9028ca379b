"""Translation equivariance: what a convolution makes of an input that is moved, and where padding and stride break it.

The window of one axis runs over digits. What leaves the axis at its end enters at its beginning, so that only the layer
can tell the moved axis from the other. A map that is equivariant makes of the moved input the moved output.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..geometry import Window, conv_output, effective_kernel
from .explanation import Section, Step
from .small_gradients import slid
from .small_layer import counting

if TYPE_CHECKING:
    from .small_layer import Integers

DIGITS = (3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5)
POSITIONS = 6
"""Of the output that is shown."""
LONGEST = 200
"""An axis that is shown."""
EQUIVARIANCE = "Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.2"


class Axis(NamedTuple):
    """A window over an axis of digits, and how its padding is filled."""

    window: Window
    mode: str
    size: int

    @property
    def x(self) -> Integers:
        """The digits."""
        return np.resize(np.array(DIGITS, dtype=object), self.size)

    @property
    def w(self) -> Integers:
        """The kernel 1, 2, 3, …"""
        return counting((self.window.kernel_size,))

    def y(self, x: Integers) -> Integers:
        """What the window makes of an axis."""
        return slid(x, self.w, (self.window,), (conv_output(self.size, *self.window),), self.mode)

    def moved_along(self, by: int) -> tuple[bool, ...] | None:
        """Position by position, from the first that has one before it, whether the output has moved along.

        The input is moved by `by`; None where that is no whole number of steps of the window.
        """
        if by % self.window.stride:
            return None
        step, of_moved = by // self.window.stride, self.y(np.roll(self.x, by))
        return tuple(bool(a == b) for a, b in zip(of_moved[step:], self.y(self.x), strict=False))


def axis_of(window: Window, mode: str = "zeros") -> Axis | None:
    """An axis for six positions of a window, and at least as long as the window and its padding; None: too long."""
    extent = effective_kernel(window.kernel_size, window.dilation)
    size = (POSITIONS - 1) * window.stride + extent - window.before - window.after
    size = max(size, extent, window.before + 1, window.after + 1)
    return Axis(window, mode, size) if size <= LONGEST else None


def shift_sections(axis: Axis) -> tuple[Section, ...]:
    """What `--shift` says of a window."""
    window = axis.window
    moves = [1] if window.stride == 1 else [1, window.stride]
    others = _others(window)
    every = [(name, other) for name, other, _ in others if other.window.stride == 1]
    return (
        *(_moved(axis, by) for by in moves),
        Section("the same kernel otherwise", tuple(_verdict(*other) for other in others)),
        Section("a constant input, which no move changes", tuple(_constant(*other) for other in every)),
        Section("the mean of all positions behind it", tuple(_mean(*other) for other in every)),
    )


def _moved(axis: Axis, by: int) -> Section:
    """One move in numbers."""
    x, y, of_moved = axis.x, axis.y(axis.x), axis.y(np.roll(axis.x, by))
    along = axis.moved_along(by)
    rows = {"X": x, "X moved": np.roll(x, by), "Y": y, "Y of X moved": of_moved}
    head = max(map(len, rows)) + 2
    wide = max(len(str(number)) for number in (*y, *of_moved))
    drawing = []
    for name, numbers in rows.items():
        cell = 1 if name.startswith("X") else wide
        drawing.append(name.ljust(head) + " ".join(str(number).rjust(cell) for number in numbers))
    if along is None:
        note = f"{by} is no multiple of the stride: this is the best move of Y"
        return Section(f"X moved by {by}", (Step("moved along", _best(axis, by), note=note),), tuple(drawing))
    marks = [" "] * (len(y) - len(along)) + ["=" if same else "#" for same in along]
    drawing.append("".ljust(head) + " ".join(mark.rjust(wide) for mark in marks))
    step = Step("moved along", _share(along), note="= as in Y one step before, # not", source=EQUIVARIANCE)
    return Section(f"X moved by {by}", (step,), tuple(drawing))


def _best(axis: Axis, by: int) -> str:
    """How many positions agree where the output is moved as it fits best."""
    of_moved, y = axis.y(np.roll(axis.x, by)), axis.y(axis.x)
    moves = [[a == b for a, b in zip(of_moved[step:], y, strict=False)] for step in range(len(y))]
    return _share(max(moves, key=sum))


def _share(same: Sequence[bool]) -> str:
    return f"{sum(same)} of {len(same)} positions"


def _others(window: Window) -> list[tuple[str, Axis, int]]:
    """The kernel without padding, with one of zeros, with one that wraps around, and with a stride; how far X moves."""
    k, d = window.kernel_size, window.dilation
    around = effective_kernel(k, d) - 1
    before, after = around // 2, around - around // 2
    kinds = [
        ("no padding", Window(k, 1, 0, 0, d), "zeros", 1),
        ("zeros around", Window(k, 1, before, after, d), "zeros", 1),
        ("circular", Window(k, 1, before, after, d), "circular", 1),
        ("stride 2, moved by 2", Window(k, 2, 0, 0, d), "zeros", 2),
        ("stride 2, moved by 1", Window(k, 2, 0, 0, d), "zeros", 1),
    ]
    found = [(name, axis_of(other, mode), by) for name, other, mode, by in kinds]
    return [(name, axis, by) for name, axis, by in found if axis is not None]


def _verdict(name: str, axis: Axis, by: int) -> Step:
    along = axis.moved_along(by)
    if along is None:
        return Step(name, _best(axis, by), note="by the best move of Y")
    reason = "" if all(along) else "the others have windows that reach the padding, or had one step before"
    return Step(name, _share(along), note=reason)


def _constant(name: str, axis: Axis) -> Step:
    y = axis.y(np.ones(axis.size, dtype=object))
    values = " ".join(map(str, y))
    note = "" if len(set(y)) == 1 else "the borders tell where a position is"
    return Step(name, values, note=note)


def _mean(name: str, axis: Axis) -> Step:
    means = [Fraction(int(sum(y)), len(y)) for y in (axis.y(axis.x), axis.y(np.roll(axis.x, 1)))]
    same = "the same: invariant" if means[0] == means[1] else "not the same"
    return Step(name, f"{means[0]} of X, {means[1]} of X moved", note=same)
