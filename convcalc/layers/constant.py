"""A tensor that the network holds and no input feeds: parameter."""

from __future__ import annotations

from typing import ClassVar

from ..geometry import AxisLink
from .base import Count, Flag, Layer, Shape, Shapes, Weight


class Parameter(Layer):
    """A constant tensor of this shape, the same for every example: a class token, a position table, a query.

    It reads nothing, so that it takes no `from`. With `learned: false` it is a buffer: a table or a mask that training
    leaves alone. Weight: value of the shape. Source: torch.nn.Parameter; torch.nn.Module.register_buffer.
    """

    shape: tuple[Count, ...]
    learned: Flag = True

    arity: ClassVar[tuple[int, int | None]] = (0, 0)
    is_constant: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        return self.shape

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return (Weight("value", self.shape, self.learned),)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return (None,) * len(self.shape)
