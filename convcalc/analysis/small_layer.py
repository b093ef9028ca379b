"""Convolutions small enough to be written out: which number each tap reads, by the rule of the windows, in integers.

Beneath a convolution and beneath a transposed one lies the same linear map: it reads a `wide` array [B, *space] and
gives a `narrow` one [A, *positions] by a kernel [A, B/groups, *k]. A convolution is the map, a transposed one its
transpose. Nothing here is shared with `reference/`, which confirms it.
"""

from __future__ import annotations

from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..geometry import GeometryError, Window, effective_kernel
from ..inference import output_shape
from ..layers.conv import Conv, ConvTranspose

if TYPE_CHECKING:
    from ..layers.base import Shape

Integers = npt.NDArray[Any]
"""Arrays of Python's integers: no sum is too large for them."""

MOST = 20_000
"""Numbers of a matrix that is written out."""
CHANNELS = 2
"""Channels a group, and groups, of a layer that is made smaller."""
FEW_ROWS = 20
"""Of its im2col: more are those of one channel."""
TRIED = 1000
"""Sizes of an axis that are tried until one is large enough."""


class Map(NamedTuple):
    """The linear map beneath a layer: what is read by which tap for which position."""

    wide: Shape
    """[B, *space], without padding."""
    narrow: Shape
    """[A, *positions]."""
    kernel: Shape
    """[A, B/groups, *k]."""
    windows: tuple[Window, ...]
    groups: int = 1
    mode: str = "zeros"
    """How the padding is filled: zeros, reflect, replicate or circular."""

    def reads(self) -> Integers:
        """The flat index into the space that is read, [taps, positions]; prod(space) where padding of zeros is."""
        flat = np.zeros((1, 1), dtype=np.int64)
        outside = np.zeros((1, 1), dtype=bool)
        for size, count, window in zip(self.wide[1:], self.narrow[1:], self.windows, strict=True):
            taps, positions = np.arange(window.kernel_size), np.arange(count)
            places = np.add.outer(taps * window.dilation, positions * window.stride) - window.before
            if self.mode == "zeros":
                beyond = (places < 0) | (places >= size)
                places = np.where(beyond, 0, places)
            else:
                beyond = np.zeros(places.shape, dtype=bool)
                places = filled_from(places, size, self.mode)
            flat = _crossed(flat * size, places, np.add)
            outside = _crossed(outside, beyond, np.logical_or)
        return np.where(outside, prod(self.wide[1:]), flat)

    def im2col(self, x: Integers) -> Integers:
        """The numbers of x [B, *space] that the windows read, a window a column: [groups, B/groups·taps, positions]."""
        padded = np.concatenate([x.reshape(len(x), -1), np.zeros((len(x), 1), dtype=x.dtype)], axis=1)
        columns = padded[:, self.reads()]
        return columns.reshape(self.groups, len(x) // self.groups * columns.shape[1], -1)

    def rows(self, w: Integers) -> Integers:
        """vec(K): the kernel with one row a channel of A: [groups, A/groups, B/groups·taps]."""
        return w.reshape(self.groups, len(w) // self.groups, -1)

    def matrix(self, w: Integers) -> Integers:
        """C: the map as one matrix of vec(narrow) and vec(wide): [A·positions, B·space]."""
        reads, space = self.reads(), prod(self.wide[1:])
        outputs, inputs = self.narrow[0] // self.groups, self.wide[0] // self.groups
        taps = w.reshape(len(w), inputs, -1)
        whole = np.zeros((*self.narrow[:1], reads.shape[1], self.wide[0], space + 1), dtype=object)
        for a, b in product(range(self.narrow[0]), range(inputs)):
            for tap, places in enumerate(reads):
                positions = np.arange(len(places))
                whole[a, positions, a // outputs * inputs + b, places] += taps[a, b, tap]
        return whole[..., :space].reshape(prod(self.narrow), prod(self.wide))


def _crossed(above: Integers, axis: Integers, join: Any) -> Integers:
    """[taps, positions] of the axes so far joined with those of one more axis, row by row."""
    joined = join(above[:, None, :, None], axis[None, :, None, :])
    return np.asarray(joined.reshape(above.shape[0] * axis.shape[0], -1))


def filled_from(places: Integers, size: int, mode: str) -> Integers:
    """The input that stands at each place of an axis of `size` that is continued beyond its ends.

    >>> filled_from(np.arange(-2, 6), 4, "reflect").tolist()
    [2, 1, 0, 1, 2, 3, 2, 1]
    >>> filled_from(np.arange(-1, 5), 4, "replicate").tolist(), filled_from(np.arange(-1, 5), 4, "circular").tolist()
    ([0, 0, 1, 2, 3, 3], [3, 0, 1, 2, 3, 0])
    """
    if mode == "circular":
        return np.mod(places, size)
    if mode == "replicate":
        return np.clip(places, 0, size - 1)
    return np.asarray(size - 1 - np.abs(size - 1 - np.abs(places)))


class SmallLayer(NamedTuple):
    """A convolution or a transposed one with an input on which every number of it can be written out."""

    layer: Conv | ConvTranspose
    shape: Shape
    """[channels, *space] of the input."""
    output: Shape
    whole: bool = True
    """Whether it is the layer that was asked for, rather than its window on a smaller input."""

    @property
    def transposed(self) -> bool:
        """Whether the layer is the transpose of the map."""
        return isinstance(self.layer, ConvTranspose)

    @property
    def map(self) -> Map:
        """The linear map beneath the layer."""
        return map_of(self.layer, self.shape, self.output)

    def x(self) -> Integers:
        """The input 1, 2, 3, …, row by row, channel by channel."""
        return counting(self.shape)

    def w(self) -> Integers:
        """The kernel 1, 2, 3, …"""
        return counting(self.map.kernel)

    def b(self) -> Integers:
        """The biases 10, 20, …: one number a channel of the output, the same for every position."""
        return 10 * counting(self.output[:1])

    def forward(self) -> Integers:
        """The output on these numbers."""
        matrix = self.map.matrix(self.w())
        y = ((matrix.T if self.transposed else matrix) @ self.x().reshape(-1)).reshape(self.output)
        return y + self.b().reshape(-1, *(1,) * len(self.output[1:])) if self.layer.bias else y


def counting(shape: Shape) -> Integers:
    """1, 2, 3, … in an array.

    >>> counting((2, 2)).tolist()
    [[1, 2], [3, 4]]
    """
    return np.arange(1, prod(shape) + 1).astype(object).reshape(shape)


def map_of(layer: Conv | ConvTranspose, shape: Shape, output: Shape) -> Map:
    """The linear map beneath a layer that reads `shape` and gives `output`."""
    if isinstance(layer, ConvTranspose):
        windows = tuple(Window(w.kernel_size, w.stride, w.before, w.after, w.dilation) for w in layer.windows(shape))
        kernel = (shape[0], output[0] // layer.groups, *layer.kernel_size)
        return Map(output, shape, kernel, windows, layer.groups)
    kernel = (output[0], shape[0] // layer.groups, *layer.kernel_size)
    return Map(shape, output, kernel, layer.windows(shape), layer.groups, layer.padding_mode)


def fits(layer: Conv | ConvTranspose, shape: Shape, output: Shape) -> bool:
    """Whether the matrices of a layer can be written out."""
    found = map_of(layer, shape, output)
    columns = prod(found.kernel[2:]) * found.wide[0] * prod(found.narrow[1:])
    axes = zip(found.wide[1:], found.narrow[1:], found.windows, strict=True)
    padded = prod(max(i + w.before + w.after, (o - 1) * w.stride + w.kernel_size) for i, o, w in axes)
    return max(prod(shape) * prod(output), columns, prod(found.kernel), padded) <= MOST


def small_layer(layer: Conv | ConvTranspose, shape: Shape, output: Shape) -> SmallLayer | None:
    """The layer itself where it can be written out, else its window on fewer channels and a smaller input.

    The smaller input leaves the same remainder at every stride and gives two positions an axis, or as many as the layer
    has; where two groups of it are too much, it is of one. None where even that is too large. Whatever its weights are
    made of, those that it multiplies with are counted from 1.
    """
    layer = layer.plain
    if fits(layer, shape, output):
        return SmallLayer(layer, shape, output)
    groups = min(layer.groups, CHANNELS)
    outputs, inputs = (min(n // layer.groups, CHANNELS) for n in (output[0], shape[0]))
    taps = prod(layer.kernel_size)
    for count, made, read in ((groups, outputs, inputs), (groups, 1, 1), (1, 1, 1)):
        fewer = layer.model_copy(update={"groups": count, "out_channels": count * made})
        space = _smallest_space(fewer, count * read, shape, output)
        found = SmallLayer(fewer, space, output_shape(fewer, (space,)), whole=False)
        if fits(fewer, space, found.output) and (made == read == 1 or read * taps <= FEW_ROWS):
            return found
    return None


def _smallest_space(layer: Conv | ConvTranspose, channels: int, shape: Shape, output: Shape) -> Shape:
    """The smallest input of the same remainders with two positions an axis, or as many as there are."""
    found = list(shape[1:])
    for axis, sizes in enumerate(_sizes(layer, shape)):
        wanted = 1 if isinstance(layer, ConvTranspose) else min(output[1 + axis], 2)
        for size in islice(sizes, TRIED):
            if _positions(layer, (channels, *found[:axis], size, *found[axis + 1 :]), axis) >= wanted:
                found[axis] = size
                break
    return (channels, *found)


def _sizes(layer: Conv | ConvTranspose, shape: Shape) -> list[range]:
    """The sizes below that of each axis that may do: of the same remainder; two or more before a transposed one."""
    if isinstance(layer, ConvTranspose):
        return [range(min(size, 2), size) for size in shape[1:]]
    found = []
    for size, window in zip(shape[1:], layer.windows(shape), strict=True):
        first = max(effective_kernel(window.kernel_size, window.dilation) - window.before - window.after, 1)
        found.append(range(first + (size - first) % window.stride, size, window.stride))
    return found


def _positions(layer: Conv | ConvTranspose, shape: Shape, axis: int) -> int:
    """Of an axis of its output; none where it has no output: padding takes from that of a transposed convolution."""
    try:
        return output_shape(layer, (shape,))[1 + axis]
    except GeometryError:
        return 0
