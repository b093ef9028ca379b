"""Amounts with units: one reader and one writer, which agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.units import LONGEST, NoAmount, amount, factor, read_amount, read_bytes, scaled, scaled_bytes


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
    assert read_bytes(str(2**63 - 1)) == 2**63 - 1
    with pytest.raises(NoAmount, match="above"):
        read_bytes("8192Pi")


def test_an_amount_has_sixty_characters_at_the_most() -> None:
    assert read_amount("0" * 59 + "7") == 7
    assert LONGEST == 60


@given(st.integers(0, 10**15))
def test_what_is_written_is_read(value: int) -> None:
    assert read_amount(amount(value)) == value
    assert read_bytes(amount(value, "bytes", 0, "down")) <= value <= read_bytes(amount(value, "bytes", 0, "up"))
    assert abs(read_amount(amount(value, "bytes")) - value) * 200 <= 2**20
    assert abs(read_amount(scaled(value)) - value) * 200 <= max(value, 200)


@pytest.mark.parametrize(("number", "written"), [(1, "1 B"), (2**10, "1.00 KiB"), (2**20, "1.00 MiB")])
def test_a_unit_begins_where_there_is_one_of_it(number: int, written: str) -> None:
    assert scaled_bytes(number) == amount(number, "bytes") == written


@pytest.mark.parametrize(("power", "letter"), [(3, "K"), (6, "M"), (9, "G"), (12, "T")])
def test_three_digits_are_written_of_every_count(power: int, letter: str) -> None:
    written = [scaled(number * 10**power) for number in (1, 10, 100)]
    assert written == [f"1.00 {letter}", f"10.0 {letter}", f"100 {letter}"]


@pytest.mark.parametrize(
    ("size", "written"),
    [(999, "999 B"), (1023, "1023 B"), (10 * 2**10, "10.0 KiB"), (100 * 2**10, "100 KiB"), (1023 * 2**10, "1,023 KiB")],
)
def test_three_digits_are_written_of_every_size_and_all_of_a_longer_one(size: int, written: str) -> None:
    assert scaled_bytes(size) == written
