"""The answers of `convcalc sizes`, as lines, grids and notes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import islice

from ..analysis.size_decisions import Decision, Demand, Remainder
from ..analysis.size_sets import SizeSet
from ..analysis.sizes import AxisSizes, SizeRow, Sizes
from ..geometry import Window
from .escape import printable
from .grid import Column, Grid, Line, layout, markdown, to_csv

LABEL = 9
"""Columns of a label and the gap behind it."""
LISTED = 8
"""Sizes of a class that are listed."""


def title(found: Sizes, axis: AxisSizes) -> str:
    """What the answers are about."""
    inputs = found.network.inputs
    shapes = ", ".join("×".join(map(str, shape)) for shape in inputs.values())
    which = "each space axis" if found.axes_agree else f"space axis {axis.axis}"
    return f"{printable(found.network.name)}  input {shapes}: sizes i of {which}"


def answers(axis: AxisSizes, listed: range) -> list[tuple[str, str]]:
    """(label, text) of each answer; a label stands before the first of its lines only."""
    outputs = [f"{o.expression} ({'' if o.is_output else 'after '}{printable(o.name)})" for o in axis.outputs]
    lines = [
        *_answer("builds", str(axis.builds), _limits(axis)),
        *_answer("exact", _with_members(axis.exact, axis, listed), axis.exact_by),
        *_answer("ratio", _with_members(axis.ratio, axis, listed), axis.ratio_by),
        *_answer("weights", str(axis.weights), axis.weights_by),
        *[("output" if not n else "", text) for n, text in enumerate(outputs or ["the same for every size"])],
        ("period", str(axis.period)),
    ]
    if not axis.settled:
        tried = f"{axis.tried.start} to {axis.tried.stop - 1}"
        lines.append(("", f"the answers hold for the sizes tried, {tried}: no pattern was found beyond them"))
    return lines


def _limits(axis: AxisSizes) -> list[Decision]:
    return [by for by in (axis.minimum_by, axis.builds_by) if by is not None]


def _answer(label: str, text: str, by: Decision | Sequence[Decision] | None) -> Iterable[tuple[str, str]]:
    yield label, text
    for decision in [by] if isinstance(by, Decision) else by or ():
        yield "", printable(str(decision))


def _with_members(found: SizeSet, axis: AxisSizes, listed: range) -> str:
    if not axis.settled or not found.residues or found.modulus == 1:
        return str(found)
    inside = list(islice((size for size in listed if size in found), LISTED + 1))
    more = ", …" if len(inside) > LISTED else ""
    return f"{found}" + (f": {', '.join(map(str, inside[:LISTED]))}{more}" if inside else "")


def as_lines(found: Sizes, listed: range, all: bool, width: int | None) -> list[Line]:
    """The answers for a terminal; `all` adds a row for each size listed."""
    result: list[Line] = []
    for axis in found.shown:
        result += [[]] * bool(result) + [[(title(found, axis), "bold")]]
        for label, text in answers(axis, listed):
            wrapped = textwrap.wrap(text, max(width - LABEL, 30), break_on_hyphens=False) if width else [text]
            result += [
                [(label if not n else "", "bold"), (" " * (LABEL - (0 if n else len(label))) + line, "")]
                for n, line in enumerate(wrapped)
            ]
        for grid in [*grids(axis), *([rows_grid(axis.rows(listed))] if all else [])]:
            result += [[], *layout(grid, width)]
    return result


def as_markdown(found: Sizes, listed: range, all: bool) -> str:
    """The answers as Markdown tables."""
    parts = []
    for axis in found.shown:
        texts = [[label, text] for label, text in answers(axis, listed)]
        parts += [Grid(_ANSWERS, texts, title(found, axis)), *grids(axis)]
        if all:
            parts.append(rows_grid(axis.rows(listed)))
    return markdown(parts)


def as_csv(found: Sizes, listed: range) -> str:
    """A row for each size listed, on each axis that is shown."""
    parts = [(axis.axis, rows_grid(axis.rows(listed), raw=True)) for axis in found.shown]
    columns = [Column("axis"), *parts[0][1].columns]
    return to_csv(Grid(columns, [[str(axis), *row] for axis, grid in parts for row in grid.rows]))


def grids(axis: AxisSizes) -> list[Grid]:
    """What the strided layers ask for, and what they leave over at the spec's own size."""
    found = []
    if axis.demands:
        found.append(Grid(_DEMANDS, [_demand(demand) for demand in axis.demands]))
    if axis.remainders:
        found.append(Grid(_REMAINDERS, [_remainder(r) for r in axis.remainders], f"left over at {axis.size}"))
    return found


_ANSWERS = (Column("answer"), Column("sizes"))
_DEMANDS = (
    Column("strided layer", shrinks=True),
    Column("window"),
    Column("its input", "left"),
    Column("i so far"),
)
_REMAINDERS = (
    Column("layer", shrinks=True),
    Column("its input", "right"),
    Column("over", "right"),
    Column("never read", "right"),
)


def _demand(demand: Demand) -> list[str]:
    return [demand.layer, window_text(demand.window), f"{demand.residue} mod {demand.window.stride}", demand.left]


def _remainder(remainder: Remainder) -> list[str]:
    over = f"{remainder.over}" if remainder.over > 0 else f"reaches {-remainder.over} beyond"
    return [remainder.layer, str(remainder.size), over, str(remainder.unread)]


def window_text(window: Window) -> str:
    """A window in the lecture's letters.

    >>> window_text(Window(3, 2, 1, 1)), window_text(Window(3, 2, 0, 1, 2))
    ('k3 s2 p1', 'k3 s2 p0:1 d2')
    """
    pads = f"{window.before}" if window.before == window.after else f"{window.before}:{window.after}"
    dilation = f" d{window.dilation}" if window.dilation > 1 else ""
    return f"k{window.kernel_size} s{window.stride} p{pads}{dilation}"


def rows_grid(rows: Iterable[SizeRow], raw: bool = False) -> Grid:
    """Every size tried, a row each; `raw` spells out what a glance does not need."""
    columns = [
        Column("size", "right"),
        Column("output", "right"),
        Column("exact"),
        Column("ratio"),
        Column("leaves over", shrinks=True),
        Column("leaves unread", shrinks=True),
    ]
    cells = []
    for row in rows:
        if row.output is None:
            cells.append([str(row.size), "", "", "", "", ""] if raw else [str(row.size), "-", "", "", "", ""])
            continue
        marks = ["yes" if kept else "no" if raw else "" for kept in (row.exact, row.ratio)]
        cells.append([str(row.size), str(row.output), *marks, _names(row.over, raw), _names(row.unread, raw)])
    return Grid(columns, cells)


def _names(names: Sequence[str], raw: bool) -> str:
    if raw:
        return " ".join(names)
    return "" if not names else names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
