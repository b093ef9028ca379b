"""`convcalc.toml` and `pyproject.toml` as anyone may write them: what is wrong is a sentence with its place."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from convcalc.check.config import config_of
from convcalc.limits import CONFIGURATION_BYTES

from .command import run

SPEC = "convcalc: 1\ninput: [3, 8, 8]\nlayers: [relu]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_of.cache_clear()
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(SPEC, "utf-8")


def refusal(path: str = "a.yaml") -> str:
    """The first line of what a wrong configuration is told; it stops the call, and is no traceback."""
    started = time.process_time()
    done = run("check", path)
    assert (done.code, done.stdout) == (2, "") and "Traceback" not in done.stderr
    assert time.process_time() - started < 2
    assert len(done.stderr) < 500
    return done.stderr.splitlines()[0].removeprefix("error: ")


WRONG = [
    (b"a = " + b"[" * 5000, ": TOML: nested too deeply"),
    (b"a = " + b"{a=" * 5000, ": TOML: nested too deeply"),
    (b"\n\nbatch = " + b"9" * 5000, ":3:9: TOML: more than 1,000 digits in a row"),
    (b"batch = 0x" + b"f" * 5000, ":1:11: TOML: more than 1,000 digits in a row"),
    (b"max_params = 0x" + b"f" * 900, f": max_params takes an amount, not {str(0x10**900 - 1)[:60]}"),
    (b"max_params = " + b"9" * 900, f": max_params takes an amount, not {'9' * 60}"),
    (b"batch = " + b"9" * 900, None),
    (b"x = 1\nab = \xff", ":2:6: the byte 0xff is not UTF-8"),
    (b"x = 1\nab = \0", ":2:6: TOML: invalid value"),
    (b"\xef\xbb\xbfstrict = true", ":1:1: TOML: invalid statement"),
    (b"\xff\xfea\0", ":1:1: the byte 0xff is not UTF-8"),
    (b"a" + b".a" * 50_000 + b" = 1", ":1:1: TOML: a key of more than 32 parts"),
    (b"a" + b' . "a"' * 30_000 + b" = 1", ":1:1: TOML: a key of more than 32 parts"),
    (b"[a" + b".'a'" * 30_000 + b"]\n" + b"a = 1\n", ":1:2: TOML: a key of more than 32 parts"),
    (b'"' * 200_000, ":1:3: TOML: expected '=' after a key in a key/value pair"),
    (b"a = [\n", ": TOML: invalid value (at end of document)"),
    (b"x" * 10_000 + b" = 1", f": unknown key '{'x' * 60}'"),
    (b"max_" + b"x" * 10_000 + b" = 1", f": unknown budget 'max_{'x' * 56}'"),
    (b"#" * CONFIGURATION_BYTES + b"#", " is larger than 256 KiB"),
    (b"strict = 1979-05-27T07:32:00Z", ": strict is true or false"),
    (b"max_params = nan", ": max_params takes an amount, not nan"),
    (b'select = ["CC3,XX"]', ": select: no code starts with 'XX'"),
    (b'ignore = ["CC9"]', ": ignore: no code starts with 'CC9'"),
    (b"max_params = '" + b"9" * 5000 + b"'", ":1:15: TOML: more than 1,000 digits in a row"),
]


@pytest.mark.parametrize(("data", "told"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_is_wrong_is_told_with_its_place(data: bytes, told: str | None) -> None:
    Path("convcalc.toml").write_bytes(data)
    if told is None:
        assert run("check", "a.yaml").stderr == ""
    else:
        assert refusal() == f"convcalc.toml{told}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tool = 1  # convcalc", "'tool' is not a table"),
        ("[tool]\nconvcalc = 1", "'tool.convcalc' is not a table"),
        ("[[tool.convcalc]]\nstrict = true", "'tool.convcalc' is not a table"),
        ("[tool]\nconvcalc = {strict = 1}", "strict is true or false"),
        ("[ tool . 'convcalc' ]\nstrict = 1", "strict is true or false"),
    ],
)
def test_tables_of_a_project(text: str, told: str) -> None:
    Path("pyproject.toml").write_text(text, "utf-8")
    assert refusal() == f"pyproject.toml: {told}"


def test_what_a_project_says_to_others_is_not_read() -> None:
    Path("pyproject.toml").write_text("tool = [", "utf-8")
    assert run("check", "a.yaml").code == 0


@pytest.mark.parametrize("name", ["convcalc.toml", "pyproject.toml"])
def test_what_cannot_be_read_is_not_ignored(name: str) -> None:
    path = Path(name)
    for make, told in (
        (lambda: path.symlink_to("/dev/zero"), " is a device, not a file"),
        (lambda: os.mkfifo(path), " is a FIFO, not a file"),
        (path.mkdir, " is a directory, not a file"),
        (lambda: path.symlink_to("nowhere"), " is a symbolic link to a file that does not exist"),
        (lambda: path.symlink_to(name), " is a symbolic link that leads in a circle"),
    ):
        make()
        for target in ("a.yaml", "."):
            config_of.cache_clear()
            assert refusal(target) == f"{name}{told}"
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the superuser")
def test_what_must_not_be_read_is_not_ignored() -> None:
    Path("convcalc.toml").touch(mode=0o000)
    assert refusal() == "no permission to read convcalc.toml"


def test_a_folder_may_lie_deep() -> None:
    folder = Path(*["d"] * 1200)
    assert not config_of(folder).strict


def test_a_wrong_code_is_told_where_it_stands() -> None:
    Path("convcalc.toml").write_text('select = ["CC1"]\n', "utf-8")
    for option in ("--select", "--ignore"):
        done = run("check", "a.yaml", option, "XX")
        assert done.code == 2 and done.stderr.startswith(f"error: {option}: no code starts with 'XX'\n")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("max_arena = 256KiB", 'texts stand in quotes: max_arena = "256 KiB"'),
        ("dtype = int8", 'texts stand in quotes: max_arena = "256 KiB"'),
        ('arena = "1 KiB"', "did you mean 'max_arena'?"),
        ('max_arena = "1 KiBs"', 'max_arena = "5M", or "20 MiB" for memory'),
    ],
)
def test_a_slip_has_its_remedy(line: str, hint: str) -> None:
    Path("convcalc.toml").write_text(line + "\n", "utf-8")
    assert run("check", "a.yaml").stderr.endswith(f"  hint: {hint}\n")


def test_ram_is_what_the_arena_takes() -> None:
    Path("convcalc.toml").write_text('dtype = "int8"\nmax_ram = "1 B"\n', "utf-8")
    assert "CC305 ram is " in run("check", "a.yaml").stdout
