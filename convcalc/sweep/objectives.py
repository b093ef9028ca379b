"""Objectives: what is best. `macs` is minimised, `-receptive_field` or `max:receptive_field` is maximised."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from .asked import Asked
from .conditions import read_asked
from .words import Piece


class Objective(NamedTuple):
    """A quantity, or a column that is joined, and whether more of it is better."""

    asked: Asked
    maximize: bool = False
    joined: bool = False
    """Whether it is a column that is joined; `asked.quantity` is then the column's name."""

    @property
    def name(self) -> str:
        """The name of its column."""
        return self.asked.name

    def __str__(self) -> str:
        return f"max:{self.name}" if self.maximize else self.name


def read_objective(piece: Piece, joined: Container[str] = ()) -> Objective:
    """The objective of a text; `joined` are the names of columns that are joined. Raises a Problem.

    >>> str(read_objective(Piece("macs", 0))), str(read_objective(Piece("-depth", 0)))
    ('macs', 'max:depth')
    """
    text, offset, maximize = piece.text, piece.offset, False
    for sign, most in (("-", True), ("max:", True), ("min:", False)):
        if text.startswith(sign):
            text, offset, maximize = text[len(sign) :], offset + len(sign), most
            break
    inner = Piece(text, offset).stripped()
    if inner.text in joined:
        return Objective(Asked(inner.text), maximize, True)
    return Objective(read_asked(inner), maximize)
