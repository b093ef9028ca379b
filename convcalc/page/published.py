"""Printed tables beside computed ones, cell by cell: why some differ, and the reading that gives those."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..render.table import judged_line, published_notes, published_table

if TYPE_CHECKING:
    from ..analysis.published import Cell, TableResult
    from ..analysis.report import Report


class Printed(NamedTuple):
    """A cell: what is printed, and what is computed where that differs."""

    text: str
    computed: str
    kind: str
    """Classes: `n` for numbers, `differs` and `known` for cells that differ, and whose difference is listed."""


class Why(NamedTuple):
    """A cell that differs."""

    row: str
    column: str
    printed: str
    computed: str
    reason: str
    reading: str
    """The reading that gives the printed cell."""
    fails: bool
    """Whether a reading is listed that does not give it."""


class Printing(NamedTuple):
    """A printed table."""

    title: str
    reproduced: int
    cells: int
    columns: list[tuple[str, bool]]
    """(heading, whether it is one of numbers); the first is that of the rows' labels where they have a column."""
    rows: list[list[Printed]]
    whys: list[Why]
    notes: list[str]


class Published(NamedTuple):
    """The printed tables of a spec."""

    tables: list[Printing]
    under: str
    """Under which options they are computed that they do not have."""


def published(report: Report) -> Published | None:
    """The printed tables of a report's spec, computed under the options that were given; None where there are none.

    Raises SpecError.
    """
    if not report.judged:
        return None
    under = judged_line(report) if report.skipped else ""
    return Published([_printing(result) for result in report.judged], under)


def _printing(result: TableResult) -> Printing:
    written = published_table(result)
    labelled = len(written.columns) - len(result.table.columns)
    rows = []
    for printed, cells in zip(result.table.rows.values(), result.rows, strict=True):
        row = [Printed(printed.label, "", "")] * labelled
        for cell, column in zip(cells, written.columns[labelled:], strict=True):
            row.append(_cell(cell, column.align == "right"))
        rows.append(row)
    whys = [
        Why(
            row,
            column,
            cell.printed.text,
            cell.computed,
            "" if cell.difference is None else cell.difference.reason,
            cell.difference.explanation if cell.difference is not None and cell.explained else "",
            cell.explained is False,
        )
        for row, column, cell in result.differing()
    ]
    columns = [(column.heading, column.align == "right") for column in written.columns]
    notes = published_notes(result)
    said = notes[1 : notes.index("") if "" in notes else len(notes)]
    return Printing(result.table.title, result.reproduced, result.cells, columns, rows, whys, said)


def _cell(cell: Cell, number: bool) -> Printed:
    differs = cell.status == "differs"
    kinds = ["n"] * number + ["differs"] * differs + ["known"] * (differs and cell.difference is not None)
    return Printed(cell.printed.text, (cell.computed or "–") if differs else "", " ".join(kinds))
