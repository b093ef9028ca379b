"""Pools that fit their windows to the output: adaptive_avg_pool, adaptive_max_pool (1d, 2d, 3d),
global_avg_pool, global_max_pool.
"""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

from pydantic.functional_validators import BeforeValidator

from ..geometry import AdaptiveWindow, AxisLink, adaptive_taps
from .base import Count, Layer, Operations, Saved, Shape, Shapes, check_space
from .sliding import Sliding, channelwise_links, check_rank, per_axis

Reduction = Literal["avg", "max"]


class AdaptivePool(Sliding):
    """A mean or maximum over windows that spread the input over `output_size` positions:
    `adaptive_avg_pool1d|2d|3d`, `adaptive_max_pool1d|2d|3d`.

    Window j reads the inputs j·i // o … ceil((j + 1)·i / o) − 1; they overlap where o does not divide i.
    `null` for an axis keeps its size.
    Source: torch.nn.AdaptiveAvgPool2d; PyTorch aten/src/ATen/native/AdaptivePooling.h.
    """

    output_size: Annotated[tuple[Count | None, ...], BeforeValidator(per_axis)]

    @property
    def reduction(self) -> Reduction:
        """Mean or maximum."""
        return "max" if "max" in self.kind else "avg"

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_rank(self, shape)
        space = (i if o is None else o for i, o in zip(shape[1:], self.output_size, strict=True))
        return (shape[0], *space)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        sizes = zip(inputs[0][1:], self.output_shape(inputs)[1:], strict=True)
        return channelwise_links(tuple(AdaptiveWindow(i, o) for i, o in sizes))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        taps = prod(adaptive_taps(i, o) for i, o in zip(inputs[0][1:], output[1:], strict=True))
        return {"pooling": output[0] * taps}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return saved_by_adaptive_pool(self.reduction, output)


class GlobalPool(Layer):
    """A mean or maximum over all space, which keeps the axes: `global_avg_pool`, `global_max_pool`.

    Output [channels, 1, ...], for every rank from 1.
    Source: ONNX GlobalAveragePool; keras.layers.GlobalAveragePooling2D with keepdims; torch.nn.AdaptiveAvgPool2d(1).
    """

    @property
    def reduction(self) -> Reduction:
        """Mean or maximum."""
        return "max" if "max" in self.kind else "avg"

    def output_shape(self, inputs: Shapes) -> Shape:
        check_space(self, inputs[0])
        return (inputs[0][0], *(1,) * (len(inputs[0]) - 1))

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return channelwise_links((None,) * (len(inputs[0]) - 1))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"pooling": prod(inputs[0])}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return saved_by_adaptive_pool(self.reduction, output)


def saved_by_adaptive_pool(reduction: Reduction, output: Shape) -> tuple[Saved, ...]:
    """What backward keeps: a mean over everything nothing, other means the input, a maximum its indices too."""
    if reduction == "max":
        return (Saved("input"), Saved("extra", elements=prod(output), bytes=8))
    return (Saved("input"),) if prod(output[1:]) > 1 else ()
