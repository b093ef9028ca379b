"""Numbered siblings that are one item, repeated."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from .pieces import Piece, Series, same

FEWEST_STEPS = 4
"""Repetitions from which on a constant step, or a change to and fro, is taken for one."""
FEWEST_LISTED, MOST_LISTED = 3, 20
"""Repetitions whose values are listed where they follow from nothing."""
MOST_FIRST = 3
"""Values that may tell three or more repetitions apart; of two, one may."""
MANY, MOST_APART = 6, 5
"""Repetitions from which on more values may tell them apart."""
VARYING = ("width", "stride", "flag", "p")
FACTORS = (1, 2, 3, 4, 6, 8)


def structure(piece: Piece) -> tuple[Hashable, ...]:
    """What pieces must share to be one item, beside its name: all but the values."""
    inner = tuple((inner.name, structure(inner)) for inner in piece.pieces)
    return (piece.head, () if piece.flow else piece.refs, piece.share, inner)


def repeat(pieces: list[Piece]) -> None:
    """Make one item of the numbered pieces of each group, where they are repetitions; inner groups first."""
    for piece in pieces:
        if piece.is_join:
            for branch in piece.pieces:
                repeat(branch.pieces)
            continue
        repeat(piece.pieces)
        if piece.is_group and piece.block is None:
            found = _repetition(piece.pieces)
            if found is not None:
                piece.head = ("repeat",)
                piece.slots = {"repeat": len(piece.pieces)}
                piece.pieces = [found]


def _repetition(pieces: list[Piece]) -> Piece | None:
    """The item of which these are the repetitions; None where they are not."""
    first = pieces[0]
    if [piece.name for piece in pieces] != [str(number) for number in range(len(pieces))]:
        return None
    if len(pieces) == 1:
        return first if first.head[0] == "call" and first.flow else None
    if not all(piece.flow for piece in pieces) or len({structure(piece) for piece in pieces}) > 1:
        return None
    found = _together(pieces, repeated=False)
    most = MOST_APART if len(pieces) >= MANY else MOST_FIRST if len(pieces) > 2 else 1
    return found if found is not None and _told_apart(found, most) <= most else None


def _told_apart(piece: Piece, most: int) -> int:
    """How many values of a repetition are others the first time, or grow; the channels that arrive tell none apart.

    Only widths, strides and flags do that; others count as many.
    """
    count = 0
    for slot, value in piece.slots.items():
        if isinstance(value, Series) and of_width(value, piece.width) is None:
            natural = piece.quantities.get(slot) in VARYING or isinstance(value.first, bool) or not value.rule
            count += 1 if natural else most + 1
    return count + sum(_told_apart(inner, most) for inner in piece.pieces)


def _together(pieces: list[Piece], *, repeated: bool) -> Piece | None:
    """The pieces as one whose slots are series; None where these cannot be written with `index`."""
    first = pieces[0]
    width = series([piece.width for piece in pieces])
    slots: dict[str, object] = {}
    names = dict.fromkeys(name for piece in pieces for name in piece.slots)
    for name in names:
        any_value = next(piece.slots[name] for piece in pieces if name in piece.slots)
        value = series([piece.slots.get(name, any_value) for piece in pieces])
        if isinstance(value, Series) and (repeated or not indexable(value, width)):
            return None
        slots[name] = value
    inner: list[Piece] = []
    for number in range(len(first.pieces)):
        found = _together([piece.pieces[number] for piece in pieces], repeated=repeated or first.head[0] == "repeat")
        if found is None:
            return None
        inner.append(found)
    needed = tuple(dict.fromkeys(name for piece in pieces for name in piece.needed))
    return replace(first, slots=slots, pieces=inner, needed=needed, width=width, stop=pieces[-1].stop)


def series(values: list[object]) -> object:
    """The value, or the series of values where they differ."""
    return values[0] if all(same(value, values[0]) for value in values[1:]) else Series(tuple(values))


def indexable(found: Series, width: object) -> bool:
    """Whether the values follow from the number of the repetition, or from what arrives, or are few enough to list."""
    values = found.values
    if not all(type(value) in (bool, int, float) for value in values):
        return False
    if found.later is not None:
        return True
    if len(values) >= FEWEST_STEPS and (found.step is not None or found.other is not None):
        return True
    return of_width(found, width) is not None or FEWEST_LISTED <= len(values) <= MOST_LISTED


def of_width(found: object, width: object) -> tuple[str, int] | None:
    """How all values follow from the channels that arrive: times, or divided by, a small number."""
    values = found.values if isinstance(found, Series) else (found,)
    widths = width.values if isinstance(width, Series) else (width,) * len(values)
    pairs = [
        (value, arriving)
        for value, arriving in zip(values, widths, strict=True)
        if type(value) is int and type(arriving) is int
    ]
    if len(pairs) < len(values):
        return None
    for factor in FACTORS:
        if all(value == factor * arriving for value, arriving in pairs):
            return "*", factor
        if all(value == arriving // factor and arriving % factor == 0 for value, arriving in pairs):
            return "//", factor
    return None
