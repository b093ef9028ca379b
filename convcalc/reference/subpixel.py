"""Transposed convolutions by phases: every output position of one residue modulo the stride is fed by the same taps.

The phases together are one convolution at stride 1 of ⌈k/s⌉ taps with ∏s times the channels, whose
results are dealt out over space (Shi et al. 2016, "Is the deconvolution layer the same as a convolutional
layer?", arXiv:1609.07009). It writes every output once, where adding up columns writes it for every tap.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from .borders import border
from .context import Array
from .windows import Pairs, Sizes, over

Correlate = Callable[[Array, Array, Sizes, Sizes, int], Array]


def pays_off(counts: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes, space: Sizes) -> bool:
    """Whether phases beat columns: large kernels, strides or outputs, on inputs large enough to pay for the
    rearranged weights.
    """
    if max(dilation) > 1 or min(stride) < 2 or prod(counts) < 256:
        return False
    return max(kernel) >= 8 or max(stride) >= 4 or prod(space) >= 40_000


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
    taps, phases = range(3, 3 + 2 * rank, 2), range(4, 4 + 2 * rank, 2)
    ordered = by_phase.transpose(0, 2, *phases, 1, *taps)
    reversed_taps = np.flip(ordered, axis=tuple(range(ordered.ndim - rank, ordered.ndim)))
    return np.ascontiguousarray(reversed_taps).reshape(groups * w.shape[1] * prod(stride), per_group, *depth)


def scatter_by_phases(y: Array, w: Array, stride: Sizes, groups: int, space: Sizes, correlate: Correlate) -> Array:
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
    if all(n >= length for n, length in zip(sizes, space, strict=True)):
        cut: Array = full[over(..., *kept)]
        return cut
    result = np.zeros((y.shape[0], channels, *space), full.dtype)
    result[over(..., *kept)] = full[over(..., *kept)]
    return result
