"""ONNX: pools."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ...layers.kind_table import Refused
from ..windows import Pads, declared_pads, edge_pads, fitted_pads, overhangs
from .common import Mapper, padded, spread

if TYPE_CHECKING:
    from ...layers.base import Shape, Shapes
    from ...layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
    from ..onnx_graph import Graph


def _pool_pads(layer: MaxPool | AvgPool | LpPool, inputs: Shapes, output: Shape) -> tuple[Pads, Pads, list[int]]:
    """Declared and fitted padding, and what the fitted one overhangs by."""
    windows = layer.windows(inputs[0])
    declared, fitted = declared_pads(windows), fitted_pads(windows, inputs[0], output)
    return declared, fitted, overhangs(declared, fitted)


def _max_pool(graph: Graph, layer: MaxPool, inputs: Shapes, output: Shape, names: list[str]) -> str:
    _, fitted, _ = _pool_pads(layer, inputs, output)
    x = names[0]
    if any(side >= k or side < 0 for pair, k in zip(fitted, layer.kernel_size, strict=True) for side in pair):
        x = padded(graph, x, inputs[0], fitted, value=float("-inf"))
        fitted = ((0, 0),) * layer.rank
    return graph.op(
        "MaxPool",
        x,
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        pads=edge_pads(fitted),
        dilations=list(layer.dilation),
    )


def _average(graph: Graph, x: str, layer: AvgPool | LpPool, pads: Pads, counted: bool) -> str:
    attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
    return graph.op("AveragePool", x, **attributes, pads=edge_pads(pads), count_include_pad=int(counted))


def _avg_pool(graph: Graph, layer: AvgPool, inputs: Shapes, output: Shape, names: list[str]) -> str:
    declared, fitted, overhang = _pool_pads(layer, inputs, output)
    x, override = names[0], layer.divisor_override
    nothing = ((0, 0),) * layer.rank
    if any(side >= k or side < 0 for pair, k in zip(fitted, layer.kernel_size, strict=True) for side in pair):
        raise Refused(f"onnxruntime pads a pool by less than its kernel, not by {fitted}")
    if override is not None:
        mean = _average(graph, padded(graph, x, inputs[0], fitted), layer, nothing, True)
        return graph.op("Mul", mean, graph.numbers(prod(layer.kernel_size) / override))
    if layer.count_include_pad and any(overhang) and any(map(any, declared)):
        kept = tuple((b, a - more) for (b, a), more in zip(fitted, overhang, strict=True))
        beyond = tuple((0, more) for more in overhang)
        return _average(graph, padded(graph, x, inputs[0], kept), layer, beyond, False)
    return _average(graph, x, layer, fitted, layer.count_include_pad and not any(overhang))


def _lp_pool(graph: Graph, layer: LpPool, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """PyTorch's: the mean of the powers times the kernel's size, so that an overhanging window is scaled."""
    _, fitted, overhang = _pool_pads(layer, inputs, output)
    power = layer.norm_type
    if any(f[1] >= k for f, k in zip(fitted, layer.kernel_size, strict=True)):
        raise Refused(f"onnxruntime pads a pool by less than its kernel, not by {fitted}")
    if power % 2 == 0 and not any(overhang):
        attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
        return graph.op("LpPool", names[0], **attributes, p=int(power))
    mean = _average(graph, graph.op("Pow", names[0], graph.numbers(power)), layer, fitted, not any(overhang))
    total = graph.op("Mul", mean, graph.numbers(prod(layer.kernel_size)))
    return graph.op("Pow", total, graph.numbers(1 / power))


def _adaptive(graph: Graph, layer: AdaptivePool | GlobalPool, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return spread(graph, layer.reduction, inputs[0], output, names[0])


ROWS: dict[str, Mapper] = {
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LpPool": _lp_pool,
    "AdaptivePool": _adaptive,
    "GlobalPool": _adaptive,
}
"""Kind or family -> what it becomes."""
