"""Layers that cut, repeat and move along axes: roll, flip, expand, slice, select, unbind, squeeze, unsqueeze, stack,
tile, repeat_interleave, index_select.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import isqrt, prod
from typing import Annotated, ClassVar

from pydantic import Field, model_validator
from pydantic.functional_validators import BeforeValidator

from ..geometry import (
    IDENTITY,
    LIMIT,
    AxisLink,
    ChannelMismatch,
    EmptyOutput,
    InvalidWindow,
    RankMismatch,
    Resize,
    UnequalInputs,
    Window,
)
from .base import Axis, Count, Integer, Layer, Part, Saved, Shape, Shapes, Size, resolve_axis

Links = tuple[AxisLink | None, ...]


def as_list(value: object) -> object:
    """One value stands for a list of one."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


Dims = Annotated[tuple[Axis, ...], Field(min_length=1), BeforeValidator(as_list)]
"""One axis, or several. Axes exclude the batch: 0 is the channels, −1 the last."""


def resolve_axes(layer: Layer, field: str, dims: tuple[int, ...], shape: Shape) -> tuple[int, ...]:
    """The axes counted from the front; raises `InvalidWindow` where one stands twice."""
    found = tuple(resolve_axis(layer, field, dim, shape) for dim in dims)
    if len(set(found)) < len(found):
        raise InvalidWindow(
            f"{layer.kind} has {field} {list(dims)}, which name an axis of {list(shape)} twice", dims=dims
        )
    return found


def _kept(shape: Shape) -> list[AxisLink | None]:
    """Links of axes that all stay."""
    return [AxisLink(axis, IDENTITY) for axis in range(len(shape))]


class Roll(Layer):
    """Moves the numbers along axes, and what leaves at the end comes in at the start.

    `shifts` and `dims` are one number each, or lists of one length. Swin moves its windows so.
    Source: torch.roll; Liu et al. 2021, arXiv:2103.14030.
    """

    shifts: Annotated[tuple[Integer, ...], Field(min_length=1), BeforeValidator(as_list)]
    dims: Dims

    @model_validator(mode="after")
    def _one_an_axis(self) -> "Roll":
        if len(self.shifts) != len(self.dims):
            raise InvalidWindow(
                f"roll has shifts {list(self.shifts)} for dims {list(self.dims)}",
                hint="one shift an axis",
                shifts=self.shifts,
                dims=self.dims,
            )
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        resolve_axes(self, "dims", self.dims, inputs[0])
        return inputs[0]

    def axes(self, inputs: Shapes) -> Links:
        """As padding with what lies at the other end: the positions that it fills count as before the first."""
        shape = inputs[0]
        links = _kept(shape)
        for axis, shift in zip(resolve_axes(self, "dims", self.dims, shape), self.shifts, strict=True):
            moved = shift % shape[axis]
            links[axis] = AxisLink(axis, Window(before=moved, after=-moved))
        return tuple(links)


class Flip(Layer):
    """The numbers along each of `dims` in reverse. Source: torch.flip."""

    dims: Dims

    def output_shape(self, inputs: Shapes) -> Shape:
        resolve_axes(self, "dims", self.dims, inputs[0])
        return inputs[0]

    def axes(self, inputs: Shapes) -> Links:
        """No receptive field is followed along an axis that runs backwards: it counts as seen whole."""
        links = _kept(inputs[0])
        for axis in resolve_axes(self, "dims", self.dims, inputs[0]):
            links[axis] = AxisLink(axis, None)
        return tuple(links)


class Expand(Layer):
    """Repeats axes of size 1 without copying them; −1 keeps an axis. The shape may have more axes in front.

    The shape excludes the batch. Source: torch.Tensor.expand.
    """

    shape: tuple[Annotated[int, Field(strict=True, ge=-1, le=LIMIT)], ...] = Field(min_length=1)

    is_view: ClassVar[bool] = True

    @model_validator(mode="after")
    def _no_empty_axis(self) -> "Expand":
        if 0 in self.shape:
            raise InvalidWindow(f"the shape {list(self.shape)} must have sizes of at least 1, or -1", shape=self.shape)
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        shape, wanted = inputs[0], self.shape
        absent = len(wanted) - len(shape)
        if absent < 0 or -1 in wanted[:absent]:
            raise RankMismatch(
                f"expand to {list(wanted)} of {list(shape)}, which has {len(shape)} axes",
                hint="-1 keeps an axis that is there; new axes stand in front, with their sizes",
                axes=len(shape),
            )
        for axis, (size, asked) in enumerate(zip(shape, wanted[absent:], strict=True)):
            if asked not in (-1, size) and size != 1:
                raise ChannelMismatch(
                    f"expand to {list(wanted)} of {list(shape)}: axis {axis} is {size}, and only 1 can be repeated",
                    hint="tile repeats whole tensors, repeat_interleave each position",
                    shape=shape,
                )
        kept = tuple(size if asked == -1 else asked for size, asked in zip(shape, wanted[absent:], strict=True))
        return wanted[:absent] + kept

    def axes(self, inputs: Shapes) -> Links:
        """An axis that is repeated is seen whole: its one position."""
        absent, output = len(self.shape) - len(inputs[0]), self.output_shape(inputs)
        kept = (
            AxisLink(axis, IDENTITY if output[axis + absent] == size else None) for axis, size in enumerate(inputs[0])
        )
        return (*(None,) * absent, *kept)


class Slice(Layer):
    """The positions start, start + step, … before stop of an axis, as Python counts: −1 is the last.

    Without `stop` it goes to the end; positions beyond it are none. Source: x[..., start:stop:step].
    """

    dim: Axis = 0
    start: Integer = 0
    stop: Integer | None = None
    step: Count = 1

    is_view: ClassVar[bool] = True

    def _range(self, shape: Shape) -> tuple[int, range]:
        """The axis, and its positions that are taken."""
        axis = resolve_axis(self, "dim", self.dim, shape)
        found = range(*slice(self.start, self.stop, self.step).indices(shape[axis]))
        if not found:
            end = "the end" if self.stop is None else self.stop
            raise EmptyOutput(
                f"slice from {self.start} to {end} leaves nothing of axis {axis}: {shape[axis]}", size=shape[axis]
            )
        return axis, found

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        axis, found = self._range(shape)
        return (*shape[:axis], len(found), *shape[axis + 1 :])

    def axes(self, inputs: Shapes) -> Links:
        shape = inputs[0]
        axis, found = self._range(shape)
        links = _kept(shape)
        links[axis] = AxisLink(axis, Window(1, self.step, -found[0], found[-1] + 1 - shape[axis]))
        return tuple(links)

    def growth_steps(self, inputs: Shapes, output: Shape) -> tuple[tuple[int | None, Fraction | int], ...]:
        """An axis of which a fixed number of positions is taken does not grow evenly with its input's."""
        found = super().growth_steps(inputs, output)
        if self.start >= 0 and (self.stop is None or self.stop < 0):
            return found
        axis = resolve_axis(self, "dim", self.dim, inputs[0])
        return tuple(step for step in found if step[0] != axis)


class Select(Layer):
    """One position of an axis, which is gone then; −1 is the last. Source: torch.select."""

    dim: Axis
    index: Integer

    is_view: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        axis = resolve_axis(self, "dim", self.dim, shape)
        if not -shape[axis] <= self.index < shape[axis]:
            raise EmptyOutput(
                f"select takes position {self.index} of axis {axis}, which has {shape[axis]}: {list(shape)}",
                hint=f"from 0 to {shape[axis] - 1}, or from the end: -1 to -{shape[axis]}",
                index=self.index,
                size=shape[axis],
            )
        return shape[:axis] + shape[axis + 1 :]

    def axes(self, inputs: Shapes) -> Links:
        links = _kept(inputs[0])
        del links[resolve_axis(self, "dim", self.dim, inputs[0])]
        return tuple(links)


class Unbind(Layer):
    """Takes an axis apart into its positions, `parts` of them; the axis is gone, and this node is number `part`.

    Queries, keys and values that one linear layer gives are taken apart so. Axes exclude the batch.
    Source: torch.unbind.
    """

    parts: Count
    dim: Axis = 0
    part: Size = 0

    is_view: ClassVar[bool] = True
    splits: ClassVar[bool] = True

    @property
    def part_of(self) -> Part:
        return Part(self.part, self.parts)

    @model_validator(mode="after")
    def _part_exists(self) -> "Unbind":
        if self.part >= self.parts:
            raise InvalidWindow(f"part {self.part} of an axis of {self.parts}", part=self.part)
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        axis = resolve_axis(self, "dim", self.dim, shape)
        if shape[axis] != self.parts:
            raise ChannelMismatch(
                f"unbind into {self.parts} parts of axis {axis} of {list(shape)}, which has {shape[axis]}",
                hint=f"parts: {shape[axis]}",
                parts=self.parts,
                shape=shape,
            )
        return (*shape[:axis], *shape[axis + 1 :])

    def axes(self, inputs: Shapes) -> Links:
        links = _kept(inputs[0])
        del links[resolve_axis(self, "dim", self.dim, inputs[0])]
        return tuple(links)


class Squeeze(Layer):
    """Takes axes of size 1 away. Source: torch.squeeze."""

    dim: Dims

    is_view: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        gone = resolve_axes(self, "dim", self.dim, shape)
        for axis in gone:
            if shape[axis] != 1:
                raise ChannelMismatch(
                    f"squeeze takes axes of size 1 away, and axis {axis} of {list(shape)} is {shape[axis]}",
                    hint="select takes one position of an axis, mean the mean of all",
                    axis=axis,
                    shape=shape,
                )
        return tuple(size for axis, size in enumerate(shape) if axis not in gone)

    def axes(self, inputs: Shapes) -> Links:
        gone = resolve_axes(self, "dim", self.dim, inputs[0])
        return tuple(link for axis, link in enumerate(_kept(inputs[0])) if axis not in gone)


def _new_axis(layer: Layer, dim: int, shape: Shape) -> int:
    """Where a new axis stands among those of the output."""
    return resolve_axis(layer, "dim", dim, (*shape, 1))


class Unsqueeze(Layer):
    """A new axis of size 1, number `dim` of the output. Source: torch.unsqueeze."""

    dim: Axis

    is_view: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        at = _new_axis(self, self.dim, shape)
        return (*shape[:at], 1, *shape[at:])

    def axes(self, inputs: Shapes) -> Links:
        links = _kept(inputs[0])
        at = _new_axis(self, self.dim, inputs[0])
        return (*links[:at], None, *links[at:])


class Stack(Layer):
    """Inputs of one shape under a new axis, number `dim` of the output. Source: torch.stack."""

    dim: Axis = 0

    arity: ClassVar[tuple[int, int | None]] = (1, None)
    joins: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        first = inputs[0]
        for which, shape in enumerate(inputs):
            if shape != first:
                hint = "a stack's inputs have one shape; concat joins along an axis that is there"
                raise UnequalInputs(self.kind, 0, first, which, shape, "their shapes differ", hint=hint)
        at = _new_axis(self, self.dim, first)
        return (*first[:at], len(inputs), *first[at:])

    def axes(self, inputs: Shapes) -> Links:
        links = _kept(inputs[0])
        at = _new_axis(self, self.dim, inputs[0])
        return (*links[:at], None, *links[at:])


class Tile(Layer):
    """The whole tensor repeated along its axes, so often as `reps` says of each, the last ones where it has fewer.

    More than the tensor has axes make new ones in front. Source: torch.tile.
    """

    reps: Annotated[tuple[Count, ...], Field(min_length=1), BeforeValidator(as_list)]

    def _times(self, shape: Shape) -> tuple[Shape, Shape]:
        """The shape with the axes that are new, and the repetitions of each axis."""
        rank = max(len(shape), len(self.reps))
        return (1,) * (rank - len(shape)) + shape, (1,) * (rank - len(self.reps)) + self.reps

    def output_shape(self, inputs: Shapes) -> Shape:
        return tuple(size * times for size, times in zip(*self._times(inputs[0]), strict=True))

    def axes(self, inputs: Shapes) -> Links:
        """An axis that is repeated has no single place for a position: it counts as seen whole."""
        shape, times = self._times(inputs[0])
        absent = len(shape) - len(inputs[0])
        return tuple(
            None if axis < absent else AxisLink(axis - absent, IDENTITY if count == 1 else None)
            for axis, count in enumerate(times)
        )


class RepeatInterleave(Layer):
    """Each position of an axis `repeats` times in a row. Source: torch.repeat_interleave."""

    repeats: Count
    dim: Axis

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        axis = resolve_axis(self, "dim", self.dim, shape)
        return (*shape[:axis], shape[axis] * self.repeats, *shape[axis + 1 :])

    def axes(self, inputs: Shapes) -> Links:
        links = _kept(inputs[0])
        axis = resolve_axis(self, "dim", self.dim, inputs[0])
        size = inputs[0][axis]
        links[axis] = AxisLink(axis, Resize(size, size * self.repeats))
        return tuple(links)


class IndexSelect(Layer):
    """The positions `indices` of an axis, in their order; or `count` of them, where it is not said which.

    `relative` is the size of a window of tokens: the axis is a table of all offsets between two of them, and taken is,
    for each pair of tokens p and q in the order of their rows, the entry of p − q. Swin's bias is read so. Of `count`
    positions the reference takes the first ones, again and again.
    Source: torch.index_select; Liu et al. 2021, arXiv:2103.14030, section 3.2.
    """

    dim: Axis
    indices: tuple[Integer, ...] | None = None
    count: Count | None = None
    relative: Annotated[tuple[Count, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "IndexSelect":
        if [self.indices, self.count, self.relative].count(None) != 2:
            raise InvalidWindow(
                "index_select takes one of indices, relative (the size of a window) and count (of what is not said)"
            )
        if self.indices == ():
            raise InvalidWindow("indices must name at least one position")
        return self

    @property
    def positions(self) -> tuple[int, ...] | None:
        """The positions that it takes; None where that is not said."""
        return self.indices if self.relative is None else relative_positions(self.relative)

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        axis = resolve_axis(self, "dim", self.dim, shape)
        taken, size = self.count or 0, shape[axis]
        if self.indices is not None:
            taken = len(self.indices)
            beyond = [index for index in self.indices if not -size <= index < size]
            if beyond:
                raise EmptyOutput(
                    f"index_select takes position {beyond[0]} of axis {axis}, which has {size}: {list(shape)}",
                    hint=f"from 0 to {size - 1}, or from the end: -1 to -{size}",
                    index=beyond[0],
                    size=size,
                )
        if self.relative is not None:
            taken, offsets = prod(self.relative) ** 2, prod(2 * side - 1 for side in self.relative)
            if offsets != size:
                raise EmptyOutput(
                    f"a window of {list(self.relative)} has {offsets} offsets; axis {axis} has {size}: {list(shape)}",
                    hint="the product of 2·side − 1",
                    offsets=offsets,
                    size=size,
                )
        return (*shape[:axis], taken, *shape[axis + 1 :])

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        """Which positions it took, as integers of 8 bytes."""
        taken = output[resolve_axis(self, "dim", self.dim, inputs[0])]
        return (Saved("extra", elements=taken, bytes=8, batched=False),)

    def axes(self, inputs: Shapes) -> Links:
        """Its positions are in any order: the axis counts as seen whole."""
        links = _kept(inputs[0])
        axis = resolve_axis(self, "dim", self.dim, inputs[0])
        links[axis] = AxisLink(axis, None)
        return tuple(links)


def relative_positions(window: tuple[int, ...]) -> tuple[int, ...]:
    """For each two positions of a window, in the order of rows, where the offset between them stands in a table of all.

    The table's first entry is that from the first position to the last one.
    Source: Liu et al. 2021, arXiv:2103.14030, section 3.2.

    >>> relative_positions((2,)), relative_positions((1, 2))
    ((1, 0, 2, 1), (1, 0, 2, 1))
    """
    places = list(product(*map(range, window)))
    return tuple(_offset(one, other, window) for one in places for other in places)


def _offset(one: tuple[int, ...], other: tuple[int, ...], window: tuple[int, ...]) -> int:
    """Where the offset between two positions stands."""
    index = 0
    for own, from_, side in zip(one, other, window, strict=True):
        index = index * (2 * side - 1) + own - from_ + side - 1
    return index


def relative_window(positions: Sequence[int], offsets: int) -> tuple[int, ...] | None:
    """The window of one or two axes whose relative positions these are, of a table of so many offsets; None for others.

    >>> relative_window((1, 0, 2, 1), 3), relative_window((0, 1, 2, 1), 3)
    ((2,), None)
    """
    tokens = isqrt(len(positions))
    if tokens**2 != len(positions) or not tokens:
        return None
    windows: list[tuple[int, ...]] = [(tokens,)]
    windows += [(side, tokens // side) for side in range(2, tokens) if tokens % side == 0]
    fitting = (window for window in windows if prod(2 * side - 1 for side in window) == offsets)
    return next((window for window in fitting if relative_positions(window) == tuple(positions)), None)
