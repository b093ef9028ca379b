"""The printed formulas: their text says what their function computes, and agrees with the literature."""

from __future__ import annotations

from math import gcd

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.geometry import (
    FORMULAS,
    Formula,
    GeometryError,
    conv_output,
    conv_transpose_output,
    effective_kernel,
    leftover,
    pool_output,
    transposed_padding,
    zeros_between,
)

SMALLEST = {"before": 0, "after": 0, "output_padding": 0}
PADDING = st.integers(0, 9)


def arguments(formula: Formula) -> st.SearchStrategy[dict[str, int]]:
    """Random numbers for the parameters of a formula's function."""
    each = {
        name: st.booleans() if name == "up" else st.integers(SMALLEST.get(name, 1), 12 if name != "size" else 60)
        for name in formula.symbols.values()
    }
    return st.fixed_dictionaries(each)


def evaluate(formula: Formula, numbers: dict[str, int]) -> int:
    """The expression's text with numbers for its letters."""
    letters = {letter: numbers[name] for letter, name in formula.symbols.items()}
    value = eval(formula.expression, {"__builtins__": {}, "max": max, "min": min, "gcd": gcd}, letters)
    assert isinstance(value, int)
    return value


GEOMETRY = sorted(
    name for name, formula in FORMULAS.items() if formula.function.__module__.startswith("convcalc.geometry")
)


@pytest.mark.parametrize("name", GEOMETRY)
def test_text_equals_function(name: str) -> None:
    formula = FORMULAS[name]
    compared = 0

    @settings(max_examples=150)
    @given(numbers=arguments(formula))
    def holds(numbers: dict[str, int]) -> None:
        nonlocal compared
        try:
            expected = formula.function(**numbers)
        except GeometryError:
            return
        compared += 1
        assert evaluate(formula, numbers) == expected

    holds()
    assert compared >= 10


def test_a_wrong_text_is_found() -> None:
    good = FORMULAS["conv_output"]
    wrong = Formula(good.name, good.result, good.expression.replace("//s", "//(s + 1)"), good.source, good.function)
    numbers = {"size": 9, "kernel_size": 3, "stride": 2, "before": 0, "after": 0, "dilation": 1}
    assert evaluate(good, numbers) == conv_output(**numbers) != evaluate(wrong, numbers)


def test_every_formula_has_source_and_result() -> None:
    for formula in FORMULAS.values():
        assert formula.source
        assert formula.result
        assert formula.function.__doc__


def test_substitution() -> None:
    text = FORMULAS["conv_output"].substituted(size=224, kernel_size=7, stride=2, before=3, after=3, dilation=1)
    assert text == "(224 + 3 + 3 - 1*(7 - 1) - 1)//2 + 1"


# Dumoulin & Visin 2016, arXiv:1603.07285: the numbers of its figures, by relationship.
CONVOLUTIONS = [
    # relationship, i, k, s, p, d, o
    (1, 4, 3, 1, 0, 1, 2),
    (2, 5, 4, 1, 2, 1, 6),
    (3, 5, 3, 1, 1, 1, 5),
    (4, 5, 3, 1, 2, 1, 7),
    (5, 5, 3, 2, 0, 1, 2),
    (6, 5, 3, 2, 1, 1, 3),
    (6, 6, 3, 2, 1, 1, 3),
    (7, 5, 3, 1, 0, 1, 3),
    (15, 7, 3, 1, 0, 2, 3),
]
TRANSPOSED = [
    # relationship, i, k, s, p, i' (input of the transposed convolution), a, p', o'
    (8, 4, 3, 1, 0, 2, 0, 2, 4),
    (9, 5, 4, 1, 2, 6, 0, 1, 5),
    (10, 5, 3, 1, 1, 5, 0, 1, 5),
    (11, 5, 3, 1, 2, 7, 0, 0, 5),
    (12, 5, 3, 2, 0, 2, 0, 2, 5),
    (13, 5, 3, 2, 1, 3, 0, 1, 5),
    (14, 6, 3, 2, 1, 3, 1, 1, 6),
]


@pytest.mark.parametrize(("number", "i", "k", "s", "p", "d", "o"), CONVOLUTIONS)
def test_relationships_of_convolutions(number: int, i: int, k: int, s: int, p: int, d: int, o: int) -> None:
    assert conv_output(i, k, s, p, p, d) == o
    assert pool_output(i, k, s, p, p, d) == o


@pytest.mark.parametrize(("number", "i", "k", "s", "p", "small", "a", "p_prime", "o"), TRANSPOSED)
def test_relationships_of_transposed_convolutions(
    number: int, i: int, k: int, s: int, p: int, small: int, a: int, p_prime: int, o: int
) -> None:
    assert conv_output(i, k, s, p, p) == small
    assert leftover(i, k, s, p, p) == a
    assert transposed_padding(k, p) == p_prime
    assert conv_transpose_output(small, k, s, p, p, output_padding=a) == o == i
    stretched = small + (small - 1) * zeros_between(s)
    assert conv_output(stretched, k, 1, p_prime, p_prime + a) == o


def test_all_relationships_stand_in_the_tables() -> None:
    assert {row[0] for row in [*CONVOLUTIONS, *TRANSPOSED]} == set(range(1, 16))


@settings(max_examples=150)
@given(i=st.integers(1, 40), n=st.integers(0, 4), k=st.integers(1, 9), p=PADDING, d=st.integers(1, 4))
def test_relationships_hold_for_all_numbers(i: int, n: int, k: int, p: int, d: int) -> None:
    odd = 2 * n + 1
    assert conv_output(i, odd, 1, n, n) == i  # 3: half padding keeps the size
    assert conv_output(i, k, 1, k - 1, k - 1) == i + k - 1  # 4: full padding
    assert effective_kernel(k, d) == k + (k - 1) * (d - 1)  # 15
    if i + 2 * p >= k:
        assert conv_output(i, k, 1, p, p) == i - k + 2 * p + 1  # 1 and 2
