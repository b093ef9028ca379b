"""Pareto fronts, exact for any number of objectives.

A vector dominates another that it is nowhere worse than and somewhere better than; the front is what nothing dominates.
Equal vectors do not dominate each other: all of them are on the front, since they are different networks at one price,
and which of them is wanted is not for arithmetic to say.

Values are replaced by their ranks, which keeps integers beyond 2^53 exact and makes every comparison one of small
integers. Two objectives are one pass over sorted vectors; more are divided and conquered: H. T. Kung, F. Luccio and
F. P. Preparata, On Finding the Maxima of a Set of Vectors, JACM 22(4), 1975. That is n·log(n)^(d-2) whatever the
vectors are, also where all of them are on the front.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .cells import Cell, magnitude
from .layout import Bound, unbound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ranks = NDArray[np.int64]
    """One row a vector, one column an objective; less is better."""
    Flags = NDArray[np.bool_]
    Column = Sequence[Cell] | NDArray[np.int64] | NDArray[np.float64]

SMALL = 1 << 16
"""Pairs up to which vectors are simply compared."""
BEST = 32
"""Vectors with the lowest sums of ranks that all others are compared with first."""


def front(columns: Sequence[Column], maximise: Sequence[bool]) -> list[int]:
    """The positions of the vectors on the front, in order; `columns` has one column an objective.

    A vector with None or a word in it is never on it, and dominates nothing. Of sizes the largest counts.

    >>> front([[1, 2, 3, 3, None], [9, 5, 5, 9, 0]], [False, False])
    [0, 1]
    >>> front([[1, 2, 3, 3, None], [9, 5, 5, 9, 0]], [True, True])
    [3]
    >>> front([[4, 4, 5]], [False])
    [0, 1]
    """
    if not columns:
        raise ValueError("a front needs an objective")
    positions, ranks = _ranks(columns, maximise)
    hopeful = _not_beaten_by_the_best(ranks)
    distinct, places = _distinct(ranks[hopeful])
    kept = hopeful[_undominated(distinct)[places]]
    return [int(position) for position in positions[kept]]


def _ranks(columns: Sequence[Column], maximise: Sequence[bool]) -> tuple[NDArray[np.int64], Ranks]:
    """Where every objective is known, and the ranks of what stands there."""
    measured = [_array(column) for column in columns]
    known = np.ones(len(columns[0]), dtype=bool)
    for _, defined in measured:
        known &= defined
    ranked = []
    for (values, _), most in zip(measured, maximise, strict=True):
        _, places = np.unique(values[known], return_inverse=True)
        places = places.reshape(-1).astype(np.int64)
        ranked.append(-places if most else places)
    return np.flatnonzero(known), np.stack(ranked, axis=1)


def _array(column: Column) -> tuple[NDArray[np.generic], Flags]:
    """A column as numbers that compare as its cells do, and where it has any.

    Integers of 64 bits and decimals are arrays of numbers; what mixes both, or is larger, is compared by Python.
    """
    if isinstance(column, np.ndarray):
        return column, ~np.isnan(column)
    numbers = [magnitude(kept) for kept in column]
    defined = np.array([number is not None and number == number for number in numbers], dtype=bool)
    kinds = {type(number) for number in numbers} - {type(None)}
    if kinds <= {int} and all(number is None or -(2**63) <= number < 2**63 for number in numbers):
        return np.array([0 if number is None else number for number in numbers], dtype=np.int64), defined
    if kinds == {float}:
        return np.array([0.0 if number is None else number for number in numbers]), defined
    return np.array([0 if number is None else number for number in numbers], dtype=object), defined


def column(kinds: set[str], kept: Iterable[Bound]) -> Column:
    """What SQLite keeps of a column, whose types are these: as few bytes as there can be."""
    if kinds == {"integer"}:
        return np.fromiter(kept, dtype=np.int64)
    if kinds == {"real"}:
        return np.fromiter(kept, dtype=np.float64)
    return [unbound(each) for each in kept]


def _not_beaten_by_the_best(ranks: Ranks) -> NDArray[np.int64]:
    """The vectors that none of the few with the lowest sums of ranks dominates: often nearly all others go at once."""
    if len(ranks) <= BEST:
        return np.arange(len(ranks))
    sums = ranks.sum(axis=1)
    left = np.arange(len(ranks))
    for best in np.argpartition(sums, BEST)[:BEST]:
        nowhere_above = (ranks[best] <= ranks[left]).all(axis=1)
        left = left[~nowhere_above | (sums[left] == sums[best])]
    return left


def _distinct(ranks: Ranks) -> tuple[Ranks, NDArray[np.int64]]:
    """Vectors that differ, in lexicographic order, and for each vector which of these it is."""
    order = np.lexsort(ranks.T[::-1])
    ordered = ranks[order]
    first = np.ones(len(ranks), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    places = np.empty(len(ranks), dtype=np.int64)
    places[order] = np.cumsum(first) - 1
    return ordered[first], places


def _undominated(vectors: Ranks) -> Flags:
    """Which of vectors that differ, in lexicographic order, no other dominates."""
    count, objectives = vectors.shape
    kept = np.zeros(count, dtype=bool)
    if objectives == 1 or count < 2:
        kept[:1] = True
    elif objectives == 2:
        kept = _lower_than_all_before(vectors[:, 1])
    else:
        kept[_maxima(vectors, np.arange(count))] = True
    return kept


def _lower_than_all_before(values: NDArray[np.int64]) -> Flags:
    below = np.empty(len(values), dtype=bool)
    below[0] = True
    below[1:] = values[1:] < np.minimum.accumulate(values)[:-1]
    return below


def _maxima(vectors: Ranks, subset: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of vectors that differ, in lexicographic order, those that none of the subset dominates.

    What comes later dominates nothing that comes before, and what comes before is no worse in the first objective.
    """
    if len(subset) ** 2 <= SMALL:
        few = vectors[subset]
        nowhere_above = (few[:, None, :] <= few[None, :, :]).all(axis=2)
        alone: Flags = nowhere_above.sum(axis=0) == 1
        return subset[alone]
    half = len(subset) // 2
    before, after = _maxima(vectors, subset[:half]), _maxima(vectors, subset[half:])
    beaten = np.zeros(len(after), dtype=bool)
    _beat(vectors[before, 1:], vectors[after, 1:], np.arange(len(before)), np.arange(len(after)), 0, beaten)
    return np.concatenate([before, after[~beaten]])


def _beat(
    low: Ranks, high: Ranks, better: NDArray[np.int64], worse: NDArray[np.int64], first: int, beaten: Flags
) -> None:
    """Mark vectors of `high` at `worse` that one of `low` at `better` is nowhere above, from objective `first` on."""
    worse = worse[~beaten[worse]]
    if not len(better) or not len(worse):
        return
    left = low.shape[1] - first
    if left == 1:
        beaten[worse[high[worse, first] >= low[better, first].min()]] = True
    elif left == 2:
        _beat_in_two(low, high, better, worse, first, beaten)
    elif len(better) * len(worse) <= SMALL:
        nowhere_above = np.ones((len(worse), len(better)), dtype=bool)
        for objective in range(first, low.shape[1]):
            nowhere_above &= low[better, objective] <= high[worse, objective][:, None]
        beaten[worse[nowhere_above.any(axis=1)]] = True
    else:
        _beat_by_halves(low, high, better, worse, first, beaten)


def _beat_in_two(
    low: Ranks, high: Ranks, better: NDArray[np.int64], worse: NDArray[np.int64], first: int, beaten: Flags
) -> None:
    """The same for the last two objectives: the least second value of all whose first is no higher."""
    order = better[np.argsort(low[better, first], kind="stable")]
    least = np.minimum.accumulate(low[order, first + 1])
    place = np.searchsorted(low[order, first], high[worse, first], side="right") - 1
    reached = place >= 0
    beaten[worse[reached & (least[np.maximum(place, 0)] <= high[worse, first + 1])]] = True


def _beat_by_halves(
    low: Ranks, high: Ranks, better: NDArray[np.int64], worse: NDArray[np.int64], first: int, beaten: Flags
) -> None:
    """The same by a value of one objective that parts the vectors: what is below it is no higher than what is above."""
    values = np.concatenate([low[better, first], high[worse, first]])
    part = np.partition(values, (len(values) - 1) // 2)[(len(values) - 1) // 2]
    if part == values.max():
        smaller = values[values < part]
        if not len(smaller):
            _beat(low, high, better, worse, first + 1, beaten)
            return
        part = smaller.max()
    better_below, worse_below = low[better, first] <= part, high[worse, first] <= part
    _beat(low, high, better[better_below], worse[worse_below], first, beaten)
    _beat(low, high, better[~better_below], worse[~worse_below], first, beaten)
    _beat(low, high, better[better_below], worse[~worse_below], first + 1, beaten)
