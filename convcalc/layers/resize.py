"""Upsampling: the space stretched to a size or by a factor, in every rank; channels stay apart."""

from __future__ import annotations

from fractions import Fraction
from math import floor, prod
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic.functional_validators import BeforeValidator

from ..geometry import (
    AdaptiveWindow,
    AxisLink,
    AxisMap,
    EmptyOutput,
    InvalidWindow,
    RankMismatch,
    Resize,
    WrongArity,
    adaptive_taps,
)
from .base import Count, Flag, Layer, Operations, Saved, Shape, Shapes, check_space
from .spatial import Extent, channelwise_links, form, one_an_axis, space_of_second

Mode = Literal["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"]
RANKS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
"""Modes that serve one rank only."""
AXIS_MODES: dict[str, Literal["nearest", "nearest-exact", "linear", "cubic"]] = {
    "nearest": "nearest",
    "nearest-exact": "nearest-exact",
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
    "bicubic": "cubic",
}


def _exact(value: object) -> object:
    """A whole scale factor as an integer, so that it multiplies exactly; others as float64, as PyTorch has them."""
    if isinstance(value, (list, tuple)):
        return tuple(_exact(item) for item in value)
    if isinstance(value, (float, Fraction)):
        return int(value) if value % 1 == 0 else float(value)
    return value


def _scale_form(value: object) -> str:
    return "whole" if isinstance(value, int) else "number"


Scale = Annotated[
    Annotated[Count, Tag("whole")] | Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False), Tag("number")],
    Discriminator(_scale_form),
]
Scales = Annotated[Annotated[Scale, Tag("number")] | Annotated[tuple[Scale, ...], Tag("list")], Discriminator(form)]


class Upsample(Layer):
    """Stretches (or shrinks) the space to `size`, or by `scale_factor`: floor(i·scale_factor) positions.

    With a second input it takes that one's space, and neither field. A whole factor multiplies exactly, others
    are float64 as in PyTorch (100 by 0.29 gives 28). `nearest`, `nearest-exact` and `area` serve 1 to 3 axes,
    `linear` 1, `bilinear` and `bicubic` 2, `trilinear` 3; `align_corners` changes values, never sizes.
    Source: torch.nn.Upsample, torch.nn.functional.interpolate.
    """

    size: Extent | None = None
    scale_factor: Annotated[Scales | None, BeforeValidator(_exact)] = None
    mode: Mode = "nearest"
    align_corners: Flag | None = None

    arity: ClassVar[tuple[int, int | None]] = (1, 2)

    @property
    def data_inputs(self) -> int:
        return 1

    @model_validator(mode="after")
    def _consistent(self) -> Upsample:
        if self.size is not None and self.scale_factor is not None:
            raise InvalidWindow("upsample takes size or scale_factor, not both")
        if self.align_corners is not None and self.mode not in RANKS:
            raise InvalidWindow(
                f"align_corners does not go with mode '{self.mode}'",
                hint=f"it goes with {', '.join(RANKS)}",
            )
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_space(self, shape)
        axes, rank = len(shape) - 1, RANKS.get(self.mode)
        if axes != rank and (rank is not None or axes > 3):
            fitting = [mode for mode, serves in RANKS.items() if serves == axes]
            raise RankMismatch(
                f"mode '{self.mode}' takes {rank or '1 to 3'} space axes, but {list(shape)} has {axes}",
                hint=f"use {' or '.join(fitting)}" if fitting else None,
                rank=rank,
                axes=axes,
            )
        return (shape[0], *self._space(inputs))

    def _space(self, inputs: Shapes) -> tuple[int, ...]:
        shape = inputs[0]
        if len(inputs) == 2:
            if self.size is not None or self.scale_factor is not None:
                raise WrongArity("upsample takes size or scale_factor or a second input, one of them", count=2)
            return space_of_second(self, inputs)
        if self.size is not None:
            return one_an_axis(self, "size", self.size, shape)
        if self.scale_factor is None:
            raise WrongArity(
                "upsample needs size, scale_factor or a second input whose space it takes",
                hint="write 'scale_factor: 2', or 'from: [a, b]'",
                count=1,
            )
        scales = one_an_axis(self, "scale_factor", self.scale_factor, shape)
        space = tuple(
            size * scale if isinstance(scale, int) else floor(float(size) * scale)
            for size, scale in zip(shape[1:], scales, strict=True)
        )
        if 0 in space:
            raise EmptyOutput(
                f"scaled by {', '.join(map(str, scales))}, {list(shape[1:])} becomes {list(space)}: nothing is left",
                size=shape[1:],
                scale_factor=scales,
            )
        return space

    def growth_steps(self, inputs: Shapes, output: Shape) -> tuple[tuple[int | None, Fraction | int], ...]:
        """By a scale factor an output grows by whole positions where its axis grows by the inverse."""
        if self.scale_factor is None:
            return ()
        axes = range(1, len(inputs[0]))
        scales = self.scale_factor if isinstance(self.scale_factor, tuple) else (self.scale_factor,) * len(axes)
        fractions = (Fraction(scale).limit_denominator(1000) for scale in scales)
        return tuple((axis, 1 / scale) for axis, scale in zip(axes, fractions, strict=False))

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        sizes = zip(inputs[0][1:], self._space(inputs), strict=True)
        if self.mode == "area":
            return channelwise_links(tuple(AdaptiveWindow(i, o) for i, o in sizes))
        given: tuple[float | None, ...] = (None,) * (len(inputs[0]) - 1)
        if self.scale_factor is not None:
            given = one_an_axis(self, "scale_factor", self.scale_factor, inputs[0])
        maps: list[AxisMap] = []
        for (i, o), scale in zip(sizes, given, strict=True):
            by_sizes = scale is None or (self.mode == "nearest" and len(given) == 2 and o in (i, 2 * i))
            factor = None if scale is None or by_sizes else float(scale)
            maps.append(Resize(i, o, AXIS_MODES[self.mode], bool(self.align_corners), factor))
        return channelwise_links(tuple(maps))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        if self.mode == "area":
            taps = prod(adaptive_taps(i, o) for i, o in zip(inputs[0][1:], output[1:], strict=True))
            return {"pooling": output[0] * taps}
        taps = {"nearest": 1, "nearest-exact": 1, "linear": 2, "cubic": 4}[AXIS_MODES[self.mode]]
        each = 2 * taps ** (len(output) - 1) - 1
        return {"interpolation": each * prod(output)} if taps > 1 else {}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),) if self.mode == "area" and prod(output[1:]) > 1 else ()
