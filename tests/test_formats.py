"""The one option `--format`: what each command offers, what it refuses, and JSON on any standard output."""

from __future__ import annotations

import ast
import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import convcalc
from convcalc.cli.app import main
from convcalc.cli.output import FORMATS, WRITERS
from convcalc.render import findings

from .command import process, run

PACKAGE = Path(convcalc.__file__).parent
SPEC = """convcalc: 1
name: "Réseau × 2"
source: "Poincaré 1895"
input: [3, 16, 16]
layers:
  - {conv2d: {out: 8, k: 3, s: 2, p: 1}, name: first}
  - relu
"""
WRONG = SPEC.replace("relu", "rléu")
PRINTED = """
published:
  title: T
  columns: {params: {value: params}}
  rows: {total: ["1"]}
"""


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Command -> the rest of a call that succeeds; of `check`, one with a finding."""
    folder = tmp_path_factory.mktemp("spécs")
    for name, text in {
        "a": SPEC,
        "b": SPEC.replace("out: 8", "out: 9"),
        "wrong": WRONG,
        "printed": SPEC + PRINTED,
    }.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return {
        "table": f"{folder}/a.yaml",
        "explain": f"{folder}/a.yaml first",
        "arena": f"{folder}/a.yaml",
        "invert": "--k 3 --s 2 --p 1",
        "solve": "--in 8 --out 4",
        "check": f"{folder}/wrong.yaml",
        "diff": f"{folder}/a.yaml {folder}/b.yaml",
        "sizes": f"{folder}/a.yaml",
        "specs": "",
        "sweep": f"{folder}/a.yaml",
        "verify": f"{folder}/a.yaml",
        "forensics": f"{folder}/printed.yaml",
        "schema": "",
    }


def encoded(encoding: str, *arguments: str) -> str:
    """What the program prints where standard output has this encoding."""
    data = io.BytesIO()
    with process(arguments, b""), redirect_stdout(io.TextIOWrapper(data, encoding)) as out:
        with pytest.raises(SystemExit):
            main()
        out.flush()
    return data.getvalue().decode(encoding)


def pairs() -> list[tuple[str, str]]:
    return [(command, format) for command, formats in FORMATS.items() for format in formats]


@pytest.mark.parametrize(("command", "format"), pairs())
def test_every_format_that_is_offered_is_written(command: str, format: str, specs: dict[str, str]) -> None:
    done = run(command, *specs[command].split(), "--format", format)
    assert (done.code, done.stderr) == (command == "check", "")
    if (command, format) == ("diff", "github"):
        assert done.stdout == "", "nothing grows too much"
        return
    assert len(done.stdout) > 20 and done.stdout.endswith("\n") and not done.stdout.endswith("\n\n")


@pytest.mark.parametrize("command", FORMATS)
def test_the_default_is_text_and_rich_is_another_word_for_it(command: str, specs: dict[str, str]) -> None:
    call = [command, *specs[command].split()]
    printed = {
        run(*call, *option).stdout.split(" s, ")[-1] for option in ([], ["--format", "text"], ["--format", "rich"])
    }
    assert len(printed) == 1
    shown = run(command, "--help").stdout
    assert "(default: text)" in shown and "rich" not in shown


@pytest.mark.parametrize("command", FORMATS)
def test_a_format_that_is_not_offered_is_refused_with_those_that_are(command: str, specs: dict[str, str]) -> None:
    others = {*WRITERS, *findings.WRITERS} - set(FORMATS[command])
    for format in ("xml", "TEXT", *sorted(others)):
        done = run(command, *specs[command].split(), "--format", format)
        assert (done.code, done.stdout) == (2, "")
        *most, last = FORMATS[command]
        assert done.stderr.startswith(f"error: --format takes {', '.join(most)} or {last}, not '{format}'\n")


def test_every_format_has_a_writer() -> None:
    offered = {format for formats in FORMATS.values() for format in formats}
    assert offered == {*WRITERS, *findings.WRITERS}


@pytest.mark.parametrize("command", [*(name for name in FORMATS if "json" in FORMATS[name]), "schema"])
def test_json_keeps_what_standard_output_cannot_encode(command: str, specs: dict[str, str]) -> None:
    call = [command, *specs[command].split(), *(["--format", "json"] if command in FORMATS else [])]
    plain, escaped = (encoded(encoding, *call) for encoding in ("utf-8", "ascii"))
    exact, same = json.loads(plain), json.loads(escaped)
    for data in (exact, same):
        data.pop("seconds", None)
    assert same == exact
    assert command == "schema" or exact["format"] == 1
    if "spec" in exact:
        assert exact["spec"] == "Réseau × 2" and "Réseau" in plain


def test_streams_are_written_to_in_one_place() -> None:
    wrong = []
    names = ("onnx/infer_shapes.py", "keras/h5_config.py", "sweep/worker.py")
    own_processes = tuple(PACKAGE / name for name in names)
    code_of_others = PACKAGE / "torch" / "live" / "build.py"
    for path in sorted(PACKAGE.rglob("*.py")):
        if path in (PACKAGE / "render" / "streams.py", *own_processes, code_of_others):
            continue
        text = path.read_text("utf-8")
        if not re.search(r"\bprint\b|\bstdout\b|\bstderr\b|\becho\b|\brich\b", text):
            continue
        for node in ast.walk(ast.parse(text)):
            printing = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            streaming = isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "sys.stdout",
                "sys.stderr",
                "typer.echo",
            )
            drawing = isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rich"
            if printing or streaming or (drawing and path.name != "rich_lines.py"):
                wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert wrong == []
