"""`convcalc check` on golden specs: silent on the right ones, exact text on the wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcalc.codes import codes

from .command import run

GOLDEN = Path(__file__).parent / "golden"
WRONG = sorted((GOLDEN / "err").rglob("*.yaml"))
RIGHT = sorted((GOLDEN / "ok").glob("*.yaml"))


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_wrong_spec(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regenerate a golden text by deleting it and running the tests; read the difference."""
    monkeypatch.chdir(path.parent)
    done = run("check", "--advice", path.name)
    expected = path.with_suffix(".out")
    if not expected.exists():
        expected.write_text(done.stdout, "utf-8")
    assert done.stdout == expected.read_text("utf-8")
    severities = {line.split(": ", 1)[1].split()[0] for line in done.stdout.splitlines() if line.startswith(path.name)}
    assert severities
    assert done.code == (1 if "error" in severities else 0)


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_right_spec(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert run("check", "--advice", path.name, "--quiet") == (0, "", "")


def test_every_code_has_a_wrong_spec() -> None:
    shown = "".join(path.with_suffix(".out").read_text("utf-8") for path in WRONG)
    assert [code for code in codes() if f" {code} " not in shown and not code.startswith(("CC5", "CC7"))] == []


def test_a_golden_test_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("convcalc: 1\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 8, k: 9}}]\n")
    (tmp_path / "a.out").write_text("")
    with pytest.raises(AssertionError):
        test_wrong_spec(tmp_path / "a.yaml", monkeypatch)
    with pytest.raises(AssertionError):
        test_right_spec(tmp_path / "a.yaml", monkeypatch)
