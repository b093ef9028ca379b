"""A whole printed table compared: what counts, what is listed, what explains, and what cannot be read."""

from __future__ import annotations

from fractions import Fraction

import pytest

from convcalc import loads
from convcalc.analysis.published import Comparison, TableResult, compare, outlines, render, rounded
from convcalc.analysis.report import analyse
from convcalc.check.run import check_source
from convcalc.check.selection import Selection
from convcalc.findings import SpecError
from convcalc.language.published import Reading
from convcalc.marked import Source
from convcalc.network import Network

NETWORK = """
convcalc: 1
name: net
params: {{width: 4}}
variants: {{wide: {{width: 8}}}}
input: [2, 8, 8]
layers:
  - {{conv2d: {{out: '{{width}}', k: 3, bias: false}}, name: a}}
  - {{conv2d: {{out: 2, k: 1, bias: false}}, name: b}}
  - {{max_pool2d: {{k: 2, s: 2}}, name: c}}
published:
  - title: T
    columns: {{n: ~, params: {{value: params}}, macs: {{value: macs}}, note: {{value: ~}}}}
{}
""".replace("'{{width}}'", "width")
"""a has 2·4·9 = 72 params on 36 positions, b 4·2 = 8; in the variant `wide` it is 144 and 16."""


def table_of(rest: str) -> TableResult:
    (table,) = compare(loads(NETWORK.format(rest)))
    return table


ROWS = """
    rows:
      a: [first, '72', '2,592', x]
      b: [second, '16', '288', y]
      c: [third, '', '5', z]
"""


def test_what_is_printed_and_compared_counts() -> None:
    table = table_of(ROWS)
    assert [[cell.status for cell in row] for row in table.rows] == [
        ["ignored", "equal", "equal", "ignored"],
        ["ignored", "differs", "equal", "ignored"],
        ["ignored", "empty", "differs", "ignored"],
    ]
    assert (table.cells, table.reproduced) == (5, 3)
    assert table.column_counts() == [("params", 1, 2), ("macs", 2, 3)]
    assert [(row, column, cell.printed.text, cell.computed) for row, column, cell in table.differing()] == [
        ("b", "params", "16", "8"),
        ("c", "macs", "5", "0"),
    ]
    assert table.explanations() == {} and table.stray == ()


LISTED = (
    ROWS.replace("c: [third, '', '5', z]", "c: {at: a, label: last, cells: [third, '144', '5,184', z]}")
    + """
    differs:
      - {row: b, column: params, reason: as wide as the variant, variant: wide}
      - {row: last, column: params, reason: the variant, variant: wide}
      - {row: c, column: macs, reason: given by hand, with: {width: 8}}
      - {row: nowhere, column: macs, reason: a slip}
      - {row: a, column: nothing, reason: a slip}
"""
)


def test_explanations_are_run_and_counted_by_column() -> None:
    table = table_of(LISTED)
    assert [cell.explained for _, _, cell in table.differing()] == [True, True, True]
    assert table.explanations() == {"variant wide": {"params": 2}, "with width: 8": {"macs": 1}}
    assert [(difference.row, difference.column) for difference in table.stray] == [
        ("nowhere", "macs"),
        ("a", "nothing"),
    ]
    said = table.to_dict()
    assert (said["title"], said["cells"], said["reproduced"]) == ("T", 6, 3)
    differences = said["differences"]
    assert isinstance(differences, list)
    assert differences[2] == {
        "row": "last",
        "column": "macs",
        "printed": "5,184",
        "computed": "2,592",
        "reason": "given by hand",
        "reproduced_with": "with width: 8",
    }


@pytest.mark.parametrize(
    ("listed", "explained", "reproduced_with"),
    [("variant: wide", True, "variant wide"), ("with: {width: 5}", False, None), ("note: none", None, None)],
)
def test_an_explanation_that_gives_something_else_is_none(
    listed: str, explained: bool | None, reproduced_with: str | None
) -> None:
    more = "" if listed.startswith("note") else f", {listed}"
    table = table_of(ROWS + f"    differs: [{{row: b, column: params, reason: why{more}}}]\n")
    cell = table.rows[1][1]
    assert (cell.status, cell.explained) == ("differs", explained)
    said = table.to_dict()["differences"]
    assert isinstance(said, list)
    assert (said[0]["reason"], said[0]["reproduced_with"]) == ("why", reproduced_with)
    assert said[1]["reason"] is None and said[1]["reproduced_with"] is None
    assert list(table.explanations()) == [reproduced_with] * bool(reproduced_with)


def test_a_listed_difference_that_is_equal_explains_nothing() -> None:
    table = table_of(ROWS + "    differs: [{row: a, column: params, reason: once, variant: wide}]\n")
    cell = table.rows[0][1]
    assert cell.status == "equal" and cell.explained is None and cell.difference is not None
    assert table.stray == () and table.explanations() == {}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("b: {variant: huge, cells: [x, '8', '1', '']}", "this reading does not fit the spec: "),
        ("b: {input: [2, 1, 1], cells: [x, '8', '1', '']}", "this reading does not build: "),
        ("q: [x, '8', '1', '']", "nothing is called 'q' in net"),
    ],
)
def test_a_reading_that_cannot_be_is_refused_at_its_cell(row: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        table_of(f"    rows:\n      {row}\n")
    (finding,) = caught.value.findings
    assert finding.code == "CC306" and finding.message.startswith(message)
    assert finding.excerpt is not None and finding.column is not None
    assert finding.excerpt[finding.column - 1 :].startswith("'8'")


def test_networks_of_other_readings_are_made_once() -> None:
    net = loads(NETWORK.format(LISTED))
    reports = {(None, None, None): analyse(net)}
    comparison = Comparison(net, reports)  # type: ignore[arg-type]
    comparison.tables()
    assert list(reports) == [(None, None, None), ("wide", None, None), (None, (("width", "8"),), None)]
    made = list(reports.values())
    comparison.tables()
    assert [report is before for report, before in zip(reports.values(), made, strict=True)] == [True] * 3


def test_a_network_without_a_spec_has_no_tables() -> None:
    net = loads(NETWORK.format(ROWS))
    assert compare(Network(net.name, net.nodes, net.outputs, {})) == ()
    assert compare(loads("{convcalc: 1, input: [4], layers: [relu]}")) == ()


@pytest.mark.parametrize(
    ("rows", "whole"),
    [
        ("a: [x, '72', '1', ''], b: [x, '8', '1', '']", True),
        ("a: [x, '72', '1', '']", False),
        ("rest: {at: a..b, cells: [x, '72', '1', '']}", True),
        ("a: [x, '72', '1', ''], b: {variant: wide, cells: [x, '8', '1', '']}", False),
        ("a: [x, '72', '1', ''], b: {with: {width: 4}, cells: [x, '8', '1', '']}", False),
        ("a: [x, '72', '1', ''], b: {input: [2, 9, 9], cells: [x, '8', '1', '']}", False),
    ],
)
def test_a_table_of_stages_names_all_that_have_params(rows: str, whole: bool) -> None:
    net = loads(NETWORK.format(f"    rows: {{{rows}}}"))
    (table,) = compare(net)
    assert outlines(table.table, analyse(net)) is whole


@pytest.mark.parametrize(
    ("value", "said", "printed", "text"),
    [
        (None, {}, "12", ""),
        ("max", {}, "avg", "max"),
        ("max", {"format": "{} pool"}, "avg", "max pool"),
        (12, {}, "many", "12"),
        (1500, {"unit": {"K": Fraction(1000)}}, "2K", "2K"),
        (1500, {"unit": {"K": Fraction(1000)}, "round": "down"}, "2K", "1K"),
        (1500, {"unit": {"K": Fraction(1000)}, "round": "up"}, "2.0K", "1.5K"),
        (-1500, {"unit": {"K": Fraction(1000)}}, "2.00K", "-1.50K"),
        (Fraction(1, 3), {}, "0.33", "0.33"),
        (50, {"unit": {"%": None}}, "1.0%", "25.0%"),
        (50, {"unit": {"%": None}, "round": "down"}, "9%", "25%"),
        (50, {"unit": {"%": None, "K": Fraction(10)}}, "1K", "5K"),
        (Fraction(1, 8), {"unit": {"%": None}, "round": "down"}, "0.06%", "0.06%"),
        (Fraction(1, 8), {"unit": {"%": None}}, "0.06%", "0.06%"),
        (5, {"unit": {"%": None}}, "12", "5"),
    ],
)
def test_a_value_is_written_as_its_reading_says(
    value: object, said: dict[str, object], printed: str, text: str
) -> None:
    assert render(value, Reading(said), printed, lambda: 200) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("total", [0, None, Fraction(1, 2)])
def test_there_is_no_share_of_nothing(total: object) -> None:
    assert render(5, Reading({"unit": {"%": None}}), "1%", lambda: total) == ""


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        (Fraction(-5, 2), {"half_up": -2, "half_even": -2, "down": -2, "up": -3}),
        (Fraction(-7, 2), {"half_up": -3, "half_even": -4, "down": -3, "up": -4}),
        (Fraction(7, 2), {"half_up": 4, "half_even": 4, "down": 3, "up": 4}),
        (Fraction(9, 2), {"half_up": 5, "half_even": 4, "down": 4, "up": 5}),
        (Fraction(-9, 4), {"half_up": -2, "half_even": -2, "down": -2, "up": -3}),
        (Fraction(11, 4), {"half_up": 3, "half_even": 3, "down": 2, "up": 3}),
        (Fraction(-3), {"half_up": -3, "half_even": -3, "down": -3, "up": -3}),
        (Fraction(3), {"half_up": 3, "half_even": 3, "down": 3, "up": 3}),
        (Fraction(0), {"half_up": 0, "half_even": 0, "down": 0, "up": 0}),
    ],
)
def test_roundings_of_halves_thirds_and_whole_numbers(value: Fraction, rules: dict[str, int]) -> None:
    """Down and up are towards and away from zero; half_even is Python's round, half_up floor(x + 1/2)."""
    assert {rule: rounded(value, 0, rule) for rule in rules} == rules  # type: ignore[arg-type]
    assert rules["half_even"] == round(value)
    for decimals in (1, 3):
        scaled = value / 10**decimals
        assert {rule: rounded(scaled, decimals, rule) for rule in rules} == rules  # type: ignore[arg-type]


def test_small_negative_numbers_and_divisors_of_one_or_less() -> None:
    assert render(-1, Reading({}), "7", lambda: 1) == "-1"
    assert render(Fraction(-1, 10), Reading({}), "0.5", lambda: 1) == "-0.1"
    rows = "    rows:\n      a: {unit: {h: 0.5, u: 1}, cells: [x, 144h, '2,592u', '']}\n"
    table = table_of(rows)
    assert [cell.status for cell in table.rows[0]] == ["ignored", "equal", "equal", "ignored"]
    for divisor in ("0", "0.0", "-1"):
        with pytest.raises(SpecError, match="divisor"):
            table_of(f"    rows:\n      a: {{unit: {{h: {divisor}}}, cells: [x, 144h, '1', '']}}\n")


def test_a_reading_in_words() -> None:
    said = {"variant": "wide", "with": {"width": "8", "stem": "s"}, "input": (3, 160, 161), "at": "a", "value": "macs"}
    assert str(Reading(said)) == "variant wide, with width: 8, stem: s, input 3×160×161, at a, value macs"
    units = Reading({"round": "down", "format": "{h}", "unit": {"K": Fraction(1024), "%": None}})
    assert str(units) == "round down, format {h}, unit K: 1024, %: total"
    assert str(Reading({})) == ""


ALSO = """
    rows:
      a: ['72', '2,592']
      b: ['8', '288']
    columns: {params: {value: params}, macs: {value: macs}}
    also:
"""
SINGLE = NETWORK.replace(
    "    columns: {{n: ~, params: {{value: params}}, macs: {{value: macs}}, note: {{value: ~}}}}\n", ""
)


def also(reading: str) -> TableResult:
    (table,) = compare(loads(SINGLE.format(ALSO + f"      - {reading}")))
    return table


@pytest.mark.parametrize(
    ("reading", "cells", "given"),
    [
        ("{column: params, value: weights}", 2, 2),
        ("{column: params, value: weights, variant: wide}", 2, 0),
        ("{row: a, column: macs, value: macs + bias_flops}", 1, 1),
        ("{row: b, variant: wide}", 2, 0),
        ("{value: params}", 4, 2),
        ("{row: c, value: params}", 0, 0),
    ],
)
def test_other_readings_that_give_the_same_cells_are_run(reading: str, cells: int, given: int) -> None:
    (found,) = also(reading).also
    assert (found.cells, found.given) == (cells, given)
    ok = cells == given > 0
    text = SINGLE.format(ALSO + f"      - {reading}")
    codes = [finding.code for finding in check_source(Source(text, "net.yaml"), Selection())]
    assert codes == ([] if ok else ["CC304"])
