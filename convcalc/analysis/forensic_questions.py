"""Which cells of printed tables are searched together: counts that are read in one way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..hints import suggest
from ..language.published import Reading, read_tables
from .conventions import counted
from .published import parse_number
from .quantities import QUANTITY_NAMES

if TYPE_CHECKING:
    from ..language.published import PrintedCell, PrintedRow, PrintedTable
    from ..network import Network

MOST_CELLS = 1000
"""That are read in one way and searched together."""


class Asked(NamedTuple):
    """A printed number and how it is read today."""

    row: PrintedRow
    heading: str
    printed: PrintedCell
    reading: Reading


class Question(NamedTuple):
    """Cells of one table that are read in one way."""

    table: PrintedTable
    cells: tuple[Asked, ...]

    def to_dict(self) -> dict[str, object]:
        """Which cells it is about, as plain data."""
        return {
            "table": self.table.title,
            "rows": self.rows,
            "columns": self.columns,
            "cells": len(self.cells),
        }

    @property
    def rows(self) -> list[str]:
        """The keys of its rows, in order."""
        return list(dict.fromkeys(cell.row.name for cell in self.cells))

    @property
    def columns(self) -> list[str]:
        """Its columns, in order."""
        return list(dict.fromkeys(cell.heading for cell in self.cells))


def questions(
    network: Network, table: str | None, rows: Sequence[str], columns: Sequence[str]
) -> tuple[list[Question], int]:
    """(the cells that are asked for, by how they are read; how many of them are no counts)."""
    tables = read_tables(network.origin, QUANTITY_NAMES)
    if not tables:
        raise UsageError(f"{network.name} has no printed tables", "convcalc specs lists those of the gallery")
    chosen = tables if table is None else [_table(tables, table)]
    _refuse_unknown("row", rows, [name for found in chosen for row in found.rows.values() for name in _names(row)])
    _refuse_unknown("column", columns, [heading for found in chosen for heading in found.columns])
    questions: list[Question] = []
    left_out = 0
    for found in chosen:
        groups: dict[object, list[Asked]] = {}
        for cell in _cells(found, rows, columns):
            key = _way(cell)
            if key is None:
                left_out += 1
            else:
                groups.setdefault(key, []).append(cell)
        questions += [Question(found, tuple(cells)) for cells in groups.values()]
    for question in questions:
        if len(question.cells) > MOST_CELLS:
            raise UsageError(
                f"{len(question.cells):,} cells of '{question.table.title}' are read in one way; "
                f"{MOST_CELLS:,} are searched together",
                "name --rows or --columns",
            )
    if not questions:
        what = "no cell there" if rows or columns or table else f"no printed cell of {network.name}"
        raise UsageError(f"{what} is a count: sizes, words and shares are not searched")
    return questions, left_out


def _names(row: PrintedRow) -> tuple[str, str]:
    return row.name, row.label


def _table(tables: Sequence[PrintedTable], text: str) -> PrintedTable:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(tables):
        return tables[int(text) - 1]
    found = [table for table in tables if text and table.title.casefold().startswith(text.casefold())]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"{number}: {table.title}" for number, table in enumerate(tables, start=1))
    what = f"{len(found)} printed tables begin with" if found else "there is no printed table"
    raise UsageError(f"{what} '{text}'", listed)


def _refuse_unknown(what: str, asked: Sequence[str], known: Sequence[str]) -> None:
    for name in asked:
        if name not in known:
            listed = ", ".join(dict.fromkeys(filter(None, known)))
            raise UsageError(f"no printed {what} is called '{name}'", suggest(name, known, f"{what}s: {listed}"))


def _cells(table: PrintedTable, rows: Sequence[str], columns: Sequence[str]) -> Iterator[Asked]:
    """The printed cells that are compared, of these rows and columns; of all where none are named."""
    for row in table.rows.values():
        if rows and not set(rows) & set(_names(row)):
            continue
        for (heading, column), printed in zip(table.columns.items(), row.cells, strict=True):
            reading = table.reading(row, column, printed)
            if printed.text and reading.value and (not columns or heading in columns):
                yield Asked(row, heading, printed, reading)


def _way(cell: Asked) -> object:
    """How a number is read; None where it is no count."""
    reading, units = cell.reading, cell.reading.unit or {}
    if parse_number(cell.printed.text) is None or None in units.values() or reading.value is None:
        return None
    terms = None if "{" in reading.value else counted(reading.value)
    return None if terms is None else (tuple(terms), tuple(units.items()), reading.round)
