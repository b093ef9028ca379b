"""What several families of Keras's layers share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...geometry import adaptive_step, same_padding
from ...layers.kind_table import Refused
from ..program import Argument, Call, Inline, Step, keywords, positional, scalar
from ..windows import Pads, split_pads

if TYPE_CHECKING:
    from ...layers.base import Layer, Reduction, Shape, Shapes
    from ...layers.conv import Conv, SeparableConv
    from ...layers.join import Split
    from ...layers.layout import Slice
    from ...layers.pool import MaxPool

Order = tuple[int, ...]


class Mapped(NamedTuple):
    """What a layer becomes, and the order of its output."""

    steps: list[Step]
    order: Order


Mapper = Callable[..., Mapped]
"""(layer, input shapes, output shape, input orders) -> steps and output order. Raises `Refused`."""


Steps = Callable[..., list[Step]]
"""(layer, input shapes, output shape) -> the steps, from channels last to channels last. Raises `Refused`."""


NAME = Argument("name", "")
"""The path of a layer with weights: written where the layer stands."""


def is_named(call: Call) -> bool:
    """Whether a layer carries a path of the spec: it is the one that holds weights.

    >>> is_named(Call("layers.ZeroPadding2D")), is_named(Call("layers.PReLU", (NAME,)))
    (False, True)
    """
    return NAME in call.arguments


def channels_last(axes: int) -> Order:
    """The order of images and sequences.

    >>> channels_last(3), channels_last(1)
    ((1, 2, 0), (0,))
    """
    return (*range(1, axes), 0) if axes else ()


def permuted(have: Order, want: Order) -> list[Step]:
    """The step that brings one order into another, if one is needed.

    >>> permuted((1, 2, 0), (0, 1, 2))[0].arguments[0].value
    (3, 1, 2)
    """
    if have == want:
        return []
    dims = tuple(have.index(axis) + 1 for axis in want)
    return [Call("layers.Permute", (Argument("dims", dims, positional=True),))]


def sides_of(pads: Pads) -> object:
    """Keras's padding argument: one number where all sides agree."""
    sides = {side for pair in pads for side in pair}
    return sides.pop() if len(sides) == 1 else pads[0] if len(pads) == 1 else pads


def says_same(pads: Pads, layer: Conv | SeparableConv | MaxPool, shape: Shape) -> bool:
    """Whether these pads are Keras's `same` for an input of any size, as with strides of 1 or windows of 1."""
    windows = list(zip(shape[1:], layer.windows(shape), strict=True))
    points = all(window.kernel_size == 1 for _, window in windows)
    return (points or set(layer.stride) == {1}) and pads == tuple(
        same_padding(i, w.kernel_size, 1, w.dilation) for i, w in windows
    )


def bordered(pads: Pads, mode: str, value: float = 0.0) -> list[Step]:
    """Padding and cropping."""
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if not any(map(any, pads)):
        return []
    if mode in names:
        return [Inline("bordered({0}, {pads}, {mode})", keywords(pads=pads, mode=names[mode]))]
    grown, cut = split_pads(pads)
    steps: list[Step] = []
    if any(map(any, grown)):
        if value == 0:
            steps.append(Call(f"layers.ZeroPadding{len(pads)}D", positional(padding=sides_of(grown))))
        else:
            sides = ((0, 0), *grown, (0, 0))
            template = "ops.pad({0}, {pads}, constant_values={value})"
            steps.append(Inline(template, keywords(pads=sides, value=float(value))))
    if any(map(any, cut)):
        steps.append(Call(f"layers.Cropping{len(pads)}D", positional(cropping=sides_of(cut))))
    return steps


def check_rank(shape: Shape) -> None:
    if not 2 <= len(shape) <= 4:
        raise Refused(f"Keras works on 1 to 3 space axes, not on {len(shape) - 1}")


def spread(reduction: Reduction, shape: Shape, output: Shape) -> list[Step]:
    """A pool that spreads space over an output."""
    check_rank(shape)
    name, rank = {"avg": "Average", "max": "Max"}[reduction], len(shape) - 1
    if set(output[1:]) == {1}:
        return [Call(f"layers.Global{name}Pooling{rank}D", keywords(keepdims=True))]
    kernel = [adaptive_step(size, wanted) for size, wanted in zip(shape[1:], output[1:], strict=True)]
    if None not in kernel:
        return [Call(f"layers.{name}Pooling{rank}D", keywords(pool_size=scalar(kernel)))]
    reduce = {"avg": "ops.mean", "max": "ops.max"}[reduction]
    return [Inline(f"adaptive_pool({{0}}, {{sizes}}, {reduce})", keywords(sizes=output[1:]))]


def over_space(mapper: Steps) -> Mapper:
    """A layer that takes and gives channels last."""

    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        before = permuted(orders[0], channels_last(len(inputs[0])))
        return Mapped([*before, *mapper(layer, inputs, output)], channels_last(len(output)))

    return map_


def elementwise(make: Callable[..., Step]) -> Mapper:
    """A layer of every element on its own, in whatever order."""

    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        return Mapped([make(layer)], orders[0])

    return map_


def with_last(order: Order, axis: int) -> Order:
    """The order itself where this axis is its last, else one that has it last."""
    others = (other for other in sorted(order) if other != axis)
    return order if order[-1] == axis else (*others, axis)


def in_order(number: int, have: Order, want: Order) -> str:
    """An input in the order that is wanted, as it stands in an expression."""
    step = permuted(have, want)
    return f"layers.Permute({step[0].arguments[0].value})({{{number}}})" if step else f"{{{number}}}"


def place_of(order: Order, axis: int) -> int:
    """Keras's number of an axis, counted from the end where it is the last."""
    place = order.index(axis) + 1
    return -1 if place == len(order) else place


def natural_order(axes: int) -> Order:
    """The order of the network itself."""
    return tuple(range(axes))


def naturally(mapper: Steps) -> Mapper:
    """A layer on axes in the order of the network; the steps' first expression reads the inputs so."""

    def map_(layer: Layer, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
        first, *rest = mapper(layer, inputs, output)
        texts = [in_order(number, order, natural_order(len(order))) for number, order in enumerate(orders)]
        return Mapped([reading(first, texts), *rest], natural_order(len(output)))

    return map_


def reading(step: Step, texts: Sequence[str]) -> Step:
    """A step that reads these expressions in place of its inputs."""

    def put_in(text: str) -> str:
        return re.sub(r"\{(\d+)\}", lambda found: texts[int(found[1])], text)

    if isinstance(step, Call):
        return step._replace(reads=tuple(map(put_in, step.reads)))
    return step._replace(template=put_in(step.template))


def along_axis(layer: Split | Slice, shape: Shape) -> int:
    """Keras's number of the axis along which a layer works."""
    return layer.dim % len(shape) + 1


def aligned(number: int, have: int, want: int) -> str:
    """Input `number` of so many axes with as many as wanted: new ones stand behind the batch."""
    if have == want:
        return f"{{{number}}}"
    return f"ops.expand_dims({{{number}}}, {tuple(range(1, 1 + want - have))})"
