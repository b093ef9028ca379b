"""The sections of an explanation about the receptive field, and what one position sees."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ...geometry import AxisMap, TransposedWindow, Window
from ..field.advance import AxisField, field_first, field_jump, field_last, field_size
from .explanation import Section, Step, product, step

if TYPE_CHECKING:
    from ...layers.base import Layer, Shapes
    from ..field.seen import Seen
    from ..report import Report

AXES = {1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}


def axis_name(axis: int, rank: int) -> str:
    """The letter of a space axis (counted from 1)."""
    return AXES[rank][axis - 1] if rank in AXES else str(axis)


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
    from ..field.seen import effective

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
