"""The layers that `invert` prints for PyTorch, Keras and ONNX, run by stand-ins with those frameworks' rules.

A stand-in does not compute values: its output is the interval of the full extent that the layer keeps,
which is what has to equal the interval of the true inverse, [pl, pl + size).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from convcalc.geometry.inversion import AxisInversion, SizeInversion
from convcalc.render.document import Code, Paragraph
from convcalc.render.invert import framework_blocks

Interval = tuple[int, int]
Layer = Callable[[list[int]], list[Interval]]


def each(value: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * rank


def torch_layer(rank: int) -> Callable[..., Layer]:
    """nn.ConvTransposeNd: keeps [p, extent − p + output_padding)."""

    def build(c_in: str, c_out: str, kernel: Any, stride: Any = 1, padding: Any = 0, **rest: Any) -> Layer:
        extra, dilation = each(rest.pop("output_padding", 0), rank), each(rest.pop("dilation", 1), rank)
        assert not rest
        letters = list(zip(each(kernel, rank), each(stride, rank), each(padding, rank), extra, dilation, strict=True))
        assert all(0 <= op < max(s, d) and p >= 0 for _, s, p, op, d in letters)
        return lambda sizes: [
            (p, (o - 1) * s + d * (k - 1) + 1 - p + op) for o, (k, s, p, op, d) in zip(sizes, letters, strict=True)
        ]

    return build


def cut_by_pad(intervals: list[Interval], pads: tuple[int, ...]) -> list[Interval]:
    """F.pad with negative numbers, the last axis first."""
    assert len(pads) == 2 * len(intervals) and max(pads) <= 0
    pairs = list(zip(pads[::2], pads[1::2], strict=True))[::-1]
    return [(start - before, stop + after) for (start, stop), (before, after) in zip(intervals, pairs, strict=True)]


def keras_layer(rank: int) -> Callable[..., Layer]:
    """keras.layers.ConvNDTranspose on TensorFlow."""

    def build(filters: str, kernel: Any, strides: Any = 1, padding: str = "valid", **rest: Any) -> Layer:
        extra, dilation = rest.pop("output_padding", None), each(rest.pop("dilation_rate", 1), rank)
        assert not rest
        stride = each(strides, rank)
        assert not (max(stride) > 1 and max(dilation) > 1)
        given = (None,) * rank if extra is None else each(extra, rank)
        assert all(op is None or 0 <= op < s for op, s in zip(given, stride, strict=True))

        def run(sizes: list[int]) -> list[Interval]:
            kept = []
            for o, k, s, op, d in zip(sizes, each(kernel, rank), stride, given, dilation, strict=True):
                extent = d * (k - 1) + 1
                if padding == "valid":
                    kept.append((0, (o - 1) * s + (max(extent, s) if op is None else extent + op)))
                else:
                    length = o * s if op is None else (o - 1) * s + extent % 2 + op
                    assert -(-length // s) == o
                    crop = max((o - 1) * s + extent - length, 0) // 2
                    kept.append((crop, crop + length))
            return kept

        return run

    return build


def cropping(cuts: Any) -> Callable[[list[Interval]], list[Interval]]:
    pairs = [cuts] if isinstance(cuts[0], int) else cuts
    assert all(cut >= 0 for pair in pairs for cut in pair)
    return lambda intervals: [(a + b, c - d) for (a, c), (b, d) in zip(intervals, pairs, strict=True)]


def run(code: Code, outputs: list[int], rank: int) -> Any:
    """Execute a printed piece of code and return what it makes of inputs of these sizes."""
    names: dict[str, Any] = {
        "y": outputs,
        "c_in": "",
        "c_out": "",
        "filters": "",
        "nn": SimpleNamespace(**{f"ConvTranspose{rank}d": torch_layer(rank)}),
        "F": SimpleNamespace(pad=cut_by_pad),
        "keras": SimpleNamespace(
            layers=SimpleNamespace(**{f"Conv{rank}DTranspose": keras_layer(rank), f"Cropping{rank}D": cropping})
        ),
        "onnx": SimpleNamespace(helper=SimpleNamespace(make_node=lambda *_, **attributes: attributes)),
    }
    exec("\n".join(code.lines), names)
    if "node" in names:
        return names["node"]
    return names["x"] if "x" in names else names["up"](outputs)


def random_layer(draw: random.Random) -> list[tuple[AxisInversion, SizeInversion]]:
    axes = []
    for _ in range(draw.randint(1, 3)):
        kernel, dilation = draw.randint(1, 7), draw.choice((1, 1, 2))
        axis = AxisInversion(kernel, draw.randint(1, 5), draw.randint(0, 4), draw.randint(0, 4), dilation)
        axes.append((axis, axis.at(draw.randint(dilation * (kernel - 1) + 1, 40))))
    return axes * draw.randint(1, 3) if len(axes) == 1 else axes


def test_every_printed_layer_is_accepted_and_gives_the_inverse() -> None:
    draw = random.Random(11)
    refused = 0
    for _ in range(3_000):
        layer = random_layer(draw)
        rank, outputs = len(layer), [size.conv_output for _, size in layer]
        wanted = [(axis.before, axis.before + size.size) for axis, size in layer]
        blocks = framework_blocks(layer)
        code = {block.lines[0]: block for block in blocks if isinstance(block, Code)}
        assert run(code["# PyTorch"], outputs, rank) == wanted
        node = run(code["# ONNX"], outputs, rank)
        assert node["pads"] == [axis.before for axis, _ in layer] + [axis.after for axis, _ in layer]
        assert node["output_padding"] == [size.output_padding for _, size in layer]
        if "# Keras" in code:
            assert run(code["# Keras"], outputs, rank) == wanted
        else:
            refused += 1
            assert any("Keras has no such layer" in b.text for b in blocks if isinstance(b, Paragraph))
        assert all(len(line) <= 78 for block in code.values() for line in block.lines)
    assert refused > 100


def test_same_is_warned_of_where_it_shifts_and_used_where_it_does_not() -> None:
    shifted = AxisInversion(3, 2, 1, 1)
    text = str(framework_blocks([(shifted, shifted.at(224))] * 2))
    assert "crops (0, 1) where this layer crops (1, 0)" in text
    aligned = AxisInversion(4, 2, 1, 1)
    text = str(framework_blocks([(aligned, aligned.at(224))] * 2))
    assert 'Conv2DTranspose(filters, 4, strides=2, padding="same")' in text


def test_onnx_accepts_the_node_and_infers_the_size() -> None:
    import onnx

    draw = random.Random(12)
    for _ in range(60):
        layer = random_layer(draw)
        rank = len(layer)
        code = next(b for b in framework_blocks(layer) if isinstance(b, Code) and b.lines[0] == "# ONNX")
        names: dict[str, Any] = {"onnx": onnx}
        exec("\n".join(code.lines), names)
        tensor, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            [names["node"]],
            "inverse",
            [
                tensor("y", kind, [1, 1, *(size.conv_output for _, size in layer)]),
                tensor("W", kind, [1, 1, *(axis.kernel_size for axis, _ in layer)]),
            ],
            [tensor("x", kind, [None] * (rank + 2))],
        )
        model = onnx.helper.make_model(graph)
        onnx.checker.check_model(model)
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        dims = inferred.graph.output[0].type.tensor_type.shape.dim
        assert [dim.dim_value for dim in dims[2:]] == [size.size for _, size in layer]
