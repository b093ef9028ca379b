"""ONNX operators that work on space: pools, interpolation, padding and cropping."""

from __future__ import annotations

from math import floor, prod
from typing import Any

import numpy as np

from .calls import Refused
from .onnx_graph import Graph, OnnxMapper
from .windows import Pads, fitted_pads

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]

MODES = {"constant": "constant", "zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def padded(graph: Graph, x: str, shape: Shape, pads: Pads, mode: str = "constant", value: float = 0.0) -> str:
    """Space padded, then cut where padding is negative."""
    grown = tuple((max(before, 0), max(after, 0)) for before, after in pads)
    if any(map(any, grown)):
        sides = [0, 0, *(before for before, _ in grown), 0, 0, *(after for _, after in grown)]
        fill = [graph.numbers(value)] if MODES[mode] == "constant" else []
        x = graph.op("Pad", x, graph.integers(sides), *fill, mode=MODES[mode])
    cut = tuple((max(-before, 0), max(-after, 0)) for before, after in pads)
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


def _windows(layer: Any, inputs: Shapes, output: Shape) -> tuple[Pads, Pads, list[int]]:
    """Declared and fitted padding, and what the fitted one overhangs by."""
    windows = layer.windows(inputs[0])
    declared = tuple((w.before, w.after) for w in windows)
    fitted = fitted_pads(windows, inputs[0][1:], output[1:])
    return declared, fitted, [max(f[1] - d[1], 0) for d, f in zip(declared, fitted, strict=True)]


def _max_pool(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    _, fitted, _ = _windows(layer, inputs, output)
    x = names[0]
    if any(side >= k or side < 0 for pair, k in zip(fitted, layer.kernel_size, strict=True) for side in pair):
        x = padded(graph, x, inputs[0], fitted, value=float("-inf"))
        fitted = ((0, 0),) * layer.rank
    return graph.op(
        "MaxPool",
        x,
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        pads=[before for before, _ in fitted] + [after for _, after in fitted],
        dilations=list(layer.dilation),
    )


def _average(graph: Graph, x: str, layer: Any, pads: Pads, counted: bool) -> str:
    attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
    sides = [before for before, _ in pads] + [after for _, after in pads]
    return graph.op("AveragePool", x, **attributes, pads=sides, count_include_pad=int(counted))


def _avg_pool(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    declared, fitted, overhang = _windows(layer, inputs, output)
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


def _lp_pool(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    """PyTorch's: the mean of the powers times the kernel's size, so that an overhanging window is scaled."""
    _, fitted, overhang = _windows(layer, inputs, output)
    power = layer.norm_type
    if any(f[1] >= k for f, k in zip(fitted, layer.kernel_size, strict=True)):
        raise Refused(f"onnxruntime pads a pool by less than its kernel, not by {fitted}")
    if power % 2 == 0 and not any(overhang):
        attributes = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride)}
        return graph.op("LpPool", names[0], **attributes, p=int(power))
    mean = _average(graph, graph.op("Pow", names[0], graph.numbers(power)), layer, fitted, not any(overhang))
    total = graph.op("Mul", mean, graph.numbers(prod(layer.kernel_size)))
    return graph.op("Pow", total, graph.numbers(1 / power))


def _adaptive(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return _spread(graph, layer.reduction, inputs[0], output, names[0])


def _spread(graph: Graph, reduction: str, shape: Shape, output: Shape, x: str) -> str:
    """An adaptive pool whose windows are equal."""
    words = {"avg": "Average", "max": "Max"}[reduction]
    if set(output[1:]) == {1}:
        return graph.op(f"Global{words}Pool", x)
    for size, wanted in zip(shape[1:], output[1:], strict=True):
        if size % wanted:
            raise Refused(f"ONNX has no adaptive pool, and its windows differ where {wanted} does not divide {size}")
    kernel = [size // wanted for size, wanted in zip(shape[1:], output[1:], strict=True)]
    return graph.op(f"{words}Pool", x, kernel_shape=kernel, strides=kernel)


def _global(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    return _spread(graph, layer.reduction, inputs[0], output, names[0])


def _upsample(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    if layer.mode == "area":
        return _spread(graph, "avg", inputs[0], output, names[0])
    space = inputs[0][1:]
    attributes: dict[str, Any] = {"axes": list(range(2, 2 + len(space)))}
    if layer.mode == "nearest":
        attributes |= {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    elif layer.mode == "nearest-exact":
        attributes |= {"mode": "nearest", "coordinate_transformation_mode": "half_pixel"}
        attributes |= {"nearest_mode": "round_prefer_ceil"}
    else:
        attributes["mode"] = "cubic" if layer.mode == "bicubic" else "linear"
        corners = bool(layer.align_corners)
        attributes["coordinate_transformation_mode"] = "align_corners" if corners else "half_pixel"
        if layer.mode == "bicubic":
            attributes["cubic_coeff_a"] = -0.75
    if layer.scale_factor is None or layer.align_corners:
        return graph.op("Resize", names[0], "", "", graph.integers(output[1:]), **attributes)
    given = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * len(space)
    scales = np.asarray(given, np.float32)
    for size, scale, wanted in zip(space, scales, output[1:], strict=True):
        if floor(np.float32(size) * scale) != wanted:
            raise Refused(f"ONNX scales in float32, where {size} by {float(scale):g} does not give {wanted}")
    return graph.op("Resize", names[0], "", graph.numbers(scales), **attributes)


def _pad(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    pads = tuple((link.map.before, link.map.after) for link in layer.axes(inputs)[1:])
    if not any(map(any, pads)):
        return graph.op("Identity", names[0])
    return padded(graph, names[0], inputs[0], pads, layer.mode, layer.value)


def _crop(graph: Graph, layer: Any, inputs: Shapes, output: Shape, names: list[str]) -> str:
    cut = tuple((-link.map.before, -link.map.after) for link in layer.axes(inputs)[1:])
    return cropped(graph, names[0], inputs[0], ((0, 0), *cut))


SPACE: dict[str, OnnxMapper] = {
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LpPool": _lp_pool,
    "AdaptivePool": _adaptive,
    "GlobalPool": _global,
    "Upsample": _upsample,
    "Pad": _pad,
    "Crop": _crop,
}
"""Class of a layer model -> its operators."""
