"""`table` as a document: layers under chosen columns, one column as bars, printed tables beside computed ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from ..analysis.figures import Figures, Subject
from ..analysis.quantity import Quantity, Shaped, Value, number
from ..findings import UsageError
from ..units import amount, scaled
from .document import Bar, Bars, Block, Column, Document, Heading, Note, Notes, Table

if TYPE_CHECKING:
    from ..analysis.published import Cell, TableResult


def values_document(
    report: Figures,
    subjects: Sequence[Subject],
    quantities: Sequence[Quantity],
    first: str,
    remarks: Iterable[str] = (),
) -> Document:
    """Subjects as rows, quantities as columns, and what the figures mean."""
    from ..analysis.quantities import notes

    table = values_table(report, subjects, quantities, first=first)
    return _about(report, (table,), [*notes(report, quantities), *remarks])


def values_rows(report: Figures, subjects: Sequence[Subject], quantities: Sequence[Quantity], first: str) -> Document:
    """The rows alone with raw numbers, for programs."""
    return Document((values_table(report, subjects, quantities, raw=True, total=False, first=first),))


def published_document(report: Figures, results: Iterable[TableResult]) -> Document:
    """Printed tables beside the computed ones."""
    from ..analysis.quantities import microcontroller

    return _about(report, tuple(published_table(result) for result in results), microcontroller(report))


def bars_document(report: Figures, subjects: Sequence[Subject], drawn: Quantity) -> Document:
    """One quantity as bars. Raises UsageError where it has no numbers."""
    keys = [_sort_key(drawn.get(report, subject)) for subject in subjects]
    lengths = [key if isinstance(key, (int, Fraction)) else None for key in keys]
    if subjects and all(length is None for length in lengths):
        raise UsageError(f"--plot draws numbers, and '{drawn.heading}' has none here", "for example --plot macs")
    title = f"{drawn.heading}{f' ({drawn.unit})' if drawn.unit else ''}: {drawn.meaning}"
    bars = tuple(
        Bar(subject.name, length, value_text(drawn.get(report, subject), unit=drawn.unit))
        for subject, length in zip(subjects, lengths, strict=True)
    )
    return Document((heading(report), Bars(title, bars)))


def arranged(report: Figures, subjects: list[Subject], by: Quantity | None, top: int | None) -> list[Subject]:
    """The subjects sorted by a quantity (numbers from the largest, words from a), cut to the first `top`."""
    if by is not None:
        keyed = [(_sort_key(by.get(report, subject)), subject) for subject in subjects]
        words = any(isinstance(key, str) for key, _ in keyed)
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=not words)  # type: ignore[arg-type, return-value]
        subjects = [subject for _, subject in known] + [subject for key, subject in keyed if key is None]
    return subjects if top is None else subjects[:top]


def _sort_key(value: Value) -> object:
    """What a value is sorted by: its number, word, or the elements of its shape; None for what has none."""
    if not isinstance(value, Shaped):
        return value
    if not isinstance(value.raw, tuple):
        return number(value)
    sizes = [size for size in value.raw if isinstance(size, int)]
    return prod(sizes) if sizes and len(sizes) == len(value.raw) else None


def columns_document(quantities: Iterable[Quantity]) -> Document:
    """Every column with its unit and meaning."""
    rows = [[quantity.name, quantity.unit, quantity.described] for quantity in quantities]
    return Document((Table((Column("column"), Column("unit"), Column("meaning")), rows),))


def _about(report: Figures, tables: tuple[Table, ...], remarks: Iterable[str]) -> Document:
    """Tables of a report between its heading, its totals and what the numbers mean."""
    from ..analysis.report import CONVENTIONS

    conventions = (f"{name}: {meaning}" for name, meaning in CONVENTIONS.items())
    footer = [Note(totals_line(report), "bold"), *(Note(text, "dim") for text in (*remarks, *conventions))]
    blocks: list[Block] = [heading(report), *tables, Notes(tuple(footer))]
    return Document(tuple(blocks))


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


def values_table(
    report: Figures,
    subjects: Sequence[Subject],
    quantities: Sequence[Quantity],
    *,
    raw: bool = False,
    total: bool = True,
    first: str = "layer",
) -> Table:
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
        return Table(columns, rows)
    last = [
        "total" if q.name == "name" else value_text(q.get(report, report.whole), raw, q.unit) if q.total else ""
        for q in quantities
    ]
    return Table(columns, [*rows, last], rules=frozenset({len(rows)}), styles={(len(rows), 0): "bold"})


def heading(report: Figures) -> Heading:
    """What the report is about: name, variant, input, and the source."""
    network = report.network
    shapes = ", ".join(
        ("×".join(map(str, shape)) if name == "input" else f"{name} {'×'.join(map(str, shape))}")
        for name, shape in network.inputs.items()
    )
    variant = f" ({network.variant})" if network.variant else ""
    batch = f", batch {report.batch}" if report.batch != 1 else ""
    if report.dtype != "float32":
        batch += f", {report.dtype}"
    return Heading(network.name + variant, rest=f"  input {shapes}{batch}", note=network.source or "")


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


def published_table(result: TableResult) -> Table:
    """A printed table with the computed text beside every printed cell that differs.

    The rows' labels stand in a column of their own unless the table's first column is text that names them.
    """
    table = result.table
    labelled = not next((column.ignored for column in table.columns.values()), False)
    columns = [Column("")] * labelled + [Column(heading) for heading in table.columns]
    rows, styles = [], {}
    for r, (row, cells) in enumerate(zip(table.rows.values(), result.rows, strict=True)):
        texts = [row.label] * labelled + [cell.printed.text for cell in cells]
        for c, cell in enumerate(cells, start=labelled):
            if cell.status == "differs":
                texts[c] = _pair(cell)
                styles[(r, c)] = "yellow" if cell.difference else "bold red"
        rows.append(texts)
    notes = tuple(map(Note, published_notes(result)))
    return Table(columns, rows, table.title, notes, styles)


def published_notes(result: TableResult) -> list[str]:
    """How many printed cells are reproduced, the table's note, and each difference with its reason."""
    lines = [f"reproduced: {result.reproduced} of {result.cells} printed cells{_by_column(result)}"]
    counts = {heading: (equal, cells) for heading, equal, cells in result.column_counts()}
    for explanation, more in result.explanations().items():
        columns = ", ".join(f"{h} {counts[h][0] + n} of {counts[h][1]}" for h, n in more.items())
        lines.append(f"  {explanation}: {sum(more.values())} more ({columns})")
    if result.table.note:
        lines.append(f"note: {result.table.note.strip()}")
    if result.table.source:
        lines.append(f"source: {result.table.source}")
    differing = result.differing()
    if differing:
        lines += ["", "differences (printed ≠ computed):"]
    groups: dict[tuple[str, str, bool | None], list[str]] = {}
    for row, column, cell in differing:
        groups.setdefault(_why(cell), []).append(f"{row} {column} {_pair(cell)}")
    for (reason, explanation, explained), cells in groups.items():
        lines.append("  " + ", ".join(cells))
        lines.append(f"      {reason}")
        if explanation:
            lines.append(f"      {'reproduced' if explained else 'NOT reproduced'} {_by(explanation)}")
    return lines


def _pair(cell: Cell) -> str:
    return f"{cell.printed.text} ≠ {cell.computed or '-'}"


def _why(cell: Cell) -> tuple[str, str, bool | None]:
    if cell.difference is None:
        return "not listed in the spec", "", None
    return cell.difference.reason, cell.difference.explanation, cell.explained


def _by_column(result: TableResult) -> str:
    """The columns that are reproduced whole by name, the others with their counts."""
    counts = result.column_counts()
    whole = [heading for heading, equal, cells in counts if equal == cells]
    if len(whole) == len(counts):
        return ""
    parts = [f"all of {', '.join(whole)}"] if whole else []
    parts += [f"{heading} {equal} of {cells}" for heading, equal, cells in counts if equal != cells]
    return " (" + "; ".join(parts) + ")"


def _by(explanation: str) -> str:
    return explanation if explanation.startswith("with ") else f"by {explanation}"
