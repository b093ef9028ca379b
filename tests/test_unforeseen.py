"""An error of the program itself: one line, an exit code of its own, and in a check a finding that hides no other."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from convcalc import check
from convcalc.check.run import Task, check_file
from convcalc.layers.activation import Activation
from convcalc.render import streams

from .command import run

GOOD = "convcalc: 1\nname: n\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 4, k: 3}}]\n"
PLANTED = "convcalc: 1\nname: n\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 4, k: 3}}, relu]\n"
WRONG = "convcalc: 1\nname: n\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 4, k: 9}}]\n"
"""Each network but the planted one has no activation."""
LINE = "internal error: KeyError: 'x' (please report it)"
HINT = "  hint: CONVCALC_DEBUG=1 shows where\n"


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Activations whose shape cannot be asked for."""
    monkeypatch.delenv("CONVCALC_DEBUG", raising=False)

    def output_shape(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(Activation, "output_shape", output_shape, raising=False)


def specs_in(folder: Path) -> None:
    for name, text in (("a.yaml", WRONG), ("b.yaml", PLANTED), ("c.yaml", GOOD)):
        (folder / name).write_text(text, "utf-8")


@pytest.mark.usefixtures("fault")
def test_a_command_says_it_in_a_line_and_ends_with_a_code_of_its_own(tmp_path: Path) -> None:
    specs_in(tmp_path)
    done = run("table", str(tmp_path / "b.yaml"))
    assert (done.code, done.stdout, done.stderr) == (3, "", f"error: {LINE}\n{HINT}")
    assert run("table", str(tmp_path / "c.yaml")).code == 0


@pytest.mark.usefixtures("fault")
def test_a_debugging_caller_sees_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs_in(tmp_path)
    monkeypatch.setenv("CONVCALC_DEBUG", "1")
    for arguments in (("table", str(tmp_path / "b.yaml")), ("check", str(tmp_path))):
        done = run(*arguments)
        assert done.code == 3
        assert done.stderr.startswith("Traceback (most recent call last):\n")
        assert done.stderr.endswith(f"KeyError: 'x'\nerror: {LINE}\n")
        assert ", in output_shape" in done.stderr


@pytest.mark.usefixtures("fault")
def test_in_a_check_it_is_a_finding_and_the_others_go_on(tmp_path: Path) -> None:
    specs_in(tmp_path)
    done = run("check", str(tmp_path), "--format", "json")
    found = json.loads(done.stdout)
    assert done.code == 3
    assert found["files"] == 3
    assert [(Path(finding["path"]).name, finding["code"]) for finding in found["findings"]] == [
        ("a.yaml", "CC201"),
        ("b.yaml", "CC801"),
    ]
    assert found["findings"][1]["message"] == LINE


@pytest.mark.usefixtures("fault")
@pytest.mark.parametrize("options", [("--ignore", "CC8"), ("--select", "CC3"), ("--quiet",)])
def test_nothing_hides_it(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(PLANTED + "# convcalc: ignore[CC801]\n", "utf-8")
    done = run("check", str(tmp_path), *options)
    assert (done.code, "error CC801" in done.stdout) == (3, True)


@pytest.mark.usefixtures("fault")
def test_other_processes_tell_it_too(tmp_path: Path) -> None:
    specs_in(tmp_path)
    done = run("check", str(tmp_path), "--jobs", "2")
    assert done.code == 3
    assert "error CC801" in done.stdout and "error CC201" in done.stdout


@pytest.mark.usefixtures("fault")
def test_it_comes_before_what_cannot_be_read(tmp_path: Path) -> None:
    specs_in(tmp_path)
    assert run("check", str(tmp_path), str(tmp_path / "none.yaml")).code == 3


@pytest.mark.usefixtures("fault")
def test_the_function_has_it_as_a_finding(tmp_path: Path) -> None:
    specs_in(tmp_path)
    result = check(tmp_path)
    assert not result.ok and result.broken
    assert not check(tmp_path / "c.yaml").broken


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt(), BrokenPipeError()], ids=repr)
def test_what_is_foreseen_is_raised_by_a_check(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(*_: object) -> None:
        raise error

    monkeypatch.setattr(import_module("convcalc.check.run"), "check_source", judge)
    with pytest.raises(type(error)):
        check_file(Task("-", text=GOOD))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MemoryError(), 2, "error: not enough memory\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (RecursionError("too deep"), 3, f"error: internal error: RecursionError: too deep (please report it)\n{HINT}"),
        (AssertionError(), 3, f"error: internal error: AssertionError (please report it)\n{HINT}"),
        (
            ValueError("a\n::error::b \x1b"),
            3,
            rf"error: internal error: ValueError: a ::error::b \x1b (please report it)"
            f"\n{HINT}",
        ),
    ],
    ids=repr,
)
def test_how_the_program_ends(error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(_: list[str]) -> int:
        raise error

    monkeypatch.delenv("CONVCALC_DEBUG", raising=False)
    monkeypatch.setattr("convcalc.cli.app.call", call)
    monkeypatch.setattr(streams, "discard_output", lambda: None)
    done = run("table", "resnet")
    assert (done.code, done.stderr) == (code, said)
