"""Lists made of lists, logarithms and powers in expressions: exact where they can be, bounded everywhere."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import language
from convcalc.language.document import Document
from convcalc.language.expressions import compile_expression
from convcalc.language.load import expand
from convcalc.language.values import checked
from convcalc.limits import LIST_VALUES
from convcalc.marked import Source

from .evaluated import problem, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[2 * w for w in widths]", (48, 96, 96)),
        ("[w for w in widths if w > 24]", (48, 48)),
        ("[w for w in widths if w > 24 if w < 9]", ()),
        ("[[i * j for j in range(3)] for i in range(2)]", ((0, 0, 0), (0, 1, 2))),
        ("[k + w for w in widths][1]", 51),
        ("sum([w for w in range(4)])", 6),
        ("[k for k in widths]", (24, 48, 48)),
        ("[range for range in range(2)]", (0, 1)),
        ("range(3)", (0, 1, 2)),
        ("range(2, 5)", (2, 3, 4)),
        ("range(5, 2)", ()),
        ("range(0)", ()),
        ("distinct(widths)", (24, 48)),
        ("counts(widths)", (1, 2)),
        ("distinct([true, 1, 1, 'a', 'a', [1], [1]])", (True, 1, "a", (1,))),
        ("counts([true, 1, 1, 'a', 'a', [1], [1]])", (1, 2, 2, 2)),
        ("distinct([3, 1, 3, 2])", (3, 1, 2)),
        ("log(8, 2)", 3),
        ("log(1 / 8, 2)", -3),
        ("log(8, 1 / 2)", -3),
        ("round(log(2, 4))", 0),
        ("round(log(8, 4))", 2),
        ("round(log(32, 4))", 2),
        ("round(log(128, 4))", 4),
        ("round(log(512, 4))", 4),
        ("round(log(2, 1 / 4))", 0),
        ("floor(log(9, 2))", 3),
        ("ceil(log(9, 2))", 4),
        ("floor(log(9, 1 / 2))", -4),
        ("ceil(log(9, 1 / 2))", -3),
        ("floor(log(2 ** 62 - 1, 2))", 61),
        ("ceil(log(2 ** 62 + 1, 2))", 63),
        ("round(log(9223372036854775807, 4))", 31),
        ("round(log(2 ** 61 + 1, 4))", 31),
        ("round(log(2 ** 61, 4))", 30),
        ("round(log(2 + 1 / 10 ** 18, 4))", 1),
        ("round(log(2 - 1 / 10 ** 18, 1 / 4))", 0),
        ("round(log(1.0004, 1.000001))", 400),
        ("floor(log(1 + 3 / 10 ** 18, 1 + 1 / 10 ** 18))", 2),
        ("ceil(log(1 + 3 / 10 ** 18, 1 + 1 / 10 ** 18))", 3),
        ("floor(log(1000, 10))", 3),
        ("ceil(log(1000, 10))", 3),
        ("power(2, 10)", 1024),
        ("power(2, -1)", Fraction(1, 2)),
        ("power(9, 1 / 2)", 3),
        ("power(8, -1 / 3)", Fraction(1, 2)),
        ("power(0 - 3, 2)", 9),
    ],
)
def test_values(text: str, expected: object) -> None:
    found = value(text, widths=(24, 48, 48), k=3)
    assert found == expected and repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("[j for j in 3]", "CC108", "for takes a list, not 3"),
        ("[j for j in [1] if j]", "CC108", "if takes true or false, not 1"),
        ("[a for a in [1] for b in [2]]", "CC107", "a list is made of one other list"),
        ("[a for a, b in [1]]", "CC107", "a list is made of one other list"),
        ("[max for max in [1]]", "CC107", "max is no name of an element"),
        ("[true for true in [1]]", "CC107", "true is no name of an element"),
        ("(j for j in [1])", "CC107", "GeneratorExp is not part"),
        ("{j for j in [1]}", "CC107", "SetComp is not part"),
        ("range(1001)", "CC108", f"a range of more than {LIST_VALUES:,} numbers"),
        ("range(10 ** 18)", "CC108", f"a range of more than {LIST_VALUES:,} numbers"),
        ("range(1.5)", "CC108", "range takes integers"),
        ("[range(500), range(499)]", "CC108", f"a list of more than {LIST_VALUES:,} values"),
        ("distinct(3)", "CC108", "distinct takes a list"),
        ("counts('a')", "CC108", "counts takes a list"),
        ("log(0, 2)", "CC108", "log takes numbers above 0, not 0"),
        ("log(2, 0 - 2)", "CC108", "log takes numbers above 0, not -2"),
        ("log(2, 1)", "CC108", "log has no base 1"),
        ("round(log(2, 1))", "CC108", "log has no base 1"),
        ("round(log(2, 2, 2))", "CC107", "log takes 2 arguments"),
        ("round(log(2 ** 62, 1.0000001))", "CC108", "is too large to be rounded"),
        ("power(0 - 4, 1 / 2)", "CC108", "power takes numbers above 0, not -4"),
        ("power(2, 64.5)", "CC212", "above 2^63 - 1"),
        ("power(2, 10 ** 18 / 3)", "CC212", "above 2^63 - 1"),
        ("power(true, 2)", "CC108", "power takes numbers"),
        ("2 ** 0.5", "CC108", "is not exact"),
    ],
)
def test_what_is_refused(text: str, code: str, said: str) -> None:
    found = problem(text)
    assert found.code == code and said in found.message


@pytest.mark.parametrize(
    "text",
    [
        "[sum(range(1000)) for j in range(1000)]",
        "[[i for i in range(1000)] for j in range(1000)]",
        "sum([len([[k for k in range(900)] for j in range(900)]) for i in range(900)])",
    ],
)
def test_lists_of_lists_end(text: str) -> None:
    """Each would take from a million to a thousand million steps."""
    assert "parts are evaluated for lists" in problem(text).message
    assert "parts are evaluated for lists" in problem(text).message, "and the next time too"


def test_lists_in_a_list_count_for_one_value_and_all_of_theirs() -> None:
    assert len(value("[range(499), range(499)]")) == 2


def test_an_expression_counts_what_it_evaluates_anew_every_time() -> None:
    expression = compile_expression("[j for j in range(900)]")
    for _ in range(20):
        assert len(expression.evaluate({})) == 900  # type: ignore[arg-type]


def test_two_hundred_parts_a_character_are_evaluated_for_lists() -> None:
    """What goes through a list counts for 1,200 parts, however deep it stands; of two numbers it is one part."""
    assert value("[1 + max(l) for j in range(4)]", l=(2, 3)) == (4,) * 4
    assert "6,000 parts" in problem("[1 + max(l) for j in range(5)]", l=(2, 3)).message
    assert value("[1 + max(j, 1) for j in range(500)]") == (2, *range(2, 501))


def test_an_expression_weighs_a_step_for_twenty_parts() -> None:
    """A sum of n ones has 3n - 2 parts; what goes through a list counts for 1,200 of them."""
    assert [compile_expression("+".join("1" * n)).weight for n in (7, 8, 14, 20, 21)] == [0, 1, 2, 2, 3]
    assert [compile_expression(text).weight for text in ("sum(l)", "k in l", "max(k, 1)", "l")] == [60, 60, 0, 0]


@pytest.mark.parametrize(
    ("names", "fewest", "most"),
    [
        ("abs ceil floor round len sum distinct counts", 1, 1),
        ("make_divisible range", 1, 2),
        ("log power", 2, 2),
        ("min max", 1, 50),
    ],
)
def test_functions_take_so_many_arguments(names: str, fewest: int, most: int) -> None:
    for name in names.split():
        for count in (fewest - 1, most + 1):
            found = problem(f"{name}({', '.join('1' * count)})")
            assert found.code == "CC107" and f"{name} takes " in found.message and f", not {count}" in found.message
        for count in (fewest, most):
            assert compile_expression(f"{name}({', '.join('1' * count)})").names == {}


@settings(max_examples=60)
@given(st.integers(1, 2**40), st.integers(2, 50))
def test_logarithms_are_rounded_as_powers_say(x: int, base: int) -> None:
    floor = 0
    while base ** (floor + 1) <= x:
        floor += 1
    assert value(f"floor(log({x}, {base}))") == floor
    assert value(f"ceil(log({x}, {base}))") == floor + (base**floor < x)
    nearer = floor + (x * x > base ** (2 * floor + 1))
    assert value(f"round(log({x}, {base}))") in ({nearer} if x * x != base ** (2 * floor + 1) else {floor, floor + 1})


@settings(max_examples=60)
@given(st.fractions(Fraction(1, 100), 100, max_denominator=100), st.fractions(Fraction(1, 9), 9, max_denominator=9))
def test_logarithms_of_fractions_are_between_their_roundings(x: Fraction, base: Fraction) -> None:
    if base == 1:
        return
    floor, ceil, near = (value(f"{name}(log(x, base))", x=x, base=base) for name in ("floor", "ceil", "round"))
    found = value("log(x, base)", x=x, base=base)
    slack = Fraction(1, 10**12)
    assert floor - slack <= found <= ceil + slack and ceil - floor in (0, 1)
    assert abs(near - found) <= Fraction(1, 2) + slack
    assert abs(float(found) - math.log(x) / math.log(base)) < 1e-9


@settings(max_examples=60)
@given(st.fractions(Fraction(1, 100), 100, max_denominator=100), st.fractions(-6, 6, max_denominator=20))
def test_powers_have_twelve_decimals(base: Fraction, exponent: Fraction) -> None:
    found = value("power(base, exponent)", base=base, exponent=checked(exponent))
    if exponent.denominator == 1:
        assert found == base ** int(exponent)
        return
    with localcontext(prec=60):
        exact = (Decimal(base.numerator) / Decimal(base.denominator)) ** (
            Decimal(exponent.numerator) / Decimal(exponent.denominator)
        )
        assert abs(Fraction(exact) - found) <= Fraction(1, 2 * 10**12) + Fraction(1, 10**20)
    assert Fraction(found * 10**12).denominator == 1


@settings(max_examples=60)
@given(st.lists(st.integers(-5, 5), max_size=30), st.integers(-5, 5))
def test_lists_are_those_of_python(numbers: list[int], k: int) -> None:
    found = value("[n * k for n in numbers if n != k]", numbers=tuple(numbers), k=k)
    assert found == tuple(n * k for n in numbers if n != k)
    assert value("distinct(numbers)", numbers=tuple(numbers)) == tuple(dict.fromkeys(numbers))
    assert value("sum(counts(numbers))", numbers=tuple(numbers)) == len(numbers)


def test_the_new_functions_are_no_words_that_specs_lose() -> None:
    """A parameter may be called as one of them, and a word of a parameter too."""
    network = language.loads(
        """
convcalc: 1
input: [3, 8, 8]
params: {power: 2, range: 3, scale: log, widths: "[power * w for w in range(1, range)]"}
layers:
  - {conv2d: {out_channels: "widths[0]", kernel_size: range}, when: scale == 'log'}
"""
    )
    assert network.nodes[-1].shape == (2, 6, 6)


def test_lists_that_params_make_count_for_every_network_of_a_file() -> None:
    """Else a file with many params and many printed rows would be evaluated for hours."""
    text = "convcalc: 1\ninput: [3]\nparams: {n: 9, s: DEFAULT}\nlayers: [{linear: {out: s}}]\n"
    steps = []
    for default in ("n", "'sum([j for j in range(n)])'"):
        document = Document(Source(text.replace("DEFAULT", default)))
        before = document.steps
        expand(document)
        steps.append(document.steps - before)
    assert steps[1] - steps[0] > 200
