"""Where windows lie on padded arrays.

Sizes are not computed here by the formula of the size rule: the positions of the windows are enumerated,
and the output has as many as there are. That keeps the reference independent of what it confirms.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

from numpy.lib.stride_tricks import as_strided

from .context import Array, DoesNotFit

Pairs = tuple[tuple[int, int], ...]
Sizes = tuple[int, ...]
Index = tuple[slice, ...]


def over(*parts: Any) -> Any:
    """An index of those parts; NumPy's types do not follow indices that are put together."""
    return parts


def reach(kernel_size: int, dilation: int) -> int:
    """The distance from the first tap of a window to its last."""
    return (kernel_size - 1) * dilation


def window_starts(size: int, kernel_size: int, stride: int, dilation: int) -> range:
    """The starts of all windows that lie within an axis of `size`; raises `DoesNotFit` for none.

    >>> list(window_starts(7, kernel_size=3, stride=2, dilation=1))
    [0, 2, 4]
    """
    starts = range(0, size - reach(kernel_size, dilation), stride)
    if not starts:
        extent = reach(kernel_size, dilation) + 1
        raise DoesNotFit(f"a window of {extent} does not fit into a padded axis of {size}")
    return starts


@lru_cache(maxsize=64)
def positions(
    space: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes, pads: Pairs | None = None
) -> tuple[int, ...]:
    """How many windows lie along each axis, or along each with its padding."""
    if pads is not None:
        space = tuple(before + size + after for size, (before, after) in zip(space, pads, strict=True))
    axes = zip(space, kernel, stride, dilation, strict=True)
    return tuple(len(window_starts(*axis)) for axis in axes)


def padding_of_word(word: str, size: int, kernel_size: int, stride: int, dilation: int) -> tuple[int, int]:
    """(before, after) for `valid`, `same` and `same_lower`.

    `same` starts one window at every stride-th input and pads what the last one lacks; half of it before,
    the odd one after (`same_lower`: before).

    >>> padding_of_word("same", 224, 7, 2, 1)
    (2, 3)
    """
    if word == "valid":
        return (0, 0)
    last = range(0, size, stride)[-1]
    lacking = max(last + reach(kernel_size, dilation) + 1 - size, 0)
    small, large = lacking // 2, lacking - lacking // 2
    return (large, small) if word == "same_lower" else (small, large)


def resolved_pads(padding: Pairs | str, space: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pairs:
    """The padding of each axis, words resolved for this input."""
    if not isinstance(padding, str):
        return padding
    axes = zip(space, kernel, stride, dilation, strict=True)
    return tuple(padding_of_word(padding, *axis) for axis in axes)


def window_view(x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """Every window of x [batch, channels, *space], without a copy: [batch, channels, *kernel, *positions].

    The entry at a tap and a position is the number that this tap of that window reads. Along an axis of one tap or one
    position nothing steps, however far the next one would be.
    """
    counts = positions(x.shape[2:], kernel, stride, dilation)
    batch, channels, *axes = x.strides
    by_tap = [step * d if count > 1 else 0 for step, d, count in zip(axes, dilation, kernel, strict=True)]
    by_position = [step * s if count > 1 else 0 for step, s, count in zip(axes, stride, counts, strict=True)]
    shape = (*x.shape[:2], *kernel, *counts)
    return as_strided(x, shape, (batch, channels, *by_tap, *by_position), writeable=False)


def taps(kernel: Sizes) -> Iterator[tuple[int, ...]]:
    """The taps of a kernel, row by row."""
    return product(*map(range, kernel))


def reads(kernel: Sizes, starts: Sizes, counts: Sizes, stride: Sizes, dilation: Sizes) -> Iterator[Index]:
    """The inputs that each tap reads for `counts` windows from window number `starts` on, as slices, in the order of
    `taps`.

    >>> list(reads((2,), starts=(1,), counts=(3,), stride=(2,), dilation=(1,)))
    [(slice(2, 7, 2),), (slice(3, 8, 2),)]
    """
    axes = zip(kernel, starts, counts, stride, dilation, strict=True)
    by_axis = [[slice(q * s + t * d, (q + n - 1) * s + t * d + 1, s) for t in range(k)] for k, q, n, s, d in axes]
    return product(*by_axis)


class Tile(NamedTuple):
    """A box of output positions that is contiguous in memory: positions start … stop − 1 when flattened."""

    starts: tuple[int, ...]
    counts: tuple[int, ...]
    start: int
    stop: int

    @property
    def box(self) -> Index:
        """Its positions as slices."""
        return tuple(slice(q, q + n) for q, n in zip(self.starts, self.counts, strict=True))

    def reads(self, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Index:
        """The box of inputs that its windows read, as slices."""
        axes = zip(self.starts, self.counts, kernel, stride, dilation, strict=True)
        return tuple(slice(q * s, (q + n - 1) * s + reach(k, d) + 1) for q, n, k, s, d in axes)


@lru_cache(maxsize=64)
def tiles(space: Sizes, limit: int) -> tuple[Tile, ...]:
    """The positions of `space` in tiles of at most `limit`, about equally many in each (at least one row of the
    last axis's positions at a time, or a part of it). The first is as large as any.

    >>> [(tile.start, tile.stop) for tile in tiles((4, 5), limit=15)]
    [(0, 10), (10, 20)]
    """
    axis = 0
    while axis < len(space) - 1 and prod(space[axis + 1 :]) > limit:
        axis += 1
    behind = space[axis + 1 :]
    inside = prod(behind)
    most = max(1, limit // inside)
    rows = -(-space[axis] // -(-space[axis] // most))
    found: list[Tile] = []
    for lead in taps(space[:axis]):
        for row in range(0, space[axis], rows):
            count = min(rows, space[axis] - row)
            start = found[-1].stop if found else 0
            counts = (*(1,) * axis, count, *behind)
            found.append(Tile((*lead, row, *(0,) * len(behind)), counts, start, start + count * inside))
    return tuple(found)
