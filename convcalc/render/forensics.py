"""The answers of `convcalc forensics` as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis.forensic_answers import entry, place, plain
from ..hints import shortened
from ..units import counted
from .document import Block, Code, Column, Document, Heading, Note, Notes, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..analysis.forensic_answers import Answer, Forensics, Found
    from ..analysis.forensic_questions import Question
    from ..language.published import Reading

COLUMNS = (Column("cells", "right"), Column("reading"), Column("against now", shrinks=True))
MOST_NAMES = (3, 1)
"""Cells that are named as gained or lost, fewer where there is less room; with none it is said how many they are."""
ROOMS = (80, 26, 12)
"""Characters that these names may take, as the table has room."""


def forensics_document(found: Forensics) -> Document:
    """The best readings of each question, what chance gives, and the lines for the spec."""
    blocks: list[Block] = [Heading(found.network.name, note=_followed(found.whole))]
    for answer in found.answers:
        blocks.append(_table(answer))
        lines = entry(answer)
        if lines:
            blocks.append(Notes((Note(f"for the {place(answer)} in the spec:", "dim"),)))
            blocks.append(Code(tuple(lines), "yaml", displayed=True))
    remarks = tuple(Note(text, "dim") for text in _remarks(found))
    return Document((*blocks, Notes(remarks)) if remarks else tuple(blocks))


def _followed(whole: tuple[Question, ...]) -> str:
    if not whole:
        return ""
    cells = sum(len(question.cells) for question in whole)
    return f"{counted(cells, 'cell')} of {counted(len(whole), 'reading')} follow already: --all searches them too"


def _remarks(found: Forensics) -> Iterator[str]:
    if found.left_out:
        yield f"{counted(found.left_out, 'cell')} left out: sizes, words and shares are not searched"
    if found.unbuilt:
        yield f"{counted(found.unbuilt, 'network')} left out: with these params or widths they do not build"


def _table(answer: Answer) -> Table:
    cells = len(answer.now)
    title = f"{answer.question.table.title}, {place(answer)}: {sum(answer.now)} of {cells} cells follow"
    notes = tuple(map(Note, _notes(answer)))
    table: Table | None = None
    for room in reversed(ROOMS):
        rows = [
            [f"{each.cells}/{cells}", _said(each.reading, answer), _against(answer, each, room)]
            for each in answer.found
        ]
        table = Table(COLUMNS, rows, title, notes, narrow=table)
    assert table is not None
    return table


def _said(reading: Reading, answer: Answer) -> str:
    """What a reading says otherwise than the one that the spec has."""
    now = plain(answer.question.cells[0].reading)
    changed = {name: said for name, said in plain(reading).items() if now.get(name) != said}
    if "round" not in reading.said and now.get("round") not in (None, "half_up"):
        changed["round"] = "half_up"
    words = [f"{name} {_words(said)}" if name != "value" else str(said) for name, said in changed.items()]
    return ", ".join(words) or "as it is"


def _words(said: object) -> str:
    return ", ".join(f"{name}: {value}" for name, value in said.items()) if isinstance(said, dict) else str(said)


def _against(answer: Answer, found: Found, room: int) -> str:
    """The cells that a reading gives beyond those that follow now, and those that it gives no more."""
    by_row = len(answer.question.rows) > 1
    signs: dict[str, list[str]] = {"+": [], "-": []}
    for cell, now, given in zip(answer.question.cells, answer.now, found.gives, strict=True):
        if now != given:
            signs["+" if given else "-"].append(cell.row.name if by_row else cell.heading)
    changes = [(sign, names) for sign, names in signs.items() if names]
    ways = ("; ".join(f"{sign} {shortened(names, most)}" for sign, names in changes) for most in MOST_NAMES)
    counts = "; ".join(f"{sign} {len(names)}" for sign, names in changes)
    return next((text for text in ways if len(text) <= room), counts)


def _notes(answer: Answer) -> Iterator[str]:
    yield (
        f"tried: {counted(answer.tried, 'reading')}, {answer.distinct:,} of them different; "
        f"{answer.as_good:,} {'gives' if answer.as_good == 1 else 'give'} {answer.best} of {len(answer.now)} cells"
    )
    control = answer.control
    if not answer.best:
        return
    if not control.tables:
        yield "by chance: nothing can be said, for there is nothing to permute"
        return
    fewest, median, most = control.best
    spread = f"{fewest}" if fewest == most else f"{fewest} to {most}, half of the time {median} or more"
    yield (
        f"by chance: {control.reaching} of {counted(control.tables, 'permuted table')} have a reading that gives "
        f"{answer.best}, {float(control.readings):.2f} readings each in the mean; their best gives {spread}"
    )
