"""Keras: what moves, cuts and repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from ..program import UNSAID, Call, Inline, Step, keywords, positional
from .common import Mapped, Mapper, Order, aligned, along_axis, elementwise, naturally, permuted

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.layout import (
        Expand,
        Flip,
        IndexSelect,
        RepeatInterleave,
        Roll,
        Select,
        Slice,
        Squeeze,
        Stack,
        Tile,
        Unbind,
        Unsqueeze,
    )
    from ...layers.shape import Dropout, Flatten, Permute, Reshape, StochasticDepth


def _dropout(layer: Dropout) -> Step:
    return Call("layers.Dropout", positional(rate=layer.p))


def _reshape(layer: Flatten | Reshape, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    """Numbers are read with the channels first; one axis alone that is longer than 1 has no other order."""
    plain = tuple(range(len(inputs[0])))
    before = permuted(orders[0], plain) if sum(size > 1 for size in inputs[0]) > 1 else []
    shaped: Step = (
        Call("layers.Flatten") if len(output) == 1 else Call("layers.Reshape", positional(target_shape=output))
    )
    return Mapped([*before, shaped], tuple(range(len(output))))


def _permute(layer: Permute, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    return Mapped([Inline("{0}")], tuple(layer.order.index(axis) for axis in orders[0]))


def _stochastic_depth(layer: StochasticDepth, inputs: Shapes, output: Shape, orders: list[Order]) -> Mapped:
    shape = (None if layer.mode == "row" else 1, *(1,) * len(output))
    return Mapped([Call("layers.Dropout", (*positional(rate=layer.p), *keywords(noise_shape=shape)))], orders[0])


def _roll(layer: Roll, inputs: Shapes, output: Shape) -> list[Step]:
    dims = tuple(dim % len(output) + 1 for dim in layer.dims)
    return [Inline("ops.roll({0}, {shifts}, {dims})", keywords(shifts=layer.shifts, dims=dims))]


def _flip(layer: Flip, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("ops.flip({0}, {dims})", keywords(dims=tuple(dim % len(output) + 1 for dim in layer.dims)))]


def _repeated(layer: Expand, inputs: Shapes, output: Shape) -> list[Step]:
    read = (1,) * (len(output) - len(inputs[0])) + inputs[0]
    times = (1, *(size if have != size else 1 for have, size in zip(read, output, strict=True)))
    return [Inline(f"ops.tile({aligned(0, len(inputs[0]), len(output))}, {{times}})", keywords(times=times))]


def _tile(layer: Tile, inputs: Shapes, output: Shape) -> list[Step]:
    times = (1,) * (len(output) + 1 - len(layer.reps)) + layer.reps
    return [Inline(f"ops.tile({aligned(0, len(inputs[0]), len(output))}, {{times}})", keywords(times=times))]


def _slice(layer: Slice, inputs: Shapes, output: Shape) -> list[Step]:
    axis = along_axis(layer, output)
    start, stop, step = slice(layer.start, layer.stop, layer.step).indices(inputs[0][axis - 1])
    arguments = keywords(start=start, stop=stop, step=step)
    return [Inline(f"{{0}}[{':, ' * axis}{{start}}:{{stop}}:{{step}}]", arguments)]


def _select(layer: Select, inputs: Shapes, output: Shape) -> list[Step]:
    axis, size = layer.dim % len(inputs[0]) + 1, inputs[0][layer.dim]
    return [Inline(f"{{0}}[{':, ' * axis}{{index}}]", keywords(index=layer.index % size))]


def _unbind(layer: Unbind, inputs: Shapes, output: Shape) -> list[Step]:
    axis = layer.dim % len(inputs[0]) + 1
    return [Inline(f"{{0}}[{':, ' * axis}{{part}}]", keywords(part=layer.part))]


def _squeeze(layer: Squeeze, inputs: Shapes, output: Shape) -> list[Step]:
    axes = tuple(dim % len(inputs[0]) + 1 for dim in layer.dim)
    return [Inline("ops.squeeze({0}, {axes})", keywords(axes=axes))]


def _unsqueeze(layer: Unsqueeze, inputs: Shapes, output: Shape) -> list[Step]:
    return [Inline("ops.expand_dims({0}, {axis})", keywords(axis=layer.dim % len(output) + 1))]


def _stack(layer: Stack, inputs: Shapes, output: Shape) -> list[Step]:
    tensors = ", ".join(f"{{{number}}}" for number in range(len(inputs)))
    return [Inline(f"ops.stack([{tensors}], axis={{axis}})", keywords(axis=layer.dim % len(output) + 1))]


def _repeat_interleave(layer: RepeatInterleave, inputs: Shapes, output: Shape) -> list[Step]:
    arguments = keywords(repeats=layer.repeats, axis=layer.dim % len(output) + 1)
    return [Inline("ops.repeat({0}, {repeats}, axis={axis})", arguments)]


def _index_select(layer: IndexSelect, inputs: Shapes, output: Shape) -> list[Step]:
    if layer.relative is not None:
        given = keywords(window=layer.relative, axis=layer.dim % len(output) + 1)
        return [Inline("ops.take({0}, relative_positions({window}), axis={axis})", given)]
    if layer.indices is None:
        raise Refused(UNSAID)
    size = inputs[0][layer.dim]
    arguments = keywords(indices=[index % size for index in layer.indices], axis=layer.dim % len(output) + 1)
    return [Inline("ops.take({0}, {indices}, axis={axis})", arguments)]


ROWS: dict[str, Mapper] = {
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Permute": _permute,
    "Identity": elementwise(lambda layer: Call("layers.Identity")),
    "Dropout": elementwise(_dropout),
    "StochasticDepth": _stochastic_depth,
    "Roll": naturally(_roll),
    "Flip": naturally(_flip),
    "Expand": naturally(_repeated),
    "Tile": naturally(_tile),
    "Slice": naturally(_slice),
    "Select": naturally(_select),
    "Unbind": naturally(_unbind),
    "Squeeze": naturally(_squeeze),
    "Unsqueeze": naturally(_unsqueeze),
    "Stack": naturally(_stack),
    "RepeatInterleave": naturally(_repeat_interleave),
    "IndexSelect": naturally(_index_select),
}
"""Kind or family -> what it becomes."""
