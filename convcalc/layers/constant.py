"""A tensor that the network holds and no input feeds: parameter."""

from typing import ClassVar

from ..geometry import AxisLink, RankMismatch
from .base import Count, Flag, Layer, Shape, Shapes, Weight


class Parameter(Layer):
    """A constant tensor of this shape, the same for every example: a class token, a position table, a query.

    It reads nothing, so that it takes no `from`. With `learned: false` it is a buffer: a table or a mask that training
    leaves alone. `repeats` are the sizes of axes before the shape, along which it is the same; inside of `batch_axes`
    these are those of what arrives. Weight: value of the shape.
    Source: torch.nn.Parameter; torch.nn.Module.register_buffer.
    """

    shape: tuple[Count, ...]
    learned: Flag = True
    repeats: tuple[Count, ...] = ()

    arity: ClassVar[tuple[int, int | None]] = (0, 0)
    is_constant: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        return (*self.repeats, *self.shape)

    def repeated(self, arriving: Shape, axes: int) -> "Parameter":
        """The tensor with the first `axes` axes of what arrives before its own.

        >>> Parameter(kind="parameter", shape=(8,)).repeated((4, 6, 8), 1).output_shape(())
        (4, 8)
        """
        if len(arriving) < axes:
            raise RankMismatch(
                f"{self.kind} has batch_axes {axes}, but {list(arriving)} has {len(arriving)} axes",
                hint="batch_axes are those of the input that count as batch, beside the batch itself",
                axes=len(arriving),
            )
        return self.model_copy(update={"repeats": (*arriving[:axes], *self.repeats)})

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return (Weight("value", self.shape, self.learned),)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return (None,) * len(self.output_shape(inputs))
