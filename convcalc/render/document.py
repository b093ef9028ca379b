"""What a command says, as plain data: a document of blocks. A format is one writer of it.

Two kinds of text stand in it. A `Paragraph`, and what is `bare`, are convcalc's own prose, in which backticks hold
code; all other text may come from a spec, and nothing in it is mark-up. No text is escaped here: writers do that.

Blocks are named tuples: every call makes their classes, and those of data classes take three times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..findings import Finding, place, said

if TYPE_CHECKING:
    from fractions import Fraction


class Heading(NamedTuple):
    """What the document is about, before all else."""

    text: str
    level: int | None = None
    """Without a level it stands in text alone: whoever pastes the tables has a heading of their own."""
    rest: str = ""
    """Said behind it with less weight."""
    note: str = ""
    """Said right below it."""
    note_style: str = "dim"
    source: str = ""
    """Where it comes from, behind it where there is room: then without what names its title."""


class Note(NamedTuple):
    """One remark; blanks at its beginning set all of its lines in."""

    text: str
    style: str = ""
    shorter: str = ""
    """Said instead where the text does not fit on one line."""


class Notes(NamedTuple):
    """Remarks, each on a line of its own."""

    notes: tuple[Note, ...]


class Paragraph(NamedTuple):
    """Running text of convcalc's own; what stands between backticks is code."""

    text: str


class Code(NamedTuple):
    """Lines that stay as they are: formulas, code, drawings in monospaced characters."""

    lines: tuple[str, ...]
    language: str = "text"
    displayed: bool = False
    """Set in further than the text around it, as a displayed formula is."""
    drawn: bool = False
    """A drawing: its lines may be cut where they are wider than the terminal."""


class Column(NamedTuple):
    """A heading and how its cells stand."""

    heading: str
    align: Literal["left", "right"] = "left"
    shrinks: bool = False
    """Whether its cells may be cut where the table is too wide."""


class Table(NamedTuple):
    """Rows of cells under columns.

    Where it is too wide, columns that may shrink are cut, then it folds into blocks that repeat the first column.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""
    notes: tuple[Note, ...] = ()
    """Remarks on it, below it."""
    styles: Mapping[tuple[int, int], str] = MappingProxyType({})
    """(row, column) -> style of the cell."""
    rules: frozenset[int] = frozenset()
    """Rows with a line above them."""
    bare: bool = False
    """Without lines, in the words of the prose around it."""
    narrow: Table | None = None
    """What is shown instead where this one does not fit."""


EACH = "each"
"""Said of a row whose figures are of one of several equal ones."""
ZERO = "·"
"""A cell of a tree that stands for nothing at all."""


class TreeRow(NamedTuple):
    """A row of a tree: what stands where, and its cells."""

    level: int
    label: str
    """Its path below the row above it."""
    path: str
    what: str
    """What it is; empty where its label says it."""
    cells: tuple[str, ...]
    share: Fraction | None = None
    each: bool = False
    """Whether it stands for several, and its cells are of each."""
    above: bool = False
    """Whether rows below it say more."""


class Tree(NamedTuple):
    """Rows set in below each other, with cells under columns and a share as figure and bar.

    No label is cut: one that leaves no room for the cells stands on a line of its own. Where the cells do not fit even
    so, the rows fold like those of a table.
    """

    labels: str
    """The heading of the labels."""
    columns: Sequence[Column]
    rows: Sequence[TreeRow]
    share: str = ""
    """What the share is of; empty where there is none."""
    total: tuple[str, ...] = ()
    """Cells of the last row; none without it."""
    notes: tuple[Note, ...] = ()
    """What is said right below it."""
    stacked: bool = False
    """Whether the words of a heading stand above each other: `peak_memory` on two lines."""
    narrow: Tree | None = None
    """What is shown instead where this one does not fit."""

    @property
    def table(self) -> Table:
        """The rows by their whole paths."""
        shared, described = bool(self.share), any(row.what or row.each for row in self.rows)
        columns = [
            Column(self.labels),
            *[Column("kind" if any(row.what for row in self.rows) else "", shrinks=True)] * described,
            *self.columns,
        ]
        columns += [Column(f"% of {self.share}", "right")] * shared
        rows = [
            [row.path, *[described_as(row)] * described, *row.cells, *[share_text(row.share)] * shared]
            for row in self.rows
        ]
        if not self.total:
            return Table(columns, rows, notes=self.notes)
        last = ["total", *[""] * described, *self.total, *[""] * shared]
        end = len(rows)
        return Table(columns, [*rows, last], "", self.notes, {(end, 0): "bold"}, frozenset({end}))


def described_as(row: TreeRow) -> str:
    """What a row is, and whether its cells are of each.

    >>> described_as(TreeRow(1, "1–2", "conv2_x.1–2", "bottleneck", (), each=True))
    'bottleneck, each'
    """
    return ", ".join(part for part in (row.what, EACH if row.each else "") if part)


def share_text(share: Fraction | None) -> str:
    """A share in per cent; empty for none.

    >>> from fractions import Fraction
    >>> share_text(Fraction(163, 1000)), share_text(Fraction(1, 9999)), share_text(Fraction(0))
    ('16.3%', '<0.1%', '')
    """
    if not share:
        return ""
    permille = (2 * share.numerator * 1000 + share.denominator) // (2 * share.denominator)
    return f"{permille // 10}.{permille % 10}%" if permille else "<0.1%"


class KeyLines(NamedTuple):
    """Answers behind their labels; an answer's further lines have an empty label."""

    title: str
    lines: tuple[tuple[str, str], ...]
    columns: tuple[str, str]
    """What the labels and the answers are called where they become a table."""

    @property
    def table(self) -> Table:
        """The lines as a table."""
        return Table(tuple(map(Column, self.columns)), self.lines, self.title)


class Equation(NamedTuple):
    """`result = expression = substituted = value`; parts that say nothing new are empty."""

    result: str
    value: str
    expression: str = ""
    substituted: str = ""
    note: str = ""
    source: str = ""
    mark: int = 0
    """The number of its source among the document's references."""

    @property
    def formulas(self) -> tuple[str, ...]:
        """What stands between the result and the value."""
        return tuple(part for part in (self.expression, self.substituted) if part)


class Equations(NamedTuple):
    """Equations below each other."""

    lines: tuple[Equation, ...]


class Matrix(NamedTuple):
    """Numbers in rows and columns under a name; `.` is a zero that is not worth a number."""

    name: str
    rows: Sequence[Sequence[str]]


class Matrices(NamedTuple):
    """Matrices and the signs between them: A · B = C."""

    parts: tuple[Matrix | str, ...]


class References(NamedTuple):
    """Sources by number, from 1."""

    sources: tuple[str, ...]


class Bar(NamedTuple):
    """One bar: its label, its length (None: nothing is drawn) and its value in words."""

    label: str
    length: int | Fraction | None
    value: str


class Bars(NamedTuple):
    """Horizontal bars, the longest for the largest value."""

    title: str
    bars: tuple[Bar, ...]

    @property
    def table(self) -> Table:
        """The values as a table."""
        rows = tuple((bar.label, bar.value) for bar in self.bars)
        return Table((Column(""), Column("value", "right")), rows, self.title)


class Axis(NamedTuple):
    """One direction of a scatter: what is measured along it."""

    name: str
    unit: str


class Point(NamedTuple):
    """One point of a scatter: its label, where it is and its values in words."""

    label: str
    x: int | float | Fraction
    y: int | float | Fraction
    written: tuple[str, str]


class Scatter(NamedTuple):
    """Points over two axes, each with a mark and a key of the marks below."""

    x: Axis
    y: Axis
    points: tuple[Point, ...]
    first: str
    """What the points are called in the heading of the key."""
    rest: tuple[tuple[int | float | Fraction, int | float | Fraction], ...] = ()
    """Where else there is something that has no label."""

    @property
    def title(self) -> str:
        """What is drawn over what."""
        return f"{self.y.name} over {self.x.name}"

    @property
    def table(self) -> Table:
        """The values as a table."""
        columns = (Column(self.first), Column(self.x.name, "right"), Column(self.y.name, "right"))
        return Table(columns, [(point.label, *point.written) for point in self.points], self.title)


class Listing(NamedTuple):
    """A long list, which mark-up folds away behind its summary: a sign and a text a row."""

    title: str
    summary: str
    rows: tuple[tuple[str, str], ...]
    styles: tuple[str, ...]
    heading: str
    more: str = ""
    """Said on a terminal below the list where it is cut short."""

    @property
    def table(self) -> Table:
        """The list as a table."""
        return Table((Column(""), Column(self.heading)), self.rows)


class Findings(NamedTuple):
    """Findings, each with its place."""

    findings: tuple[Finding, ...]

    @property
    def table(self) -> Table:
        """A row a finding."""
        rows = tuple((place(f), f.code, said(f), f.hint or "") for f in self.findings)
        return Table(tuple(map(Column, ("place", "code", "finding", "hint"))), rows)


class Section(NamedTuple):
    """A heading and the blocks below it."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2
    bare: bool = False
    """A heading without weight, in the words of the prose below it."""


Block = (
    Heading
    | Section
    | Table
    | Tree
    | KeyLines
    | Notes
    | Paragraph
    | Code
    | Equations
    | Matrices
    | References
    | Bars
    | Scatter
    | Listing
    | Findings
)


class Measure(NamedTuple):
    """How wide lines of text are: what a terminal has, within bounds; `piped` where nobody says (None: no limit)."""

    least: int = 20
    most: int | None = None
    piped: int | None = None

    def within(self, terminal: int | None) -> int | None:
        """Columns of a line on a terminal of this width; None in a pipe.

        >>> Measure(40, piped=100).within(None), Measure(40).within(20), Measure().within(None)
        (100, 40, None)
        """
        if terminal is None:
            return self.piped
        wide = max(terminal, self.least)
        return wide if self.most is None else min(wide, self.most)


PAGE = Measure(40, 80, 80)
"""Pages of prose: 80 columns, or what a narrower terminal has."""


class Document(NamedTuple):
    """Blocks, with an empty line between them."""

    blocks: tuple[Block, ...]
    measure: Measure = Measure()
