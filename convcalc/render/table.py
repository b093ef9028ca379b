"""A report as a grid: its layers or stages under chosen columns, its heading and its totals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..analysis.figures import Figures, Subject
from ..analysis.quantity import Quantity, Shaped, Value
from ..units import amount, scaled
from .escape import printable
from .grid import Column, Grid, Line, wrapped


def value_text(value: Value, raw: bool = False, unit: str = "") -> str:
    """A value as a cell: integers with thousands separators (or `raw`), shapes as [channels, *space] joined by ×.

    >>> value_text(1582671872), value_text(None)
    ('1,582,671,872', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if raw else amount(value, unit)
    if isinstance(value, Shaped):
        if isinstance(value.raw, tuple) and "c" in value.parts:
            return "×".join(map(str, value.raw))
        return value.written()
    if isinstance(value, Fraction):
        return str(value)
    return value


def values_grid(
    report: Figures,
    subjects: Sequence[Subject],
    quantities: Sequence[Quantity],
    *,
    raw: bool = False,
    total: bool = True,
    first: str = "layer",
) -> Grid:
    """Subjects as rows, quantities as columns; a last row re-adds what adds up."""
    values = [[quantity.get(report, subject) for quantity in quantities] for subject in subjects]
    numeric = [any(isinstance(row[i], (int, Fraction)) for row in values) for i in range(len(quantities))]
    columns = [
        Column(
            first if quantity.name == "name" else quantity.heading,
            "right" if numeric[i] else "left",
            quantity.words,
        )
        for i, quantity in enumerate(quantities)
    ]
    units = [quantity.unit for quantity in quantities]
    rows = [[value_text(value, raw, unit) for value, unit in zip(row, units, strict=True)] for row in values]
    if not total or not any(quantity.total for quantity in quantities):
        return Grid(columns, rows)
    last = [
        "total" if q.name == "name" else value_text(q.get(report, report.whole), raw, q.unit) if q.total else ""
        for q in quantities
    ]
    return Grid(columns, [*rows, last], rules=frozenset({len(rows)}), styles={(len(rows), 0): "bold"})


def heading(report: Figures, width: int | None = None) -> list[Line]:
    """What the report is about: name, variant, input, and the source in lines that fit."""
    network = report.network
    shapes = ", ".join(
        ("×".join(map(str, shape)) if name == "input" else f"{name} {'×'.join(map(str, shape))}")
        for name, shape in network.inputs.items()
    )
    variant = f" ({network.variant})" if network.variant else ""
    batch = f", batch {report.batch}" if report.batch != 1 else ""
    if report.dtype != "float32":
        batch += f", {report.dtype}"
    lines: list[Line] = [[(printable(network.name) + variant, "bold"), (f"  input {shapes}{batch}", "")]]
    if network.source:
        lines += wrapped(network.source, width, "dim")
    return lines


def totals_line(report: Figures) -> str:
    """The totals in one line."""
    totals = report.totals
    parts = [
        f"params {totals.params:,} ({scaled(totals.params)})",
        f"macs {totals.macs:,} ({scaled(totals.macs)})",
        f"flops {totals.flops:,} ({scaled(totals.flops)})",
    ]
    if totals.buffers:
        parts.append(f"buffers {totals.buffers:,}")
    return "total: " + ", ".join(parts)
