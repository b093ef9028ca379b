"""Numbers too large to count, and cells too long to compare: findings of their file, and of nothing else."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from convcalc.analysis.device import UnknownDevice, read_device
from convcalc.check.builds import Setting
from convcalc.check.config import Budget, config_of
from convcalc.check.run import Task, check_file

from .command import run

LARGE = "convcalc: 1\ninput: [8, 1000000, 1000000]\nlayers:\n  - conv2d: {out: 8, k: 100001, p: 50000}\n"
SMALL = "convcalc: 1\nname: small\ninput: [3, 8, 8]\nlayers:\n  - conv2d: {out: 8, k: 3}\n"
BATCH = 9_000_000_000_000_000_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config_of.cache_clear()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(name: str, *budgets: Budget) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in check_file(Task(name, budgets=budgets)).findings]


def test_a_network_too_large_to_count_keeps_no_other_file_from_being_checked() -> None:
    Path("large.yaml").write_text(LARGE + "expect: {params: 3}\n")
    Path("small.yaml").write_text(SMALL + "expect: {params: 3}\n")
    done = run("check", "--format", "json", "large.yaml", "small.yaml")
    found = [(finding["path"], finding["code"]) for finding in json.loads(done.stdout)["findings"]]
    assert (done.code, found) == (1, [("large.yaml", "CC212"), ("small.yaml", "CC301")])
    assert run("check", "--update", "large.yaml").code == 1


def test_a_claim_too_large_to_count_keeps_no_other_claim_from_being_judged() -> None:
    claims = f"expect: [{{macs: 3, batch: {BATCH}}}, {{params: 3}}]\n"
    Path("small.yaml").write_text(SMALL + claims)
    assert codes("small.yaml") == [(6, "CC212"), (6, "CC301")]


def test_a_budget_too_large_to_count_keeps_no_other_from_being_judged() -> None:
    Path("small.yaml").write_text(SMALL)
    large = Budget("macs", Fraction(3), "3", "here", Setting(batch=BATCH))
    small = Budget("params", Fraction(3), "3", "here")
    assert sorted(codes("small.yaml", large, small)) == [(1, "CC212"), (2, "CC305")]


def test_a_printed_cell_has_a_length() -> None:
    table = "published:\n  title: T\n  columns: {params: {value: params}}\n  rows:\n    conv2d: [0.%s]\n"
    Path("long.yaml").write_text(SMALL + table % ("1" * 4400))
    Path("short.yaml").write_text(SMALL + table % ("1" * 900))
    assert codes("long.yaml") == [(10, "CC103")] and codes("short.yaml") == [(10, "CC302")]


def test_a_device_of_any_length_is_said_in_a_line() -> None:
    for text in ("1" * 4400 + "FLOP/s,1GB/s", "1" * 4400, "1," * 4400):
        with pytest.raises(UnknownDevice) as caught:
            read_device(text)
        assert len(str(caught.value)) < 200
