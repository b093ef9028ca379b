"""Transposed convolutions in the words of frameworks: they keep the layer's positions, and `invert` says the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product
from types import SimpleNamespace
from typing import Any

import onnx

from convcalc.export.for_keras.common import channels_last
from convcalc.export.keras_layers import KERAS
from convcalc.export.onnx_model import onnx_model
from convcalc.export.program import Argument, Call, Step
from convcalc.export.torch_layers import TORCH
from convcalc.geometry import TransposedWindow, effective_kernel, resolve_crop
from convcalc.geometry.dialects import inverse, keras_valid, onnx_transposed, torch_transposed
from convcalc.geometry.inversion import AxisInversion, SizeInversion
from convcalc.layers.kind_table import Refused
from convcalc.layers.registry import build
from convcalc.render.document import Code
from convcalc.render.invert import framework_blocks
from tests.exported_layers import single

Interval = tuple[int, int]
Axes = list[tuple[AxisInversion, SizeInversion]]


def windows() -> Iterator[TransposedWindow]:
    """Every small window that the language has: numbers, and the words `same` and `valid`."""
    for k, s, d in product((1, 2, 3, 5), (1, 2, 3), (1, 2, 4)):
        for before, after, more in product(range(5), range(5), range(max(s, d))):
            yield TransposedWindow(k, s, before, after, d, more)
        for word in ("same", "same_lower", "valid"):
            yield TransposedWindow(k, s, *resolve_crop(word, k, s, d), d)  # type: ignore[arg-type]


def extent(window: TransposedWindow, size: int) -> int:
    return (size - 1) * window.stride + effective_kernel(window.kernel_size, window.dilation)


def wanted(window: TransposedWindow, size: int) -> Interval:
    """What the layer keeps of its full extent."""
    return window.before, extent(window, size) - window.after + window.output_padding


def torch_kept(window: TransposedWindow, size: int, padding: int, more: int, cut: tuple[int, int]) -> Interval:
    return padding + cut[0], extent(window, size) - padding + more - cut[1]


def test_pytorchs_layer_keeps_the_same_and_cuts_least() -> None:
    for window in windows():
        found = torch_transposed(window)
        most = max(window.stride, window.dilation)
        assert found.padding >= 0 and 0 <= found.output_padding < most and min(found.cut) >= 0, window
        assert torch_kept(window, 9, *found) == wanted(window, 9), window
        start, stop = wanted(window, 9)
        cuts = [
            (start - padding) + (extent(window, 9) - padding + more - stop)
            for padding, more in product(range(start + 1), range(most))
            if extent(window, 9) - padding + more >= stop
        ]
        assert sum(found.cut) == min(cuts), window


def test_kerass_layer_keeps_the_same() -> None:
    for window in windows():
        ((more, cut),) = keras_valid([window])
        filled = max(effective_kernel(window.kernel_size, window.dilation), window.stride)
        end = (8 * window.stride + filled) if more is None else extent(window, 9) + more
        assert (cut[0], end - cut[1]) == wanted(window, 9) and min(cut) >= 0, window
        assert more is None or 0 <= more < max(window.stride, window.dilation)


def test_an_axis_that_needs_more_than_kerass_default_gives_every_axis_the_argument() -> None:
    """(9 - 1) * 2 + 3 = 19 are computed of each axis: of one 18 are wanted, of the other 20."""
    windows = [TransposedWindow(3, 2, 1, 0), TransposedWindow(3, 2, 0, 0, output_padding=1)]
    assert keras_valid(windows) == [(0, (1, 0)), (1, (0, 0))]
    assert keras_valid(windows[:1]) == [(None, (1, 0))]
    cropped_behind = TransposedWindow(3, 2, 0, 1)
    assert keras_valid([cropped_behind, windows[1]]) == [(0, (0, 1)), (1, (0, 0))]


def test_onnxs_operator_keeps_the_same() -> None:
    for window in windows():
        before, after, more = onnx_transposed(window)
        assert min(before, after, more) >= 0
        assert (before, extent(window, 9) - after + more) == wanted(window, 9), window
        if 0 <= window.output_padding < window.stride and window.after >= 0:
            assert (before, after, more) == (window.before, window.after, window.output_padding)


def random_axes(draw: random.Random) -> Axes:
    axes = []
    for _ in range(draw.randint(1, 3)):
        kernel, dilation = draw.randint(1, 7), draw.choice((1, 1, 2))
        axis = AxisInversion(kernel, draw.randint(1, 5), draw.randint(0, 4), draw.randint(0, 4), dilation)
        axes.append((axis, axis.at(draw.randint(dilation * (kernel - 1) + 1, 40))))
    return axes


def each(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def pairs(cropping: Any, rank: int) -> tuple[Interval, ...]:
    """Keras's cropping argument as (before, after) of each axis."""
    if isinstance(cropping, int):
        return ((cropping, cropping),) * rank
    return (cropping,) if isinstance(cropping[0], int) else tuple(cropping)


def printed(axes: Axes) -> dict[str, Any]:
    """The arguments in what `invert` prints: of the layers, and of what cuts their output."""
    rank, said = len(axes), dict[str, Any]()

    def keep(name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            said[name] = {"arguments": arguments, **named}
            return lambda y: y

        return call

    names = {
        "y": None,
        "c_in": 2,
        "c_out": 4,
        "filters": 4,
        "nn": SimpleNamespace(**{f"ConvTranspose{rank}d": keep("torch")}),
        "F": SimpleNamespace(pad=keep("torch_cut")),
        "keras": SimpleNamespace(
            layers=SimpleNamespace(**{f"Conv{rank}DTranspose": keep("keras"), f"Cropping{rank}D": keep("keras_cut")})
        ),
        "onnx": SimpleNamespace(helper=SimpleNamespace(make_node=keep("onnx"))),
    }
    for block in framework_blocks(axes):
        if isinstance(block, Code):
            exec("\n".join(block.lines), dict(names))
    return said


def given(steps: Sequence[Step], function: str) -> dict[str, Any] | None:
    """The arguments of the exported call of that function; None without one."""
    calls = [step for step in steps if isinstance(step, Call) and step.function.startswith(function)]
    arguments: tuple[Argument, ...] = calls[0].arguments if calls else ()
    return {argument.name: argument.value for argument in arguments} if calls else None


def test_export_says_what_invert_prints() -> None:
    draw = random.Random(5)
    compared = {"torch": 0, "torch_cut": 0, "keras": 0, "keras_cut": 0, "onnx": 0}
    for _ in range(1500):
        axes = random_axes(draw)
        rank, said = len(axes), printed(axes)
        shape = (2, *(size.conv_output for _, size in axes))
        fields = {
            "out": 4,
            "k": [axis.kernel_size for axis, _ in axes],
            "s": [axis.stride for axis, _ in axes],
            "p": [[axis.before, axis.after] for axis, _ in axes],
            "d": [axis.dilation for axis, _ in axes],
            "output_padding": [size.output_padding for _, size in axes],
        }
        layer = build(f"conv_transpose{rank}d", fields)
        assert layer.windows(shape) == tuple(inverse(axis, size) for axis, size in axes)
        output = layer.output_shape((shape,))
        steps = TORCH.of(layer)(layer, (shape,), output)
        call = given(steps, "nn.ConvTranspose") or {}
        for name, default in {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}.items():
            assert each(call[name], rank) == each(said["torch"].get(name, default), rank), (axes, name)
        pads = given(steps, "nn.ZeroPad")
        assert (pads or {}).get("padding") == (said["torch_cut"]["arguments"][1] if "torch_cut" in said else None)
        compared["torch"] += 1
        compared["torch_cut"] += pads is not None
        try:
            steps, _ = KERAS.of(layer)(layer, (shape,), output, [channels_last(rank + 1)])
        except Refused:
            assert "keras" not in said
        else:
            if said["keras"].get("padding") != "same":
                call = given(steps, "layers.Conv") or {}
                assert call["output_padding"] == said["keras"].get("output_padding"), axes
                cut = given(steps, "layers.Cropping")
                assert (cut is None) == ("keras_cut" not in said)
                if cut is not None:
                    (crops,) = said["keras_cut"]["arguments"]
                    assert pairs(cut["cropping"], rank) == pairs(crops, rank), axes
                    compared["keras_cut"] += 1
                compared["keras"] += 1
        if compared["onnx"] < 100:
            proto = onnx.load_model_from_string(onnx_model(single(layer.kind, fields, (shape,))))
            (node,) = [node for node in proto.graph.node if node.op_type == "ConvTranspose"]
            attributes = {a.name: list(a.ints) for a in node.attribute if a.name in ("pads", "output_padding")}
            assert attributes == {name: said["onnx"][name] for name in attributes}
            compared["onnx"] += 1
    assert min(compared.values()) >= 100, compared
