"""What is made from something else is up to date, and one command says what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import recorded_exports
from tools import regenerate
from tools.regenerate import PARTS, Part, check, check_record, record, write


@pytest.mark.parametrize("part", [part for part in PARTS if "examples" not in part.name], ids=lambda part: part.name)
@pytest.mark.slow
def test_it_is_up_to_date(part: Part) -> None:
    """The examples of the documentation are run by test_docs.py, the records are judged by test_export_recorded.py."""
    assert check(part), "run python -m tools.regenerate"


def test_what_is_out_of_date_is_said_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.md"
    part = Part("page", lambda: {path: "new"})
    for old in (None, "old"):
        if old is not None:
            path.write_text(old)
        assert not check(part)
        assert capsys.readouterr().out == f"page: {path} is out of date: run python -m tools.regenerate\n"
        write(part)
        assert (path.read_text(), capsys.readouterr().out) == ("new", f"page: wrote {path}\n")
    assert check(part)
    write(part)
    assert capsys.readouterr().out == "page: up to date\n"


def test_the_exit_code_says_whether_all_is_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regenerate, "PARTS", (Part("page", lambda: {tmp_path / "page.md": "new"}),))
    monkeypatch.setattr(regenerate, "WRITE", ())
    assert [regenerate.main(arguments) for arguments in (["--check"], [], ["--check"])] == [1, 0, 0]


@pytest.fixture
def one_layer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Records of one layer alone, in a file of their own; no framework is installed."""
    cases = [case for case in recorded_exports.layer_cases() if case[0] == "relu on 6x8x9"]
    rows = {label: recorded_exports.record("torch")["layers"][label] for label, _ in cases}
    path = tmp_path / "recorded_torch.json"
    path.write_text(recorded_exports.record_text("torch", "2", {}, rows))
    monkeypatch.setattr(recorded_exports, "layer_cases", lambda: cases)
    monkeypatch.setattr(recorded_exports, "gallery_networks", lambda framework: ())
    monkeypatch.setattr(recorded_exports, "record", lambda framework: recorded_exports.read_record(path))
    monkeypatch.setattr(regenerate, "record_path", lambda framework: path)
    monkeypatch.setattr(regenerate, "find_spec", lambda name: None)
    return path


def test_recorded_runs(one_layer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_record("torch") and record("torch")
    text = one_layer.read_text()
    one_layer.write_text(text.replace('"code": "', '"code": "0'))
    assert not check_record("torch") and not record("torch")
    said = capsys.readouterr().out
    assert "where torch is installed, this code has not been run: relu on 6x8x9" in said
    assert "skipped" in said and "torch is not installed" in said
    one_layer.write_text(text.replace('"layers": {', '"layers": {\n "gone": {"code": "1"},'))
    assert not check_record("torch") and record("torch")
    assert one_layer.read_text() == text
