"""The registry of quantities: every name is known everywhere, and every record says the truth about its quantity."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from convcalc import load, loads
from convcalc.analysis.device import DEVICES
from convcalc.analysis.diff import compared, limited
from convcalc.analysis.figures import Figures
from convcalc.analysis.published import compare
from convcalc.analysis.quantities import QUANTITIES, QUANTITY_NAMES, quantity
from convcalc.analysis.quantity import Quantity, number
from convcalc.analysis.report import analyse
from convcalc.check.builds import Builds
from convcalc.check.claims import check_budgets, check_expectations
from convcalc.check.config import Budget, config_of
from convcalc.cli.app import build_app
from convcalc.findings import UsageError
from convcalc.layers.base import OPERATIONS

SPEC = """\
convcalc: 1
name: small
input: [3, 16, 16]
layers:
  - {conv2d: {out: 8, k: 3, p: 1}, name: wide}
  - batch_norm
  - relu
  - {max_pool2d: {k: 2}, name: pool}
  - {conv2d: {out: 4, k: 1}, name: thin}
  - flatten
  - {linear: {out: 10}, name: fc}
"""


def known(name: str) -> Quantity:
    found = quantity(name)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def figures() -> Figures:
    return analyse(load("googlenet"), 2, optimizer="adam", device=DEVICES["v100"])


def test_no_name_means_two_quantities() -> None:
    assert len(QUANTITY_NAMES) == sum(1 + len(record.aliases) for record in QUANTITIES.values())


@pytest.mark.parametrize("name", QUANTITY_NAMES)
def test_every_name_is_a_column_a_value_and_a_claim(name: str, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SPEC, "utf-8")
    shown = CliRunner().invoke(
        build_app(), ["table", str(path), "--columns", f"kind,{name}", "--device", "v100", "--format", "csv"]
    )
    assert shown.stdout.splitlines()[0].split(",")[1] == name.replace("name", "layer")
    (table,) = compare(
        loads(f"{SPEC}published: {{title: T, columns: {{c: {{value: {name}}}}}, rows: {{wide: [x]}}}}\n")
    )
    assert table.rows[0][0].status in ("equal", "differs")
    unmet, findings = check_expectations(Builds(loads(f"{SPEC}expect: {{stages: {{wide: {{{name}: }}}}}}\n")))
    assert [claim.claim.quantity for claim in unmet] == [name] or (
        "there is no quantity" not in findings[0].message and "has no" in findings[0].message
    )


@pytest.mark.parametrize("name", QUANTITY_NAMES)
def test_every_name_is_a_budget_unless_it_needs_an_option(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "convcalc.toml").write_text(f'max_{name} = "5M"\n', "utf-8")
    config_of.cache_clear()
    if known(name).needs is None:
        (budget,) = config_of(tmp_path).budgets_of(tmp_path / "small.yaml")
        assert (budget.quantity, budget.limit) == (name, 5_000_000)
    else:
        with pytest.raises(UsageError, match=f"max_{name} is no budget: {name} needs --device"):
            config_of(tmp_path)
    config_of.cache_clear()


def test_a_claim_about_what_needs_an_option_says_so() -> None:
    _, (finding,) = check_expectations(Builds(loads(f"{SPEC}expect: {{time: 5}}\n")))
    assert (finding.message, finding.hint) == ("small has no time", "time needs --device")


def test_the_peak_and_what_is_alive_are_one_quantity(tmp_path: Path) -> None:
    claims = "expect: {live: 16384, peak_memory: 16 KiB, stages: {thin: {peak_memory: 3072, live: 3 KiB}}}\n"
    assert check_expectations(Builds(loads(SPEC + claims))) == ([], [])
    path = tmp_path / "small.yaml"
    path.write_text(SPEC, "utf-8")
    shown = CliRunner().invoke(build_app(), ["table", str(path), "--columns", "name,peak_memory"])
    lines = shown.stdout.splitlines()
    assert [line.split() for line in lines if line.startswith(("layer", "total "))] == [
        ["layer", "peak_memory"],
        ["total", "16.0", "KiB"],
    ]
    assert any(line.startswith("peak: 16.00 KiB at ") for line in lines)


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_total_is_what_its_record_says(name: str, figures: Figures) -> None:
    record = known(name)
    parts = [record.get(figures, layer) for layer in figures.layers]
    numbers = [part for part in parts if isinstance(part, (int, Fraction))]
    whole = record.get(figures, figures.whole)
    if record.total in ("sum", "largest"):
        assert isinstance(whole, (int, Fraction))
        assert len(numbers) == len(parts)
        expected = sum(numbers) if record.total == "sum" else max(numbers)
        rounding = len(parts) if name in ("time", "eager_time") else 0
        assert expected <= whole <= expected + rounding
    elif record.total == "own":
        assert number(whole) is not None


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_quantity_has_a_value_without_options_unless_it_needs_one(name: str) -> None:
    shared = "  - {conv2d: {out: 4, k: 1}, share: thin, from: pool}\n"
    record, figures = known(name), analyse(loads(SPEC + shared))
    values = [record.get(figures, subject) for subject in (*figures.layers, figures.whole)]
    assert (values == [None] * len(values)) == (record.needs is not None)


def test_every_operation_has_its_column() -> None:
    assert all(f"{kind}_flops" in QUANTITIES for kind in OPERATIONS)


def test_only_numbers_of_the_network_are_limited() -> None:
    assert [record.name for record in compared()] == [
        *("output", "params", "buffers", "macs", "flops", "activations", "live", "receptive_field", "depth")
    ]
    assert {record.name for record in compared(stages=True)} == {"output", "params", "macs"}
    assert [record.name for record in limited()] == [
        *("params", "buffers", "macs", "flops", "activations", "live", "depth")
    ]


def test_decimals_are_numbers_to_claims_budgets_and_printed_cells() -> None:
    figures = analyse(loads(SPEC))
    value = number(known("intensity").get(figures, figures.whole))
    assert isinstance(value, Fraction)
    assert 1 < value < 2
    for claim, codes in (("'> 1'", []), ("'< 1'", ["CC301"]), ("'1.9 ± 20%'", []), ("1.87", [])):
        unmet, _ = check_expectations(Builds(loads(f"{SPEC}expect: {{intensity: {claim}}}\n")))
        assert [found.finding.code for found in unmet] == codes, claim
    builds = Builds(loads(SPEC))
    budgets = [Budget("intensity", Fraction(most), str(most), "convcalc.toml") for most in (1, 2)]
    assert [finding.code for finding in check_budgets(builds, budgets)] == ["CC305"]
    (table,) = compare(
        loads(f"{SPEC}published: {{title: T, columns: {{c: {{value: intensity}}}}, rows: {{total: ['9.9']}}}}\n")
    )
    assert table.rows[0][0].computed == f"{float(value):.1f}"
