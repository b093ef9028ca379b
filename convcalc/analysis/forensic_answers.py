"""What a search of printed tables found: readings and what chance gives, as plain data and as lines of a spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ..blocks.literals import scalar
from ..version import FORMAT, __version__
from .forensic_questions import Question

if TYPE_CHECKING:
    from ..language.published import Reading
    from ..network import Network

MOST_OTHERS = 3
"""Other readings that are written."""
OPEN = "not given by the reading of the other cells"
"""The reason of a cell that the best reading leaves."""


class Found(NamedTuple):
    """A reading that was tried, and which cells of the question it gives."""

    reading: Reading
    """What it says in place of the reading today: value, unit and round, and what it changes in the network."""
    gives: tuple[bool, ...]

    @property
    def cells(self) -> int:
        """How many it gives."""
        return sum(self.gives)


class Control(NamedTuple):
    """What the same search finds in permuted tables."""

    tables: int
    """How many were searched; none where the cells leave nothing to permute."""
    reaching: int
    """Those in which a reading gives as many cells as the best one gives of the printed table."""
    readings: Fraction
    """Readings a table that do, in the mean."""
    best: tuple[int, int, int]
    """The fewest, the median and the most cells that the best reading of a permuted table gives."""


@dataclass(frozen=True)
class Answer:
    """What was found for one question."""

    question: Question
    now: tuple[bool, ...]
    """Which cells follow by the readings as they are."""
    tried: int
    """Readings."""
    distinct: int
    """Those that differ in a value or in how it is written."""
    found: tuple[Found, ...]
    """The best, simple ones before others."""
    best: int
    """Cells that the best reading gives."""
    as_good: int
    """Distinct readings that give so many."""
    control: Control

    def to_dict(self) -> dict[str, object]:
        """What was found, as plain data."""
        control, cells = self.control, self.question.cells
        return {
            **self.question.to_dict(),
            "now": sum(self.now),
            "searched": True,
            "tried": self.tried,
            "distinct": self.distinct,
            "best": self.best,
            "as_good": self.as_good,
            "control": {
                "tables": control.tables,
                "reaching": control.reaching,
                "readings": float(control.readings),
                "fewest": control.best[0],
                "median": control.best[1],
                "most": control.best[2],
            },
            "readings": [
                {
                    "cells": found.cells,
                    "reading": plain(found.reading),
                    "missed": [
                        {"row": cell.row.name, "column": cell.heading}
                        for cell, given in zip(cells, found.gives, strict=True)
                        if not given
                    ],
                }
                for found in self.found
            ],
            "entry": "".join(f"{line}\n" for line in entry(self)),
        }


@dataclass(frozen=True)
class Forensics:
    """The answers to the questions of printed tables."""

    network: Network
    """The network whose printed tables were searched."""
    answers: tuple[Answer, ...]
    """One a question: how many cells follow now, and the readings under which most do."""
    whole: tuple[Question, ...]
    """Questions whose cells all follow, which were not searched."""
    left_out: int
    """Cells that are no counts: sizes, words, shares."""
    unbuilt: int
    """Networks that were to be tried and do not build."""

    def to_dict(self) -> dict[str, object]:
        """The answers in the JSON contract of `forensics`."""
        return {
            "format": FORMAT,
            "convcalc": __version__,
            "spec": self.network.name,
            "variant": self.network.variant,
            "questions": [
                *(answer.to_dict() for answer in self.answers),
                *({**question.to_dict(), "now": len(question.cells), "searched": False} for question in self.whole),
            ],
            "left_out": self.left_out,
            "unbuilt": self.unbuilt,
        }


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
    '{value: "macs + bias_flops", unit: {"×10^9": 1000}, round: down}'
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
