"""Layers of single axes, which Keras counts with the batch: what becomes of the order when axes come and go."""

from __future__ import annotations

from collections.abc import Sequence

from ...models.document import Malformed
from ...models.making import Fields
from ..builder import Builder, Unsupported
from ..tensor import Order, Tensor


def without(order: Order, gone: Sequence[int]) -> Order:
    """The order of what is left when axes of the network are gone.

    >>> without((1, 2, 0), [1, 2]), without((1, 2, 0), [0])
    ((0,), (0, 1))
    """
    left = [axis for axis in order if axis not in gone]
    return tuple([axis - sum(other < axis for other in gone) for axis in left])


def with_new(order: Order, place: int) -> tuple[Order, int]:
    """The order with one more axis at a place of Keras's, and where the network has it: behind what stands before it.

    >>> with_new((1, 2, 0), 2), with_new((0, 1), 0)
    (((1, 2, 3, 0), 3), ((0, 1, 2), 0))
    """
    at = order[place - 1] + 1 if place else order[0] if order else 0
    moved = [axis + (axis >= at) for axis in order]
    return (*moved[:place], at, *moved[place:]), at


def reduced(
    builder: Builder, kind: str, tensor: Tensor, axes: Sequence[int] | None, keep: bool, **more: object
) -> Tensor:
    """A reduction of axes; of all but the batch where none are named."""
    if axes is None:
        raise Unsupported("it reduces the batch")
    dims = [builder.axis(tensor, axis) for axis in axes]
    fields: Fields = {"dim": tuple(sorted(dims)), **more}
    if keep:
        fields["keepdim"] = True
    return builder.emit(kind, fields, tensor, order=tensor.order if keep else without(tensor.order, dims))


def unsqueezed(builder: Builder, tensor: Tensor, place: int) -> Tensor:
    """A new axis of size 1 at a place of Keras's, which does not count the batch."""
    if not 0 <= place <= tensor.rank:
        raise Malformed(f"a new axis {place + 1} of a tensor with {tensor.rank + 1} axes")
    order, at = with_new(tensor.order, place)
    return builder.emit("unsqueeze", {"dim": at}, tensor, order=order)


def squeezed(builder: Builder, tensor: Tensor, axes: Sequence[int]) -> Tensor:
    """Axes of size 1 taken away."""
    dims = [builder.axis(tensor, axis) for axis in axes]
    if not dims:
        return builder.emit("identity", {}, tensor)
    return builder.emit("squeeze", {"dim": tuple(sorted(dims))}, tensor, order=without(tensor.order, dims))


def selected(builder: Builder, tensor: Tensor, place: int, index: int) -> Tensor:
    """One position of an axis of Keras's, which is gone then; the batch is not counted."""
    dim = tensor.order[place]
    return builder.emit("select", {"dim": dim, "index": index}, tensor, order=without(tensor.order, [dim]))


def split(builder: Builder, tensor: Tensor, axis: int, sizes: Sequence[int]) -> list[Tensor]:
    """An axis cut into parts."""
    dim = builder.axis(tensor, axis)
    shared: Fields = {"channels": tuple(sizes)}
    if dim:
        shared["dim"] = dim
    return [builder.emit("split", {**shared, "part": part}, tensor) for part in range(len(sizes))]
