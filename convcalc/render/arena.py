"""The plan of a microcontroller's arena as a document: a row a buffer, and the arena as it is while that is filled."""

from __future__ import annotations

from ..analysis.arena import Arena
from ..analysis.controller import LEFT_OUT, Controller, figures_of
from ..units import amount, counted
from .document import Column, Document, Note, Notes, Table
from .table import heading

STRIP, NARROW = 24, 14
"""Columns of the picture of the arena, and of where names leave less."""
OWN, OTHER, FREE = "█", "▒", "·"
SIGNS = f"arena, from 0 to its end: {OWN} the row's buffer, {OTHER} others that are alive, {FREE} free"


def arena_document(plan: Controller) -> Document:
    """Every buffer in the order in which they are filled, and what all of them need."""
    notes = Notes(tuple(Note(text, "bold" if not number else "dim") for number, text in enumerate(_said(plan))))
    return Document((heading(figures_of(plan)), _table(plan, raw=False), notes))


def arena_rows(plan: Controller) -> Document:
    """The buffers alone with raw numbers, for programs."""
    return Document((_table(plan, raw=True),))


def _table(plan: Controller, raw: bool, drawn: int = STRIP) -> Table:
    arena = plan.arena
    columns = [
        Column("step", "right"),
        Column("buffer", shrinks=drawn == NARROW),
        Column("bytes", "right"),
        Column("offset", "right"),
        Column("until", "right"),
        *[Column("arena")] * (not raw and arena.offsets is not None),
    ]
    rows = []
    for which, buffer in enumerate(arena.buffers):
        numbers = (buffer.first, buffer.size, None if arena.offsets is None else arena.offsets[which], buffer.last)
        first, size, offset, last = ("" if n is None else str(n) if raw else f"{n:,}" for n in numbers)
        strip = [strip_text(arena, which, drawn)] if not raw and arena.offsets is not None else []
        rows.append([first, plan.label(which), size, offset, last, *strip])
    return Table(columns, rows, narrow=None if raw or drawn == NARROW else _table(plan, raw, NARROW))


def strip_text(arena: Arena, which: int, columns: int = STRIP) -> str:
    """The arena while a buffer is filled; a sign stands for what has any part of its columns.

    >>> from convcalc.analysis.arena import Buffer
    >>> buffers = [Buffer([0], 480, 0, 1), Buffer([1], 240, 1, 1)]
    >>> strip_text(Arena(buffers, [1], [0, 1], [range(1), range(1, 2)], [480, 720], [0, 480], [480, 720]), 1)
    '▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒████████'
    """
    size, offsets = arena.size, arena.offsets
    assert size is not None and offsets is not None, "nothing is planned"
    cells = [FREE] * columns
    for other in (*[i for i in arena.alive(arena.buffers[which].first) if i != which], which):
        start, end = offsets[other], offsets[other] + arena.buffers[other].size
        for cell in range(start * columns // size, -(-end * columns // size)):
            cells[cell] = OWN if other == which else OTHER
    return "".join(cells)


def _said(plan: Controller) -> list[str]:
    flash = plan.flash
    parts = [("weights", flash.weights), ("biases", flash.biases), ("scales", flash.scales)]
    made_of = " · ".join(f"{name} {size:,} B" for name, size in parts if size)
    lines = [plan.said(), f"flash: {amount(flash.total, 'bytes')}{f' ({made_of})' if made_of else ''}"]
    if plan.padded and plan.size_with_pads is not None:
        layers = counted(len(plan.padded), "layer")
        with_pads = f"{plan.size_with_pads:,} B where a converter writes a PAD before each"
        lines.append(f"padding neither SAME nor VALID in {layers}: {with_pads}")
    return [*lines, f"left out: {', '.join(LEFT_OUT)}", *([SIGNS] if plan.arena.offsets is not None else [])]
