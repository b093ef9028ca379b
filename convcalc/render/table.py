"""`table` as a document: layers under chosen columns, one column as bars, printed tables beside computed ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ..analysis.conventions import COLUMN_CONVENTIONS, CONVENTIONS
from ..analysis.quantity.registry import Quantity, Shaped, Value
from ..analysis.report import Report, Subject
from .document import Bar, Bars, Block, Column, Document, Heading, Note, Notes, Table

if TYPE_CHECKING:
    from ..published.compare import Cell, TableResult

LARGEST = ("depth", "live", "workspace")
"""Quantities that do not add up, but whose figure for the network stands in the last row."""

TEXT_COLUMNS = ("name", "kind")
"""Quantities whose cells may be cut on a narrow terminal."""
FIELD_COLUMNS = frozenset({"receptive_field", "jump", "start", "centre"})
DEVICE_COLUMNS = frozenset({"time", "bound"})
MOST_NAMES = 4


def values_document(
    report: Report, subjects: Sequence[Subject], quantities: Sequence[Quantity], first: str, remarks: Iterable[str] = ()
) -> Document:
    """Subjects as rows, quantities as columns, and what the figures mean."""
    notes = column_notes(report, [quantity.name for quantity in quantities])
    table = values_table(report, subjects, quantities, first=first)
    return _about(report, (table,), [*notes, *remarks])


def values_rows(report: Report, subjects: Sequence[Subject], quantities: Sequence[Quantity], first: str) -> Document:
    """The rows alone with raw numbers, for programs."""
    return Document((values_table(report, subjects, quantities, raw=True, total=False, first=first),))


def published_document(report: Report, results: Iterable[TableResult]) -> Document:
    """Printed tables beside the computed ones."""
    return _about(report, tuple(published_table(result) for result in results), [])


def bars_document(
    report: Report, subjects: Sequence[Subject], drawn: Quantity, lengths: Sequence[int | Fraction | None]
) -> Document:
    """One quantity as bars of these lengths."""
    title = f"{drawn.name} ({drawn.unit}): {drawn.meaning}" if drawn.unit else f"{drawn.name}: {drawn.meaning}"
    bars = tuple(
        Bar(subject.name, length, value_text(drawn.get(report, subject), unit=drawn.unit))
        for subject, length in zip(subjects, lengths, strict=True)
    )
    return Document((heading(report), Bars(title, bars)))


def columns_document(quantities: Iterable[Quantity]) -> Document:
    """Every column with its unit and meaning."""
    rows = [[quantity.name, quantity.unit, quantity.meaning] for quantity in quantities]
    return Document((Table((Column("column"), Column("unit"), Column("meaning")), rows),))


def _about(report: Report, tables: tuple[Table, ...], remarks: Iterable[str]) -> Document:
    """Tables of a report between its heading, its totals and what the numbers mean."""
    conventions = (f"{name}: {meaning}" for name, meaning in CONVENTIONS.items())
    footer = [Note(totals_line(report), "bold"), *(Note(text, "dim") for text in (*remarks, *conventions))]
    blocks: list[Block] = [heading(report), *tables, Notes(tuple(footer))]
    return Document(tuple(blocks))


def amount(value: int, unit: str) -> str:
    """An integer with thousands separators; bytes in the unit that keeps them readable, MiB at the most.

    >>> amount(6422528, "bytes"), amount(802816, "numbers"), amount(4000, "bytes")
    ('6.13 MiB', '802,816', '3.91 KiB')
    """
    if unit != "bytes":
        return f"{value:,}"
    for name, size in (("MiB", 2**20), ("KiB", 2**10)):
        if value >= size:
            hundredths = (200 * value + size) // (2 * size)
            return f"{hundredths // 100:,}.{hundredths % 100:02d} {name}"
    return f"{value} B"


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
    report: Report,
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
            first if quantity.name == "name" else quantity.name,
            "right" if numeric[i] else "left",
            quantity.name in TEXT_COLUMNS,
        )
        for i, quantity in enumerate(quantities)
    ]
    units = [quantity.unit for quantity in quantities]
    rows = [[value_text(value, raw, unit) for value, unit in zip(row, units, strict=True)] for row in values]
    if not total or not any(_has_total(quantity) for quantity in quantities):
        return Table(columns, rows)
    last = [
        "total" if q.name == "name" else value_text(q.get(report, report.whole), raw, q.unit) if _has_total(q) else ""
        for q in quantities
    ]
    return Table(columns, [*rows, last], rules=frozenset({len(rows)}), styles={(len(rows), 0): "bold"})


def _has_total(quantity: Quantity) -> bool:
    return quantity.sums or quantity.name in LARGEST


def heading(report: Report) -> Heading:
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


def scaled(value: int) -> str:
    """A count to three digits with its SI prefix.

    >>> scaled(1582671872), scaled(6998552), scaled(512)
    ('1.58 G', '7.00 M', '512')
    """
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "K")):
        if value >= 10**power:
            digits = len(str(value // 10**power))
            places = max(3 - digits, 0)
            number = (value * 10**places + 10**power // 2) // 10**power
            whole, fraction = divmod(number, 10**places)
            return f"{whole}.{fraction:0{places}d} {prefix}" if places else f"{whole} {prefix}"
    return str(value)


def totals_line(report: Report) -> str:
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


def column_notes(report: Report, columns: Iterable[str]) -> list[str]:
    """The lines that the shown columns need."""
    chosen = set(columns)
    lines = []
    if "live" in chosen:
        lines += _peak(report)
    if chosen & FIELD_COLUMNS:
        lines += [f"{note.node}: {note.message}" for note in report.receptive_fields.notes[:MOST_NAMES]]
        more = len(report.receptive_fields.notes) - MOST_NAMES
        lines += [f"{more} more joins of unequal or misaligned paths"] if more > 0 else []
    if chosen & DEVICE_COLUMNS and report.device is not None:
        device = report.device
        source = f" ({device.source})" if device.source else ""
        lines.append(f"device {device.name}: {device.flops:,} FLOP/s, {device.bandwidth:,} B/s{source}")
    lines += [f"{name}: {COLUMN_CONVENTIONS[name]}" for name in COLUMN_CONVENTIONS if name in chosen]
    return lines


def _peak(report: Report) -> list[str]:
    facts, nodes = report.liveness, report.network.nodes
    alive = facts.alive(facts.peak)
    names = ", ".join(nodes[i].name for i in alive[-MOST_NAMES:])
    more = f" and {len(alive) - MOST_NAMES} more" if len(alive) > MOST_NAMES else ""
    peak = amount(facts.live[facts.peak] * report.batch * report.item, "bytes")
    lines = [f"peak: {peak} at {nodes[facts.peak].name}; alive there: {names}{more}"]
    if report.dtype == "int8":
        flash = amount(report.totals.params * report.item, "bytes")
        lines.append(f"microcontroller: flash {flash} for the params, RAM (arena) {peak}")
    return lines


def published_table(result: TableResult) -> Table:
    """A printed table with the computed text beside every printed cell that differs.

    The rows' labels stand in a column of their own unless the table's first column is text that names them.
    """
    table = result.table
    labelled = not (table.columns and table.columns[0].reading.ignored)
    columns = [Column("")] * labelled + [Column(column.heading) for column in table.columns]
    rows, styles = [], {}
    for r, (row, cells) in enumerate(zip(table.rows, result.rows, strict=True)):
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
