"""The difference of two specs as text, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ..analysis.diff import Change, Difference, LayerChange
from ..analysis.report import Report
from . import grid
from .escape import markdown, printable
from .grid import Column, Grid, Line
from .terminal import json_text

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": "="}
STYLES = {"added": "green", "removed": "red", "changed": "yellow", "renamed": "cyan"}
LABELS = {"live": "peak memory (bytes)", "receptive_field": "receptive field"}
LONGEST = 400
"""Layers that text and Markdown list; JSON lists all."""


def diff_json(difference: Difference) -> str:
    """The difference as one JSON object."""
    data = {
        "format": 1,
        "before": _named(difference.before),
        "after": _named(difference.after),
        "totals": {change.what: {"before": change.before, "after": change.after} for change in difference.totals},
        "stages": [
            {"name": stage.name, "status": stage.status, "changes": _changes(stage.changes)}
            for stage in difference.stages
        ],
        "layers": [
            {
                "status": layer.status,
                "before": layer.before,
                "after": layer.after,
                "kind": layer.kind,
                "changes": _changes(layer.changes),
            }
            for layer in difference.layers
        ],
    }
    return json_text(data)


def _changes(changes: Sequence[Change]) -> list[dict[str, object]]:
    return [{"what": change.what, "before": change.before, "after": change.after} for change in changes]


def _named(report: Report) -> dict[str, object]:
    network = report.network
    return {
        "spec": network.name,
        "variant": network.variant,
        "input": {name: list(shape) for name, shape in network.inputs.items()},
    }


def diff_lines(difference: Difference, limit: int | None) -> Iterator[Line]:
    """The difference as lines for a terminal."""
    yield [(_heading(difference), "bold")]
    if difference.empty:
        yield [("no difference", "")]
        return
    for table in _grids(difference):
        yield []
        yield from grid.layout(table, limit)
    if difference.layers:
        yield []
        yield [("layers", "bold")]
    for layer in difference.layers[:LONGEST]:
        yield [(f"{SIGNS[layer.status]} {printable(layer_text(layer))}", STYLES[layer.status])]
    if len(difference.layers) > LONGEST:
        yield [(f"… and {len(difference.layers) - LONGEST:,} more; --format json lists them all", "dim")]


def diff_markdown(difference: Difference) -> str:
    """The difference as Markdown for a comment; long lists of layers are folded, and nobody is mentioned."""
    parts = [f"### {markdown(_heading(difference))}"]
    if difference.empty:
        parts.append("No difference.")
    else:
        parts += [grid.markdown([table]) for table in _grids(difference)]
    if difference.layers:
        shown = difference.layers[:LONGEST]
        rows = [[SIGNS[layer.status], layer_text(layer)] for layer in shown]
        table = grid.markdown([Grid([Column(""), Column("layer")], rows)])
        counts = _counts(difference.layers)
        if len(difference.layers) > len(shown):
            counts += f"; the first {len(shown)} are listed"
        parts.append(f"<details><summary>{counts}</summary>\n\n{table}\n\n</details>")
    return "\n\n".join(parts).replace("@", "&#64;") + "\n"


def _counts(layers: Sequence[LayerChange]) -> str:
    counts = {status: sum(layer.status == status for layer in layers) for status in SIGNS}
    return "layers: " + ", ".join(f"{count:,} {status}" for status, count in counts.items() if count)


def _heading(difference: Difference) -> str:
    names = [_title(difference.before), _title(difference.after)]
    return f"{names[0]} → {names[1]}" if names[0] != names[1] else names[0]


def _title(report: Report) -> str:
    network = report.network
    return f"{network.name} ({network.variant})" if network.variant else network.name


def _grids(difference: Difference) -> Iterator[Grid]:
    columns = [Column("total"), *(Column(name, "right") for name in ("before", "after", "change", "%"))]
    rows = [[LABELS.get(c.what, c.what), *_cells(c)] for c in difference.totals if c.before != c.after]
    if rows:
        yield Grid(columns, rows)
    columns = [Column("stage", shrinks=True), Column(""), *columns[1:]]
    rows = [
        [f"{SIGNS[stage.status]} {stage.name}" if n == 0 else "", LABELS.get(c.what, c.what), *_cells(c)]
        for stage in difference.stages
        for n, c in enumerate(stage.changes)
    ]
    if rows:
        yield Grid(columns, rows)


def _cells(change: Change) -> list[str]:
    before, after = change.before, change.after
    if not isinstance(before, int | None) or not isinstance(after, int | None):
        return [said(before), said(after), "", ""]
    delta = (after or 0) - (before or 0)
    return [said(before), said(after), f"{delta:+,}", percentage(before, after)]


def percentage(before: int | None, after: int | None) -> str:
    """The change in per cent, with its sign; empty where there was nothing before.

    >>> percentage(200, 199)
    '-0.5'
    """
    if not before or after is None:
        return ""
    return f"{float(Fraction((after - before) * 100, before)):+.3g}"


def said(value: object) -> str:
    """A value as the difference shows it.

    >>> said([64, 112, 112]), said(9472), said(None)
    ('64×112×112', '9,472', '-')
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return "×".join(map(str, value)) if all(isinstance(n, int) for n in value) else ", ".join(map(str, value))
    return str(value)


def layer_text(layer: LayerChange) -> str:
    """One layer's change in one line."""
    if layer.status == "renamed":
        return f"{layer.before} → {layer.after} ({layer.kind})"
    name = layer.after if layer.before == layer.after or layer.before is None else layer.before
    if layer.before is not None and layer.after is not None and layer.before != layer.after:
        name = f"{layer.before} → {layer.after}"
    changes = [_said_change(change) for change in layer.changes]
    return f"{name} ({layer.kind}): {', '.join(changes)}" if changes else f"{name} ({layer.kind})"


def _said_change(change: Change) -> str:
    if change.before is None or change.after is None:
        return f"{change.what} {said(change.after if change.before is None else change.before)}"
    return f"{change.what} {said(change.before)} → {said(change.after)}"
