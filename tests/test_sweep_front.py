"""Pareto fronts against their definition, in which every vector is compared with every other."""

from __future__ import annotations

import random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.sweep import front as fronts
from convcalc.sweep.cells import Cell
from convcalc.sweep.front import front


def by_definition(columns: list[list[Cell]], maximise: list[bool]) -> list[int]:
    """The positions of the vectors that no other is nowhere worse and somewhere better than."""
    signs = [-1 if most else 1 for most in maximise]
    vectors = [
        None if None in row else tuple(sign * value for sign, value in zip(signs, row, strict=True))  # type: ignore[operator]
        for row in zip(*columns, strict=True)
    ]
    known = [vector for vector in vectors if vector is not None]

    def dominated(vector: tuple[float, ...]) -> bool:
        return any(other != vector and all(a <= b for a, b in zip(other, vector, strict=True)) for other in known)

    return [place for place, vector in enumerate(vectors) if vector is not None and not dominated(vector)]


values = st.one_of(
    st.none(), st.integers(0, 4), st.integers(0, 9), st.sampled_from([2**53, 2**53 + 1, 2**64, 2**64 + 1, 0.5, 2.5])
)
tables = st.integers(1, 5).flatmap(lambda d: st.lists(st.lists(values, min_size=d, max_size=d), max_size=40))


@settings(max_examples=100)
@given(tables, st.lists(st.booleans(), min_size=5, max_size=5), st.sampled_from([1, 1 << 16]), st.sampled_from([2, 32]))
def test_a_front_is_what_nothing_dominates(rows: list[list[Cell]], maximise: list[bool], small: int, best: int) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fronts, "SMALL", small)
        patch.setattr(fronts, "BEST", best)
        assert front(columns, maximise[: len(columns)]) == by_definition(columns, maximise[: len(columns)])


@pytest.mark.parametrize("objectives", [1, 2, 3, 4, 6])
def test_a_front_of_many(objectives: int) -> None:
    draw = random.Random(objectives)
    columns: list[list[Cell]] = [[draw.randrange(60) for _ in range(700)] for _ in range(objectives)]
    maximise = [draw.random() < 0.5 for _ in range(objectives)]
    assert front(columns, maximise) == by_definition(columns, maximise)


def test_equal_vectors_are_all_on_it() -> None:
    assert front([[1, 1, 2], [5, 5, 5]], [False, False]) == [0, 1]


def test_what_is_not_known_is_never_on_it_and_dominates_nothing() -> None:
    assert front([[None, 3, 0], [0, 3, None]], [False, False]) == [1]
    assert front([["word", 3], [0, 3]], [False, False]) == [1]
    assert front([[float("nan"), 3.0], [0, 3]], [False, False]) == [1]


def test_integers_beyond_what_decimals_tell_apart() -> None:
    assert front([[2**53 + 1, 2**53], [1, 1]], [False, False]) == [1]
    assert front([[2**70 + 1, 2**70], [1, 1]], [True, False]) == [0]


def test_of_sizes_the_largest_counts() -> None:
    assert front([["11×7", "9×9"], [1, 1]], [True, False]) == [0]


def test_a_front_of_nothing_asks_for_an_objective() -> None:
    with pytest.raises(ValueError, match="an objective"):
        front([], [])


@pytest.mark.slow
@pytest.mark.parametrize(("count", "objectives", "seconds"), [(1_000_000, 2, 8), (100_000, 4, 5), (100_000, 3, 5)])
def test_fronts_of_a_whole_space_take_seconds(count: int, objectives: int, seconds: float) -> None:
    draw = random.Random(5)
    columns: list[list[Cell]] = [[draw.randrange(10**9) for _ in range(count)] for _ in range(objectives)]
    began = process_time()
    assert front(columns, [False] * objectives)
    assert process_time() - began < seconds


@pytest.mark.slow
def test_a_front_that_everything_is_on_is_no_square() -> None:
    draw = random.Random(5)
    columns: list[list[Cell]] = [[draw.randrange(10**9) for _ in range(50_000)] for _ in range(3)]
    columns.append([3 * 10**9 - sum(row) for row in zip(*columns, strict=True)])  # type: ignore[arg-type]
    began = process_time()
    assert len(front(columns, [False] * 4)) == 50_000
    assert process_time() - began < 20
