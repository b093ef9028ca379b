"""What drawings are made of: grids of cells, texts, and the SVG around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from ..export.drawing import px
from ..terminal import printable, width
from .style import ROOT, Scheme, style

MARGIN = 20
TALL = 16
"""Pixels of a narrow cell from its top to its bottom."""
SEPARATE = 5
"""Pixels from which on a cell has an outline of its own."""
LETTER = 6.6
"""Width of a letter of 12 pixels, rather too much than too little."""
HEADING_LETTER = 7.4
"""Of bold ones."""
TITLE_LETTER = 9.6
LONGEST_TEXT = 120
"""Characters of a line; of a longer name the middle is left out."""


class Grid(NamedTuple):
    """Cells of one size: where they stand, and which rows and columns there are."""

    x: int
    y: int
    cell: int
    rows: range
    columns: range
    narrow: bool = False
    """Whether its cells are higher than wide: a row of many would be a line."""

    @property
    def tall(self) -> int:
        """Pixels of a cell from its top to its bottom."""
        return max(self.cell, TALL) if self.narrow else self.cell

    @property
    def width(self) -> int:
        """Pixels from the left to the right."""
        return self.cell * len(self.columns)

    @property
    def height(self) -> int:
        """Pixels from the top to the bottom."""
        return self.tall * len(self.rows)

    def at(self, row: int, column: int) -> tuple[int, int]:
        """The left upper corner of a cell."""
        return self.x + (column - self.columns.start) * self.cell, self.y + (row - self.rows.start) * self.tall

    def path(self, cells: Iterable[tuple[int, int]]) -> str:
        """Squares of these cells as the data of a path; of small ones that stand beside each other one rectangle."""
        side, tall = self.cell, self.tall
        if side >= SEPARATE:
            return "".join(f"M{x} {y}h{side}v{tall}h-{side}z" for x, y in (self.at(*cell) for cell in cells))
        runs: list[tuple[int, int, int]] = []
        for row, column in sorted(cells):
            if runs and runs[-1][0] == row and runs[-1][2] == column:
                runs[-1] = row, runs[-1][1], column + 1
            else:
                runs.append((row, column, column + 1))
        corners = ((*self.at(row, first), side * (end - first)) for row, first, end in runs)
        return "".join(f"M{x} {y}h{wide}v{tall}h-{wide}z" for x, y, wide in corners)

    def moved(self, x: int, y: int) -> Grid:
        """The same grid elsewhere."""
        return self._replace(x=x, y=y)


def short(text: str, most: int = LONGEST_TEXT) -> str:
    """A text as it can be seen, its middle left out where it is long.

    >>> short("a\\u202eb"), short("abcdefgh", 5)
    ('a\\\\u202eb', 'ab…gh')
    """
    clean = printable(text[: 4 * most] + text[-4 * most :] if len(text) > 8 * most else text)
    half = (most - 1) // 2
    return clean if len(clean) <= most else f"{clean[: most - 1 - half]}…{clean[-half:]}"


def text(x: float, y: float, said: str, kind: str = "") -> str:
    """A text of one line."""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{px(x)}" y="{px(y)}">{escape(said)}</text>'


def path(kind: str, data: str, inside: str = "") -> str:
    """A path of a class, with what stands in it; nothing for no data."""
    if not data:
        return ""
    return f'<path class="{kind}" d="{data}">{inside}</path>' if inside else f'<path class="{kind}" d="{data}"/>'


def rect(kind: str, x: float, y: float, w: float, h: float, inside: str = "", more: str = "") -> str:
    """A rectangle of a class, with what stands in it."""
    opened = f'<rect class="{kind}" x="{px(x)}" y="{px(y)}" width="{px(w)}" height="{px(h)}"{more}'
    return f"{opened}>{inside}</rect>" if inside else f"{opened}/>"


def used(name: str) -> str:
    """The beginning of a group that is drawn again elsewhere: there it stands outside of the drawing, for its style."""
    return f'<g id="{name}" class="{ROOT}">'


def text_width(said: str, letter: float = LETTER) -> float:
    """Pixels that a text takes, about."""
    return letter * width(said)


class Page(NamedTuple):
    """A whole drawing: its size, what it is called and what it says to those who do not see it."""

    title: str
    description: str
    width: int
    height: int
    parts: Sequence[str]
    prefix: str
    hatched: bool = False

    def svg(self, scheme: Scheme | None = "auto") -> str:
        """The SVG text; its ids begin with the prefix, so that several stand in one page.

        With None for the scheme it has no style: the page around it has that.
        """
        p = self.prefix
        hatch = (
            f'<defs><pattern id="{p}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><path class="hatching" d="M3 0v6"/></pattern></defs>'
        )
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{ROOT}" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img" aria-labelledby="{p}-title {p}-desc">',
            f'<title id="{p}-title">{escape(self.title)}</title>',
            f'<desc id="{p}-desc">{escape(self.description)}</desc>',
            *([] if scheme is None else [f"<style>\n{style(scheme)}\n</style>"]),
            *([hatch] if self.hatched else []),
            rect("paper", 0, 0, self.width, self.height),
            *[part for part in self.parts if part],
            "</svg>",
        ]
        return "\n".join(lines) + "\n"
