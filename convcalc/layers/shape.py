"""Layers that only rearrange axes: flatten, reshape, permute, identity, all views; and those that pass their input on
outside training: dropout, stochastic_depth.
"""

from fractions import Fraction
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ..geometry import IDENTITY, LIMIT, AxisLink, GeometryError, InvalidWindow, RankMismatch
from .base import Axis, Layer, Saved, Shape, Shapes, resolve_axis

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Dropout(Layer):
    """Zeroes elements with probability p in training. Keeps the shape; costs nothing at inference.

    Source: torch.nn.Dropout.
    """

    p: Probability = 0.5

    asleep: ClassVar[bool] = True

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("extra", elements=prod(output)),) if self.p > 0 else ()


class StochasticDepth(Layer):
    """Drops whole examples (`row`) or the whole batch (`batch`) of a residual branch with probability p.

    Source: Huang et al. 2016, arXiv:1603.09382; torchvision.ops.StochasticDepth.
    """

    p: Probability
    mode: Literal["row", "batch"] = "row"

    asleep: ClassVar[bool] = True

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("extra", elements=1, batched=self.mode == "row"),) if self.p > 0 else ()


class Flatten(Layer):
    """Merges the axes start_dim … end_dim into one; by default all, so [512, 7, 7] becomes [25088].

    Axes exclude the batch: 0 is the channels (PyTorch counts the batch and starts at 1).
    Source: torch.nn.Flatten.
    """

    start_dim: Axis = 0
    end_dim: Axis = -1

    is_view: ClassVar[bool] = True
    ends_features: ClassVar[bool] = True

    def _span(self, shape: Shape) -> tuple[int, int]:
        """[start, stop) of the merged axes."""
        start = resolve_axis(self, "start_dim", self.start_dim, shape)
        stop = resolve_axis(self, "end_dim", self.end_dim, shape) + 1
        if start >= stop:
            raise RankMismatch(
                f"flatten from axis {start} to axis {stop - 1} of {list(shape)} merges nothing",
                hint="start_dim must not come after end_dim",
                start=start,
                end=stop - 1,
            )
        return start, stop

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        start, stop = self._span(shape)
        return (*shape[:start], prod(shape[start:stop]), *shape[stop:])

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        start, stop = self._span(inputs[0])
        merged = AxisLink(start, IDENTITY) if stop == start + 1 else None
        links = tuple(AxisLink(axis, IDENTITY) for axis in range(len(inputs[0])))
        return (*links[:start], merged, *links[stop:])


class Reshape(Layer):
    """The same numbers under another shape; one entry may be −1 and follows from the rest.

    The shape excludes the batch; [] is that of one number. Source: torch.Tensor.reshape.
    """

    shape: tuple[Annotated[int, Field(strict=True, ge=-1, le=LIMIT)], ...]

    is_view: ClassVar[bool] = True
    ends_features: ClassVar[bool] = True

    @model_validator(mode="after")
    def _one_unknown(self) -> "Reshape":
        if self.shape.count(-1) > 1 or 0 in self.shape:
            raise InvalidWindow(
                f"the shape {list(self.shape)} must have sizes of at least 1 and at most one -1", shape=self.shape
            )
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        total = prod(inputs[0])
        known = prod(size for size in self.shape if size != -1)
        if total % known or (known != total and -1 not in self.shape):
            raise GeometryError(
                f"the {total} numbers of {list(inputs[0])} do not fit the shape {list(self.shape)}",
                hint="write -1 for the size that follows from the others" if total % known == 0 else None,
                numbers_in=total,
                numbers_out=known,
            )
        return tuple(total // known if size == -1 else size for size in self.shape)

    def growth_steps(self, inputs: Shapes, output: Shape) -> tuple[tuple[int | None, Fraction | int], ...]:
        """The size that follows from the others grows by one where the product grows by theirs."""
        known = (None, prod(size for size in self.shape if size != -1))
        return (known, *super().growth_steps(inputs, output))

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        """Axes before the first and after the last that change are kept; no single axis feeds the others."""
        before, after = inputs[0], self.output_shape(inputs)
        shorter = min(len(before), len(after))
        front = next((axis for axis in range(shorter) if before[axis] != after[axis]), shorter)
        back = next((n for n in range(shorter - front) if before[-1 - n] != after[-1 - n]), shorter - front)
        shift = len(before) - len(after)
        return tuple(
            AxisLink(axis, IDENTITY)
            if axis < front
            else AxisLink(axis + shift, IDENTITY)
            if axis >= len(after) - back
            else None
            for axis in range(len(after))
        )


class Permute(Layer):
    """The axes in another order: output axis n is input axis dims[n]. Axes exclude the batch.

    [768, 7, 7] under `dims: [1, 2, 0]` becomes [7, 7, 768]. Source: torch.permute.
    """

    dims: tuple[Axis, ...] = Field(min_length=1)

    is_view: ClassVar[bool] = True

    @model_validator(mode="after")
    def _is_permutation(self) -> "Permute":
        if sorted(self.order) != list(range(len(self.dims))):
            raise InvalidWindow(
                f"dims {list(self.dims)} must name each of the axes 0 to {len(self.dims) - 1} once",
                hint="axes exclude the batch: 0 is the channels",
                dims=self.dims,
            )
        return self

    @property
    def order(self) -> tuple[int, ...]:
        """`dims` counted from the front."""
        axes = len(self.dims)
        return tuple(dim + axes if dim < 0 else dim for dim in self.dims)

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        if len(shape) != len(self.dims):
            raise RankMismatch(
                f"permute has dims {list(self.dims)} for {len(self.dims)} axes, but {list(shape)} has {len(shape)}",
                hint="axes exclude the batch: 0 is the channels",
                dims=self.dims,
                axes=len(shape),
            )
        return tuple(shape[axis] for axis in self.order)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return tuple(AxisLink(axis, IDENTITY) for axis in self.order)


class Identity(Layer):
    """Passes its input on. Source: torch.nn.Identity."""

    is_view: ClassVar[bool] = True
