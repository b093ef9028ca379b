"""ONNX: what moves, cuts and repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from ..program import UNSAID
from .common import Mapper, aligned, operator_of

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
    from ...layers.shape import Dropout, Flatten, Permute, Reshape
    from ..onnx_graph import Graph


def _dropout(graph: Graph, layer: Dropout, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Dropout", names[0], graph.numbers(layer.p))


def _flatten(graph: Graph, layer: Flatten, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if len(output) == 1:
        return graph.op("Flatten", names[0], axis=1)
    return graph.op("Reshape", names[0], graph.integers((-1, *output)))


def _reshape(graph: Graph, layer: Reshape, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Reshape", names[0], graph.integers((-1, *output)))


def _permute(graph: Graph, layer: Permute, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Transpose", names[0], perm=[0, *(axis + 1 for axis in layer.order)])


def _roll(graph: Graph, layer: Roll, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """What leaves at the end is put before the rest, axis by axis."""
    x = names[0]
    for dim, shift in zip(layer.dims, layer.shifts, strict=True):
        axis, size = dim % len(output) + 1, output[dim]
        if cut := shift % size:
            ends = [(size - cut, size), (0, size - cut)]
            parts = [_range(graph, x, axis, start, stop) for start, stop in ends]
            x = graph.op("Concat", *parts, axis=axis)
    return graph.op("Identity", x) if x == names[0] else x


def _range(graph: Graph, x: str, axis: int, start: int, stop: int, step: int = 1) -> str:
    """Some positions of an axis, which counts the batch."""
    sides = [graph.integers((number,)) for number in (start, stop, axis)]
    return graph.op("Slice", x, *sides, *([graph.integers((step,))] if step != 1 else []))


def _flip(graph: Graph, layer: Flip, inputs: Shapes, output: Shape, names: list[str]) -> str:
    x = names[0]
    for dim in layer.dims:
        x = _range(graph, x, dim % len(output) + 1, -1, -BEFORE_ALL, -1)
    return x


BEFORE_ALL = 2**31
"""A position before the first of every axis."""


def _expand(graph: Graph, layer: Expand, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """Ones leave an axis as it is, and the batch."""
    x = aligned(graph, names[0], inputs[0], len(output))
    absent = len(output) - len(inputs[0])
    read = (1,) * absent + inputs[0]
    wanted = [1 if have == size else size for have, size in zip(read, output, strict=True)]
    return graph.op("Expand", x, graph.integers((1, *wanted)))


def _slice(graph: Graph, layer: Slice, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axis = layer.dim % len(output)
    start, stop, step = slice(layer.start, layer.stop, layer.step).indices(inputs[0][axis])
    return _range(graph, names[0], axis + 1, start, stop, step)


def _select(graph: Graph, layer: Select, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Gather", names[0], graph.integer(layer.index), axis=layer.dim % len(inputs[0]) + 1)


def _unbind(graph: Graph, layer: Unbind, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Gather", names[0], graph.integer(layer.part), axis=layer.dim % len(inputs[0]) + 1)


def _squeeze(graph: Graph, layer: Squeeze, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Squeeze", names[0], graph.integers([dim % len(inputs[0]) + 1 for dim in layer.dim]))


def _unsqueeze(graph: Graph, layer: Unsqueeze, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return graph.op("Unsqueeze", names[0], graph.integers((layer.dim % len(output) + 1,)))


def _stack(graph: Graph, layer: Stack, inputs: Shapes, output: Shape, names: list[str]) -> str:
    axis = layer.dim % len(output) + 1
    return graph.op("Concat", *(graph.op("Unsqueeze", x, graph.integers((axis,))) for x in names), axis=axis)


def _tile(graph: Graph, layer: Tile, inputs: Shapes, output: Shape, names: list[str]) -> str:
    times = (1,) * (len(output) + 1 - len(layer.reps)) + layer.reps
    return graph.op("Tile", aligned(graph, names[0], inputs[0], len(output)), graph.integers(times))


def _repeat_interleave(graph: Graph, layer: RepeatInterleave, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """Copies stand behind each position, in an axis of their own that is merged with its."""
    axis = layer.dim % len(output) + 1
    apart = graph.op("Unsqueeze", names[0], graph.integers((axis + 1,)))
    times = [1] * (len(output) + 2)
    times[axis + 1] = layer.repeats
    return graph.op("Reshape", graph.op("Expand", apart, graph.integers(times)), graph.integers((-1, *output)))


def _index_select(graph: Graph, layer: IndexSelect, inputs: Shapes, output: Shape, names: list[str]) -> str:
    positions = layer.positions
    if positions is None:
        raise Refused(UNSAID)
    return graph.op("Gather", names[0], graph.integers(positions), axis=layer.dim % len(output) + 1)


ROWS: dict[str, Mapper] = {
    "Identity": operator_of("Identity"),
    "Dropout": _dropout,
    "StochasticDepth": operator_of("Identity"),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Roll": _roll,
    "Flip": _flip,
    "Expand": _expand,
    "Slice": _slice,
    "Select": _select,
    "Unbind": _unbind,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Stack": _stack,
    "Tile": _tile,
    "RepeatInterleave": _repeat_interleave,
    "IndexSelect": _index_select,
}
"""Kind or family -> what it becomes."""
