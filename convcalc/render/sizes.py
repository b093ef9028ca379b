"""The answers of `convcalc sizes` as a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from ..analysis.size_decisions import Decision, Demand, Remainder
from ..analysis.size_sets import SizeSet
from ..analysis.sizes import AxisSizes, SizeRow, Sizes
from ..geometry import Window
from ..hints import shortened
from .document import Block, Column, Document, KeyLines, Note, Notes, Table

LISTED = 8
"""Sizes of a class that are listed."""
MEANINGS = (
    "exact: no window leaves anything over; ratio: every output is the input by the strides before it; weights: the"
    " params keep their shapes; period: the answers repeat every so many sizes"
)


def sizes_document(found: Sizes, listed: range, all: bool) -> Document:
    """The answers of each axis that is shown; `all` adds a row for each size listed."""
    blocks: list[Block] = []
    for axis in found.shown:
        first = not blocks
        blocks.append(KeyLines(_title(found, axis), tuple(_answers(axis, listed)), ("answer", "sizes")))
        blocks += [Notes((Note(MEANINGS),))] * first
        blocks += [*_tables(axis), *([rows_table(axis.rows(listed))] if all else [])]
    return Document(tuple(blocks))


def sizes_rows(found: Sizes, listed: range) -> Document:
    """A row for each size listed, on each axis that is shown, spelled out for programs."""
    parts = [(axis.axis, rows_table(axis.rows(listed), raw=True)) for axis in found.shown]
    columns = (Column("axis"), *parts[0][1].columns)
    return Document((Table(columns, [[str(axis), *row] for axis, table in parts for row in table.rows]),))


def _title(found: Sizes, axis: AxisSizes) -> str:
    """What the answers are about."""
    shapes = ", ".join("×".join(map(str, shape)) for shape in found.network.inputs.values())
    which = "each space axis" if found.axes_agree else f"space axis {axis.axis}"
    return f"{found.network.name}  input {shapes}: sizes i of {which}"


def _answers(axis: AxisSizes, listed: range) -> list[tuple[str, str]]:
    """(label, text) of each answer; a label stands before the first of its lines only."""
    outputs = [f"{o.expression} ({'' if o.is_output else 'after '}{o.name})" for o in axis.outputs]
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
        yield "", str(decision)


def _with_members(found: SizeSet, axis: AxisSizes, listed: range) -> str:
    if not axis.settled or not found.residues or found.modulus == 1:
        return str(found)
    inside = list(islice((size for size in listed if size in found), LISTED + 1))
    more = ", …" if len(inside) > LISTED else ""
    return f"{found}" + (f": {', '.join(map(str, inside[:LISTED]))}{more}" if inside else "")


def _tables(axis: AxisSizes) -> list[Table]:
    """What the strided layers ask for, and what they leave over at the spec's own size."""
    found = []
    if axis.demands:
        found.append(Table(_DEMANDS, [_demand(demand) for demand in axis.demands]))
    if axis.remainders:
        found.append(Table(_REMAINDERS, [_remainder(r) for r in axis.remainders], f"left over at {axis.size}"))
    return found


_DEMANDS = (
    Column("strided layer", shrinks=True),
    Column("window"),
    Column("its input"),
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


def rows_table(rows: Iterable[SizeRow], raw: bool = False) -> Table:
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
    return Table(columns, cells)


def _names(names: Sequence[str], raw: bool) -> str:
    if raw:
        return " ".join(names)
    return shortened(names, 1)
