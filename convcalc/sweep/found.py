"""What a sweep found, as it is shown: what was searched, how many candidates fit, the rows of the front or the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from .cells import Cell

Goal = Literal["min", "max", ""]


class Refusals(NamedTuple):
    """Candidates that there is no network of, for one reason."""

    code: str
    candidates: int
    message: str
    """What is said of the first of them."""
    number: int
    """The first of them."""


class Shown(NamedTuple):
    """A column of the rows: an axis, a figure, or what was measured elsewhere."""

    name: str
    kind: Literal["axis", "figure", "joined"]
    unit: str = ""
    goal: Goal = ""
    """Whether less or more of it is better, where it is an objective."""
    adds_up: bool = False
    """Whether nothing of it is worth no number."""
    fixed: bool = False
    """Whether it is an axis of one value, which stands above the rows and in none of them."""


class Nearest(NamedTuple):
    """The candidate that comes nearest to what a condition asks for."""

    number: int
    column: Shown
    cell: Cell


class Excluded(NamedTuple):
    """How many candidates that build a condition leaves out."""

    condition: str
    candidates: int
    nearest: Nearest | None = None
    """Of all, where none fits and the condition is one bound."""


class FoundRow(NamedTuple):
    """A candidate that fits."""

    number: int
    cells: tuple[Cell, ...]
    """One a column."""


class Cloud(NamedTuple):
    """What is drawn: two columns of candidates that fit, and which of them are on the front."""

    x: Shown
    y: Shown
    points: Sequence[tuple[int, int | float, int | float]]
    """(number of the row, x, y)."""
    front: frozenset[int]
    left_out: int = 0
    """Candidates that fit and are not drawn."""


class Found(NamedTuple):
    """What a sweep found."""

    spec: str
    """As it was named."""
    name: str
    """What the network is called."""
    searched: Mapping[str, Sequence[str]]
    """An axis, or what else was demanded of candidates -> what was said of it."""
    size: int
    """Candidates of the space, or draws."""
    done: int
    """Candidates that were looked at."""
    built: int
    fit: int
    refused: Sequence[Refusals]
    """From the most frequent reason."""
    excluded: Sequence[Excluded]
    """From the condition that leaves out most."""
    seconds: float | None
    """Of the run; None where it is not known."""
    what: str
    """What the rows are: `front of params, macs`."""
    of: int
    """How many rows there are, shown or not."""
    columns: Sequence[Shown]
    rows: Sequence[FoundRow]
    file: str | None
    """The run, by which a row is named as a spec."""
    finished: bool = True
    params: Sequence[str] = ()
    """What could be an axis, where nothing is one."""
    cloud: Cloud | None = None
