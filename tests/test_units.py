"""Amounts with units: one reader and one writer, which agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.units import NoAmount, amount, factor, read_amount, read_bytes, scaled


@pytest.mark.parametrize(("letter", "power"), [("K", 1), ("M", 2), ("G", 3), ("T", 4), ("P", 5)])
def test_a_letter_is_decimal_and_an_i_behind_it_binary(letter: str, power: int) -> None:
    for written in (letter, letter.lower(), f"{letter}B"):
        assert factor(written) == 1000**power
    for written in (f"{letter}i", f"{letter}iB", f"{letter}ib"):
        assert factor(written) == 1024**power


@pytest.mark.parametrize("text", ["", "M", "1.M", "-1", "1e", "1e100", "1X", "1 iB", "1,00", "1" * 61, "1\u0661"])
def test_what_is_no_amount_is_named_with_a_right_one(text: str) -> None:
    with pytest.raises(NoAmount, match=r"is no amount: write 7000000, 7M \(7·10\^6\) or 20 MiB"):
        read_amount(text)


def test_bytes_are_whole_and_bounded() -> None:
    assert (read_bytes("1.9"), read_bytes("0.5KiB")) == (1, 512)
    with pytest.raises(NoAmount, match="above"):
        read_bytes("8192Pi")


@given(st.integers(0, 10**15))
def test_what_is_written_is_read(value: int) -> None:
    assert read_amount(amount(value)) == value
    assert read_bytes(amount(value, "bytes", 0, "down")) <= value <= read_bytes(amount(value, "bytes", 0, "up"))
    assert abs(read_amount(amount(value, "bytes")) - value) * 200 <= 2**20
    assert abs(read_amount(scaled(value)) - value) * 200 <= max(value, 200)
