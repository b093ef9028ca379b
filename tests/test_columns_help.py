"""`table --columns help`: every column with its unit, in its group, on lines that fit."""

from __future__ import annotations

import pytest

from convcalc.analysis.quantities import GROUPS, QUANTITIES
from convcalc.render.hanging import hanging
from tests.command import run


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_it_fits_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = run("table", "any", "--columns", "help").stdout.splitlines()
    assert max(map(len, lines)) <= columns
    assert not any(line.endswith(" ") for line in lines)
    named = [line.split()[0] for line in lines if line[:2] == "  " and line[2:3] not in ("", " ")]
    assert named == list(QUANTITIES)
    assert [line for line in lines if line in GROUPS] == list(GROUPS)


def test_units_stand_beside_their_columns() -> None:
    lines = run("table", "any", "--columns", "help").stdout.splitlines()
    beside = {line.split()[0]: line for line in lines if line.startswith("  ")}
    assert all(known.unit in beside[name] for name, known in QUANTITIES.items())


def test_every_record_is_in_one_group() -> None:
    assert [record.name for records in GROUPS.values() for record in records] == list(QUANTITIES)


def test_text_that_goes_on_stands_below_itself() -> None:
    rows, first = hanging(("a", "text"), [["x", "one two three four five"], ["yy", "six"]], 20)
    assert rows == [["x", "one two three"], ["", "four five"], ["yy", "six"]]
    assert first == [0, 2]
    assert hanging(("a", "text"), [["x", "one two"]], None) == ([["x", "one two"]], [0])
