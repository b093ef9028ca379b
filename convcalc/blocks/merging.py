"""Scopes of one class side by side: which pieces of theirs are one item, and which of them only some have."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from .pieces import Piece
from .repetitions import structure

LARGEST = 40_000
"""Pairs of pieces that are compared to lay one scope beside another."""
ALTERNATIVES = 3
"""Ways to wire one item, that some scopes have and others not."""


@dataclass(slots=True, eq=False)
class Row:
    """What is one item in several scopes: its piece in each that has it, by the scope's number."""

    members: dict[int, Piece]
    rows: list[Row] = field(default_factory=list)
    """Those of a group or a repetition."""
    refs: tuple[str, ...] | None = None
    """What it reads; None for what stands before it."""

    @property
    def piece(self) -> Piece:
        """One of them."""
        return next(iter(self.members.values()))

    @property
    def weight(self) -> int:
        """How many pieces it holds, itself one of them."""
        return 1 + sum(row.weight for row in self.rows)


@dataclass(slots=True, eq=False)
class Family:
    """Scopes that are one block, and its rows."""

    scopes: list[int]
    rows: list[Row]

    def renumber(self, numbers: dict[int, int]) -> None:
        """Call the scopes by other numbers."""
        self.scopes = [numbers[number] for number in self.scopes]
        _renumber(self.rows, numbers)


def families(scopes: Sequence[list[Piece]], *, merging: bool = True) -> list[Family]:
    """The scopes, those together that are alike in structure, then those that differ in a few pieces."""
    variants: dict[Hashable, list[int]] = {}
    for number, pieces in enumerate(scopes):
        key = tuple((piece.name, structure(piece)) for piece in pieces)
        variants.setdefault(key, []).append(number)
    found = [Family(numbers, _rows({n: scopes[n] for n in numbers})) for numbers in variants.values()]
    if merging and len(found) > 1:
        order = {id(family): position for position, family in enumerate(found)}
        joined: list[Family] = []
        for family in sorted(found, key=lambda family: -sum(row.weight for row in family.rows)):
            if not any(_joined(other, family) for other in joined):
                joined.append(family)
        found = sorted(joined, key=lambda family: order[id(family)])
    for family in found:
        family.rows = wired(family.rows)
    return found


def _renumber(rows: list[Row], numbers: dict[int, int]) -> None:
    for row in rows:
        row.members = {numbers[number]: piece for number, piece in row.members.items()}
        _renumber(row.rows, numbers)


def _rows(scopes: dict[int, list[Piece]]) -> list[Row]:
    """The rows of scopes of one structure."""
    count = len(next(iter(scopes.values())))
    return [_row({number: pieces[position] for number, pieces in scopes.items()}) for position in range(count)]


def _row(members: dict[int, Piece]) -> Row:
    return Row(members, _rows({number: piece.pieces for number, piece in members.items()}))


def _joined(family: Family, other: Family) -> bool:
    """Put the other family to a family, where they differ in little and can be wired as one."""
    found = _aligned(family.rows, other.rows)
    if found is None:
        return False
    rows, alike, unlike = found
    if (3 * unlike > 2 * alike and not _more_of_the_same(rows, family, other)) or not _can_be_wired(rows):
        return False
    family.rows = rows
    family.scopes = sorted([*family.scopes, *other.scopes])
    return True


def _more_of_the_same(rows: list[Row], *sides: Family) -> bool:
    """Whether what one side alone has are pieces of a kind that both have, under numbers that go on."""
    both = set(sides[0].scopes) | set(sides[1].scopes)
    common = {(row.piece.head, _stem(row)) for row in rows if row.members.keys() == both}
    return all(row.members.keys() == both or (_stem(row) and (row.piece.head, _stem(row)) in common) for row in rows)


def _stem(row: Row) -> str:
    """The name without its number; empty where it has none."""
    name = row.piece.name
    stem = name.rstrip("0123456789")
    return stem if stem != name else ""


def _aligned(left: list[Row], right: list[Row]) -> tuple[list[Row], int, int] | None:
    """The rows of both in an order that keeps each, and the weights of what is alike and what is not."""
    if len(left) * len(right) > LARGEST:
        return None
    pairs: dict[tuple[int, int], tuple[Row, int, int]] = {}
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            found = _pair(one, other)
            if found is not None:
                pairs[i, j] = found
    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            both = best[i + 1][j + 1] + pairs[i, j][1] if (i, j) in pairs else 0
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    rows: list[Row] = []
    alike = unlike = i = j = 0
    while i < len(left) or j < len(right):
        pair = pairs.get((i, j))
        if pair is not None and best[i][j] == best[i + 1][j + 1] + pair[1]:
            rows.append(pair[0])
            alike, unlike, i, j = alike + pair[1], unlike + pair[2], i + 1, j + 1
        elif j == len(right) or (i < len(left) and best[i][j] == best[i + 1][j]):
            rows.append(left[i])
            unlike, i = unlike + left[i].weight, i + 1
        else:
            rows.append(right[j])
            unlike, j = unlike + right[j].weight, j + 1
    return rows, alike, unlike


def _pair(left: Row, right: Row) -> tuple[Row, int, int] | None:
    """Two rows as one, and the weights of what is alike in them and what is not; None where they are two."""
    one, other = left.piece, right.piece
    if one.head != other.head or one.numbered is not other.numbered:
        return None
    if one.name != other.name and not one.numbered:
        return None
    found = _aligned(left.rows, right.rows)
    if found is None:
        return None
    rows, alike, unlike = found
    if unlike > alike or (unlike and one.head[0] == "repeat"):
        return None
    return Row({**left.members, **right.members}, rows), alike + 1, unlike


def wired(rows: list[Row]) -> list[Row]:
    """The rows with what each reads; one whose scopes wire it differently becomes several."""
    found: list[Row] = []
    for row in rows:
        for part in _parts(row):
            part.rows = wired(part.rows)
            found.append(part)
    return found


def _parts(row: Row) -> list[Row]:
    if all(piece.flow for piece in row.members.values()):
        return [row]
    by_refs: dict[tuple[str, ...], list[int]] = {}
    for number, piece in row.members.items():
        by_refs.setdefault(piece.refs, []).append(number)
    parts = []
    for refs, numbers in by_refs.items():
        part = row if len(by_refs) == 1 else _only(row, numbers)
        flows = all(row.members[number].flow for number in numbers)
        part.refs = None if flows else refs
        parts.append(part)
    return parts


def _only(row: Row, numbers: list[int]) -> Row:
    """The row in these scopes alone."""
    members = {number: row.members[number] for number in numbers if number in row.members}
    return Row(members, [_only(inner, numbers) for inner in row.rows if inner.members.keys() & set(numbers)])


def _can_be_wired(rows: list[Row]) -> bool:
    """Whether no row has too many ways to be wired."""
    for row in rows:
        pieces = row.members.values()
        if not all(piece.flow for piece in pieces) and len({piece.refs for piece in pieces}) > ALTERNATIVES:
            return False
        if not _can_be_wired(row.rows):
            return False
    return True
