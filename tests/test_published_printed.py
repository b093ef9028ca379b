"""Numbers in the form of a printed cell."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.analysis.published import Printed, divisor, parse_number, rounded, write_number


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("159K", Printed("", "", 0, "K")),
        ("2.7K", Printed("", "", 1, "K")),
        ("1,248,424 (total)", Printed("", ",", 0, " (total)")),
        ("1'100 M", Printed("", "'", 0, " M")),
        ("~4.1", Printed("~", "", 1, "")),
        ("94.86%", Printed("", "", 2, "%")),
        ("3.8×10^9", Printed("", "", 1, "×10^9")),
        ("0", Printed("", "", 0, "")),
    ],
)
def test_the_form_of_a_printed_number(text: str, form: Printed) -> None:
    assert parse_number(text) == form


@pytest.mark.parametrize("text", ["", "max pool", "-", "1,2'3"])
def test_text_that_is_no_number(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("printed", "value", "unit", "rule", "written"),
    [
        ("159K", 163_696, 1024, "down", "159K"),
        ("159K", 163_696, 1024, "half_up", "160K"),
        ("380K", 388_736, 1024, "half_up", "380K"),
        ("3.8×10^9", 3_857_973_248, 10**9, "down", "3.8×10^9"),
        ("1,248,424 (total)", 1_248_424, 1, "half_up", "1,248,424 (total)"),
        ("1'100 M", 1_135_256_096, 10**6, "half_up", "1'135 M"),
        ("0.27", 266_752, 10**6, "half_up", "0.27"),
    ],
)
def test_a_value_takes_the_printed_form(printed: str, value: int, unit: int, rule: str, written: str) -> None:
    form = parse_number(printed)
    assert form is not None
    assert write_number(Fraction(value, unit), form, rule) == written  # type: ignore[arg-type]


@given(st.fractions(min_value=-1000, max_value=1000, max_denominator=1000), st.integers(0, 3))
def test_roundings_bound_the_value(value: Fraction, decimals: int) -> None:
    step = Fraction(1, 10**decimals)
    down, up = (rounded(value, decimals, rule) * step for rule in ("down", "up"))
    assert abs(down) <= abs(value) <= abs(up)
    for rule in ("half_up", "half_even"):
        assert abs(rounded(value, decimals, rule) * step - value) <= step / 2


def test_halves() -> None:
    half = Fraction(5, 2)
    assert [rounded(half, 0, rule) for rule in ("half_up", "half_even", "down", "up")] == [3, 2, 2, 3]
    assert rounded(Fraction(7, 2), 0, "half_even") == 4


def test_the_divisor_follows_the_printed_suffix() -> None:
    units = {"K": Fraction(1024), "M": Fraction(1024**2)}
    for text, expected in (("159K", 1024), ("7M", 1024**2), ("12 Kb", 1024)):
        form = parse_number(text)
        assert form is not None
        assert divisor(form, units)[0] == expected


def test_an_unknown_suffix_is_written_with_the_first_unit_and_so_differs() -> None:
    form = parse_number("12G")
    assert form is not None
    scale, written = divisor(form, {"K": Fraction(1000)})
    assert write_number(12_000 / scale, written, "half_up") == "12K"
