"""Matrices with signs between them, as lines of text and as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from ..terminal import printable, width
from .document import Matrices, Matrix
from .escape import latex

ROWS = 20
"""Rows of a matrix that are written at most."""
COLUMNS_OF_LATEX = 20
PIPED = 100
"""Columns of a line where nobody limits them."""
GAP = "..."
"""Stands for columns, or matrices, that are left out."""
ROW_GAP = ":"
"""Stands for the numbers of rows that are left out."""

T = TypeVar("T")
Cells = list[list[str]]
Unit = list[str | Matrix]
"""A matrix behind the signs before it."""


def matrix_lines(block: Matrices, limit: int | None) -> Iterator[str]:
    """Matrices beside each other with the signs between them; those that have no room stand below.

    >>> a, x = Matrix("A", (("1", "20"), ("3", "4"))), Matrix("x", (("1",), ("2",)))
    >>> print("\\n".join(matrix_lines(Matrices((a, "·", x)), 40)))
    A          x
    [ 1 20 ] · [ 1 ]
    [ 3  4 ]   [ 2 ]
    """
    room = limit or PIPED
    line: list[list[str]] = []
    for unit in _units(block):
        signs = [[sign] for sign in unit if isinstance(sign, str)]
        before = sum(width(sign) + 1 for (sign,) in signs)
        drawn = [*signs, *(_drawn(part, room - before) for part in unit if isinstance(part, Matrix))]
        if line and _wide([*line, *drawn]) > room:
            yield from _beside(line)
            yield ""
            line = []
        line += drawn
    yield from _beside(line)


def _units(block: Matrices) -> Iterator[Unit]:
    """The parts in pieces that stay together."""
    unit: Unit = []
    for part in block.parts:
        unit.append(part)
        if isinstance(part, Matrix):
            yield unit
            unit = []
    if unit:
        yield unit


def _wide(parts: Sequence[Sequence[str]]) -> int:
    """Columns of blocks beside each other."""
    gaps = sum(_gap(before, part) for before, part in pairwise(parts))
    return sum(max(map(width, part)) for part in parts) + gaps


def _gap(before: Sequence[str] | None, part: Sequence[str]) -> int:
    """Columns between two blocks: more where no sign stands between two matrices."""
    return 0 if before is None else 3 if min(len(before), len(part)) > 1 else 1


def _drawn(matrix: Matrix, room: int) -> list[str]:
    """The name of a matrix and its rows in brackets, its middle left out where it is too large."""
    cells = shortened(matrix.rows, ROWS, _fitting(matrix.rows, room - len("[  ]")))
    columns = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [" ".join(cell.rjust(wide) for cell, wide in zip(row, columns, strict=True)) for row in cells]
    return [printable(matrix.name), *(f"[ {row} ]" for row in rows)]


def _fitting(rows: Sequence[Sequence[str]], room: int) -> int:
    """How many columns fit if those in the middle are left out; all of them where they fit."""
    columns = [max(map(len, column)) for column in zip(*rows, strict=True)]
    most = min(len(columns), (room + 1) // 2)
    while most > 3 and sum(wide + 1 for wide in _ends(columns, most, len(GAP))) - 1 > room:
        most -= 1
    return max(most, 3)


def shortened(rows: Sequence[Sequence[str]], most_rows: int, most_columns: int) -> Cells:
    """The rows and columns of a matrix at both ends, with a gap for those between.

    >>> shortened([["1", "2", "3", "4", "5"]] * 2, 9, 4)
    [['1', '2', '...', '5'], ['1', '2', '...', '5']]
    """
    across = [_ends(row, most_columns, GAP) for row in rows]
    return _ends(across, most_rows, [ROW_GAP] * len(across[0]))


def _ends(items: Sequence[T], most: int, gap: T) -> list[T]:
    """All items, or the first and the last of them with a gap between, `most` in all."""
    if len(items) <= most:
        return list(items)
    last = max((most - 1) // 3, 1)
    return [*items[: most - 1 - last], gap, *items[-last:]]


def _beside(parts: Sequence[Sequence[str]]) -> Iterator[str]:
    """Blocks of lines beside each other, their rows around one middle; a block of one line is a sign."""
    height = max(len(part) - 1 for part in parts) or 1
    lines = [""] * (height + 1)
    for before, part in zip((None, *parts), parts, strict=False):
        gap = _gap(before, part)
        name, rows = ("", part) if len(part) == 1 else (part[0], part[1:])
        wide = max(map(width, part))
        above = (height - len(rows)) // 2
        placed = {above: name} | {above + 1 + number: row for number, row in enumerate(rows)}
        for number in range(height + 1):
            text = placed.get(number, "")
            lines[number] += " " * gap + text + " " * (wide - width(text))
    for line in lines:
        yield line.rstrip()


def latex_matrices(block: Matrices) -> str:
    """The matrices as a displayed formula, each over its name.

    >>> print(latex_matrices(Matrices((Matrix("C^T", (("1", "."), ("3", "4"))), "=", "2"))))
    \\[
    \\underset{\\texttt{C\\textasciicircum{}T}}{\\left[\\begin{array}{rr}1 & 0 \\\\ 3 & 4\\end{array}\\right]}
    =
    2
    \\]
    """
    signs = {"·": r"\cdot", "*": "*", "*^T": r"*^{\top}", GAP: r"\cdots", "->": r"\rightarrow", "and": r"\mbox{ and }"}
    lines = [r"\["]
    for before, part in zip(("", *block.parts), block.parts, strict=False):
        if isinstance(part, str):
            lines.append(signs.get(part, latex(part)))
            continue
        if isinstance(before, Matrix):
            lines.append(r"\quad")
        cells = shortened(part.rows, ROWS, COLUMNS_OF_LATEX)
        written = {GAP: r"\cdots", ROW_GAP: r"\vdots", ".": "0"}
        rows = r" \\ ".join(" & ".join(written.get(cell, cell) for cell in row) for row in cells)
        inner = rf"\left[\begin{{array}}{{{'r' * len(cells[0])}}}{rows}\end{{array}}\right]"
        lines.append(rf"\underset{{\texttt{{{latex(part.name)}}}}}{{{inner}}}" if part.name else inner)
    return "\n".join([*lines, r"\]"])
