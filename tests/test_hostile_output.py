"""What a CI, a reader and a parser find in output that holds hostile names: no command, nothing invisible."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from convcalc import terminal
from convcalc.blocks.literals import scalar
from convcalc.cli.output import FORMATS
from convcalc.language import loads
from convcalc.language.write import write
from convcalc.render.escape import unobeyed
from convcalc.render.streams import SERVICES
from convcalc.terminal import printable

from .command import run

COMMANDS = "::error::x ##[error]y ##vso[task.complete]z ##teamcity[a]"
HIDDEN = "\xad\u034f\u061c\u115f\u180e\u200b\u202e\u206a\u3164\ufe00\ufff9\ufffe\uffff\U000e0041\x85\x9b\x1b\x07"
SPEC = """\
convcalc: 1
name: "{name}"
source: "{name}"
title: "{name}"
input: [3, 8, 8]
params: {{width: 4}}
variants: {{"v": {{width: 8}}}}
layers:
  - {{conv2d: {{out: width, k: 3}}, name: a}}
  - relu
expect:
  - {{at: total, params: 112, source: "{name}"}}
published:
  - title: "{name}"
    source: "{name}"
    columns: {{"{name}": {{value: output}}}}
    rows:
      "{name}": {{at: a, cells: ["4×6×6"]}}
  - title: "{name}"
    columns: {{"{name}": {{value: params, unit: {{"{name}": 1}}}}}}
    rows:
      "{name}": {{at: a, cells: ["112{name}"]}}
      "a{name}": {{at: a, cells: ["113{name}"]}}
    differs: [{{row: "a{name}", column: "{name}", reason: "{name}"}}]
"""
WRONG = """\
convcalc: 1 # ##[error]excerpt
name: "{name}"
input: [3, 8, 8]
layers:
  - {{conv2d: {{out: 8, k: 9}}, "##[error]key": 1}} # ##[error]excerpt
  - "::error::kind"
"""
OBEYED = re.compile(r"^\s*::|##(?:vso|teamcity)?\[", re.MULTILINE)
ANNOTATION = re.compile(r"::(?:error|warning|notice) file=[^\n:]*::")
FILE = "##[error]::x.yaml"
CALLS = [
    *(("table", "{good}", "--format", form) for form in FORMATS["table"]),
    *(("table", "{good}", "--published", "--format", form) for form in ("text", "markdown", "latex")),
    *(("table", "{good}", "{good}", "--format", form) for form in FORMATS["table"]),
    *(("explain", "{good}", "a", "--format", form) for form in FORMATS["explain"]),
    *(("sizes", "{good}", "--format", form) for form in FORMATS["sizes"]),
    *(("check", "{good}", "{wrong}", "--format", form) for form in FORMATS["check"]),
    *(("diff", "{good}", "resnet", "--fail-over", "params=0", "--format", form) for form in FORMATS["diff"]),
    *(("verify", "{good}", "--format", form) for form in FORMATS["verify"]),
    *(("forensics", "{good}", "--all", "--format", form) for form in FORMATS["forensics"]),
    ("forensics", "{good}", "--rows", "::error::row"),
    *(("export", "{good}", "--to", to) for to in ("torch", "keras", "mermaid", "dot", "svg")),
    *(("export", "{good}", "--by", "layer", "--to", to) for to in ("mermaid", "dot", "svg")),
    ("invert", "{good}"),
    ("draw", "{good}"),
    ("draw", "{good}", "::error::layer"),
    ("import", "::error::missing.onnx"),
    ("import", "##[error].keras"),
    ("report", "{wrong}", "-o", "-"),
    ("report", "::error::missing", "-o", "-"),
    ("watch", "::error::missing"),
    ("table", "{wrong}"),
    ("table", "::error::missing"),
    ("::error::command",),
    ("table", "{good}", "--format", "::error::format ##[error]"),
    ("table", "{good}", "--set", "::error::x=##[error]"),
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Specs whose names are commands, in files whose names are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(SPEC.format(name=COMMANDS), "utf-8")
    (tmp_path / f"::error::{FILE}").write_text(WRONG.format(name=COMMANDS), "utf-8")
    return {"{good}": FILE, "{wrong}": f"::error::{FILE}"}


def called(call: tuple[str, ...], files: dict[str, str]) -> tuple[str, str]:
    done = run(*(files.get(word, word) for word in call))
    assert done.code in (0, 1, 2), done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_ci_finds_no_command(call: tuple[str, ...], files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    for text in called(call, files):
        for found in OBEYED.finditer(text):
            assert "github" in call and ANNOTATION.match(text, found.start()), text[found.start() :][:80]


@pytest.mark.slow
def test_the_names_are_commands_where_no_ci_reads(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SERVICES:
        monkeypatch.delenv(name, raising=False)
    found = ["".join(called(call, files)) for call in CALLS]
    assert sum(bool(OBEYED.search(text)) for text in found) > len(found) / 2


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_counts(service: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SERVICES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(service, "2024.1")
    assert run("table", FILE).stdout.startswith(r"\x3a:error::x \x23#[error]y \x23#vso[task.complete]z \x23#teamcity[")


def test_what_programs_read_means_the_same(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [("table", FILE, "--format", "json"), ("export", FILE, "--to", "svg"), ("invert", FILE)]
    calls += [("check", files["{wrong}"], "--format", form) for form in ("sarif", "json")]
    monkeypatch.delenv("CI", raising=False)
    plain = [run(*call).stdout for call in calls]
    monkeypatch.setenv("CI", "1")
    quiet = [run(*call).stdout for call in calls]
    assert all(before != after for before, after in zip(plain, quiet, strict=True))
    assert json.loads(plain[0]) == json.loads(quiet[0])
    assert ElementTree.tostring(ElementTree.fromstring(plain[1])) == ElementTree.tostring(
        ElementTree.fromstring(quiet[1])
    )
    assert yaml.safe_load(plain[2]) == yaml.safe_load(quiet[2])
    assert [json.loads(text) for text in plain[3:]] == [json.loads(text) for text in quiet[3:]]


def test_a_file_gets_what_it_would_get_anywhere(files: dict[str, str]) -> None:
    command = [sys.executable, "-m", "convcalc", "table", FILE, "--color", "never"]
    environment = {"CI": "true", "PATH": "", "PYTHONUTF8": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
    with open("redirected", "w+b") as file:  # noqa: PTH123
        subprocess.run(command, stdout=file, env=environment, check=True)
    piped = subprocess.run(command, capture_output=True, env=environment, check=True).stdout.decode()
    assert Path("redirected").read_text("utf-8").startswith("::error::x ##[error]y")
    assert not OBEYED.search(piped)
    assert run("export", FILE, "--to", "dot", "-o", "net.dot").code == 0
    assert "##[error]y" in Path("net.dot").read_text("utf-8")


def test_only_commands_are_spelled_otherwise() -> None:
    text = "a :: b\n# [x] ## y: #[z]\nstd::vector"
    assert unobeyed(text) == text
    assert unobeyed("a\r \x1b[1m::x") == "a\r \x1b[1m\\x3a:x"
    assert unobeyed("\xa0::x ##VSO[") == "\xa0\\x3a:x \\x23#VSO["
    assert unobeyed("::error file=a::b ##[c]", "annotations") == r"::error file=a::b \x23#[c]"
    assert unobeyed("::a ##[b]", "latex") == r"{:}:a {\#}#[b]"


def test_blank_lines_take_no_time() -> None:
    text = " \n" * 100_000 + "::x"
    assert unobeyed(text).endswith("\\x3a:x")


@pytest.mark.parametrize("character", HIDDEN, ids=lambda character: f"U+{ord(character):04X}")
def test_what_nobody_sees_is_shown(character: str) -> None:
    assert printable(f"a{character}b") == f"a{character.encode('unicode_escape').decode()}b"


def test_what_python_calls_printable_is_looked_for() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    assert {c for c in every if re.fullmatch(terminal._HIDDEN, c) and c.isprintable()} <= terminal._PRINTABLE


def test_what_is_seen_stays() -> None:
    for text in ("7×7 → é 層 🙂 e\u0301", "❤️", "1\ufe0f\u20e3"):
        assert printable(text) == text
    assert printable("a\ufe0f\ufe0e\ufe0f") == "a\ufe0f\\ufe0e\\ufe0f", "one selector behind a sign, no message of them"


HIDDEN_CALLS = [call for call in CALLS if call[1:2] == ("{good}",) and "{wrong}" not in call]


@pytest.mark.parametrize("call", HIDDEN_CALLS, ids=" ".join)
def test_no_output_holds_what_nobody_sees(call: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        SPEC.format(name="n" + json.dumps(HIDDEN + "x")[1:-1].replace("\\udb40\\udc41", "\\U000e0041")), "utf-8"
    )
    text = "".join(called(call, {"{good}": str(path)}))
    assert [f"U+{ord(c):04X}" for c in HIDDEN if c in text] == []


@pytest.mark.parametrize("form", FORMATS["check"])
def test_no_finding_holds_what_nobody_sees(form: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    hidden = scalar(f" {HIDDEN}")
    path.write_text(f"convcalc: 1\nname: {hidden}\ninput: [3, 8, 8]\nlayers:\n  - relu\n  - {hidden}\n", "utf-8")
    text = run("check", str(path), "--format", form).stdout
    assert "CC" in text and [f"U+{ord(c):04X}" for c in HIDDEN if c in text] == []
    if form == "junit":
        assert "ufffe" in ElementTree.tostring(ElementTree.fromstring(text), "unicode")


def test_json_and_sarif_mean_the_text_that_they_hide(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"convcalc: 1\nname: {scalar(HIDDEN)}\ninput: [3, 8, 8]\nlayers: [relu]\n", "utf-8")
    assert json.loads(run("table", str(path), "--format", "json").stdout)["spec"] == HIDDEN


@pytest.mark.parametrize("name", [HIDDEN, 'a"\\\n\t'])
def test_a_written_spec_loads_again(name: str) -> None:
    network = loads(f"convcalc: 1\nname: {scalar(name)}\ninput: [3, 8, 8]\nlayers: [relu]\n")
    assert network.name == name
    assert loads(write(network)).name == name
    assert write(network).replace("\n", "").isprintable()


def test_diff_shows_the_controls_of_names(tmp_path: Path) -> None:
    for number, name in enumerate((r"a\e]8;;http://x\a\n::error::y", "b")):
        spec = f'convcalc: 1\nname: "{name}"\ninput: [3, 8, 8]\nlayers: [{{conv2d: {{out: {number + 1}, k: 1}}}}]\n'
        (tmp_path / f"{number}.yaml").write_text(spec, "utf-8")
    for form in ("text", "markdown", "json"):
        text = run("diff", str(tmp_path / "0.yaml"), str(tmp_path / "1.yaml"), "--format", form).stdout
        assert "\x1b" not in text and "\x07" not in text and not re.search("^::", text, re.MULTILINE)
