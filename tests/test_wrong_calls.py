"""Wrong calls: one sentence behind `error:`, a hint that is right, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import run

SPEC = "convcalc: 1\ninput: [3, 32, 32]\nlayers: [relu]\n"
CALLS = [
    ("tabel x", "there is no command 'tabel'", "did you mean 'table'?"),
    ("resnet", "there is no command 'resnet'", "convcalc table resnet shows a spec"),
    ("net.yaml", "there is no command 'net.yaml'", "convcalc table net.yaml shows a spec"),
    ("zzz", "there is no command 'zzz'", "convcalc --help lists them"),
    ("--bogus", "convcalc has no option --bogus", "convcalc --help lists them"),
    ("table x --colums a", "table has no option --colums", "did you mean '--columns'?"),
    ("table x -x", "table has no option -x", "convcalc table --help lists them"),
    ("--color never table --zzz", "table has no option --zzz", "convcalc table --help lists them"),
    ("table x --top", "--top needs a value", "convcalc table --help says which"),
    ("table x --exact=3", "--exact takes no value", None),
    ("explain x y z", "explain takes no further argument 'z'", "convcalc explain --help has its usage"),
    ("table x --top 0", "--top is at least 1, not 0", None),
    ("table x --top 1.5", "--top takes a whole number, not '1.5'", None),
    ("check -j 500", "--jobs is at most 256, not 500", None),
    ("table x --batch a", "--batch takes a whole number, not 'a'", None),
    ("table x --optimizer adm", "--optimizer takes sgd, momentum or adam, not 'adm'", "did you mean 'adam'?"),
    ("sizes x --format zip", "--format takes text, json, markdown or csv, not 'zip'", None),
    ("export x", "export needs --to", "for example convcalc export my.yaml --to torch"),
    ("solve", "solve needs --in", "for example convcalc solve --in 224 --out 112"),
    ("diff vgg", "diff needs B", "for example convcalc diff vgg resnet"),
]


@pytest.mark.parametrize(("call", "message", "hint"), CALLS, ids=[call for call, _, _ in CALLS])
def test_a_wrong_call_is_one_sentence(call: str, message: str, hint: str | None) -> None:
    done = run(*call.split())
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == f"error: {message}\n" + (f"  hint: {hint}\n" if hint else "")


def test_a_file_that_stands_there_is_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "net"
    path.write_text(SPEC, "utf-8")
    assert run(str(path)).stderr.endswith(f"hint: convcalc table {path} shows a spec\n")


def test_controls_are_shown_not_sent() -> None:
    for call in (["\x1b[31m"], ["table", "--\x1b[31m"], ["table", "x", "--by", "\x1b[31m"], ["table", "x", "\x1b]0;"]):
        done = run(*call)
        assert (done.code, "\x1b" in done.stderr) == (2, False)


@pytest.mark.parametrize("call", [["--color"], ["--color", "--"], ["--"], [""], ["table", ""], ["-"]])
def test_odd_calls_are_wrong_ones(call: list[str]) -> None:
    done = run(*call)
    assert done.code == 2 and "Traceback" not in done.stderr
