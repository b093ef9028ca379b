"""Pools whose window slides (max_pool, avg_pool, lp_pool) or fits the output (adaptive and global), both ways.

Maxima and sums are taken axis by axis: a window's maximum is the maximum of its rows' maxima.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .border import border, border_gradient
from .context import Array, Arrays, Context, DoesNotFit, Gradients, Operation, Weights
from .windows import Pairs, Sizes, over, padding_of_word, reach, reads, taps

if TYPE_CHECKING:
    from ..layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool


Reduction = Literal["avg", "max"]


def spans(size: int, output: int) -> list[slice]:
    """The inputs of each output: `output` equal parts of the axis, each widened to whole inputs.

    >>> spans(10, 4)
    [slice(0, 3, None), slice(2, 5, None), slice(5, 8, None), slice(7, 10, None)]
    """
    edges = [divmod(j * size, output) for j in range(output + 1)]
    return [slice(start, stop + bool(part)) for (start, _), (stop, part) in pairwise(edges)]


def reduced(x: Array, sizes: Sizes, reduction: Reduction) -> Array:
    """Means or maxima over the spans of every axis, one axis after the other."""
    for axis, output in enumerate(sizes, start=2):
        if output != x.shape[axis]:
            before = (slice(None),) * axis
            parts = [x[over(*before, span)] for span in spans(x.shape[axis], output)]
            x = np.stack([part.mean(axis) if reduction == "avg" else part.max(axis) for part in parts], axis)
    return x


def average_gradient(grad: Array, space: Sizes) -> Array:
    """The adjoint of taking means for an input of this space."""
    for axis, size in enumerate(space, start=2):
        if size != grad.shape[axis]:
            result = np.zeros((*grad.shape[:axis], size, *grad.shape[axis + 1 :]), grad.dtype)
            before = (slice(None),) * axis
            for j, span in enumerate(spans(size, grad.shape[axis])):
                result[over(*before, span)] += grad[over(*before, slice(j, j + 1))] / (span.stop - span.start)
            grad = result
    return grad


def maximum_gradient(x: Array, grad: Array) -> Array:
    """The gradient goes to the first of equal maxima of each window, row by row."""
    result = np.zeros(x.shape, grad.dtype)
    flat = result.reshape(*x.shape[:2], -1)
    places = np.arange(prod(x.shape[2:])).reshape(x.shape[2:])
    images, channels = np.ogrid[: x.shape[0], : x.shape[1]]
    every_span = [spans(size, output) for size, output in zip(x.shape[2:], grad.shape[2:], strict=True)]
    positions = product(*(range(output) for output in grad.shape[2:]))
    for position, window in zip(positions, product(*every_span), strict=True):
        chosen = x[over(..., *window)].reshape(*x.shape[:2], -1).argmax(axis=2)
        np.add.at(flat, (images, channels, places[window].reshape(-1)[chosen]), grad[over(..., *position)])
    return result


def _adaptive_sizes(layer: AdaptivePool, x: Array) -> Sizes:
    return tuple(have if size is None else size for have, size in zip(x.shape[2:], layer.output_size, strict=True))


def _one_position(layer: GlobalPool, x: Array) -> Sizes:
    return (1,) * (x.ndim - 2)


def _pool(reduction: Reduction, sizes: Callable[[Any, Array], Sizes]) -> Operation:
    """A pool to the sizes that the layer asks for."""

    def forward(layer: AdaptivePool | GlobalPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
        (x,) = inputs
        return reduced(x, sizes(layer, x), reduction)

    def backward(
        layer: AdaptivePool | GlobalPool, inputs: Arrays, weights: Weights, grad: Array, context: Context
    ) -> Gradients:
        (x,) = inputs
        return (maximum_gradient(x, grad) if reduction == "max" else average_gradient(grad, x.shape[2:]),), {}

    return Operation(forward, backward)


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


def _axes(layer: MaxPool | AvgPool | LpPool, space: Sizes, padding: Pairs | str, dilations: Sizes) -> Axes:
    pads = tuple(
        padding_of_word(padding, size, k, s, d) if isinstance(padding, str) else padding[n]
        for n, (size, k, s, d) in enumerate(zip(space, layer.kernel_size, layer.stride, dilations, strict=True))
    )
    drops = layer.ceil_mode is True or (layer.ceil_mode == "caffe" and any(map(any, pads)))
    fields = zip(space, layer.kernel_size, layer.stride, dilations, pads, strict=True)
    return tuple(_axis(*numbers, up=bool(layer.ceil_mode), drops=drops) for numbers in fields)


def _axis(size: int, k: int, s: int, d: int, pads: tuple[int, int], *, up: bool, drops: bool) -> Axis:
    """Rounding `up` admits one more window, which overhangs; where `drops`, not one that starts in the padding
    after.
    """
    (before, after), far = pads, reach(k, d)
    length = before + size + after
    starts = range(0, length - far + (s - 1 if up else 0), s)
    if drops and starts and starts[-1] >= before + size:
        starts = starts[:-1]
    if not starts:
        raise DoesNotFit(f"no window of {far + 1} fits into a padded axis of {length}")
    return Axis(size, k, s, d, before, after, starts, max(starts[-1] + far + 1 - length, 0))


def _border(axes: Axes) -> Pairs:
    return tuple((axis.before, axis.after + axis.overhang) for axis in axes)


@lru_cache(maxsize=64)
def _reads(axis: Axis) -> tuple[tuple[slice, slice], ...]:
    """(windows, inputs) of each tap: the windows in which it reads an input rather than padding, and those inputs."""
    found: list[tuple[slice, slice]] = []
    for tap in range(axis.kernel_size):
        offset = tap * axis.dilation - axis.before
        first = max(0, -(offset // axis.stride))
        stop = max(first, min(len(axis.starts), (axis.size - 1 - offset) // axis.stride + 1))
        begin = first * axis.stride + offset
        inputs = slice(begin, max(begin, (stop - 1) * axis.stride + offset + 1), axis.stride)
        found.append((slice(first, stop), inputs))
    return tuple(found)


class Runs(NamedTuple):
    """How the windows of an axis are combined in runs over memory.

    What lies one stride apart is a phase. With the numbers of a phase side by side, a tap of window j reads number
    j + shift of one, in every row of the array alike: one run over all rows combines it. Where windows reach out of
    their row such a run reads the next one: these are the edges, which are combined on their own.
    """

    length: int
    """Of a phase: as many windows are combined, the last perhaps of no meaning."""
    inside: slice
    """The windows that lie in their row."""
    taps: tuple[tuple[int, int], ...]
    """(shift, phase) of each."""
    edges: tuple[tuple[slice, Axis], ...]
    """The other windows, as axes of their own."""

    def run(self, values: Array, inner: int, shift: int = 0) -> Array:
        """What lies `shift` behind the windows inside: one run of values whose numbers lie `inner` apart."""
        first, behind = self.inside.start + shift, self.length - self.inside.stop - shift
        return values.reshape(-1)[first * inner : values.size - behind * inner]


@lru_cache(maxsize=64)
def _runs(axis: Axis) -> Runs | None:
    """None where runs do not serve: for a single tap, or where most of what they combine would have no meaning."""
    reads, count, length = _reads(axis), len(axis.starts), -(-axis.size // axis.stride)
    inside = slice(max(windows.start for windows, _ in reads), min(windows.stop for windows, _ in reads))
    if axis.kernel_size == 1 or inside.start >= inside.stop or not length < 2 * count <= 2 * length:
        return None
    edges = tuple(
        (edge, axis._replace(before=axis.before - edge.start * axis.stride, starts=axis.starts[edge]))
        for edge in (slice(0, inside.start), slice(inside.stop, count))
        if edge.start < edge.stop
    )
    offsets = range(-axis.before, reach(axis.kernel_size, axis.dilation) - axis.before + 1, axis.dilation)
    return Runs(length, inside, tuple(divmod(offset, axis.stride) for offset in offsets), edges)


BLOCK_BYTES = 1 << 20
"""Bytes of the channels that are reduced together: what lies between two axes stays in the cache."""


def _reduced(x: Array, axes: Axes, combine: np.ufunc, nothing: float) -> Array:
    """`combine` over every window of x, one axis after the other; what only padding feeds is `nothing`.

    Nothing is padded for it: each tap is combined into the windows in which it reads an input. A last axis of one
    window comes first, since it leaves no rows.
    """
    counts = tuple(len(axis.starts) for axis in axes)
    result = np.empty((*x.shape[:2], *counts), x.dtype)
    channels, results = np.ascontiguousarray(x).reshape(-1, *x.shape[2:]), result.reshape(-1, *counts)
    order = list(enumerate(axes, start=1))
    if counts[-1] == 1:
        order.reverse()
    step = max(1, BLOCK_BYTES // max(channels[:1].nbytes, 1))
    for first in range(0, len(channels), step):
        block = channels[first : first + step]
        for number, axis in order:
            last = number == order[-1][0]
            out = results[first : first + step] if last else np.empty(_sizes(block, number, len(axis.starts)), x.dtype)
            _reduce_axis(block, number, axis, combine, nothing, out)
            block = out
    return result


def _reduce_axis(x: Array, number: int, axis: Axis, combine: np.ufunc, nothing: float, out: Array) -> None:
    """`combine` over every window of one axis: in runs, or tap by tap."""
    runs = _runs(axis)
    if runs is None:
        _combine_taps(x, number, axis, combine, nothing, out)
        return
    _combine_runs(x, number, axis, runs, combine, out)
    for edge, windows in runs.edges:
        _combine_taps(x, number, windows, combine, nothing, out[over(*_all(number), edge)])


def _all(axes: int) -> tuple[slice, ...]:
    """The index of all numbers along so many axes."""
    return (slice(None),) * axes


def _combine_taps(x: Array, number: int, axis: Axis, combine: np.ufunc, nothing: float, out: Array) -> None:
    reads, whole = _reads(axis), slice(0, len(axis.starts))
    everywhere = [x[over(*_all(number), inputs)] for windows, inputs in reads if windows == whole]
    if len(everywhere) > 1:
        combine(everywhere[0], everywhere[1], out=out)
    else:
        out[...] = everywhere[0] if everywhere else nothing
    for view in everywhere[2:]:
        combine(out, view, out=out)
    for windows, inputs in reads:
        if windows != whole:
            part = out[over(*_all(number), windows)]
            combine(part, x[over(*_all(number), inputs)], out=part)


def _combine_runs(x: Array, number: int, axis: Axis, runs: Runs, combine: np.ufunc, out: Array) -> None:
    """`_combine_taps` for the windows inside. Both arrays lie side by side in memory."""
    inner, count = prod(x.shape[number + 1 :]), len(axis.starts)
    phases = {phase: _phase(x, number, phase, axis.stride, runs.length) for phase in {phase for _, phase in runs.taps}}
    reads = [runs.run(phases[phase], inner, shift) for shift, phase in runs.taps]
    windows = out if count == runs.length else np.empty(_sizes(x, number, runs.length), x.dtype)
    target = runs.run(windows, inner)
    combine(reads[0], reads[1], out=target)
    for read in reads[2:]:
        combine(target, read, out=target)
    if windows is not out:
        out[...] = windows[over(*_all(number), slice(count))]


def _phase(x: Array, number: int, first: int, stride: int, length: int) -> Array:
    """Every stride-th number of an axis from `first` on, side by side; a row that has one less ends with 0."""
    values = x[over(*_all(number), slice(first, None, stride))]
    if values.shape[number] == length:
        return np.ascontiguousarray(values)
    result = np.zeros(_sizes(x, number, length), x.dtype)
    result[over(*_all(number), slice(values.shape[number]))] = values
    return result


def _sizes(x: Array, number: int, size: int) -> Sizes:
    """The array's shape with another size of one axis."""
    return (*x.shape[:number], size, *x.shape[number + 1 :])


def _numbers_read(axes: Axes) -> list[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """(tap, places) of every tap over all windows, row by row."""
    kernel, counts = tuple(axis.kernel_size for axis in axes), tuple(len(axis.starts) for axis in axes)
    steps = (tuple(axis.stride for axis in axes), tuple(axis.dilation for axis in axes))
    return list(zip(taps(kernel), reads(kernel, (0,) * len(axes), counts, *steps), strict=True))


def _lowest(dtype: np.dtype[Any]) -> float:
    return -np.inf if np.issubdtype(dtype, np.floating) else int(np.iinfo(dtype).min)


def _max_axes(layer: MaxPool, x: Array) -> Axes:
    return _axes(layer, x.shape[2:], layer.padding, layer.dilation)


def _max(layer: MaxPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axes = _max_axes(layer, x)
    return _reduced(x, axes, np.maximum, _lowest(x.dtype))


def _max_backward(layer: MaxPool, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """The gradient goes to the first of equal maxima, row by row, as in PyTorch."""
    (x,) = inputs
    axes = _max_axes(layer, x)
    bordered = border(x, _border(axes), "constant", _lowest(x.dtype))
    maxima = _reduced(x, axes, np.maximum, _lowest(x.dtype))
    open_windows = np.ones(grad.shape, bool)
    result = np.zeros(bordered.shape, grad.dtype)
    for _, places in _numbers_read(axes):
        chosen = open_windows & (bordered[over(..., *places)] == maxima)
        result[over(..., *places)] += grad * chosen
        open_windows &= ~chosen
    return (border_gradient(result, x.shape[2:], _border(axes), "zeros"),), {}


def _divisors(axes: Axes, include_padding: bool) -> Array:
    """How many numbers each window averages, of shape [*positions].

    Padding counts or does not; what a window overhangs never counts. A window of nothing but that divides by 1.
    """
    result = np.ones((), np.int64)
    for axis in axes:
        begins = np.asarray(axis.starts)
        ends = begins + axis.kernel_size
        first, last = (
            (0, axis.before + axis.size + axis.after)
            if include_padding
            else (
                axis.before,
                axis.before + axis.size,
            )
        )
        counts = (np.minimum(ends, last) - np.maximum(begins, first)).clip(0)
        result = result[..., None] * counts
    return result.clip(1)


def _average_axes(layer: AvgPool, x: Array) -> tuple[Axes, Array | int]:
    axes = _axes(layer, x.shape[2:], layer.padding, (1,) * len(layer.kernel_size))
    return axes, layer.divisor_override or _divisors(axes, layer.count_include_pad)


def _average(layer: AvgPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    axes, divisors = _average_axes(layer, x)
    return _divided(_reduced(x, axes, np.add, 0), divisors)


def _divided(total: Array, divisors: Array | int) -> Array:
    """total / divisors in the type of floating totals."""
    if np.issubdtype(total.dtype, np.floating):
        divisors = np.asarray(divisors, total.dtype)
    return np.asarray(total / divisors)


def _average_backward(layer: AvgPool, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    (x,) = inputs
    axes, divisors = _average_axes(layer, x)
    return (_spread(_divided(grad, divisors), axes, x.shape[2:]),), {}


def _spread(shares: Array, axes: Axes, space: tuple[int, ...]) -> Array:
    """The adjoint of summing windows: every window's share added to all that it read."""
    sizes = [pad[0] + size + pad[1] for pad, size in zip(_border(axes), space, strict=True)]
    result = np.zeros((*shares.shape[:2], *sizes), shares.dtype)
    for _, places in _numbers_read(axes):
        result[over(..., *places)] += shares
    return border_gradient(result, space, _border(axes), "zeros")


def _power_parts(layer: LpPool, x: Array) -> tuple[Axes, Array | int, Array]:
    """Windows, divisors over the kernel's size, and the scaled sums of the powers.

    PyTorch averages the powers and multiplies by the kernel's size, so that a window which overhangs is scaled.
    """
    axes = _axes(layer, x.shape[2:], ((0, 0),) * len(layer.kernel_size), (1,) * len(layer.kernel_size))
    divisors = _divisors(axes, include_padding=True)
    sums = _divided(_reduced(x**layer.norm_type, axes, np.add, 0), divisors) * prod(layer.kernel_size)
    return axes, divisors, sums


def _power(layer: LpPool, inputs: Arrays, weights: Weights, context: Context) -> Array:
    (x,) = inputs
    with np.errstate(invalid="ignore"):
        _, _, sums = _power_parts(layer, x)
        return np.asarray(sums ** (1 / layer.norm_type))


def _power_backward(layer: LpPool, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    """d y/d x = (x / y)^(p − 1), scaled as the forward pass scales; 0 where the window is 0, as in PyTorch."""
    (x,) = inputs
    p = layer.norm_type
    with np.errstate(invalid="ignore", divide="ignore"):
        axes, divisors, sums = _power_parts(layer, x)
        slope = np.where(sums == 0, 0, grad * sums ** (1 / p - 1) / p)
        shares = _divided(slope, divisors) * prod(layer.kernel_size)
        return (_spread(shares, axes, x.shape[2:]) * p * x ** (p - 1),), {}


OPERATIONS = {
    "MaxPool": Operation(_max, _max_backward),
    "AvgPool": Operation(_average, _average_backward),
    "LpPool": Operation(_power, _power_backward),
    **dict.fromkeys((f"adaptive_avg_pool{rank}d" for rank in (1, 2, 3)), _pool("avg", _adaptive_sizes)),
    **dict.fromkeys((f"adaptive_max_pool{rank}d" for rank in (1, 2, 3)), _pool("max", _adaptive_sizes)),
    "global_avg_pool": _pool("avg", _one_position),
    "global_max_pool": _pool("max", _one_position),
}
