"""A grid of text cells: laid out for a terminal, or written as markdown, CSV or LaTeX.

Lines are made of (text, style) pieces, so that a terminal gets colours and a pipe the same text. A grid
wider than the terminal shrinks the columns that may be cut, then folds into blocks that repeat the first
column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from . import escape

Piece = tuple[str, str]
Line = list[Piece]

GAP = "  "
LEAST = 12
"""Columns that a shrunk column keeps."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and how its cells stand."""

    heading: str
    align: Literal["left", "right"] = "left"
    shrinks: bool = False


@dataclass(slots=True)
class Grid:
    """Rows of cells under columns; `styles` colours single cells, `rules` draws a line above rows."""

    columns: Sequence[Column]
    rows: list[list[str]]
    title: str = ""
    styles: dict[tuple[int, int], str] = field(default_factory=dict)
    rules: frozenset[int] = frozenset()


def natural_width(grid: Grid) -> int:
    """Columns of the terminal that the grid takes when nothing is cut or folded."""
    rows = [[column.heading for column in grid.columns], *grid.rows]
    widths = [max(escape.width(escape.printable(cell)) for cell in cells) for cells in zip(*rows, strict=True)]
    return sum(widths) + len(GAP) * (len(widths) - 1)


def layout(grid: Grid, limit: int | None) -> Iterator[Line]:
    """The grid as lines of at most `limit` columns where that is possible (None: no limit)."""
    cells = [[escape.printable(cell) for cell in row] for row in grid.rows]
    headings = [escape.printable(column.heading) for column in grid.columns]
    widths = [max([escape.width(headings[i]), *[escape.width(row[i]) for row in cells]]) for i in range(len(headings))]
    if limit is not None:
        _shrink(widths, grid.columns, limit)
    if grid.title:
        yield from wrapped(grid.title, limit, "bold")
    blocks = list(_blocks(widths, limit))
    for number, block in enumerate(blocks):
        if number:
            yield []
        yield _line(headings, block, widths, grid.columns, ["bold"] * len(headings))
        yield [(GAP.join("─" * widths[i] for i in block), "dim")]
        for r, row in enumerate(cells):
            if r in grid.rules:
                yield [(GAP.join("─" * widths[i] for i in block), "dim")]
            styles = [grid.styles.get((r, i), "") for i in range(len(row))] if grid.styles else None
            yield _line(row, block, widths, grid.columns, styles)


def wrapped(text: str, limit: int | None, style: str = "") -> Iterator[Line]:
    """A text as lines that fit, further lines under the first one's beginning."""
    text = escape.printable(text)
    if limit is None or escape.width(text) <= limit:
        yield [(text, style)]
        return
    from textwrap import wrap

    indent = " " * (len(text) - len(text.lstrip()))
    for line in wrap(text.strip(), limit, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False):
        yield [(line, style)]


def _shrink(widths: list[int], columns: Sequence[Column], limit: int) -> None:
    """Narrow the columns that may be cut, the last first, until the grid fits or none can give more."""
    surplus = sum(widths) + len(GAP) * (len(widths) - 1) - limit
    for i in reversed(range(len(widths))):
        if columns[i].shrinks and surplus > 0:
            given = min(surplus, max(widths[i] - LEAST, 0))
            widths[i] -= given
            surplus -= given


def _blocks(widths: Sequence[int], limit: int | None) -> Iterator[list[int]]:
    """Columns of each block: all that fit beside the first."""
    block, used = [0], widths[0] if widths else 0
    for i in range(1, len(widths)):
        needed = len(GAP) + widths[i]
        if limit is not None and used + needed > limit and len(block) > 1:
            yield block
            block, used = [0], widths[0]
        block.append(i)
        used += needed
    yield block


def _line(
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
        missing = widths[i] - escape.width(text)
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


def cut(text: str, width: int) -> str:
    """The text cut to a width, the middle left out: paths differ at both ends."""
    if width < 3:
        return text[:width]
    head = (width - 1) // 2
    tail = width - 1 - head
    while escape.width(text[:head]) + 1 + escape.width(text[-tail:]) > width:
        head, tail = max(head - 1, 1), max(tail - 1, 1)
        if head == tail == 1:
            break
    return f"{text[:head]}…{text[-tail:]}"


def markdown(grids: Iterable[Grid], footer: Sequence[str] = ()) -> str:
    """Grids as markdown tables, titles as paragraphs in bold."""
    parts = []
    for grid in grids:
        lines = [f"**{escape.markdown(grid.title)}**", ""] if grid.title else []
        lines.append("| " + " | ".join(escape.markdown(column.heading) for column in grid.columns) + " |")
        lines.append("|" + "|".join("---:" if column.align == "right" else "---" for column in grid.columns) + "|")
        lines += ["| " + " | ".join(escape.markdown(cell) for cell in row) + " |" for row in grid.rows]
        parts.append("\n".join(lines))
    parts += [escape.markdown(line) + "  " if line else "" for line in footer]
    return "\n\n".join(parts[: len(parts) - len(footer)]) + (
        "\n\n" + "\n".join(parts[-len(footer) :]) if footer else ""
    )


def to_csv(grid: Grid) -> str:
    """One grid as CSV: a heading row, raw numbers, cells that no spreadsheet takes for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([escape.csv_cell(column.heading) for column in grid.columns])
    writer.writerows([escape.csv_cell(cell) for cell in row] for row in grid.rows)
    return buffer.getvalue().rstrip("\n")


def latex(grids: Iterable[Grid], footer: Sequence[str] = ()) -> str:
    """Grids as LaTeX tabulars (booktabs)."""
    parts = []
    for grid in grids:
        align = "".join("r" if column.align == "right" else "l" for column in grid.columns)
        lines = [f"% {escape.latex(grid.title)}"] if grid.title else []
        lines += [rf"\begin{{tabular}}{{{align}}}", r"\toprule"]
        lines.append(" & ".join(escape.latex(column.heading) for column in grid.columns) + r" \\")
        lines.append(r"\midrule")
        for r, row in enumerate(grid.rows):
            if r in grid.rules:
                lines.append(r"\midrule")
            lines.append(" & ".join(escape.latex(cell) for cell in row) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}"]
        parts.append("\n".join(lines))
    parts += [f"% {escape.printable(line)}" for line in footer]
    return "\n\n".join(parts)
