"""What a search found as the lines of a spec: a reading, the cells that still differ, and other readings that fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..language.write import scalar

if TYPE_CHECKING:
    from ..language.published import Reading
    from .forensics import Answer, Found

MOST_OTHERS = 3
"""Other readings that are written."""
OPEN = "not given by the reading of the other cells"
"""The reason of a cell that the best reading leaves."""


def place(answer: Answer) -> str:
    """Where the cells of a question stand: their only row, their only column, or the table.

    A row alone is named by its key.
    """
    question = answer.question
    if len(question.columns) == 1:
        return f"column {question.columns[0]}"
    return f"row {question.rows[0]}" if len(question.rows) == 1 else "table"


def plain(reading: Reading) -> dict[str, object]:
    """A reading as plain data: its keys as a spec has them, units as numbers."""
    found: dict[str, object] = {}
    for name, said in reading.said.items():
        if name == "unit":
            found[name] = {suffix: None if n is None else _number(str(n)) for suffix, n in said.items()}
        else:
            found[name] = dict(said) if isinstance(said, Mapping) else said
    return found


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def flow(value: object) -> str:
    """Plain data in YAML's flow style.

    >>> flow({"value": "macs + bias_flops", "unit": {"×10^9": 1000}, "round": "down"})
    '{value: "macs + bias_flops", unit: {"\\\\xd710^9": 1000}, round: down}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(name))}: {flow(said)}" for name, said in value.items()) + "}"
    return str(value) if isinstance(value, int) else scalar(str(value))


def entry(answer: Answer) -> list[str]:
    """Lines for the spec: `reading` says what its column, row or table is to say, `differs` and `also` are lists.

    None where no reading gives more cells than follow today, and none other gives as many.
    """
    if not answer.found:
        return []
    best, *others = answer.found
    lines: list[str] = []
    if best.cells > sum(answer.now):
        lines.append(f"reading: {flow(plain(best.reading))}")
        missed = list(_missed(answer, best))
        lines += ["differs:"] * bool(missed)
        lines += [f"  - {flow({'row': row, 'column': column, 'reason': OPEN})}" for row, column in missed]
    if best.cells == len(best.gives):
        equal = [found for found in others if found.cells == best.cells][:MOST_OTHERS]
        where = _where(answer)
        lines += ["also:"] * bool(equal)
        lines += [f"  - {flow({**where, **plain(found.reading)})}" for found in equal]
    return lines


def _missed(answer: Answer, found: Found) -> Iterator[tuple[str, str]]:
    """(row, column) of each cell that a reading does not give."""
    for cell, given in zip(answer.question.cells, found.gives, strict=True):
        if not given:
            yield cell.row.name, cell.heading


def _where(answer: Answer) -> dict[str, str]:
    """What an entry of `also` says of its place."""
    question = answer.question
    row = {"row": question.rows[0]} if len(question.rows) == 1 else {}
    return row | ({"column": question.columns[0]} if len(question.columns) == 1 else {})
