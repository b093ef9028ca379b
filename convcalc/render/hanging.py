"""Rows whose last cell is running text: where it is long it goes on in rows below, and nothing is cut."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from ..terminal import width

GAP = 2
"""Columns between two cells of a table."""
LEAST = 16
"""Columns that the text has at least: below them the table folds."""


def hanging(
    headings: Sequence[str], rows: Sequence[Sequence[str]], limit: int | None
) -> tuple[list[list[str]], list[int]]:
    """(rows of at most `limit` columns, where each of the given rows begins among them); None: no limit.

    >>> hanging(("name", "text"), [["a", "some words here that go on"]], 22)
    ([['a', 'some words here'], ['', 'that go on']], [0])
    """
    first: list[int] = []
    hung: list[list[str]] = []
    before = [max(map(width, cells)) for cells in zip(headings[:-1], *(row[:-1] for row in rows), strict=True)]
    room = None if limit is None else max(limit - sum(before) - GAP * len(before), LEAST)
    for row in rows:
        first.append(len(hung))
        parts = [row[-1]] if room is None or width(row[-1]) <= room else wrap(row[-1], room, break_on_hyphens=False)
        hung += [[*(row[:-1] if not number else [""] * len(before)), part] for number, part in enumerate(parts)]
    return hung, first
