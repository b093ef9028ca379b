"""What may have been counted, and which integers a printed number stands for."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.analysis.conventions import BESIDE, COUNTED, Writing, candidates, counted, printed_number, writings
from convcalc.analysis.published import divisor, parse_number, write_number
from convcalc.analysis.quantities import quantity
from convcalc.language.published import ROUNDINGS

UNITS = ({}, {"K": Fraction(1000)}, {"K": Fraction(1024)}, {"M": Fraction(10**6)}, {"": Fraction(3, 2)})


@given(
    st.integers(0, 10**9),
    st.sampled_from(UNITS),
    st.sampled_from(ROUNDINGS),
    st.integers(0, 3),
    st.sampled_from(("{}", "~{}", "{} K", "{}M", "{}K")),
)
def test_what_is_allowed_is_what_is_written_so(
    value: int, units: dict[str, Fraction], rule: str, decimals: int, frame: str
) -> None:
    """The bounds are those of the writer: of three values on each side every one is told rightly."""
    way = Writing(units, rule)  # type: ignore[arg-type]
    text = frame.format("0" + ("." + "0" * decimals if decimals else ""))
    form = parse_number(text)
    assert form is not None
    scale, written = divisor(form, units)
    text = write_number(Fraction(value) / scale, written, way.round)
    low, high = way.allowed(text)
    assert low <= value < high
    for near in {max(n, 0) for n in (low - 2, low - 1, low, low + 1, high - 2, high - 1, high, high + 1)}:
        assert (low <= near < high) == (write_number(Fraction(near) / scale, written, way.round) == text), near


@pytest.mark.parametrize(
    ("text", "units", "rule", "bounds"),
    [
        ("159K", {"K": Fraction(1024)}, "down", (162_816, 163_840)),
        ("159K", {"K": Fraction(1000)}, "half_up", (158_500, 159_500)),
        ("2", {}, "half_even", (2, 3)),
        ("2", {"": Fraction(2)}, "half_even", (3, 6)),
        ("3", {"": Fraction(2)}, "half_even", (6, 7)),
        ("0", {"": Fraction(10)}, "half_up", (0, 5)),
        ("0", {"": Fraction(10)}, "up", (0, 1)),
        ("1", {"": Fraction(10)}, "up", (1, 11)),
        ("007", {}, "down", (0, 0)),
        ("1,2", {}, "down", (0, 0)),
        ("7×7", {}, "down", (7, 8)),
        ("5M", {"K": Fraction(1000)}, "down", (0, 0)),
    ],
)
def test_bounds_by_hand(text: str, units: dict[str, Fraction], rule: str, bounds: tuple[int, int]) -> None:
    assert Writing(units, rule).allowed(text) == bounds  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "number"), [("~1,234.5 K", Fraction(2469, 2)), ("3.8×10^9", Fraction(19, 5)), ("10 20", Fraction(1020))]
)
def test_the_number_of_a_text(text: str, number: Fraction) -> None:
    form = parse_number(text)
    assert form is not None and printed_number(text, form) == number


def test_what_may_have_been_counted() -> None:
    assert candidates("params")[0] == "params" and set(candidates("weights")) == set(candidates("params"))
    assert len(candidates("params")) == 4 * 2 and len(candidates("flops_of")) == 0
    work = candidates("macs")
    assert len(work) == 4 * 2 ** len(BESIDE) == len(set(work))
    assert [value.count("+") for value in work] == sorted(value.count("+") for value in work)
    assert candidates("3x3.conv.params")[1] == "3x3.conv.filter_weights"
    assert candidates("macs + pool.pooling_flops")[:2] == ["macs + pool.pooling_flops", "macs"]
    assert candidates("activations") == ["activations"] and candidates("receptive_field") == []


def test_every_quantity_that_is_counted_sums_over_layers() -> None:
    for name in COUNTED:
        found = quantity(name)
        assert found is not None and found.total == "sum", name
    assert counted("macs + live") is None and counted("a.params") == [("a", "params")]


def test_units_of_1000_may_be_units_of_1024() -> None:
    ways = writings({"K": Fraction(1000)}, "down")
    assert [(int(way.units["K"] or 0), way.round) for way in ways] == [
        (unit, rule) for unit in (1000, 1024) for rule in ("down", "half_up", "half_even", "up")
    ]
    million = {int(way.units["M"] or 0) for way in writings({"M": Fraction(2**20)}, None)}
    assert million == {2**20, 10**6, 1000 * 1024}
    assert {tuple(way.units.items()) for way in writings({"x": Fraction(7)}, None)} == {(("x", Fraction(7)),)}
    assert [way.round for way in writings(None, None)] == ["half_up", "half_even", "down", "up"]
