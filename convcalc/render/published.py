"""A printed table beside the computed one: the grid, the counts, and every difference with its reason."""

from __future__ import annotations

from ..analysis.published import Cell, TableResult
from .grid import Column, Grid


def published_grid(result: TableResult) -> Grid:
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
    return Grid(columns, rows, table.title, styles)


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
