"""Where the boxes of a drawing stand: in rows from top to bottom, arrows past other rows through gaps of their own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..findings import UsageError
from .drawing import Drawing

ROW_GAP, GAP, THREAD = 44.0, 24.0, 12.0
"""Between rows, between boxes of a row, and the width of an arrow's gap in a row that it passes."""
MOST_THREADS = 200_000
"""Rows that arrows may pass, all together: what a drawing can show is far less."""


@dataclass(slots=True)
class Place:
    """A box or an arrow's gap: its row, its width, and the centre that it gets."""

    row: int
    width: float
    x: float = 0.0


@dataclass(slots=True)
class Placing:
    """The places of all boxes, then of the gaps; the way of each arrow through them, both ends included."""

    places: list[Place]
    ways: list[list[int]]
    rows: list[list[int]]
    width: float


def place(drawing: Drawing, widths: list[float]) -> Placing:
    """Rows by the longest path; within a row everything as near to what feeds it as room allows.

    Raises UsageError where arrows pass more rows than a drawing can show.
    """
    rows_of = [0] * len(drawing.boxes)
    for arrow in sorted(drawing.arrows, key=lambda arrow: arrow.target):
        rows_of[arrow.target] = max(rows_of[arrow.target], rows_of[arrow.source] + 1)
    passed = sum(rows_of[a.target] - rows_of[a.source] - 1 for a in drawing.arrows)
    if passed > MOST_THREADS:
        raise UsageError("too many long arrows for a picture", "--by stage draws one box a stage")
    places = [Place(row, width) for row, width in zip(rows_of, widths, strict=True)]
    ways: list[list[int]] = []
    for arrow in drawing.arrows:
        way = [arrow.source]
        for row in range(rows_of[arrow.source] + 1, rows_of[arrow.target]):
            way.append(len(places))
            places.append(Place(row, THREAD))
        ways.append([*way, arrow.target])
    rows: list[list[int]] = [[] for _ in range(max(rows_of, default=0) + 1)]
    for number, spot in enumerate(places):
        rows[spot.row].append(number)
    _spread(places, ways, rows)
    left = min((spot.x - spot.width / 2 for spot in places), default=0.0)
    for spot in places:
        spot.x -= left
    return Placing(places, ways, rows, max((spot.x + spot.width / 2 for spot in places), default=0.0))


def _spread(places: list[Place], ways: list[list[int]], rows: list[list[int]]) -> None:
    """Down, up and down again: each row beside the centres of its neighbours."""
    above: list[list[int]] = [[] for _ in places]
    below: list[list[int]] = [[] for _ in places]
    for way in ways:
        for upper, lower in pairwise(way):
            above[lower].append(upper)
            below[upper].append(lower)
    for row in rows:
        _arrange(places, row, above)
    for _ in range(2):
        for row in reversed(rows):
            _arrange(places, row, below)
        for row in rows:
            _arrange(places, row, above)


def _arrange(places: list[Place], row: list[int], neighbours: list[list[int]]) -> None:
    """Order a row by where its neighbours stand, push apart what overlaps, and centre what was pushed."""
    wanted = {
        number: sum(places[n].x for n in neighbours[number]) / len(neighbours[number])
        if neighbours[number]
        else places[number].x
        for number in row
    }
    row.sort(key=lambda number: wanted[number])
    edge = float("-inf")
    for number in row:
        spot = places[number]
        spot.x = max(wanted[number], edge + spot.width / 2)
        edge = spot.x + spot.width / 2 + GAP
    shift = sum(places[number].x - wanted[number] for number in row) / len(row)
    for number in row:
        places[number].x -= shift
