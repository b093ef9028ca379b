"""Colours: where they stand, who decides, and that they are legible."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from unittest.mock import patch

import pytest

from convcalc.render.streams import CODES, styled
from tests.command import Done, run
from tests.terminal import at_terminal

ESCAPE = "\x1b["
RELU = b"convcalc: 1\ninput: [3, 32, 32]\nlayers:\n  - relu\n"
WRONG = b"convcalc: 1\ninput: [3, 32, 32]\nlayers:\n  - rleu\n"


def printed(*arguments: str, data: bytes = RELU, **environment: str) -> Done:
    with patch.dict(os.environ, environment):
        return run(*arguments, data=data)


@pytest.mark.parametrize(
    ("option", "environment", "coloured"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"CLICOLOR_FORCE": "1"}, True),
        ((), {"FORCE_COLOR": "0"}, False),
        ((), {"FORCE_COLOR": ""}, False),
        ((), {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        (("--color", "always"), {}, True),
        (("--color=always",), {"NO_COLOR": "1", "TERM": "dumb"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--color", "auto"), {"FORCE_COLOR": "1"}, True),
    ],
)
def test_the_first_that_says_something_decides(
    option: tuple[str, ...], environment: dict[str, str], coloured: bool
) -> None:
    assert (ESCAPE in printed("table", "-", *option, **environment).stdout) is coloured
    assert (ESCAPE in printed(*option, "table", "-", **environment).stdout) is coloured
    wrong = printed("table", "-", *option, data=WRONG, **environment)
    assert (ESCAPE in wrong.stderr, wrong.code) == (coloured, 1)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"CLICOLOR": "0"}, False)],
)
@pytest.mark.slow
def test_a_terminal_has_colours(environment: dict[str, str], coloured: bool) -> None:
    assert (ESCAPE in at_terminal("solve", "--in", "8", "--out", "4", "--top", "1", **environment).stdout) is coloured


@pytest.mark.parametrize(
    "arguments",
    [
        ("table", "-"),
        ("table", "-", "--columns", "help"),
        ("explain", "-"),
        ("invert", "--k", "3"),
        ("solve", "--in", "8", "--out", "4"),
        ("sizes", "-"),
        ("diff", "vgg", "-"),
        ("verify", "-"),
        ("forensics", "resnext", "--all"),
        ("check", "-"),
        ("check", "--explain", "CC203"),
        ("specs", "mobile"),
        ("help",),
        ("table", "--help"),
    ],
    ids=" ".join,
)
def test_all_that_a_person_reads_has_colours(arguments: tuple[str, ...]) -> None:
    coloured = printed(*arguments, FORCE_COLOR="1")
    assert (ESCAPE in coloured.stdout, coloured.code) == (True, 0), coloured.stderr
    if "--explain" not in arguments:
        plain = re.sub(r"\x1b\[[\d;]*m", "", coloured.stdout)
        unspaced = [line.rstrip() for line in plain.splitlines() if " s, arrays" not in line]
        assert unspaced == [line for line in printed(*arguments).stdout.splitlines() if " s, arrays" not in line]


@pytest.mark.parametrize(
    "arguments",
    [
        ("table", "missing.yaml"),
        ("table", "-", "--nope"),
        ("tabel",),
        ("explain", "-", "nothing"),
        ("invert", "--k", "x"),
        ("solve",),
        ("specs", "zzzz"),
        ("check", "missing.yaml"),
    ],
    ids=" ".join,
)
def test_all_errors_have_colours_and_one_form(arguments: tuple[str, ...]) -> None:
    done = printed(*arguments, FORCE_COLOR="1")
    assert done.stderr.startswith(styled("error:", "bold red") + " ") or " \x1b[1;31merror CC" in done.stderr
    assert printed(*arguments).stderr == re.sub(r"\x1b\[[\d;]*m", "", done.stderr)


def test_a_finding_shows_its_caret_in_colour() -> None:
    lines = printed("check", "-", data=WRONG, FORCE_COLOR="1").stdout.splitlines()
    assert any(line.endswith(styled("^^^^", "bold red")) for line in lines)
    assert any(line.startswith(styled("  hint: ", "bold")) for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        *(("table", "-", "--format", format) for format in ("json", "csv", "latex", "markdown")),
        *(("check", "-", "--format", format) for format in ("json", "sarif", "junit", "github")),
        ("export", "-", "--to", "torch"),
        ("schema",),
        ("specs", "vgg"),
        ("invert", "vgg"),
        ("completion", "bash"),
        ("--version",),
    ],
    ids=" ".join,
)
def test_what_programs_read_never_has_colours(arguments: tuple[str, ...]) -> None:
    assert ESCAPE not in printed(*arguments, FORCE_COLOR="1").stdout
    assert ESCAPE not in printed("--color", "always", *arguments).stdout


def test_files_never_have_colours(tmp_path: Path) -> None:
    target = tmp_path / "net.py"
    assert printed("export", "-", "--to", "torch", "-o", str(target), "--color", "always").code == 0
    assert b"\x1b" not in target.read_bytes()


def test_json_is_the_same() -> None:
    forced = json.loads(printed("table", "-", "--format", "json", FORCE_COLOR="1").stdout)
    assert forced == json.loads(printed("table", "-", "--format", "json").stdout)


def test_each_colour_is_legible_on_light_and_dark() -> None:
    assert {int(code) for code in CODES.values()} <= {1, 2, 31, 32, 35, 36}, "neither black, white nor yellow"


def test_a_wrong_value_is_said() -> None:
    done = printed("table", "-", "--color", "sometimes")
    assert (done.code, done.stderr) == (2, "error: --color takes auto, always or never, not 'sometimes'\n")


def test_text_of_a_spec_starts_no_colour() -> None:
    spec = b'convcalc: 1\nname: "a\\e[31mb"\ninput: [3, 8, 8]\nlayers: [relu]\n'
    assert "\x1b[31m" not in printed("table", "-", data=spec, FORCE_COLOR="1").stdout
