"""Expressions: exact, bounded, and never Python's `eval`."""

from __future__ import annotations

import ast
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.geometry import LIMIT
from convcalc.language.expressions import compile_expression
from convcalc.language.functions import make_divisible
from convcalc.language.problems import Problem

NAMES = {"k": 3, "width": Fraction(3, 4), "stem": "dense", "widths": (16, 32, 64), "wide": True, "index": 0}


def value(text: str) -> object:
    return compile_expression(text).evaluate(NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64 * width", 48),
        ("k // 2", 1),
        ("1 if index == 0 else 2", 1),
        ("make_divisible(22 * 0.75, 8)", 16),
        ("ceil(25 * 2.2)", 55),
        ("floor(100 * 0.29)", 29),
        ("0.1 + 0.2 == 0.3", True),
        ("1 / 3", Fraction(1, 3)),
        ("6 / 3", 2),
        ("7 % 4", 3),
        ("-7 // 2", -4),
        ("2 ** 10", 1024),
        ("0 ** 0", 1),
        ("0 ** 2", 0),
        ("(-1) ** 9223372036854775807", -1),
        ("2 ** -1", Fraction(1, 2)),
        ("+k - -k", 6),
        ("1 < k <= 3", True),
        ("1 < k <= 2", False),
        ("k != 3 or width < 1", True),
        ("not wide and k == 3", False),
        ("false or true", True),
        ("false or false", False),
        ("True and not False", True),
        ("widths[1]", 32),
        ("widths[-1]", 64),
        ("[8, 16][index]", 8),
        ("widths[[0, 1, 2][2]]", 64),
        ("k in [1, 3]", True),
        ("k not in [1, 3]", False),
        ("stem == 'dense'", True),
        ('stem != "separable"', True),
        ("stem == 'dense' and width * 2 == 1.5", True),
        ("min(k, 2, 5)", 2),
        ("max(widths)", 64),
        ("abs(-k)", 3),
        ("round(2.5)", 2),
        ("round(3.5)", 4),
        ("len(widths)", 3),
        ("sum(widths) + 1", 113),
        ("make_divisible(11)", 16),
        ("1e3", 1000),
        ("2.5e-1", Fraction(1, 4)),
        (".5 + 1.", Fraction(3, 2)),
        ("  k  ", 3),
        ("(k + 1) * 2", 8),
    ],
)
def test_values(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("k +", "CC107", "invalid syntax"),
        ("k k", "CC107", "invalid syntax"),
        ("k = 3", "CC107", "is no expression"),
        ("(k", "CC107", "is no expression"),
        ("k; k", "CC107", "is no expression"),
        ("lambda: 1", "CC107", "Lambda is not part"),
        ("__import__('os').system('x')", "CC107", "only functions are called"),
        ("k.real", "CC107", "Attribute is not part"),
        ("open('f')", "CC106", "no function 'open'"),
        ("{x for x in widths}", "CC107", "SetComp is not part"),
        ("{1: 2}", "CC107", "Dict is not part"),
        ("(k := 3)", "CC107", "NamedExpr is not part"),
        ("f'{k}'", "CC107", "is not part"),
        ("widths[0:2]", "CC107", "slices"),
        ("k << 2", "CC107", "LShift"),
        ("k ^ 2", "CC107", "BitXor"),
        ("~k", "CC107", "not part"),
        ("k is 3", "CC107", "'is'"),
        ("1, 2", "CC107", "comma"),
        ("min", "CC107", "min is a function"),
        ("min()", "CC107", "arguments"),
        ("len(widths, 2)", "CC107", "takes 1 argument, not 2"),
        ("max(*widths)", "CC107", "plain arguments"),
        ("round(k, ndigits=1)", "CC107", "plain arguments"),
        ("b'x'", "CC107", "not part"),
        ("None", "CC107", "not part"),
        ("...", "CC107", "not part"),
        ("3j", "CC107", "neither a number nor a name"),
        ("3k", "CC107", "neither a number nor a name"),
        ("k \\ 3", "CC107", "backslash"),
        ("k ? 1 : 2", "CC107", "is no expression"),
        ("k && 1", "CC107", "is no expression"),
    ],
)
def test_what_is_no_expression(text: str, code: str, part: str) -> None:
    with pytest.raises(Problem) as caught:
        compile_expression(text)
    assert caught.value.code == code
    assert part in caught.value.message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1 / 0", "division by zero"),
        ("1 // (k - 3)", "division by zero"),
        ("1 % 0", "remainder by zero"),
        ("0 ** -1", "division by zero"),
        ("2 ** 0.5", "not exact"),
        ("stem + 1", "takes numbers, not the word 'dense'"),
        ("stem * 3", "takes numbers"),
        ("widths + widths", "takes numbers"),
        ("widths * 100", "takes numbers"),
        ("wide + 1", "takes numbers, not true"),
        ("stem < 'e'", "takes numbers"),
        ("k and wide", "true or false"),
        ("not k", "true or false"),
        ("1 if k else 2", "true or false"),
        ("widths[3]", "has no element 3"),
        ("widths['a']", "takes integers"),
        ("widths[0.5]", "takes integers"),
        ("k[0]", "only lists"),
        ("k in 3", "takes a list"),
        ("sum(k)", "takes a list"),
        ("len(stem)", "takes a list"),
        ("min([])", "empty list"),
        ("make_divisible(8, 0)", "at least 1"),
        ("make_divisible(8, 0.5)", "takes integers"),
    ],
)
def test_what_cannot_be_evaluated(text: str, part: str) -> None:
    with pytest.raises(Problem) as caught:
        value(text)
    assert caught.value.code == "CC108"
    assert part in caught.value.message
    assert text in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "9**9**9**9",
        "2 ** 63",
        "2 ** 9223372036854775807",
        "(1/2) ** 9223372036854775807",
        "9223372036854775807 + 1",
        "9223372036854775807 * 9223372036854775807",
        "-9223372036854775807 - 2",
        "99999999999999999999",
        "10 ** 18 * 10",
        "sum([9223372036854775807, 1])",
        "0.0000000001 ** 4",
        "1e99",
    ],
)
def test_numbers_above_the_limit_are_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        value(text)
    assert caught.value.code in ("CC212", "CC108")


@pytest.mark.parametrize(
    "text",
    [
        "1" * 5000,
        "+".join(["1"] * 5000),
        "(" * 400 + "1" + ")" * 400,
        "-" * 900 + "1",
        "not " * 200 + "true",
        "[" * 150 + "]" * 150,
        "1" + "**1" * 300,
        "'" + "a" * 5000 + "'",
    ],
)
def test_long_and_deep_expressions_are_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        compile_expression(text)
    assert caught.value.code in ("CC107", "CC212", "CC108")
    assert len(caught.value.message) < 200


def test_the_limit_itself_is_fine() -> None:
    assert value("2 ** 62 + (2 ** 62 - 1)") == LIMIT
    assert value("1 ** 9223372036854775807") == 1
    assert value("(0 - 1) ** 9223372036854775807") == -1


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("010", "write 10, or 8"),
        ("09", "write 9"),
        ("0o17", "write 15"),
        ("0x10", "write 16"),
        ("0b11", "write 3"),
        ("1_000", "write 1000"),
        ("k * 0x10", "write 16"),
        ("0x10 if stem == '0x11' else 2", "write 16"),
    ],
)
def test_numbers_that_are_not_plain_decimals(text: str, hint: str) -> None:
    with pytest.raises(Problem) as caught:
        compile_expression(text)
    assert caught.value.code == "CC005"
    assert caught.value.hint is not None and hint in caught.value.hint


def test_numbers_inside_words_are_left_alone() -> None:
    assert compile_expression("stem == '0x10'").evaluate({"stem": "0x10"}) is True


def test_names_and_words_are_known() -> None:
    compiled = compile_expression("out * k + (1 if stem == 'dense' else len(widths))")
    assert compiled.names == {"out": 0, "k": 6, "stem": 16, "widths": 41}
    assert compiled.words == {"dense"}


def test_conditions_stop_early() -> None:
    assert value("k == 3 or 1 // 0 == 1") is True
    assert value("k != 3 and 1 // 0 == 1") is False
    assert value("1 if k == 3 else 1 // 0") == 1


class TestMakeDivisible:
    """MobileNet's rule: max(d, int(v + d/2) // d * d), one step more when that is below 0.9 v."""

    @pytest.mark.parametrize(("v", "expected"), [(24, 24), (18, 24), (12, 16), (11, 16), (3, 8), (28, 32), (20, 24)])
    def test_values(self, v: int, expected: int) -> None:
        assert make_divisible(v) == expected

    @given(st.integers(1, 4000), st.integers(1, 64))
    def test_rule(self, v: int, divisor: int) -> None:
        found = make_divisible(v, divisor)
        assert found % divisor == 0 and found >= divisor
        assert 10 * found >= 9 * v
        nearest = max(divisor, (2 * v + divisor) // (2 * divisor) * divisor)
        assert found in (nearest, nearest + divisor)


OPERATORS = ["+", "-", "*", "//", "%", "<", "<=", "==", "!="]


@st.composite
def arithmetic(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return str(draw(st.integers(0, 30)))
    left, right = draw(arithmetic(depth - 1)), draw(arithmetic(depth - 1))
    return f"({left} {draw(st.sampled_from(['+', '-', '*', '//', '%']))} {right})"


@given(arithmetic())
def test_integers_agree_with_python(text: str) -> None:
    """On integers every operator means what it means in Python."""
    try:
        expected = eval(compile(ast.parse(text, mode="eval"), "<test>", "eval"))
    except ZeroDivisionError:
        with pytest.raises(Problem):
            value(text)
        return
    assert value(text) == expected


@given(st.text(alphabet="k0123456789.+-*/%()[]<>=!,'ex if else and or not_", max_size=40))
def test_any_text_gives_a_value_or_a_problem(text: str) -> None:
    try:
        found = value(text)
    except (Problem, KeyError):
        return
    assert isinstance(found, (int, str, tuple)) or math.isfinite(found)  # type: ignore[arg-type]
