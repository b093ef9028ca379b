"""Rows of a run chosen and put in order by SQLite: conditions and orders as SQL whose values are bound."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from fractions import Fraction

from ..analysis.quantity import Shaped, Value
from .cells import Cell, magnitude, sizes
from .conditions import Condition
from .layout import Bound, bound, unbound
from .objectives import Objective

Columns = Mapping[str, str]
"""Name of an axis or figure -> its column."""


def chosen(
    connection: sqlite3.Connection, conditions: Sequence[Condition], columns: Columns
) -> tuple[list[str], list[Bound]]:
    """What rows have to be, as terms of SQL and the values that they take.

    Numbers are compared by SQLite, sizes and words by the conditions themselves.
    """
    connection.create_function("holds", 2, lambda place, kept: conditions[place].holds(value_of(unbound(kept))))
    terms: list[str] = []
    values: list[Bound] = []
    for place, condition in enumerate(conditions):
        column = columns[condition.asked.name]
        term = f"typeof({column}) IN ('text', 'blob') AND holds(?, {column})"
        values.append(place)
        if not isinstance(condition.limit, str):
            term = f"({term} OR typeof({column}) IN ('integer', 'real') AND {column} {condition.op} ?)"
            values.append(_limit(condition.limit))
        terms.append(term)
    return terms, values


def ordered(connection: sqlite3.Connection, objectives: Sequence[Objective], columns: Columns) -> str:
    """The order of rows as SQL: the best first, those without a value last, equal ones by their number."""
    connection.create_function("magnitude", 1, lambda kept: magnitude(unbound(kept)), deterministic=True)
    terms: list[str] = []
    for objective in objectives:
        column = columns[objective.name]
        key = f"CASE typeof({column}) WHEN 'text' THEN magnitude({column}) ELSE {column} END"
        direction = "DESC" if objective.maximize else "ASC"
        terms += [f"({column} IS NULL)", f"({key} IS NULL)", f"{key} {direction}", f"{column} {direction}"]
    return ", ".join([*terms, "number"])


def value_of(kept: Cell) -> Value:
    """The value that a cell was made of, as far as conditions ask.

    >>> value_of("7×7").raw, value_of("conv2d"), value_of(3.5)
    ((7, 7), 'conv2d', Fraction(7, 2))
    """
    if isinstance(kept, float):
        return Fraction(kept)
    if isinstance(kept, str) and sizes(kept):
        return Shaped(kept, {}, sizes(kept))
    return kept


def _limit(limit: int | Fraction) -> Bound:
    """What SQLite compares numbers with: integers exactly, fractions as the decimals that cells are."""
    return bound(limit) if isinstance(limit, int) else float(limit)
