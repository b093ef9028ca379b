"""`convcalc check` on golden specs: silent on the right ones, exact text on the wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcalc.codes import codes

from .command import run
from .golden_output import FINDINGS, RIGHT, Golden


@pytest.mark.parametrize("golden", FINDINGS, ids=lambda golden: golden.path.stem)
def test_wrong_spec(golden: Golden) -> None:
    """`python -m tools.regenerate` writes the texts anew; read the difference."""
    done = golden.run()
    assert done.stdout == golden.expected
    name = golden.path.with_suffix(".yaml").name
    severities = {line.split(": ", 1)[1].split()[0] for line in done.stdout.splitlines() if line.startswith(name)}
    assert severities
    assert done.code == (1 if "error" in severities else 0)


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_right_spec(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert run("check", "--advice", path.name, "--quiet") == (0, "", "")


def test_every_code_has_a_wrong_spec() -> None:
    shown = "".join(golden.expected for golden in FINDINGS)
    assert [
        code for code in codes() if f" {code} " not in shown and not code.startswith(("CC5", "CC6", "CC7", "CC8"))
    ] == []


def test_a_golden_test_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("convcalc: 1\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 8, k: 9}}]\n")
    (tmp_path / "a.out").write_text("")
    with pytest.raises(AssertionError):
        test_wrong_spec(Golden(tmp_path / "a.out", ("check", "--advice", "a.yaml")))
    with pytest.raises(AssertionError):
        test_right_spec(tmp_path / "a.yaml", monkeypatch)
