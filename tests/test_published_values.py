"""What a printed cell can be read from: single quantities, sums, composed texts, ranges, labels."""

from __future__ import annotations

import pytest

from convcalc import loads
from convcalc.analysis.figures import find
from convcalc.analysis.published import compare
from convcalc.analysis.quantities import quantity
from convcalc.analysis.quantity import Shaped
from convcalc.analysis.report import analyse
from convcalc.findings import SpecError

SPEC = """
convcalc: 1
input: [4, 9, 9]
layers:
  - layers:
      - {conv2d: {out: 8, k: [3, 1], s: 2, g: 2}}
      - batch_norm
      - relu
    name: a
  - {conv2d: {out: 6, k: 1}, name: b}
  - {max_pool2d: {k: 2, s: 2}, name: c}
  - flatten
  - {linear: {out_features: 5}, name: d}
published:
  - title: T
    columns: {row: ~, cell: {}}
    rows:
"""


def computed(row: str) -> str:
    """What the second cell of a row is computed as; the cell prints something else."""
    (table,) = compare(loads(SPEC + f"      {row}\n"))
    return table.rows[0][1].computed


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("a: {value: '{kernel_size}, {out_channels}', cells: [x, y]}", "3×1, 8"),
        ("a: {value: '{conv2d.kernel_size:h} by {conv2d.kernel_size:w} / {stride:h}', cells: [x, y]}", "3 by 1 / 2"),
        ("total: {value: '{depth} layers', cells: [x, y]}", "3 layers"),
        ("a: {value: 'n {missing.depth}', cells: [x, y]}", ""),
        ("a: {value: params + macs, cells: [x, '1']}", str(48 + 8 + 16 + 48 * 20)),
        ("a: {value: params + patch, cells: [x, '1']}", ""),
        ("total: {value: b.params + d.params, cells: [x, '1']}", str(54 + 125)),
        ("a..b: {value: macs, cells: [x, '1']}", str(48 * 20 + 48 * 20)),
        ("a..b: {value: out_channels, cells: [x, '1']}", "6"),
        ("a..d: {value: macs, unit: {'%': total}, cells: [x, 1.0%]}", "100.0%"),
        ("a: {value: params + macs, unit: {'%': total}, cells: [x, 1.0%]}", "45.0%"),
        ("a: {value: patch, format: '{k}/{s} (×{c})', cells: [x, y]}", "3×1/2 (×8)"),
    ],
)
def test_values(row: str, text: str) -> None:
    assert computed(row) == text


def test_a_row_gives_no_value_to_a_column_of_labels() -> None:
    (table,) = compare(loads(SPEC + "      b: {value: params, cells: [label, '54']}\n"))
    assert [cell.status for cell in table.rows[0]] == ["ignored", "equal"]


def test_a_cell_gives_a_value_to_itself() -> None:
    (table,) = compare(loads(SPEC + "      b: [{text: '6', value: out_channels}, {text: '54', value: params}]\n"))
    assert [cell.status for cell in table.rows[0]] == ["equal", "equal"]


@pytest.mark.parametrize("value", ["'{a.paramz}'", "params + paramz", "paramz"])
def test_an_unknown_quantity_is_refused_where_it_stands(value: str) -> None:
    with pytest.raises(SpecError) as caught:
        compare(loads(SPEC + f"      a: {{value: {value}, cells: [x, '1']}}\n"))
    (finding,) = caught.value.findings
    assert (finding.code, finding.line) == ("CC306", 18)
    assert finding.hint == "did you mean 'params'?"


@pytest.mark.parametrize("path", ["b..a", "a..missing", "missing..a", "a..b..c", "a" + "..b" * 5000])
def test_a_range_needs_both_ends_in_order(path: str) -> None:
    assert find(analyse(loads(SPEC.split("published")[0])), path) is None


@pytest.mark.parametrize(
    ("name", "path", "written"),
    [
        ("filter", "a", "3×1×2×8"),
        ("filter", "b", "1×1×8×6"),
        ("filter", "d", "24×5"),
        ("filter", "c", None),
        ("filter", "a..b", None),
        ("filter_weights", "total", "216"),
        ("filter_weights", "a", "48"),
        ("effective_padding", "c", "0×0"),
        ("effective_padding", "d", None),
    ],
)
def test_quantities_of_filters(name: str, path: str, written: str | None) -> None:
    report = analyse(loads(SPEC.split("published")[0]))
    subject, known = find(report, path), quantity(name)
    assert subject is not None
    assert known is not None
    value = known.get(report, subject)
    assert (value.written() if isinstance(value, Shaped) else None if value is None else str(value)) == written


def test_padding_that_position_0_sees() -> None:
    report = analyse(loads("{convcalc: 1, input: [1, 9], layers: [{conv1d: {out: 1, k: 5, p: 2}, name: a}]}"))
    subject, known = find(report, "a"), quantity("effective_padding")
    assert subject is not None
    assert known is not None
    value = known.get(report, subject)
    assert isinstance(value, Shaped)
    assert value.written() == "2"
