"""The sections of one layer's explanation: output, parameters, work, receptive field, memory; what a position sees."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..geometry import (
    IDENTITY,
    AxisMap,
    TransposedWindow,
    Window,
    conv_macs,
    conv_output,
    conv_transpose_macs,
    conv_transpose_output,
    effective_kernel,
    leftover,
    linear_macs,
    matmul_macs,
    overhang,
    rounded_output,
    separable_macs,
    transposed_padding,
    unread_inputs,
    zeros_between,
)
from ..layers.base import OPERATIONS
from .drawn import drawn_layer, window_axes
from .drawn_text import plane_lines
from .explanation import Section, Step, product, step, total
from .multiplications import effective_macs, im2col_elements
from .quantity import SPACE_LETTERS
from .receptive_field import AxisField, field_first, field_jump, field_last, field_size
from .seen import Seen, effective

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes, Weight
    from ..network import Node
    from .figures import Figures
    from .report import Report


WIDEST = 72
SHOWN = 3
"""Positions drawn at each edge."""
MOST_DRAWN = 36
"""Positions of a window over two axes, of which all are drawn; of more, an excerpt."""


class _Scene(NamedTuple):
    """Windows over a line of cells; for a transposed window the cells are outputs and the windows inputs."""

    size: int
    windows: int
    window: Window
    cells: str
    rows: str

    def reach(self, position: int) -> range:
        """The cells that one window takes."""
        k, s, before, _, d = self.window
        start = position * s - before
        return range(start, start + d * (k - 1) + 1, d)


def draw_window(window: AxisMap, size: int, output: int) -> list[str]:
    """The first and last positions of a window: `#` read, `-` stepped over, `.` padding.

    A transposed window is drawn the other way round: what each input writes; `.` is cropped.

    >>> print("\\n".join(draw_window(Window(3, 2, 1, 1), 5, 3)))
    input   . 0 1 2 3 4 .
    out 0   # # #
    out 1       # # #
    out 2           # # #
    """
    if isinstance(window, TransposedWindow):
        return _edges(_Scene(output, size, Window(*window[:5]), "output", "in"))
    return _edges(_Scene(size, output, window, "input", "out")) if isinstance(window, Window) else []


def _edges(scene: _Scene) -> list[str]:
    """The cells and the windows over them, all or at the near edge and at the far one; nothing if too wide."""
    size, windows = scene.size, scene.windows
    fit = (WIDEST - _head(scene)) // _cell(scene)
    begin = min(scene.reach(0)[0], 0)
    end = max(size + max(scene.window.after, 0), scene.reach(windows - 1)[-1] + 1)
    if end - begin <= fit and windows <= 2 * SHOWN:
        return _rows(scene, begin, end, range(windows))
    shown = min(windows, SHOWN)
    near, far = range(shown), range(windows - shown, windows)
    edges = ((begin, scene.reach(near[-1])[-1] + 1, near), (scene.reach(far[0])[0], end, far))
    drawn = [_rows(scene, *edge) for edge in edges if edge[1] - edge[0] <= fit]
    return [line for rows in drawn for line in ([""] if rows is not drawn[0] else []) + rows]


def _head(scene: _Scene) -> int:
    return max(len(scene.cells), len(scene.rows) + 1 + len(str(scene.windows - 1))) + 2


def _cell(scene: _Scene) -> int:
    return len(str(scene.size - 1)) + 1


def _rows(scene: _Scene, begin: int, end: int, positions: range) -> list[str]:
    head, cell = _head(scene), _cell(scene)
    numbers = [str(i) if 0 <= i < scene.size else "." for i in range(begin, end)]
    lines = [scene.cells.ljust(head) + "".join(text.rjust(cell) for text in numbers)]
    for position in positions:
        taken = scene.reach(position)
        marks = ["#" if i in taken else "-" if taken[0] < i < taken[-1] else "" for i in range(begin, end)]
        lines.append((f"{scene.rows} {position}".ljust(head) + "".join(mark.rjust(cell) for mark in marks)).rstrip())
    return lines


def axis_name(axis: int, rank: int) -> str:
    """The letter of a space axis (counted from 1)."""
    return SPACE_LETTERS[rank][axis - 1] if rank in SPACE_LETTERS else str(axis)


def sliding_maps(layer: Layer, inputs: Shapes) -> list[tuple[int, AxisMap]]:
    """(axis, map) of the space axes whose window slides."""
    found = enumerate(layer.axes(inputs))
    return [
        (a, link.map)
        for a, link in found
        if a and link is not None and isinstance(link.map, (Window, TransposedWindow))
    ]


def alike(keys: list[tuple[int, object]], rank: int) -> list[tuple[int, str]]:
    """The first axis of each set of alike ones, and the names of all of them."""
    names: dict[object, list[int]] = {}
    for axis, key in keys:
        names.setdefault(key, []).append(axis)
    return [(axes[0], ", ".join(axis_name(axis, rank) for axis in axes)) for axes in names.values()]


def field_sections(report: Report, index: int, layer: Layer, inputs: Shapes) -> list[Section]:
    found = report.receptive_fields
    fields = found.fields[index]
    if not fields:
        return []
    node = report.node(index)
    maps, rank = dict(sliding_maps(layer, inputs)), len(fields)
    arrived = found.fields[node.inputs[0]] if len(node.inputs) == 1 else None
    keys: list[tuple[int, object]] = []
    for axis, field in enumerate(fields, start=1):
        before = arrived[axis - 1] if arrived else None
        keys.append(
            (axis, (field._replace(axis=None), before and before._replace(axis=None), maps.get(field.axis or 0)))
        )
    sections = []
    for axis, names in alike(keys, rank):
        field, before = fields[axis - 1], arrived[axis - 1] if arrived else None
        window = maps.get(field.axis or 0)
        if (
            layer.patch is not None
            and before is not None
            and type(window) is Window
            and before.jump is not None
            and field.phases is None
        ):
            steps = _window_field(before, window)
        else:
            steps = _plain_field(field)
        sections.append(Section(f"receptive field, axis {names}", tuple(steps)))
    notes = [Step(note.kind.replace("_", " "), note.message) for note in found.notes if note.node == node.name]
    return [*sections, Section("joined paths", tuple(notes))] if notes else sections


def _window_field(before: AxisField, window: Window) -> list[Step]:
    k, s, pad, _, d = window
    jump = before.jump
    assert jump is not None
    first = step(field_first, {"first": before.first, "before": pad, "jump": jump}, note="first pixel of position 0")
    values = {"last": before.last, "kernel_size": k, "before": pad, "dilation": d, "jump": jump}
    last = step(field_last, values, note="last pixel of position 0")
    return [
        first,
        last,
        step(field_jump, {"jump": jump, "stride": s}, "pixels a position"),
        step(field_size, {"first": first.value, "last": last.value}, "pixels"),
    ]


def _plain_field(field: AxisField) -> list[Step]:
    if field.jump is None:
        return [Step("r", field.size, unit="pixels", note="the same for every position")]
    exact = "the most of any position" if field.phases is not None else "" if field.exact else "a bound"
    return [
        Step("u", field.start, note="first pixel of position 0"),
        Step("j", field.jump, unit="pixels a position"),
        Step("r", field.size, unit="pixels", note=exact),
    ]


def seen_section(report: Report, index: int, at: tuple[int, ...], seen: Seen) -> Section:
    """What one position sees of one input: intervals, gaps, and the share of real pixels."""
    names = [axis_name(axis, len(seen.axes)) for axis in range(1, len(seen.axes) + 1)]
    steps = []
    for name, axis, interval in zip(names, seen.axes, seen.intervals, strict=True):
        text = "nothing" if interval is None else f"{interval[0]} … {interval[1]}"
        gaps = interval is not None and len(axis) != interval[1] - interval[0] + 1
        positions = ", ".join(map(str, axis)) if len(axis) <= 24 else f"{len(axis)} of them"
        steps.append(Step(name, text, note=f"with gaps: {positions}" if gaps else ""))
    steps.append(product("pixels", [len(axis) for axis in seen.axes]))
    fields = report.receptive_fields.fields[index]
    if fields and report.node(report.receptive_fields.origins[index]).name == seen.input:
        extents = tuple(Fraction(field.size) for field in fields)
        share = effective(seen, extents)
        area = "*".join(map(str, extents))
        steps.append(
            Step("effective", share, "pixels/field", f"{seen.pixels}/({area})", note="neither padding nor gaps")
        )
    where = ", ".join(map(str, at))
    return Section(f"position ({where}) sees of {seen.input}", tuple(steps))


def layer_sections(report: Report, index: int) -> tuple[Section, ...]:
    """All sections of a layer."""
    node = report.node(index)
    layer = node.layer
    assert layer is not None
    inputs = report.network.input_shapes(node)
    return (
        *_output_sections(layer, inputs, node.shape),
        _parameters(report, node, layer.weights(inputs)),
        _work(report, index, layer, inputs, node.shape),
        *field_sections(report, index, layer, inputs),
        _memory(report, index, layer, inputs, node.shape),
    )


def _output_sections(layer: Layer, inputs: Shapes, output: Shape) -> list[Section]:
    maps = dict(sliding_maps(layer, inputs)) if layer.patch is not None else {}
    read = inputs[0] if inputs else ()
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
    shape = Step("output", " × ".join(map(str, output)) or "[]", unit="channels × space" if len(output) > 1 else "")
    return [*sections, Section("output", (shape, product("elements", output)), tuple(_plane(layer, inputs, output)))]


def _plane(layer: Layer, inputs: Shapes, output: Shape) -> list[str]:
    """The window over two axes, in characters; nothing where there is none to be seen, or no room."""
    if all(given.map == IDENTITY for given in window_axes(layer, inputs, output)):
        return []
    try:
        return plane_lines(drawn_layer("", layer, inputs, output, most_steps=MOST_DRAWN))
    except UsageError:
        return []


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


def _parameters(figures: Figures, node: Node, weights: Sequence[Weight]) -> Section:
    """What it holds; where another layer does, what that one does."""
    if node.shares is not None:
        holder = figures.node(node.shares).name
        steps = [product(w.name, w.shape, note=f"of {holder}") for w in weights]
        return Section("parameters", (*steps, Step("params", 0, unit="numbers", note=f"shared: {holder} holds them")))
    holders = {tensor: f"of {figures.node(held_by).name}" for tensor, held_by in node.tied}
    notes = [holders.get(w.name, "" if w.learnable else "buffer, not learned") for w in weights]
    steps = [product(w.name, w.shape, note=note) for w, note in zip(weights, notes, strict=True)]
    learned = [prod(w.shape) for w in weights if w.learnable and w.name not in holders]
    return Section("parameters", (*steps, total("params", learned or (0,), "numbers")))


def macs_steps(layer: Layer, inputs: Shapes, output: Shape) -> list[Step]:
    """The lines that lead to a layer's MACs; none for one that multiplies nothing."""
    layer, inputs, output, times = layer.alone(inputs, output)
    steps = _macs_of_one(layer, inputs, output)
    if times > 1 and steps:
        macs = layer.operations(inputs, output)["mac"]
        steps.append(product("MACs", (times, macs), "MACs", "examples in the batch axes, and the MACs of one"))
    return steps


def _macs_of_one(layer: Layer, inputs: Shapes, output: Shape) -> list[Step]:
    """Without batch axes."""
    products = layer.matrix_products(inputs, output)
    if products:
        lines = [step(matmul_macs, {"outputs": p.outputs, "shared": p.shared}, "MACs", p.name) for p in products]
        return [*lines, total("MACs", (p.macs for p in products), "MACs")] if len(lines) > 1 else lines
    if layer.multiplies is None:
        return []
    read = inputs[0]
    if layer.multiplies == "linear":
        outputs = product("outputs", output)
        return [outputs, step(linear_macs, {"outputs": outputs.value, "in_channels": read[-1]}, "MACs")]
    if layer.patch is None:
        return []
    taps = product("taps", layer.patch.kernel_size)
    if layer.multiplies == "separable":
        positions = product("positions", output[1:], note="of the output")
        multiplier = layer.weights(inputs)[0].shape[0] // read[0]
        middle = product("m", (read[0], multiplier), note="channels between the two halves")
        values = {"positions": positions.value, "middle": middle.value, "taps": taps.value, "out_channels": output[0]}
        return [taps, positions, middle, step(separable_macs, values, "MACs")]
    transposed = layer.multiplies == "transposed"
    place = "of the input" if transposed else "of the output"
    positions = product("positions", read[1:] if transposed else output[1:], note=place)
    values = {
        "positions": positions.value,
        "out_channels": output[0],
        "in_channels": read[0],
        "groups": layer.channel_groups or 1,
        "taps": taps.value,
    }
    return [taps, positions, step(conv_transpose_macs if transposed else conv_macs, values, "MACs")]


def _backward_step(backward: int, forward: int, layer: Layer, inputs: Shapes) -> Step:
    times, rest = divmod(backward, forward)
    if rest or not layer.weighted:
        written = "" if rest else f"{times}*{forward}"
        note = "gradients of weights, and of the factors that learn" if layer.weighted else "gradients of its factors"
        return Step("backward", backward, "", written, "MACs", note if times or rest else "nothing before it learns")
    learned = any(weight.learnable for weight in layer.weights(inputs))
    of_one = "gradient of the weights; its input needs none" if learned else "gradient of the input alone"
    note = "gradients of weights and input" if times == 2 else of_one if times else "nothing before it learns"
    return Step("backward", backward, "", f"{times}*{forward}", "MACs", note)


def _work(report: Report, index: int, layer: Layer, inputs: Shapes, output: Shape) -> Section:
    steps = macs_steps(layer, inputs, output)
    operations = layer.operations(inputs, output)
    if steps:
        real = effective_macs(layer, inputs, output)
        if real != operations.get("mac"):
            steps.append(Step("effective MACs", real, unit="MACs", note="without those on padding"))
        backward = report.backward[index]
        steps.append(_backward_step(backward, operations["mac"], layer, inputs))
    for kind, count in operations.items():
        each, meaning = OPERATIONS[kind]
        if kind != "mac":
            steps.append(Step(kind, each * count, unit="flops", note=meaning))
    flops = [OPERATIONS[kind][0] * count for kind, count in operations.items()]
    steps.append(total("flops", flops or (0,), "flops", "2 a MAC" if "mac" in operations else ""))
    return Section("work, one example", tuple(steps))


def _memory(report: Report, index: int, layer: Layer, inputs: Shapes, output: Shape) -> Section:
    item, batch, elements = report.item, report.batch, report.node(index).elements
    steps = [
        product("activation", (batch, elements, item), "bytes", f"batch, elements, bytes of {report.dtype}"),
        Step("live", report.liveness.live[index] * batch * item, unit="bytes", note="alive while it runs"),
        Step("saved", report.saved[index], unit="bytes", note="kept for backward, by no earlier layer"),
    ]
    columns = im2col_elements(layer, inputs, output)
    if columns:
        steps.append(product("im2col", (columns, item), "bytes", "workspace of one example"))
    return Section("memory", tuple(steps))
