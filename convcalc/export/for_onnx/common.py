"""What several families of ONNX's layers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...geometry import adaptive_step
from ...layers.kind_table import Refused
from ..windows import Pads, edge_pads, split_pads

if TYPE_CHECKING:
    from ...layers.base import Layer, Reduction, Shape, Shapes
    from ..onnx_graph import Graph

Mapper = Callable[..., str]
"""(graph, layer, input shapes, output shape, input names) -> the output's name. Raises `Refused`."""


MODES = {"constant": "constant", "zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""How a border is filled -> the mode of ONNX's Pad."""


def padded(graph: Graph, x: str, shape: Shape, pads: Pads, mode: str = "constant", value: float = 0.0) -> str:
    """Space padded, then cut where padding is negative."""
    grown, cut = split_pads(pads)
    if any(map(any, grown)):
        sides = edge_pads(((0, 0), (0, 0), *grown))
        fill = [graph.numbers(value)] if MODES[mode] == "constant" else []
        x = graph.op("Pad", x, graph.integers(sides), *fill, mode=MODES[mode])
    if any(map(any, cut)):
        sizes = (size + before + after for size, (before, after) in zip(shape[1:], grown, strict=True))
        x = cropped(graph, x, (shape[0], *sizes), ((0, 0), *cut))
    return x


def cropped(graph: Graph, x: str, shape: Shape, cut: Pads) -> str:
    """Every axis without its (before, after)."""
    rows = [(axis, b, size - a) for axis, (size, (b, a)) in enumerate(zip(shape, cut, strict=True), start=1) if b or a]
    if not rows:
        return graph.op("Identity", x)
    axes, starts, ends = zip(*rows, strict=True)
    return graph.op("Slice", x, graph.integers(starts), graph.integers(ends), graph.integers(axes))


def spread(graph: Graph, reduction: Reduction, shape: Shape, output: Shape, x: str) -> str:
    """An adaptive pool whose windows are equal."""
    words = {"avg": "Average", "max": "Max"}[reduction]
    if set(output[1:]) == {1}:
        return graph.op(f"Global{words}Pool", x)
    kernel = []
    for size, wanted in zip(shape[1:], output[1:], strict=True):
        step = adaptive_step(size, wanted)
        if step is None:
            raise Refused(f"ONNX has no adaptive pool, and its windows differ where {wanted} does not divide {size}")
        kernel.append(step)
    return graph.op(f"{words}Pool", x, kernel_shape=kernel, strides=kernel)


def along_channels(shape: Shape) -> Shape:
    return (shape[0], *(1,) * (len(shape) - 1))


def operator_of(operator: str, **attributes: object) -> Mapper:
    def map_(graph: Graph, layer: Layer, inputs: Shapes, output: Shape, names: list[str]) -> str:
        return graph.op(operator, names[0], **attributes)

    return map_


def aligned(graph: Graph, name: str, have: Shape, axes: int) -> str:
    """An input with as many axes as wanted: new ones stand behind the batch."""
    if len(have) == axes:
        return name
    return graph.op("Unsqueeze", name, graph.integers(range(1, 1 + axes - len(have))))
