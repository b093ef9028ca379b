"""A tree as lines: labels set in, cells, and a share as figure and bar, in the room that there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..terminal import printable, width
from .document import EACH, ZERO, Column, Tree, TreeRow, described_as, share_text
from .grid import table_lines
from .lines import GAP, INDENT, Line, bar_text, note_lines, padded

if TYPE_CHECKING:
    from fractions import Fraction

SHORTEST_LABEL = 12
"""Columns that labels of a tree keep beside its cells."""
WHAT = "kind"
SHORTEST_WHAT = 10
CUT_FIRST = 8
"""Columns that what rows are gives up before the bars go."""
SHARE_BARS = (10, 5, 3)
"""Columns of the bar beside a share: the most that fits."""
ABBREVIATED = ".."


class _Widths(NamedTuple):
    """Columns of the parts of a tree's line; 0: the part is left out."""

    label: int
    what: int
    cells: tuple[int, ...]
    share: int
    bar: int


def tree_lines(tree: Tree, limit: int | None) -> Iterator[Line]:
    """The tree as lines of at most `limit` columns (None: no limit): labels, what they are, cells, share and bar.

    Where it is too wide, the bars get shorter, what rows are is cut, the bars go, then what rows are; then labels that
    are too long stand on lines of their own. Cells that do not fit beside a short label fold like those of a table.
    """
    labels = [INDENT * row.level + printable(row.label) for row in tree.rows]
    whats = [printable(described_as(row)) for row in tree.rows]
    cells = [[printable(cell) for cell in row.cells] for row in tree.rows]
    total = [printable(cell) for cell in tree.total]
    everything = [*cells, total] if total else cells
    widths = _tree_widths(tree, labels, whats, everything, limit)
    if widths is not None and not widths.what and any(whats):
        labels = [f"{label} {EACH}" if row.each else label for label, row in zip(labels, tree.rows, strict=True)]
        widths = _tree_widths(tree, labels, [""] * len(whats), everything, limit)
    if widths is None or width(max(labels, key=width, default="")) > widths.label:
        if tree.narrow is not None:
            yield from tree_lines(tree.narrow, limit)
            return
    if widths is None:
        table = tree.table
        rows = [[label, *row[1:]] for label, row in zip(labels, table.rows, strict=False)]
        yield from table_lines(table._replace(rows=[*rows, *table.rows[len(rows) :]]), limit)
        return
    largest = max((row.share for row in tree.rows if row.share), default=None)
    yield from _tree_head(tree, widths, limit)
    for label, what, texts, row in zip(labels, whats, cells, tree.rows, strict=True):
        style = "bold" if row.above else ""
        if width(label) > widths.label:
            yield [(label, style)]
            label, what = "", what if widths.what else ""
        yield _tree_line(label, style, what, texts, row, largest, tree.columns, widths)
    if total:
        yield _tree_line("total", "bold", "", total, TreeRow(0, "", "", "", ()), largest, tree.columns, widths)
    yield from note_lines(tree.notes, limit)


def _tree_widths(
    tree: Tree, labels: list[str], whats: list[str], cells: list[list[str]], limit: int | None
) -> _Widths | None:
    """The widest parts that fit; None where the cells do not fit beside a short label."""
    columns = tuple(
        max([*map(width, _words(tree, column)), *[width(row[i]) for row in cells]])
        for i, column in enumerate(tree.columns)
    )
    label = max([width(tree.labels), *map(width, labels)])
    what = max(map(width, whats), default=0)
    what = max(what, len(WHAT)) if what else 0
    share = max(map(len, map(share_text, (row.share for row in tree.rows))), default=0) if tree.share else 0
    bars = SHARE_BARS if share else (0,)
    if limit is None:
        return _Widths(label, what, columns, share, bars[0])
    less = min(what, max(what - CUT_FIRST, SHORTEST_WHAT))
    for kept, bar in (*((kept, bar) for kept in (what, less) for bar in bars), (what, 0)):
        found = _Widths(label, kept, columns, share, bar)
        if _tree_width(found) <= limit:
            return found
    room = limit - _tree_width(_Widths(label, 0, columns, share, 0))
    if room - len(GAP) >= min(what, SHORTEST_WHAT) > 0:
        return _Widths(label, min(what, room - len(GAP)), columns, share, 0)
    if any(row.each for row in tree.rows) and room - len(GAP) >= len(EACH):
        return _Widths(label, len(EACH), columns, share, 0)
    if label + room >= min(label, SHORTEST_LABEL):
        return _Widths(min(label, label + room), 0, columns, share, 0)
    return None


def _tree_width(widths: _Widths) -> int:
    parts = [widths.label, widths.what, *widths.cells, widths.share]
    bar = 1 + widths.bar if widths.bar else 0
    return sum(parts) + len(GAP) * (sum(part > 0 for part in parts) - 1) + bar


def _words(tree: Tree, column: Column) -> list[str]:
    """A column's heading, line by line."""
    return column.heading.split("_") if tree.stacked else [column.heading]


def _tree_head(tree: Tree, widths: _Widths, limit: int | None) -> Iterator[Line]:
    """The headings, on as many lines as the longest of them has; they stand on the last one."""
    longest = max((width(row.what) for row in tree.rows), default=0)
    described = longest > 0 and (widths.what > len(EACH) or longest <= widths.what)
    heads = [_words(tree, column) for column in tree.columns]
    height = max(map(len, heads), default=1)
    for level in range(height):
        last = level == height - 1
        texts = [(tree.labels if last else "").ljust(widths.label)]
        texts += [(WHAT if described and last else "").ljust(widths.what)] * (widths.what > 0)
        for head, column, room in zip(heads, tree.columns, widths.cells, strict=True):
            word = head[level - height + len(head)] if level >= height - len(head) else ""
            texts.append(padded(word, room, column.align))
        if widths.share and last:
            share = f"% {tree.share}"
            used = sum(map(width, texts)) + len(GAP) * len(texts)
            texts.append(share if limit is None or used + len(share) <= limit else "%")
        yield [(GAP.join(texts).rstrip(), "bold")]


def _tree_line(
    label: str,
    style: str,
    what: str,
    texts: Sequence[str],
    row: TreeRow,
    largest: Fraction | None,
    columns: Sequence[Column],
    widths: _Widths,
) -> Line:
    pieces: Line = [(label.ljust(widths.label + len(label) - width(label)), style)]
    if widths.what:
        pieces.append((GAP + padded(_abbreviated(what, row.each, widths.what), widths.what, "left"), "dim"))
    for text, column, room in zip(texts, columns, widths.cells, strict=True):
        pieces.append((GAP + padded(text, room, column.align), "dim" if text == ZERO else ""))
    if widths.share and row.share is not None:
        pieces.append((GAP + share_text(row.share).rjust(widths.share), ""))
        if widths.bar and largest:
            pieces.append((" " + bar_text(row.share, largest, widths.bar), "cyan"))
    while pieces and not pieces[-1][0].strip():
        pieces.pop()
    text, last = pieces.pop()
    return [*pieces, (text.rstrip(), last)]


def _abbreviated(what: str, each: bool, room: int) -> str:
    """What a row is in so many columns; that it stands for several is said in any case.

    >>> _abbreviated("bottleneck, each", True, 15), _abbreviated("bottleneck, each", True, 4)
    ('bottlen.., each', 'each')
    """
    if width(what) <= room:
        return what
    if room < SHORTEST_WHAT:
        return EACH if each else ""
    end = f"{ABBREVIATED}, {EACH}" if each else ABBREVIATED
    return what[: room - len(end)] + end
