"""What output positions read and see of their inputs, exactly, without a bound: position by position.

All axis maps repeat: where the position grows by `period`, the inputs that it reads move by `shift`. A convolution has
period 1 and shift s, a transposed one period s and shift 1, a resize from i to o period o/g and shift i/g with
g = gcd(i, o).

What one output position sees of the network's inputs is followed backwards. An interval is not enough: where windows
leave gaps (dilation, kernels below the stride of a transposed convolution) clipping it at the borders would be wrong.
Each axis is followed on its own as a set of positions; where branches join the sets are united, so that the result is
the projection of what is seen on each axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd, prod
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..geometry import IDENTITY, AdaptiveWindow, AxisMap, Resize, TransposedWindow, Window, adaptive_window

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes
    from ..network import Network


LARGEST_PERIOD = 4096
"""Positions up to which a map is tabulated; beyond, only its bounds are known."""

Rational = int | Fraction


MOST_FOLLOWED = 1_000_000
"""Positions of an axis that are followed backwards, one by one."""


class Reads(NamedTuple):
    """The reading of one axis: position q reads from `first` + q·ratio to `last` + q·ratio at the most."""

    ratio: Rational
    first: Rational
    last: Rational
    taps: tuple[Sequence[int], ...]
    """The inputs that the positions of one period read; empty where the period is above `LARGEST_PERIOD`."""
    shift: int
    """How far the inputs move from one period to the next."""
    fixed: bool
    """Whether all positions read the same inputs."""

    @property
    def period(self) -> int:
        """Positions after which the pattern repeats."""
        return len(self.taps)


def whole(value: Rational) -> Rational:
    """The value as an int where it is one.

    >>> whole(Fraction(4, 2)), whole(Fraction(1, 2))
    (2, Fraction(1, 2))
    """
    return value.numerator if value.denominator == 1 else value


def ratio(axis_map: AxisMap) -> Rational:
    """Inputs by which the reading moves from one output position to the next.

    >>> ratio(Window(3, 2)), ratio(TransposedWindow(2, 2))
    (2, Fraction(1, 2))
    """
    match axis_map:
        case Window():
            return axis_map.stride
        case TransposedWindow():
            return whole(Fraction(1, axis_map.stride))
        case AdaptiveWindow():
            return whole(Fraction(axis_map.size, axis_map.output))
    if axis_map.align_corners:
        return whole(Fraction(axis_map.size - 1, axis_map.output - 1)) if axis_map.output > 1 else 0
    if axis_map.scale is not None:
        return whole(1 / Fraction(axis_map.scale))
    return whole(Fraction(axis_map.size, axis_map.output))


def taps(axis_map: AxisMap, position: int) -> Sequence[int]:
    """The inputs that one output position reads, those beyond the borders included, in rising order.

    Resizing: PyTorch aten/src/ATen/native/UpSample.h; taps of weight 0 are none, and an index clamped to the
    border stands for the one beyond it.

    >>> list(taps(Window(3, 2, 1, 1), 0)), list(taps(TransposedWindow(3, 2, 1, 1), 1))
    ([-1, 0, 1], [0, 1])
    """
    match axis_map:
        case Window(k, s, before, _, d):
            start = position * s - before
            return range(start, start + d * (k - 1) + 1, d)
        case TransposedWindow(k, s, before, _, d, _):
            return _transposed(position + before, k, s, d)
        case AdaptiveWindow(size, output):
            return range(*adaptive_window(size, output, position))
    return _interpolated(axis_map, position)


def _transposed(place: int, kernel_size: int, stride: int, dilation: int) -> range:
    """The inputs j with j·stride + t·dilation = place for a tap t < kernel_size.

    With g = gcd(stride, dilation) there are none unless g divides the place; else the taps are those of one remainder
    modulo stride/g, and the inputs lie dilation/g apart.

    >>> list(_transposed(7, 5, 3, 1)), list(_transposed(7, 5, 2, 2)), list(_transposed(5, 3, 3, 1))
    ([1, 2], [], [1])
    """
    shared = gcd(stride, dilation)
    if place % shared:
        return range(0)
    period, apart = stride // shared, dilation // shared
    tap = place // shared * pow(apart, -1, period) % period
    last = (place - tap * dilation) // stride
    count = len(range(tap, kernel_size, period))
    return range(last - (count - 1) * apart, last + 1, apart)


def _interpolated(resize: Resize, position: int) -> Sequence[int]:
    step = ratio(resize)
    if resize.mode == "nearest":
        return (int(position * step // 1),)
    if resize.mode == "nearest-exact":
        return (int((position + Fraction(1, 2)) * step // 1),)
    place = position * step if resize.align_corners else (position + Fraction(1, 2)) * step - Fraction(1, 2)
    left = int(place // 1)
    if place == left:
        return (left,)
    return range(left, left + 2) if resize.mode == "linear" else range(left - 1, left + 3)


@lru_cache(maxsize=4096)
def reads(axis_map: AxisMap) -> Reads:
    """The reading of an axis map.

    >>> reads(Window(7, 2, 3, 3))[:3], reads(TransposedWindow(2, 2))[:3]
    ((2, -3, 3), (Fraction(1, 2), Fraction(-1, 2), 0))
    """
    step = ratio(axis_map)
    if type(axis_map) is Window:
        tap = taps(axis_map, 0)
        return Reads(step, tap[0], tap[-1], (tap,), axis_map.stride, False)
    if isinstance(axis_map, Resize) and (step == 0 or axis_map.size == 1):
        return Reads(step, 0, 0, ((0,),), 0, True)
    period = step.denominator
    if period > LARGEST_PERIOD and isinstance(axis_map, TransposedWindow):
        latest = Fraction(axis_map.before, axis_map.stride)
        earliest = latest - Fraction(axis_map.dilation * (axis_map.kernel_size - 1), axis_map.stride)
        return Reads(step, whole(earliest), whole(latest), (), step.numerator, False)
    if period > LARGEST_PERIOD:
        reach = 3 if isinstance(axis_map, Resize) and axis_map.mode == "cubic" else 2
        return Reads(step, -reach, step + reach, (), step.numerator, False)
    table = tuple(taps(axis_map, q) for q in range(period))
    first = min(tap[0] - q * step for q, tap in enumerate(table) if tap)
    last = max(tap[-1] - q * step for q, tap in enumerate(table) if tap)
    return Reads(step, whole(first), whole(last), table, step.numerator, False)


Mask = frozenset[int] | None
"""Positions of one axis; None for all of them."""


class Seen(NamedTuple):
    """What one output position sees of one input of the network."""

    input: str
    axes: tuple[tuple[int, ...], ...]
    """For each space axis, the positions seen, in rising order; none of them is padding."""

    @property
    def intervals(self) -> tuple[tuple[int, int] | None, ...]:
        """First and last position seen on each axis; None where nothing is."""
        return tuple((axis[0], axis[-1]) if axis else None for axis in self.axes)

    @property
    def pixels(self) -> int:
        """Pixels that lie on a seen position of every axis."""
        return prod(len(axis) for axis in self.axes)


def seen_from(network: Network, index: int, position: tuple[int, ...]) -> list[Seen]:
    """What one position of a node's output sees of each input of the network that reaches it.

    `position` has one entry a space axis of the node; all its channels are followed. Raises ValueError where
    the node has no such position, and UsageError where it sees more than `MOST_FOLLOWED` positions of an axis.
    """
    nodes = network.nodes
    space = nodes[index].shape[1:]
    if len(position) != len(space) or not all(0 <= q < size for q, size in zip(position, space, strict=True)):
        raise ValueError(f"{list(position)} is no position of {list(space)}")
    masks: dict[int, tuple[Mask, ...]] = {index: (None, *(frozenset((q,)) for q in position))}
    found: list[Seen] = []
    for i in range(index, -1, -1):
        mask = masks.pop(i, None)
        if mask is None:
            continue
        node = nodes[i]
        if node.layer is None:
            axes = list(zip(mask[1:], node.shape[1:], strict=True))
            _bounded(max((n if m is None else len(m) for m, n in axes), default=0))
            seen = tuple(tuple(range(n)) if m is None else tuple(sorted(m)) for m, n in axes)
            found.append(Seen(node.name, seen))
            continue
        for which, read in enumerate(node.data):
            passed = _backwards(node.layer, network.input_shapes(node), which, node.shape, mask)
            known = masks.get(read)
            masks[read] = passed if known is None else _union(known, passed)
    return found[::-1]


def _union(a: tuple[Mask, ...], b: tuple[Mask, ...]) -> tuple[Mask, ...]:
    return tuple(None if x is None or y is None else x | y for x, y in zip(a, b, strict=True))


def _backwards(layer: Layer, inputs: Shapes, which: int, output: Shape, mask: tuple[Mask, ...]) -> tuple[Mask, ...]:
    """The positions of one input of a layer that the masked positions of its output read."""
    read = inputs[which]
    found: list[Mask] = [None] * len(read)
    joined = layer.joined_axis(inputs)
    for axis, link in enumerate(layer.axes_of(inputs, which)):
        if link is not None:
            found[link.source] = _axis_backwards(link.map, mask[axis], output[axis], read[link.source])
        elif axis == joined:
            before = sum(shape[axis] for shape in inputs[:which])
            chosen = mask[axis]
            found[axis] = (
                None if chosen is None else frozenset(q - before for q in chosen if 0 <= q - before < read[axis])
            )
    return tuple(found)


def _axis_backwards(axis_map: AxisMap | None, mask: Mask, positions: int, size: int) -> Mask:
    if axis_map is None or (axis_map == IDENTITY and mask is None):
        return None
    if axis_map == IDENTITY:
        return mask if size == positions else frozenset((0,))
    wanted = range(positions) if mask is None else mask
    _bounded(len(wanted))
    reads = [_inside(taps(axis_map, q), size) for q in wanted]
    _bounded(sum(map(len, reads)))
    return frozenset([i for tap in reads for i in tap])


def _inside(tap: Sequence[int], size: int) -> Sequence[int]:
    """Those of the inputs that are in 0 … size − 1."""
    if isinstance(tap, range):
        first = max(0, -(tap.start // tap.step))
        beyond = max(0, -((size - tap.start) // -tap.step))
        return tap[first:beyond]
    return [i for i in tap if 0 <= i < size]


def _bounded(count: int) -> None:
    """Raise UsageError for more positions than are followed."""
    if count > MOST_FOLLOWED:
        raise UsageError(
            f"what it sees is followed for up to {MOST_FOLLOWED:,} positions of an axis; here are {count:,}"
        )


def effective(seen: Seen, extents: tuple[int | Fraction, ...]) -> Fraction:
    """The share of a receptive field of these extents that is real pixels: neither padding nor gaps.

    >>> effective(Seen("input", ((0, 1), (0, 1))), (3, 3))
    Fraction(4, 9)
    """
    total = prod(extents)
    return Fraction(seen.pixels) / total if total else Fraction(0)
