"""A table as lines: columns beside each other, folded where they are too wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..terminal import printable, width
from .document import Column, Table
from .lines import GAP, INDENT, Line, cut, note_lines, set_in, wrapped

LEAST = 12
"""Columns that a shrunk column keeps."""


def table_lines(table: Table, limit: int | None) -> Iterator[Line]:
    """The table as lines of at most `limit` columns where that is possible (None: no limit)."""
    cells = [[printable(cell) for cell in row] for row in table.rows]
    headings = [printable(column.heading) for column in table.columns]
    widths = [max([width(headings[i]), *[width(row[i]) for row in cells]]) for i in range(len(headings))]
    if limit is not None:
        if table.narrow is not None and _total(widths) > limit:
            yield from table_lines(table.narrow, limit)
            return
        _shrink(widths, table.columns, limit)
    if table.title:
        yield from wrapped(table.title, limit, "bold")
    if table.bare:
        yield from set_in(INDENT, _row_lines(table, headings, cells, widths, limit and limit - len(INDENT)))
    else:
        yield from _row_lines(table, headings, cells, widths, limit)
    if table.notes:
        yield []
        yield from note_lines(table.notes, limit)


def _row_lines(
    table: Table, headings: list[str], cells: list[list[str]], widths: list[int], limit: int | None
) -> Iterator[Line]:
    ruled = not table.bare
    for number, block in enumerate(_folded(widths, limit)):
        if number:
            yield []
        rule = GAP.join("─" * widths[i] for i in block)
        yield _row_line(headings, block, widths, table.columns, ["bold"] * len(headings))
        if ruled:
            yield [(rule, "dim")]
        for r, row in enumerate(cells):
            if ruled and r in table.rules:
                yield [(rule, "dim")]
            styles = [table.styles.get((r, i), "") for i in range(len(row))] if table.styles else None
            yield _row_line(row, block, widths, table.columns, styles)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _shrink(widths: list[int], columns: Sequence[Column], limit: int) -> None:
    """Narrow the columns that may be cut, the last first, until the table fits or none can give more."""
    surplus = _total(widths) - limit
    for i in reversed(range(len(widths))):
        if columns[i].shrinks and surplus > 0:
            given = min(surplus, max(widths[i] - LEAST, 0))
            widths[i] -= given
            surplus -= given


def _folded(widths: Sequence[int], limit: int | None) -> Iterator[list[int]]:
    """Columns of each part of a folded table: all that fit beside the first."""
    block, used = [0], widths[0] if widths else 0
    for i in range(1, len(widths)):
        needed = len(GAP) + widths[i]
        if limit is not None and used + needed > limit and len(block) > 1:
            yield block
            block, used = [0], widths[0]
        block.append(i)
        used += needed
    yield block


def _row_line(
    cells: Sequence[str],
    block: Sequence[int],
    widths: Sequence[int],
    columns: Sequence[Column],
    styles: Sequence[str] | None,
) -> Line:
    pieces: Line = []
    plain = ""
    last = block[-1]
    for i in block:
        text = cells[i]
        missing = widths[i] - width(text)
        if missing < 0:
            text, missing = cut(text, widths[i]), 0
        padding = " " * missing
        text = padding + text if columns[i].align == "right" else text if i == last else text + padding
        gap = "" if i == last else GAP
        if styles is not None and styles[i]:
            if plain:
                pieces.append((plain, ""))
                plain = ""
            pieces.append((text, styles[i]))
            plain = gap
        else:
            plain += text + gap
    if plain.strip():
        pieces.append((plain.rstrip() if not cells[last] else plain, ""))
    return pieces
