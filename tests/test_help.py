"""Help: every command in its group, on lines that fit, with examples that run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

import pytest

from convcalc.cli.commands import COMMANDS, GROUPS
from convcalc.cli.help_ import FIRST
from convcalc.render.help import Page, Terms, help_lines
from convcalc.render.lines import plain
from tests.command import run
from tools.fuzz.generators.command_lines import ENDLESS

SPEC = "convcalc: 1\ninput: [3, 32, 32]\nparams: {width: 8}\nlayers:\n  - conv2d: {out: width, k: 3, p: 1}\n  - relu\n"
MODEL = Path(__file__).parent.parent / "docs" / "files" / "resnet18.onnx"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that examples name, under version control."""
    place = tmp_path_factory.mktemp("examples")
    (place / "my.yaml").write_text(SPEC, "utf-8")
    shutil.copy(MODEL, place / "model.onnx")
    done = run("sweep", str(place / "my.yaml"), "--grid", "width=1:32", "-o", str(place / "run.sqlite"))
    assert done.code == 0, done.stderr
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org"]
    for words in (["init", "-q"], ["add", "my.yaml"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=place, check=True)
    return place


EXAMPLES = (e for name, known in COMMANDS.items() if name not in ENDLESS for e in known.examples)
"""Those of commands that end; test_watch.py starts and ends the one that does not."""


@pytest.mark.slow
@pytest.mark.parametrize("example", [*FIRST, *EXAMPLES])
def test_every_example_runs(example: str, folder: Path) -> None:
    (folder / "convcalc").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcalc "$@"\n')
    (folder / "convcalc").chmod(0o755)
    before = set(folder.iterdir())
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        ["sh", "-c", example], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    for made in set(folder.iterdir()) - before:
        made.unlink()
    said = [line for line in done.stderr.splitlines() if ": advice CC" not in line]
    assert (done.returncode, said) == (0, [])


def test_every_command_is_in_a_group_with_two_examples_of_its_own() -> None:
    assert {known.group for known in COMMANDS.values()} == set(GROUPS)
    for name, known in COMMANDS.items():
        assert all(shlex.split(example)[:2] == ["convcalc", name] for example in known.examples)


def test_the_first_page_has_all_commands_below_their_groups() -> None:
    lines = run("help").stdout.splitlines()
    for group, heading in GROUPS.items():
        below = lines[lines.index(heading) + 1 :]
        named = [line.split()[0] for line in below[: below.index("")] if line[2] != " "]
        assert named == [name for name, known in COMMANDS.items() if known.group == group]


@pytest.mark.parametrize("called", [("--help",), ("-h",), ("help",)])
def test_ways_to_the_first_page(called: tuple[str, ...]) -> None:
    assert run(*called) == run("help")
    assert run().code == 2 and run().stdout == run("help").stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_ways_to_the_page_of_a_command(name: str) -> None:
    page = run("help", name)
    assert page.code == 0 and page == run(name, "--help") == run(name, "-h")
    assert f"usage: convcalc {name}" in page.stdout
    assert all(example in page.stdout for example in COMMANDS[name].examples)
    assert not any(word in page.stdout.replace("<=", "") for word in ("<", ">=", "[default", "[required", "int range"))


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 200])
def test_pages_fit_the_terminal(columns: int) -> None:
    with patch.dict(os.environ, {"COLUMNS": str(columns)}):
        for words in (["help"], *(["help", name] for name in COMMANDS)):
            given = {f"  {example}" for known in COMMANDS.values() for example in known.examples} | {
                f"  {example}" for example in FIRST
            }
            lines = [line for line in run(*words).stdout.splitlines() if line not in given]
            assert max(map(len, lines)) <= columns, words
            assert not any(line.endswith(" ") for line in lines)


def test_what_is_said_of_a_term_stands_below_it_where_there_is_no_room() -> None:
    page = Page("x", (), (), (Terms("options", (("--a", "One two three four five six."), ("--long-name-of N", ""))),))
    assert plain(help_lines(page, 30)) == (
        "usage: x\n\noptions\n  --a\n    One two three four five\n    six.\n  --long-name-of N"
    )


def test_a_page_of_no_command() -> None:
    done = run("help", "tabel")
    assert (done.code, done.stderr) == (2, "error: there is no command 'tabel'\n  hint: did you mean 'table'?\n")


def test_examples_of_a_folder_without_the_files_fail(tmp_path: Path) -> None:
    with chdir(tmp_path):
        assert run(*shlex.split(COMMANDS["table"].examples[1])[1:]).code == 2


def test_what_several_commands_take_is_said_in_the_same_words_and_order() -> None:
    pages = {name: " ".join(run(name, "--help").stdout.split()) for name in COMMANDS}
    order = ("text", "markdown", "csv", "json", "latex", "github", "sarif", "junit")
    for name, page in pages.items():
        found = re.search(r"--format ([a-z|]+)", page)
        if found is not None and name != "draw":
            assert found[1] == "|".join(format for format in order if format in found[1].split("|")), name
        if " SPEC A spec" in page and name not in ("draw", "invert"):
            assert "SPEC A spec, ONNX or Keras file" in page, name
    assert "PyTorch model in code" in run("--help").stdout.replace("\n", " ")
