"""Layers that cut, repeat and move along axes: roll, flip, expand, slice, select, squeeze, unsqueeze, stack, tile,
repeat_interleave, index_select.
"""

from __future__ import annotations

from fractions import Fraction
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
from .base import Axis, Count, Integer, Layer, Saved, Shape, Shapes, resolve_axis

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
    def _one_an_axis(self) -> Roll:
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
    def _no_empty_axis(self) -> Expand:
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

    A table of relative positions is read so. Of `count` positions the reference takes the first ones, again and again.
    Source: torch.index_select.
    """

    dim: Axis
    indices: tuple[Integer, ...] | None = None
    count: Count | None = None

    @model_validator(mode="after")
    def _one_way(self) -> IndexSelect:
        if (self.indices is None) == (self.count is None):
            raise InvalidWindow("index_select takes indices, or the count of them where it is not said which")
        if self.indices == ():
            raise InvalidWindow("indices must name at least one position")
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        axis = resolve_axis(self, "dim", self.dim, shape)
        beyond = [index for index in self.indices or () if not -shape[axis] <= index < shape[axis]]
        if beyond:
            raise EmptyOutput(
                f"index_select takes position {beyond[0]} of axis {axis}, which has {shape[axis]}: {list(shape)}",
                hint=f"from 0 to {shape[axis] - 1}, or from the end: -1 to -{shape[axis]}",
                index=beyond[0],
                size=shape[axis],
            )
        taken = len(self.indices) if self.indices is not None else self.count or 0
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
