"""Transposed convolutions: columns spread over space, in the form that is fastest for their shapes.

The columns vec(K)ᵀ · O have one number for each tap and position; a position's tap t lands at q·s + t·d. What lies one
stride apart is fed by the same taps: it is a phase, and lies side by side in memory until it is dealt out over space,
so that every output is written once with a stride.

    windows do not overlap   a tap's numbers are a phase: each is dealt out
    they overlap             a tap adds to the phase t·d mod s, shifted by ⌊t·d / s⌋; then phases are dealt out
    large kernels, strides   the phases are one convolution at stride 1 of ⌈k/s⌉ taps with ∏s times the channels (Shi
                             et al. 2016, "Is the deconvolution layer the same as a convolutional layer?",
                             arXiv:1609.07009), which has weights to rearrange, and no columns to add
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod

import numpy as np

from .border import border
from .columns import positions_a_tile
from .context import Array, Counter, multiply_matrices
from .correlation import check_channels, correlate, count_taps
from .windows import Pairs, Sizes, over, reach, reads, taps, tiles


def scatter(
    y: Array,
    w: Array,
    stride: Sizes,
    dilation: Sizes,
    groups: int,
    space: Sizes,
    counter: Counter | None = None,
) -> Array:
    """The transpose of `correlate`: y [batch, A, *positions] spread over [batch, B, *space].

    Every position adds its number times the kernel to the places that the window read; what none reads stays 0.
    Raises `DoesNotFit` where the channels are others than the weights'.
    """
    check_channels("the input", y.shape[1], w.shape[0])
    if w.shape[1] == 1 and groups > 1:
        return _depthwise_scatter(y, w, stride, dilation, groups, space, counter)
    if all(n == 1 or reach(k, d) < s for n, k, s, d in zip(y.shape[2:], w.shape[2:], stride, dilation, strict=True)):
        return _scatter_apart(y, w, stride, dilation, groups, space, counter)
    if counter is None and phases_pay_off(y.shape[2:], w.shape[2:], stride, dilation):
        return scatter_by_phases(y, w, stride, groups, space)
    return _scatter_overlapping(y, w, stride, dilation, groups, space, counter)


def _scatter_apart(
    y: Array, w: Array, stride: Sizes, dilation: Sizes, groups: int, space: Sizes, counter: Counter | None
) -> Array:
    """`scatter` of windows that do not overlap."""
    batch, counts, kernel, channels = y.shape[0], y.shape[2:], w.shape[2:], w.shape[1] * groups
    filled = kernel == stride and max(dilation) == 1 and _covers(counts, stride, space)
    result = _array((batch, channels, *space), np.result_type(y, w), filled)
    columns_of, values = _factors(y, w, groups)
    most = positions_a_tile(result.dtype, channels * prod(kernel), columns_of.shape[2])
    for image, tile in product(range(batch), tiles(counts, most)):
        columns = multiply_matrices(columns_of, values[image, :, :, tile.start : tile.stop], counter)
        if prod(counts) == 1:
            window = over(*(slice(0, reach(k, d) + 1, d) for k, d in zip(kernel, dilation, strict=True)))
            result[over(image, slice(None), *window)] = columns.reshape(channels, *kernel)
            continue
        by_tap = columns.reshape(channels, prod(kernel), *tile.counts)
        for number, places in enumerate(reads(kernel, tile.starts, tile.counts, stride, dilation)):
            result[over(image, slice(None), *places)] = by_tap[:, number]
    return result


def _scatter_overlapping(
    y: Array, w: Array, stride: Sizes, dilation: Sizes, groups: int, space: Sizes, counter: Counter | None
) -> Array:
    """`scatter` of windows that overlap, by as many rows of the first axis at a time as a tile has columns for.

    Each row of every other axis has room behind it for the longest shift. So a shift over several axes is one along
    memory, and what a tap reads is added to a phase as one run over all channels.
    """
    batch, counts, kernel, channels = y.shape[0], y.shape[2:], w.shape[2:], w.shape[1] * groups
    longest = tuple(reach(k, d) // s for k, s, d in zip(kernel, stride, dilation, strict=True))
    reached = tuple(n + shift for n, shift in zip(counts, longest, strict=True))
    steps = _steps(kernel, stride, dilation, reached)
    columns_of, values = _factors(y, w, groups)
    result = _array((batch, channels, *space), np.result_type(y, w), _covers(reached, stride, space))
    line = prod(counts[1:])
    most = positions_a_tile(result.dtype, channels * prod(kernel), columns_of.shape[2])
    rows = _equal_parts(counts[0], most // line)
    sums = np.zeros((*stride, channels, rows + longest[0], *reached[1:]), result.dtype)
    from_last = over(..., slice(rows, None), *map(slice, reached[1:]))
    of_next = over(..., slice(0, longest[0]), *map(slice, reached[1:]))
    for image, first in product(range(batch), range(0, counts[0], rows)):
        columns = multiply_matrices(columns_of, values[image, :, :, first * line : (first + rows) * line], counter)
        begun = sums[from_last].copy() if first else None
        _add_up(columns.reshape(channels, prod(kernel), -1, *counts[1:]), steps, sums)
        if begun is not None:
            sums[of_next] += begun
        complete = slice(rows if first + rows < counts[0] else None)
        for phase in taps(stride):
            places = (first * stride[0] + phase[0], *phase[1:])
            _deal(sums[phase][:, complete], result[image], places, stride)
    return result


@lru_cache(maxsize=64)
def _steps(kernel: Sizes, stride: Sizes, dilation: Sizes, room: Sizes) -> tuple[tuple[int, Sizes], ...]:
    """(shift, phase) of each tap, row by row; the shift along memory, in an array that ends with such room."""
    apart = [prod(room[axis + 1 :]) for axis in range(len(room))]
    axes = zip(kernel, stride, dilation, apart, strict=True)
    by_axis = [[(t * d // s * distance, t * d % s) for t in range(k)] for k, s, d, distance in axes]
    return tuple((sum(shift for shift, _ in tap), tuple(phase for _, phase in tap)) for tap in product(*by_axis))


def _add_up(by_tap: Array, steps: tuple[tuple[int, Sizes], ...], sums: Array) -> None:
    """What the taps [channels, taps, *positions] give together in each phase of sums [*phases, channels, *room].

    Where the room goes beyond the positions stand zeros, so that a shifted tap adds nothing else to the next row.
    """
    sums[...] = 0
    positions = over(slice(None), *map(slice, by_tap.shape[2:]))
    numbers = np.zeros((by_tap.shape[0], *sums.shape[by_tap.ndim - 1 :]), sums.dtype)
    for number, (shift, phase) in enumerate(steps):
        numbers[positions] = by_tap[:, number]
        run = sums[phase].reshape(-1)
        run[shift:] += numbers.reshape(-1)[: run.size - shift]


def _factors(y: Array, w: Array, groups: int) -> tuple[Array, Array]:
    """The factors of the columns: [groups, B/groups·taps, A/groups] and [batch, groups, A/groups, positions]."""
    rows = w.reshape(groups, w.shape[0] // groups, -1)
    return rows.swapaxes(1, 2), y.reshape(y.shape[0], groups, w.shape[0] // groups, -1)


def _covers(counts: Sizes, stride: Sizes, space: Sizes) -> bool:
    """Whether so many numbers in every phase leave no place of the space out."""
    return all(n * s >= length for n, s, length in zip(counts, stride, space, strict=True))


def _array(shape: Sizes, dtype: np.dtype[np.generic], filled: bool) -> Array:
    """An array to write to: of zeros, unless every place will be filled."""
    return np.empty(shape, dtype) if filled else np.zeros(shape, dtype)


def _equal_parts(size: int, most: int) -> int:
    """The length of parts of at most `most`, and at least 1, that are about equally long."""
    return -(-size // -(-size // max(1, most)))


def _deal(numbers: Array, space: Array, first: Sizes, stride: Sizes) -> None:
    """Write numbers [channels, *positions] to every stride-th place from `first` on, as far as the space goes."""
    places = space[over(slice(None), *[slice(start, None, s) for start, s in zip(first, stride, strict=True)])]
    kept = over(*[slice(min(sizes)) for sizes in zip(places.shape, numbers.shape, strict=True)])
    places[kept] = numbers[kept]


def _depthwise_scatter(
    y: Array, w: Array, stride: Sizes, dilation: Sizes, channels: int, space: Sizes, counter: Counter | None
) -> Array:
    """The transpose of `_depthwise`."""
    batch, counts = y.shape[0], y.shape[2:]
    result = np.zeros((batch, channels, *space), np.result_type(y, w))
    values = y.reshape(batch, channels, -1, *counts)
    kernels = w.reshape(channels, -1, *w.shape[2:], *(1,) * len(counts))
    origin = (0,) * len(counts)
    count_taps(counter, w, y.shape)
    for tap, places in zip(taps(w.shape[2:]), reads(w.shape[2:], origin, counts, stride, dilation), strict=True):
        for copy in range(values.shape[2]):
            result[over(..., *places)] += values[:, :, copy] * kernels[over(slice(None), copy, *tap)]
    return result


def phases_pay_off(counts: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> bool:
    """Whether phases as a convolution beat columns that are added up: where taps are many, on inputs large enough to
    pay for the rearranged weights.
    """
    return max(dilation) == 1 and min(stride) > 1 and prod(counts) >= 256 and (max(kernel) >= 8 or max(stride) >= 4)


def phase_kernels(w: Array, stride: Sizes, groups: int) -> Array:
    """The kernel of each phase: [B·∏s, A/groups, *⌈k/s⌉], channels ordered by group, B/groups, phase.

    Output m·s + r of the full extent is Σ_j y[m − j]·w[r + j·s], so phase r has the taps r, r + s, … in
    reverse. Taps beyond the kernel are 0.
    """
    rank, per_group = len(stride), w.shape[0] // groups
    depth = [-(-k // s) for k, s in zip(w.shape[2:], stride, strict=True)]
    rounded: Pairs = tuple((0, n * s - k) for n, s, k in zip(depth, stride, w.shape[2:], strict=True))
    split = [size for pair in zip(depth, stride, strict=True) for size in pair]
    by_phase = border(w, rounded, "zeros").reshape(groups, per_group, w.shape[1], *split)
    by_tap, phases = range(3, 3 + 2 * rank, 2), range(4, 4 + 2 * rank, 2)
    ordered = by_phase.transpose(0, 2, *phases, 1, *by_tap)
    reversed_taps = np.flip(ordered, axis=tuple(range(ordered.ndim - rank, ordered.ndim)))
    return np.ascontiguousarray(reversed_taps).reshape(groups * w.shape[1] * prod(stride), per_group, *depth)


def scatter_by_phases(y: Array, w: Array, stride: Sizes, groups: int, space: Sizes) -> Array:
    """`scatter` without dilation: one convolution by `phase_kernels`, its channels dealt out over `space`."""
    rank, channels = len(stride), w.shape[1] * groups
    kernels = phase_kernels(w, stride, groups)
    around: Pairs = tuple((n - 1, n - 1) for n in kernels.shape[2:])
    phases = correlate(border(y, around, "zeros"), kernels, (1,) * rank, (1,) * rank, groups)
    apart = phases.reshape(y.shape[0], channels, *stride, *phases.shape[2:])
    order = [axis for n in range(rank) for axis in (2 + rank + n, 2 + n)]
    dealt = apart.transpose(0, 1, *order)
    sizes = [n * s for n, s in zip(phases.shape[2:], stride, strict=True)]
    full = dealt.reshape(y.shape[0], channels, *sizes)
    kept = tuple(slice(0, min(n, length)) for n, length in zip(sizes, space, strict=True))
    if _covers(phases.shape[2:], stride, space):
        cut: Array = full[over(..., *kept)]
        return cut
    result = np.zeros((y.shape[0], channels, *space), full.dtype)
    result[over(..., *kept)] = full[over(..., *kept)]
    return result
