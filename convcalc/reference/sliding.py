"""Windows that slide along axes, of which one number each is made: a maximum or a sum, one axis after the other.

NumPy combines arrays that lie side by side in memory as they are, others by way of buffers or number by number, which
takes three times as long and more. So the windows of an axis are combined in runs over all rows where that serves, and
tap by tap where not.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from .context import Array, DoesNotFit
from .windows import Sizes, over, reach


class Axis(NamedTuple):
    """The windows of one axis: where they start in the padded axis, its padding, and how far they overhang it."""

    size: int
    kernel_size: int
    stride: int
    dilation: int
    before: int
    after: int
    starts: range
    overhang: int


Axes = tuple[Axis, ...]


def axis_of(size: int, k: int, s: int, d: int, pads: tuple[int, int], *, up: bool, drops: bool) -> Axis:
    """The windows of an axis.

    Rounding `up` admits one more, which overhangs; where `drops`, not one that starts in the padding after.
    """
    (before, after), far = pads, reach(k, d)
    length = before + size + after
    starts = range(0, length - far + (s - 1 if up else 0), s)
    if drops and starts and starts[-1] >= before + size:
        starts = starts[:-1]
    if not starts:
        raise DoesNotFit(f"no window of {far + 1} fits into a padded axis of {length}")
    return Axis(size, k, s, d, before, after, starts, max(starts[-1] + far + 1 - length, 0))


Place = tuple[slice, ...]
"""The index of a part of an array [channels, *space]: some of one axis, all of the axes before."""


class Taps(NamedTuple):
    """What the taps of some windows read."""

    everywhere: tuple[Place, ...]
    """The inputs of each tap that reads one in every window."""
    elsewhere: tuple[tuple[Place, Place], ...]
    """(windows, inputs) of the others: the windows in which they read an input rather than padding."""


class Runs(NamedTuple):
    """How the windows of an axis are combined in runs over memory.

    What lies one stride apart is a phase. With the numbers of a phase side by side, a tap of window j reads number
    j + shift of one, in every row of the array alike: one run over all rows combines it. Where windows reach out of
    their row such a run reads the next one: these are the edges, which are combined tap by tap.
    """

    phases: tuple[Place, ...]
    """Those that are read."""
    length: int
    """Of a phase: as many windows are combined, the last perhaps of no meaning."""
    inside: slice
    """The windows that lie in their row."""
    reads: tuple[tuple[int, int], ...]
    """Of each tap the shift, and which of the phases."""
    edges: tuple[tuple[Place, Taps], ...]
    """The windows that do not lie in their row."""


class Pass(NamedTuple):
    """How one axis is reduced."""

    axis: int
    """Of an array [channels, *space]."""
    windows: int
    """How many."""
    taps: Taps
    runs: Runs | None
    """None where they do not serve: for a single tap, or where most of what they combine would have no meaning."""


@lru_cache(maxsize=64)
def _passes(axes: Axes) -> tuple[Pass, ...]:
    """One an axis. A last axis of one window comes first, since it leaves no rows."""
    found = [
        Pass(number, len(axis.starts), _taps(axis, number), _runs(axis, number)) for number, axis in enumerate(axes, 1)
    ]
    return tuple(reversed(found) if found[-1].windows == 1 else found)


def _place(number: int, part: slice) -> Place:
    return (*(slice(None),) * number, part)


def _reads(axis: Axis) -> list[tuple[slice, slice]]:
    """(windows, inputs) of each tap: the windows in which it reads an input rather than padding, and those inputs."""
    found: list[tuple[slice, slice]] = []
    for tap in range(axis.kernel_size):
        offset = tap * axis.dilation - axis.before
        first = max(0, -(offset // axis.stride))
        stop = max(first, min(len(axis.starts), (axis.size - 1 - offset) // axis.stride + 1))
        begin = first * axis.stride + offset
        inputs = slice(begin, max(begin, (stop - 1) * axis.stride + offset + 1), axis.stride)
        found.append((slice(first, stop), inputs))
    return found


def _taps(axis: Axis, number: int) -> Taps:
    reads, whole = _reads(axis), slice(0, len(axis.starts))
    everywhere = tuple(_place(number, inputs) for windows, inputs in reads if windows == whole)
    elsewhere = [(_place(number, w), _place(number, i)) for w, i in reads if w != whole and w.start < w.stop]
    return Taps(everywhere, tuple(elsewhere))


def _runs(axis: Axis, number: int) -> Runs | None:
    reads, count, length = _reads(axis), len(axis.starts), -(-axis.size // axis.stride)
    inside = slice(max(windows.start for windows, _ in reads), min(windows.stop for windows, _ in reads))
    if axis.kernel_size == 1 or inside.start >= inside.stop or not length < 2 * count <= 2 * length:
        return None
    offsets = range(-axis.before, reach(axis.kernel_size, axis.dilation) - axis.before + 1, axis.dilation)
    phases = sorted({offset % axis.stride for offset in offsets})
    edges = [edge for edge in (slice(0, inside.start), slice(inside.stop, count)) if edge.start < edge.stop]
    return Runs(
        tuple(_place(number, slice(first, None, axis.stride)) for first in phases),
        length,
        inside,
        tuple((offset // axis.stride, phases.index(offset % axis.stride)) for offset in offsets),
        tuple((_place(number, edge), _taps(_part(axis, edge), number)) for edge in edges),
    )


def _part(axis: Axis, windows: slice) -> Axis:
    """Some windows of an axis, as one that begins with them."""
    return axis._replace(before=axis.before - windows.start * axis.stride, starts=axis.starts[windows])


BLOCK_BYTES = 1 << 20
"""Bytes of the channels that are reduced together: what lies between two axes stays in the cache."""


def over_windows(x: Array, axes: Axes, combine: np.ufunc, nothing: float) -> Array:
    """`combine` over every window of x [batch, channels, *space]; what only padding feeds is `nothing`.

    Nothing is padded for it: each tap is combined into the windows in which it reads an input.
    """
    result = np.empty((*x.shape[:2], *(len(axis.starts) for axis in axes)), x.dtype)
    channels, results = x.reshape(-1, *x.shape[2:]), result.reshape(-1, *result.shape[2:])
    step = max(1, BLOCK_BYTES // max(channels[:1].nbytes, 1))
    passes = _passes(axes)
    for first in range(0, len(channels), step):
        block = channels[first : first + step]
        for one in passes:
            last = one is passes[-1]
            out = results[first : first + step] if last else np.empty(_sizes(block, one.axis, one.windows), x.dtype)
            if one.runs is None:
                _combine_taps(block, one.taps, combine, nothing, out)
            else:
                _combine_runs(block, one.axis, one.windows, one.runs, combine, out)
                for edge, taps in one.runs.edges:
                    _combine_taps(block, taps, combine, nothing, out[edge])
            block = out
    return result


def _combine_taps(x: Array, taps: Taps, combine: np.ufunc, nothing: float, out: Array) -> None:
    everywhere = [x[inputs] for inputs in taps.everywhere]
    if len(everywhere) > 1:
        combine(everywhere[0], everywhere[1], out=out)
    else:
        out[...] = everywhere[0] if everywhere else nothing
    for read in everywhere[2:]:
        combine(out, read, out=out)
    for windows, inputs in taps.elsewhere:
        part = out[windows]
        combine(part, x[inputs], out=part)


def _combine_runs(x: Array, axis: int, count: int, runs: Runs, combine: np.ufunc, out: Array) -> None:
    """`_combine_taps` for the windows inside."""
    distance, sizes = prod(x.shape[axis + 1 :]), _sizes(x, axis, runs.length)
    first, stop = runs.inside.start * distance, prod(sizes) - (runs.length - runs.inside.stop) * distance
    phases = [_side_by_side(x[phase], sizes).reshape(-1) for phase in runs.phases]
    reads = [phases[phase][first + shift * distance : stop + shift * distance] for shift, phase in runs.reads]
    windows = out if count == runs.length else np.empty(sizes, x.dtype)
    target = windows.reshape(-1)[first:stop]
    combine(reads[0], reads[1], out=target)
    for read in reads[2:]:
        combine(target, read, out=target)
    if windows is not out:
        out[...] = windows[_place(axis, slice(count))]


def _side_by_side(values: Array, sizes: Sizes) -> Array:
    """The values side by side in memory; where they end before the sizes 0, which no window inside reads."""
    if values.shape == sizes:
        return np.ascontiguousarray(values)
    result = np.zeros(sizes, values.dtype)
    result[over(*map(slice, values.shape))] = values
    return result


def _sizes(x: Array, axis: int, size: int) -> Sizes:
    """The array's shape with another size of one axis."""
    return (*x.shape[:axis], size, *x.shape[axis + 1 :])
