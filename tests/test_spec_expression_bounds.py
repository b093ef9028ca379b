"""Expressions at their bounds: the largest numbers, the longest texts, the exact place of what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from convcalc.geometry import LIMIT
from convcalc.language.expressions import check_number, compile_expression
from convcalc.language.functions import make_divisible
from convcalc.language.problems import Problem
from convcalc.language.values import MAX_FRACTION_BITS, checked, equal, item_of, member, say
from convcalc.limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH

from .evaluated import problem, value


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        ("dense", "the word 'dense'"),
        (Fraction(1, 2), "0.5"),
        (Fraction(-1, 3), "-1/3"),
        (tuple(range(10)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"),
        (tuple(range(11)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]"),
        ((), "[]"),
        (2**128 - 1, str(2**128 - 1)),
        (2**128, "a number of 129 bits"),
        (-(2**128), "a number of 129 bits"),
    ],
)
def test_values_in_messages(found: Any, said: str) -> None:
    assert say(found) == said


@pytest.mark.parametrize("sign", [1, -1])
def test_the_limit_holds_on_both_sides(sign: int) -> None:
    assert checked(sign * LIMIT) == sign * LIMIT
    assert checked(Fraction(sign * 2 * LIMIT, 2)) == sign * LIMIT
    with pytest.raises(Problem, match="above 2\\^63 - 1") as caught:
        checked(sign * (LIMIT + 1))
    assert caught.value.code == "CC212"
    with pytest.raises(Problem):
        checked(Fraction(sign * (LIMIT + 1)))


def test_fractions_have_128_bits_above_and_below() -> None:
    largest = 2**MAX_FRACTION_BITS - 1
    for fine in (Fraction(largest, 2), Fraction(2, largest), Fraction(-largest, 2)):
        assert checked(fine) == fine
    for more in (Fraction(2 * largest + 1, 2), Fraction(2, 2 * largest + 1)):
        with pytest.raises(Problem, match="more than 128 bits") as caught:
            checked(more)
        assert caught.value.code == "CC108"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 ** 62", 2**62),
        ("2 ** -62", Fraction(1, 2**62)),
        ("3 ** 39", 3**39),
        ("(1/2) ** 127 * 2 ** 62 * 2 ** 62", Fraction(1, 8)),
        ("(2/3) ** -2", Fraction(9, 4)),
        ("(0 - 1) ** 4", 1),
        ("(0 - 1) ** 5", -1),
        ("(0 - 1) ** -3", -1),
        ("(0 - 1) ** -2", 1),
        ("0 ** 5", 0),
        ("0 ** 1", 0),
        ("1 ** -5", 1),
        ("7 ** 0", 1),
        ("7 ** 1", 7),
        ("(0 - 2) ** 3", -8),
        ("(0 - 3) ** 2", 9),
    ],
)
def test_powers(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize("text", ["2 ** 63", "3 ** 40", "(1/2) ** 129", "(1/3) ** 129", "(0 - 2) ** 64", "10 ** 19"])
def test_powers_beyond_are_not_started(text: str) -> None:
    assert problem(text).code in ("CC212", "CC108")


def test_equality_keeps_truth_values_apart_from_numbers() -> None:
    assert [equal(True, 1), equal(1, True), equal(0, False), equal(True, True), equal(1, 1)] == [
        *[False] * 3, *[True] * 2]  # fmt: skip
    assert member(1, (True, 2)) is False and member(True, (1, True)) is True and member("a", ()) is False


def test_elements_from_both_ends() -> None:
    values = (5, 6, 7)
    assert [item_of(values, n) for n in (-3, -2, -1, 0, 1, 2)] == [5, 6, 7, 5, 6, 7]
    for outside in (-4, 3):
        with pytest.raises(Problem, match=f"a list of 3 has no element {outside}"):
            item_of(values, outside)
    with pytest.raises(Problem, match="an index takes integers, not true"):
        item_of(values, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("min(3)", 3),
        ("max(2, 3)", 3),
        ("min([4, 2, 3])", 2),
        ("max([4], [5])", None),
        ("min(1.5, 2)", Fraction(3, 2)),
        ("abs(0 - 2.5)", Fraction(5, 2)),
        ("ceil(0 - 2.5)", -2),
        ("floor(0 - 2.5)", -3),
        ("round(0 - 2.5)", -2),
        ("round(2.6)", 3),
        ("sum([])", 0),
        ("sum([1, 2.5, 0.5])", 4),
        ("len([])", 0),
        ("len([[1, 2], 3])", 2),
        ("make_divisible(1)", 8),
        ("make_divisible(12, 1)", 12),
        ("make_divisible(12.5, 1)", 13),
        ("make_divisible(12.4, 1)", 12),
        ("make_divisible(0, 8)", 8),
    ],
)
def test_functions(text: str, expected: object) -> None:
    if expected is None:
        assert "takes numbers" in problem(text).message
    else:
        assert value(text) == expected


def test_make_divisible_at_nine_tenths() -> None:
    """MobileNet: 10 % less is allowed, more is not. 8 of 8.88… is 0.9 exactly; 8 of 8.9 is less."""
    assert make_divisible(Fraction(80, 9)) == 8
    assert make_divisible(Fraction(89, 10)) == 16
    with pytest.raises(Problem, match="a divisor of at least 1, not 0"):
        make_divisible(8, 0)
    assert make_divisible(8, 1) == 8


def test_fifty_arguments_are_taken() -> None:
    assert value(f"min({', '.join(['3'] * 50)})") == 3
    found = problem(f"min({', '.join(['3'] * 51)})")
    assert found.message.startswith("min takes 1 to 50 arguments, not 51")
    assert problem("len()").message.startswith("len takes 1 argument, not 0")
    assert problem("make_divisible(1, 2, 3)").message.startswith("make_divisible takes 1 to 2 arguments, not 3")


def test_length_and_depth_are_bounded_where_they_say() -> None:
    fits = "1" + " " * (EXPRESSION_CHARACTERS - 1)
    assert value(fits) == 1
    message = problem(fits + " ").message
    assert f"an expression of {EXPRESSION_CHARACTERS + 1} characters; the limit is {EXPRESSION_CHARACTERS}" in message
    nested = "not " * (EXPRESSION_DEPTH - 2) + "t"
    assert compile_expression(nested).names == {"t": 4 * (EXPRESSION_DEPTH - 2)}
    assert value(nested, t=True) is True
    assert "nested deeper than 50 levels" in problem("not " + nested, t=True).message


@pytest.mark.parametrize(
    ("text", "at", "width", "hint"),
    [
        ("k + lambda: 1", None, None, None),
        ("  x[0:2]", 4, 3, "index one element: list[0]"),
        ("a.b + 1", 0, 3, None),
        ("1 + min", 4, 3, "call it: min(...)"),
        ("1 + sin(2)", 4, 3, None),
        ("2 * len(1, 2)", 4, 9, None),
        ("a is b", 0, 6, "compare with =="),
        ("1 + (2 ^ 3)", 5, 5, "use ** for powers"),
        (" 0x1F + 1", 1, 4, "write 31"),
        ("1 + 0777", 4, 4, "write 777, or 511 for what YAML 1.1 reads (octal)"),
        ("1 + 1_0.5", 4, 5, "write 10.5"),
        ("2 + 1e400", 4, 5, "two digits at most"),
        ("a + 3k", 4, 2, None),
        ("1, 2", 0, 4, "write a list in brackets: [1, 2]"),
        ("a &&", 3, 1, "write and, or, not"),
        ("  a ?", 4, 1, "write x if condition else y"),
        ("max(1, [2", None, 1, "an expression with commas or brackets"),
        ("a || b", 3, 1, "write and, or, not"),
        ("! a", 0, 1, "write and, or, not"),
        ("a = 1", None, 1, "compare with =="),
        ("a === 1", None, 1, "compare with =="),
    ],
)
def test_what_is_refused_has_its_place(text: str, at: int | None, width: int | None, hint: str | None) -> None:
    found = problem(text, a=1, b=1, k=1, x=(1,))
    if at is not None:
        assert (found.offset, found.width) == (at, width)
        assert text[at : at + (width or 0)].strip() or at >= len(text.rstrip())
    if hint is not None:
        assert found.hint is not None and found.hint.startswith(hint)


def test_words_in_arithmetic_are_told_how_they_are_used() -> None:
    assert problem("stem + 1", stem="dense").hint == "words are compared with == and !="
    assert problem("wide + 1", wide=True).hint is None


def test_a_text_that_python_does_not_read_is_no_expression() -> None:
    assert problem("a\0b", a=1).code == "CC107"


@pytest.mark.parametrize("text", ["a == 1 b", "a != 1 b", "a <= 1 b", "a >= 1 b", "a b"])
def test_nothing_is_hinted_at_where_nothing_is_known(text: str) -> None:
    assert problem(text).hint is None


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("0x" + "f" * 27, "CC005", f"write {int('f' * 27, 16)}"),
        ("0x" + "f" * 28, "CC107", None),
        ("0" + "7" * 28, "CC005", f"write {'7' * 28}, or {int('7' * 28, 8)} for what YAML 1.1 reads (octal)"),
        ("0" + "7" * 29, "CC107", None),
        ("0" + "9" * 28, "CC005", f"write {'9' * 28}"),
        ("0" + "9" * 29, "CC107", None),
        ("00", "CC005", "write 0, or 0 for what YAML 1.1 reads (octal)"),
        ("00.5", "CC005", "write .5"),
        ("1e100", "CC108", "two digits at most"),
        ("12abc", "CC107", None),
    ],
)
def test_numbers_that_are_refused(text: str, code: str, hint: str | None) -> None:
    with pytest.raises(Problem) as caught:
        check_number(text, 3)
    found = caught.value
    assert (found.code, found.hint, found.offset, found.width) == (code, hint, 3, len(text))
    with pytest.raises(Problem) as alone:
        check_number(text)
    assert alone.value.offset == 0


@pytest.mark.parametrize("text", ["0", "0.5", "7", "10", "1.", ".5", "1e99", "1e-99", "2.5E+3", "0e1"])
def test_plain_numbers_are_taken(text: str) -> None:
    check_number(text)


def test_an_error_of_a_long_expression_shows_its_beginning() -> None:
    short = "1 // (0 * 1)" + " " * 68
    assert len(short) == 80 and f"in '{short}'" in problem(short).message
    long = short + " "
    assert f"in '{long[:77]}...'" in problem(long).message


def test_chained_comparisons_read_each_operand_once() -> None:
    assert [value("1 < x < 3", x=n) for n in (1, 2, 3)] == [False, True, False]
    assert [value("3 > x >= 1", x=n) for n in (0, 1, 2, 3)] == [False, True, True, False]
    assert value("1 <= x <= 1", x=1) is True
    assert value("x != y != x", x=1, y=2) is True
