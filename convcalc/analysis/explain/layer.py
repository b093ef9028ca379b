"""The sections of one layer's explanation: output, parameters, work, receptive field, memory."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ...geometry import (
    TransposedWindow,
    Window,
    conv_macs,
    conv_output,
    conv_transpose_macs,
    conv_transpose_output,
    effective_kernel,
    leftover,
    linear_macs,
    overhang,
    rounded_output,
    separable_macs,
    transposed_padding,
    unread_inputs,
    zeros_between,
)
from ...layers.base import OPERATIONS
from ..cost.multiplications import effective_macs, im2col_elements
from .drawing import draw_window
from .explanation import Section, Step, product, step, total
from .field import alike, field_sections, sliding_maps

if TYPE_CHECKING:
    from ...layers.base import Layer, Shape, Shapes
    from ..report import Report


def layer_sections(report: Report, index: int) -> tuple[Section, ...]:
    """All sections of a layer."""
    node = report.node(index)
    layer = node.layer
    assert layer is not None
    inputs = report.network.input_shapes(node)
    return (
        *_output_sections(layer, inputs, node.shape),
        _parameters(layer, inputs),
        _work(report, index, layer, inputs, node.shape),
        *field_sections(report, index, layer, inputs),
        _memory(report, index, layer, inputs, node.shape),
    )


def _output_sections(layer: Layer, inputs: Shapes, output: Shape) -> list[Section]:
    maps = dict(sliding_maps(layer, inputs)) if hasattr(layer, "kernel_size") else {}
    read = inputs[0]
    sections = []
    for axis, names in alike([(a, (read[a], output[a], m)) for a, m in maps.items()], len(read) - 1):
        window = maps[axis]
        steps: list[Step] = []
        if isinstance(window, TransposedWindow):
            steps += _transposed_steps(window, read[axis])
        elif isinstance(window, Window):
            steps += _window_steps(layer, window, read[axis], output[axis])
        sections.append(
            Section(f"output, axis {names}", tuple(steps), tuple(draw_window(window, read[axis], output[axis])))
        )
    shape = Step("output", " × ".join(map(str, output)), unit="channels × space" if len(output) > 1 else "")
    return [*sections, Section("output", (shape, product("elements", output)))]


def _window_steps(layer: Layer, window: Window, size: int, output: int) -> list[Step]:
    values: dict[str, object] = {"size": size, **window._asdict()}
    steps = []
    if window.dilation > 1:
        steps.append(step(effective_kernel, {"kernel_size": window.kernel_size, "dilation": window.dilation}))
    if layer.rounding is None:
        steps.append(step(conv_output, values, "positions"))
        left = step(leftover, values, note="padded positions that the last window leaves over")
        unread = step(unread_inputs, values, note="inputs that no window reads")
        return [*steps, left, unread] if unread.value else [*steps, left]
    up = layer.rounding != "floor"
    windows = step(rounded_output, {**values, "up": int(up)}, "positions", "rounded up" if up else "rounded down")
    steps.append(windows)
    if windows.value != output:
        steps.append(Step("o", output, note="the last window would start in the padding after: it is dropped"))
    if up:
        steps.append(step(overhang, {**values, "output": output}, note="positions beyond the padded input"))
    return steps


def _transposed_steps(window: TransposedWindow, size: int) -> list[Step]:
    k, s, before, _, d, _ = window
    values: dict[str, object] = {"size": size, **window._asdict()}
    return [
        step(conv_transpose_output, values, "positions"),
        step(zeros_between, {"stride": s}, note="zeros between neighbouring inputs, in the lecture's view"),
        step(transposed_padding, {"kernel_size": k, "before": before, "dilation": d}, note="padding in that view"),
    ]


def _parameters(layer: Layer, inputs: Shapes) -> Section:
    weights = layer.weights(inputs)
    steps = [product(w.name, w.shape, note="" if w.learnable else "buffer, not learned") for w in weights]
    learned = [prod(w.shape) for w in weights if w.learnable]
    return Section("parameters", (*steps, total("params", learned or (0,), "numbers")))


def macs_steps(layer: Layer, inputs: Shapes, output: Shape) -> list[Step]:
    """The lines that lead to a weighted layer's MACs; none for other layers."""
    read = inputs[0]
    if layer.kind == "linear":
        outputs = product("outputs", output)
        return [outputs, step(linear_macs, {"outputs": outputs.value, "in_channels": read[-1]}, "MACs")]
    if not layer.weighted:
        return []
    kernel: tuple[int, ...] = layer.kernel_size  # type: ignore[attr-defined]
    taps = product("taps", kernel)
    if layer.kind.startswith("separable"):
        positions = product("positions", output[1:], note="of the output")
        multiplier: int = layer.depth_multiplier  # type: ignore[attr-defined]
        middle = product("m", (read[0], multiplier), note="channels between the two halves")
        values = {"positions": positions.value, "middle": middle.value, "taps": taps.value, "out_channels": output[0]}
        return [taps, positions, middle, step(separable_macs, values, "MACs")]
    transposed = layer.kind.startswith("conv_transpose")
    place = "of the input" if transposed else "of the output"
    positions = product("positions", read[1:] if transposed else output[1:], note=place)
    groups: int = layer.groups  # type: ignore[attr-defined]
    values = {
        "positions": positions.value,
        "out_channels": output[0],
        "in_channels": read[0],
        "groups": groups,
        "taps": taps.value,
    }
    return [taps, positions, step(conv_transpose_macs if transposed else conv_macs, values, "MACs")]


def _work(report: Report, index: int, layer: Layer, inputs: Shapes, output: Shape) -> Section:
    steps = macs_steps(layer, inputs, output)
    operations = layer.operations(inputs, output)
    if steps:
        real = effective_macs(layer, inputs, output)
        if real != operations.get("mac"):
            steps.append(Step("effective MACs", real, unit="MACs", note="without those on padding"))
        backward = report.backward[index]
        times = backward // operations["mac"]
        note = "gradients of weights and input" if times == 2 else "gradient of the weights; its input needs none"
        steps.append(Step("backward", backward, "", f"{times}*{operations['mac']}", "MACs", note))
    for kind, count in operations.items():
        each, meaning = OPERATIONS[kind]
        if kind != "mac":
            steps.append(Step(kind, each * count, unit="flops", note=meaning))
    flops = [OPERATIONS[kind][0] * count for kind, count in operations.items()]
    steps.append(total("flops", flops or (0,), "flops", "2 a MAC" if "mac" in operations else ""))
    return Section("work, one example", tuple(steps))


def _memory(report: Report, index: int, layer: Layer, inputs: Shapes, output: Shape) -> Section:
    item, batch = report.item, report.batch
    steps = [
        product("activation", (batch, prod(output), item), "bytes", f"batch, elements, bytes of {report.dtype}"),
        Step("live", report.liveness.live[index] * batch * item, unit="bytes", note="alive while it runs"),
        Step("saved", report.saved[index], unit="bytes", note="kept for backward, by no earlier layer"),
    ]
    elements = im2col_elements(layer, inputs, output)
    if elements:
        steps.append(product("im2col", (elements, item), "bytes", "workspace of one example"))
    return Section("memory", tuple(steps))
