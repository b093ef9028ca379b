"""Scopes of one class side by side: which pieces of theirs are one item, and which of them only some have."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from ..layers.registry import layer_class
from .pieces import Piece
from .repetitions import structure
from .sheet import Sharing

LARGEST = 40_000
"""Pairs of pieces that are compared to lay one scope beside another."""
MOST_VARIANTS = 60
"""Structures of one class up to which it is tried to make one block of them."""
MOST_LEFT_OUT = 2
"""Items for each that scopes share which some of them may lack, where those have nothing of their own."""
MOST_WAYS = 2
"""Items that scopes of one block may always have more because they are wired in different ways."""


class Merging(Enum):
    """How much scopes of one class that are one block may differ."""

    WIDELY = 1 / 3
    """One item more for every three that they share, where they are wired in different ways; items may be left out."""
    NARROWLY = 0.0
    NEVER = -1.0
    """Scopes that differ in structure are different blocks."""


@dataclass(slots=True, eq=False)
class Row:
    """What is one item in several scopes: its piece in each that has it, by the scope's number."""

    members: dict[int, Piece]
    rows: list[Row] = field(default_factory=list)
    """Those of a group or a repetition."""
    refs: tuple[str, ...] | None = None
    """What it reads; None for what stands before it."""
    share: Sharing | None = None
    """What has its weights; None where it has its own."""

    @property
    def piece(self) -> Piece:
        """One of them."""
        return next(iter(self.members.values()))

    @property
    def activates(self) -> bool:
        """Whether it is an activation."""
        head = self.piece.head
        return head[0] == "layer" and layer_class(str(head[1])).activates

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


def families(scopes: Sequence[list[Piece]], *, merging: Merging = Merging.NARROWLY) -> list[Family]:
    """The scopes, those together that are alike in structure, then those that differ in a few pieces."""
    variants: dict[Hashable, list[int]] = {}
    for number, pieces in enumerate(scopes):
        key = tuple((piece.name, structure(piece)) for piece in pieces)
        variants.setdefault(key, []).append(number)
    found = [Family(numbers, _rows({n: scopes[n] for n in numbers})) for numbers in variants.values()]
    if merging is not Merging.NEVER and 1 < len(found) <= MOST_VARIANTS:
        order = {id(family): position for position, family in enumerate(found)}
        joined: list[Family] = []
        for family in sorted(found, key=lambda family: -sum(row.weight for row in family.rows)):
            if not any(_joined(other, family, merging) for other in joined):
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


def _joined(family: Family, other: Family, merging: Merging) -> bool:
    """Put the other family to a family, where they differ in little and can be wired as one."""
    found = _aligned(family.rows, other.rows, numbers=True)
    if found is not None and _misnamed(found[0]):
        found = _aligned(family.rows, other.rows, numbers=False)
    if found is None:
        return False
    rows, alike, unlike = found
    left_out = merging is Merging.WIDELY and unlike <= MOST_LEFT_OUT * alike and _within(rows, family, other)
    if unlike > alike and not left_out and not _more_of_the_same(rows, family, other):
        return False
    if _ways(rows) > max(MOST_WAYS, alike * merging.value):
        return False
    family.rows = rows
    family.scopes = sorted([*family.scopes, *other.scopes])
    return True


def _within(rows: list[Row], *sides: Family) -> bool:
    """Whether one side has nothing alone: it is the other one with items left out."""
    alone = [row.members.keys() for row in rows]
    return any(all(members & set(side.scopes) != members for members in alone) for side in sides)


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


def _misnamed(rows: list[Row]) -> bool:
    """Whether something is read, or shares its weights, by a name that it has in some scopes alone."""
    read: set[str] = set()
    several: set[str] = set()
    pending = list(rows)
    while pending:
        row = pending.pop()
        names = {piece.name for piece in row.members.values()}
        several |= names if len(names) > 1 and not row.piece.numbered else set()
        for refs, share in set(_wirings(row).values()):
            read.update(ref.partition(".")[0] for ref in (*(refs or ()), *(share.names if share else ())))
        pending += row.rows
    stems = tuple(ref.removesuffix("*") for ref in read if ref.endswith("*"))
    return not several.isdisjoint(read) or any(name.startswith(stems) for name in several if stems)


def _aligned(left: list[Row], right: list[Row], *, numbers: bool) -> tuple[list[Row], int, int] | None:
    """The rows of both in an order that keeps each, and the weights of what is alike and what is not.

    With `numbers`, layers that are called by their kinds may have other numbers behind them.

    Of equal ways the one in which most rows read the same, then the one that has what only one side has first: an
    expansion before the layers that all have.
    """
    if len(left) * len(right) > LARGEST:
        return None
    pairs: dict[tuple[int, int], tuple[Row, int, int]] = {}
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            found = _pair(one, other, numbers=numbers)
            if found is not None:
                pairs[i, j] = found
    most = len(left) + len(right)

    def gain(i: int, j: int) -> int:
        one, other = left[i].piece, right[j].piece
        named = not one.numbered and one.name == other.name
        return most * (most * pairs[i, j][1] + _reads_alike(left[i], right[j])) + named

    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            both = best[i + 1][j + 1] + gain(i, j) if (i, j) in pairs else 0
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    rows: list[Row] = []
    alike = unlike = i = j = 0
    while i < len(left) or j < len(right):
        if j == len(right) or (i < len(left) and best[i][j] == best[i + 1][j]):
            rows.append(left[i])
            unlike, i = unlike + left[i].weight, i + 1
        elif i == len(left) or best[i][j] == best[i][j + 1]:
            rows.append(right[j])
            unlike, j = unlike + right[j].weight, j + 1
        else:
            pair = pairs[i, j]
            rows.append(pair[0])
            alike, unlike, i, j = alike + pair[1], unlike + pair[2], i + 1, j + 1
    turns = sum(_take_turns(one, other) for one, other in pairwise(rows))
    return rows, alike + turns, unlike - 2 * turns


def _reads_alike(one: Row, other: Row) -> bool:
    """Whether two rows name the same things to read."""
    return not one.piece.flow and not other.piece.flow and one.piece.refs == other.piece.refs


def _take_turns(one: Row, other: Row) -> bool:
    """Whether two rows are two activations in one place, of which each scope has one at most."""
    if one.piece.name != other.piece.name and not one.piece.numbered:
        return False
    return one.activates and other.activates and one.members.keys().isdisjoint(other.members)


def _pair(left: Row, right: Row, *, numbers: bool) -> tuple[Row, int, int] | None:
    """Two rows as one, and the weights of what is alike in them and what is not; None where they are two."""
    one, other = left.piece, right.piece
    if one.head != other.head or one.numbered is not other.numbered:
        return None
    if one.name != other.name and not one.numbered and not (numbers and one.automatic and other.automatic):
        return None
    found = _aligned(left.rows, right.rows, numbers=numbers)
    if found is None:
        return None
    rows, alike, unlike = found
    if unlike > alike or (unlike and one.head[0] == "repeat") or (one.is_join and len(rows) > len(left.rows)):
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
    by_way: dict[tuple[tuple[str, ...] | None, Sharing | None], list[int]] = {}
    for number, way in _wirings(row).items():
        by_way.setdefault(way, []).append(number)
    parts = []
    for (refs, share), numbers in by_way.items():
        part = row if len(by_way) == 1 else _only(row, numbers)
        part.refs, part.share = refs, share
        parts.append(part)
    return parts


def _wirings(row: Row) -> dict[int, tuple[tuple[str, ...] | None, Sharing | None]]:
    """What each scope's piece reads (None: what stands before it), and what has its weights."""
    pieces = row.members
    if all(piece.flow for piece in pieces.values()):
        return {number: (None, piece.share) for number, piece in pieces.items()}
    flows: dict[tuple[str, ...], bool] = {}
    for piece in pieces.values():
        flows[piece.refs] = flows.get(piece.refs, True) and piece.flow
    return {n: (None if flows[piece.refs] else piece.refs, piece.share) for n, piece in pieces.items()}


def _only(row: Row, numbers: list[int]) -> Row:
    """The row in these scopes alone."""
    members = {number: row.members[number] for number in numbers if number in row.members}
    return Row(members, [_only(inner, numbers) for inner in row.rows if inner.members.keys() & set(numbers)])


def _ways(rows: list[Row]) -> int:
    """How many rows more there are once each is wired in one way."""
    count = 0
    for row in rows:
        count += len(set(_wirings(row).values())) - 1
        count += _ways(row.rows)
    return count
