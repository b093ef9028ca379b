"""Which layers map one size to another: every (k, s, p, d), in closed form.

A convolution maps i to o iff i − s·o + 1 <= K − P <= i − s(o − 1), with K = d(k − 1) + 1 and P the
padding of both sides; it leaves nothing over at the upper bound. A transposed convolution maps i to o
iff K − P + op = o − (i − 1)s with 0 <= op < s. Both bound k, and then p, from the sizes, so the search
visits every stride and dilation once, and beyond those hardly more than its solutions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

from ..version import FORMAT
from .errors import InvalidWindow, checked
from .transposed import uniform_overlap
from .window import effective_kernel

KERNELS = range(1, 17)
STRIDES = range(1, 17)
DILATIONS = range(1, 5)
LARGEST_SEARCH = 1_000_000
"""Combinations of kernel, stride and dilation that one search may span."""


class Solution(NamedTuple):
    """One layer that maps the sizes. `leftover` has one number an axis.

    Of a convolution it is the remainder of the size rule, of a transposed one the output padding; going
    back the two exchange their parts.
    """

    kernel_size: int
    stride: int
    before: int
    after: int
    dilation: int
    leftover: tuple[int, ...]
    transposed: bool

    @property
    def remainder(self) -> tuple[int, ...] | None:
        """What the stride leaves over on each axis; None for a transposed convolution."""
        return None if self.transposed else self.leftover

    @property
    def output_padding(self) -> tuple[int, ...] | None:
        """Output padding on each axis; None for a convolution."""
        return self.leftover if self.transposed else None

    @property
    def preference(self) -> tuple[object, ...]:
        """Sorts what people use to the front.

        Windows that read every input (k >= s), and the 1 by stride 2 of projection shortcuts; no dilation;
        padding of at most half the window; as much before as after. Then, of convolutions, padding that
        keeps the window centred, d(k − 1)/2 ("same"), or that makes window and stride even, so that K − P = s;
        of transposed ones a kernel that the stride divides (no checkerboard) and no output padding. Then
        the smaller stride, kernel and padding.

        >>> [first[:3] for first in solve(224, 112).best(4)]
        [(1, 2, 0), (2, 2, 0), (3, 2, 1), (4, 2, 1)]
        >>> [first[:3] for first in solve(28, 56, transposed=True).best(2)]
        [(2, 2, 0), (4, 2, 1)]
        """
        k, s, before, after, d, rest, transposed = self
        window, padded = effective_kernel(k, d), before + after
        skips = k < s and (transposed or (k, s) != (1, 2))
        if transposed:
            uneven = (not uniform_overlap(k, s, d), any(rest))
        else:
            uneven = (padded not in (window - 1, window - s), False)
        return (skips, d, 2 * before > window, after != before, *uneven, s, k, before, rest)

    def to_dict(self) -> dict[str, object]:
        """One entry of `solutions` in the JSON contract of `solve`."""
        return {
            "kernel": self.kernel_size,
            "stride": self.stride,
            "padding": [self.before, self.after],
            "dilation": self.dilation,
            "output_padding": _scalar(self.output_padding),
            "remainder": _scalar(self.remainder),
        }


@dataclass(frozen=True, slots=True)
class Search:
    """A question to `solve`: sizes, and the ranges in which its letters are sought."""

    input: tuple[int, ...]
    """The sizes that the layer reads, one an axis."""
    output: tuple[int, ...]
    """The sizes that it makes of them."""
    kernel: range = KERNELS
    """Of each axis, all of which have the same letters."""
    stride: range = STRIDES
    """Likewise."""
    padding: range | None = None
    """Of each side (an uneven one stays below its end). None: 0 to K − 1, for more only adds windows that
    see nothing but padding."""
    dilation: range = DILATIONS
    """Likewise."""
    transposed: bool = False
    """Whether transposed convolutions are sought."""
    asymmetric: bool = False
    """Also paddings with one more after than before, as Keras and ONNX `same` give."""
    exact: bool = False
    """Only layers that leave nothing over (transposed: that need no output padding)."""

    def __post_init__(self) -> None:
        if len(self.input) != len(self.output) or not self.input:
            raise InvalidWindow(f"{len(self.input)} input sizes but {len(self.output)} output sizes")
        for size in (*self.input, *self.output):
            if checked("a size", size) < 1:
                raise InvalidWindow(f"a size must be at least 1, not {size}", size=size)
        ranges = {"kernel": self.kernel, "stride": self.stride, "dilation": self.dilation}
        if self.padding is not None:
            ranges["padding"] = self.padding
        for name, values in ranges.items():
            least = 0 if name == "padding" else 1
            if not values or values.step < 1 or values[0] < least:
                raise InvalidWindow(f"the range of the {name} must rise from at least {least}, not {values}")
            checked(f"a {name}", values[-1])
        span = len(self.kernel) * len(self.stride) * len(self.dilation)
        if span > LARGEST_SEARCH:
            raise InvalidWindow(
                f"{span} combinations of kernel, stride and dilation are more than {LARGEST_SEARCH}",
                hint="narrow the ranges",
                combinations=span,
            )

    def __iter__(self) -> Iterator[Solution]:
        """Every solution, by stride, dilation, kernel and padding, one at a time.

        >>> search = Search((5,), (3,), kernel=range(1, 4), stride=range(1, 3), dilation=range(1, 2))
        >>> [(found.kernel_size, found.stride, found.before, found.leftover) for found in search]
        [(3, 1, 0, (0,)), (1, 2, 0, (0,)), (2, 2, 1, (1,)), (3, 2, 1, (0,))]
        """
        for stride in self.stride:
            low, high = self._surplus(stride)
            if low > high:
                continue
            for dilation in self.dilation:
                for kernel in self._kernels(low, high, dilation):
                    yield from self._at(kernel, stride, dilation, low, high)

    def best(self, limit: int | None = None) -> list[Solution]:
        """The solutions in the order of preference, all of them or the first `limit`."""
        if limit is None:
            return sorted(self, key=_preference)
        return nsmallest(limit, self, key=_preference)

    def count(self) -> int:
        """How many solutions there are."""
        return sum(1 for _ in self)

    def to_dict(self, solutions: Sequence[Solution]) -> dict[str, object]:
        """The JSON contract of `solve`. With several axes, what belongs to an axis is a list."""
        return {
            "format": FORMAT,
            "input": _scalar(self.input),
            "output": _scalar(self.output),
            "transposed": self.transposed,
            "solutions": [solution.to_dict() for solution in solutions],
        }

    def _targets(self, stride: int) -> list[int]:
        """On each axis, K − P of a layer that leaves nothing over."""
        if self.transposed:
            return [o - (i - 1) * stride for i, o in zip(self.input, self.output, strict=True)]
        return [i - stride * (o - 1) for i, o in zip(self.input, self.output, strict=True)]

    def _surplus(self, stride: int) -> tuple[int, int]:
        """Least and largest K − P that serve every axis at once."""
        targets = self._targets(stride)
        return max(targets) - (0 if self.exact else stride - 1), min(targets)

    def _kernels(self, low: int, high: int, dilation: int) -> range:
        """The kernels for which some padding in range brings K − P into low … high."""
        if self.padding is None:
            least, most = max(low, 2 - high), None
        else:
            spread = 1 if self.asymmetric else 0
            least, most = low + 2 * self.padding[0], high + 2 * self.padding[-1] + spread
        first = max(1, -(-(least - 1) // dilation) + 1)
        return _clipped(self.kernel, first, self.kernel[-1] if most is None else (most - 1) // dilation + 1)

    def _at(self, kernel: int, stride: int, dilation: int, low: int, high: int) -> Iterator[Solution]:
        """Every padding that makes a layer of this kernel, stride and dilation a solution."""
        extent = effective_kernel(kernel, dilation)
        targets = self._targets(stride)
        for uneven in (0, 1) if self.asymmetric else (0,):
            # K − (2p + uneven) in low … high, solved for p.
            first, last = -(-(extent - high - uneven) // 2), (extent - low - uneven) // 2
            choices = range(extent) if self.padding is None else self.padding
            for before in _clipped(choices, first, min(last, choices[-1] - uneven)):
                surplus = extent - 2 * before - uneven
                rest = tuple(target - surplus for target in targets)
                yield Solution(kernel, stride, before, before + uneven, dilation, rest, self.transposed)


def solve(
    input: int | Sequence[int],
    output: int | Sequence[int],
    *,
    kernel: int | range = KERNELS,
    stride: int | range = STRIDES,
    padding: int | range | None = None,
    dilation: int | range = DILATIONS,
    transposed: bool = False,
    asymmetric: bool = False,
    exact: bool = False,
) -> Search:
    """Every layer that maps `input` to `output`: an iterable that finds its solutions as it is read.

    Several sizes are several axes, which one layer must serve at once. Ranges are Python's: `range(1, 8)`
    is 1 … 7. `.best(limit)` sorts by preference. Raises `InvalidWindow` for ranges that are empty, start
    below 1 (padding: 0) or span more than a million combinations.

    >>> first = solve(224, 112).best(1)[0]
    >>> first.kernel_size, first.stride, first.before, first.remainder
    (1, 2, 0, (1,))
    """
    return Search(
        input=_tuple(input),
        output=_tuple(output),
        kernel=_range(kernel),
        stride=_range(stride),
        padding=None if padding is None else _range(padding),
        dilation=_range(dilation),
        transposed=transposed,
        asymmetric=asymmetric,
        exact=exact,
    )


def _clipped(values: range, low: int, high: int) -> range:
    """The members of `values` from low to high."""
    start = values.start + max(0, -(-(low - values.start) // values.step)) * values.step
    return range(start, min(values.stop, high + 1), values.step)


def _preference(solution: Solution) -> tuple[object, ...]:
    return solution.preference


def _scalar(values: tuple[int, ...] | None) -> int | list[int] | None:
    if values is None:
        return None
    return values[0] if len(values) == 1 else list(values)


def _tuple(value: int | Sequence[int]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


def _range(value: int | range) -> range:
    return range(value, value + 1) if isinstance(value, int) else value
