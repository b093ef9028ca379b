"""Completion: what is offered for each word, in each shell, and that names of strangers stay names."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convcalc.cli.app import build_program
from convcalc.cli.commands import COMMANDS
from convcalc.cli.completing import candidates
from convcalc.cli.completion import SCRIPTS
from convcalc.language import gallery_names
from tests.command import run

SPEC = """convcalc: 1
input: [3, 32, 32]
params: {width: 8}
variants: {wide: {width: 16}, narrow: {width: 4}}
layers:
  - {conv2d: {out: width, k: 3}, name: first}
  - {relu: , name: second}
"""
HOSTILE = (
    "a$(touch made).yaml",
    "b`touch made`.yaml",
    "c'; touch made; '.yaml",
    "d\x1b[31m.yaml",
    "e\nf.yaml",
    "g h.yaml",
)


def offered(*words: str) -> list[str]:
    """The candidates for the last word."""
    return [found.value for found in candidates(build_program(), words)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a spec, a folder and files with names that shells would run."""
    (tmp_path / "net.yaml").write_text(SPEC, "utf-8")
    (tmp_path / "notes.txt").write_text("", "utf-8")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.onnx").write_bytes(b"")
    (tmp_path / ".hidden.yaml").write_text(SPEC, "utf-8")
    (tmp_path / "convcalc").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcalc "$@"\n')
    (tmp_path / "convcalc").chmod(0o755)
    for name in HOSTILE:
        (tmp_path / name).write_text(SPEC, "utf-8")
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org"]
    for words in (["init", "-q"], ["commit", "-qm", "one", "--allow-empty"], ["tag", "v1"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("ta",), ["table"]),
        (("",), list(COMMANDS)),
        (("help", "ex"), ["explain", "export"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("--co",), ["--color"]),
        (("--color", "a"), ["auto", "always"]),
        (("--color", "never", "sp"), ["specs"]),
        (("table", "net.yaml", "--color", "n"), ["never"]),
        (("table", "--leg",), ["--legend"]),
        (("table", "ne"), ["net.yaml"]),
        (("table", "models/"), ["models/m.onnx"]),
        (("import", "m"), ["models/"]),
        (("specs", "vg"), ["vgg"]),
        (("diff", "net.yaml", "vg"), ["vgg"]),
        (("diff", "net.yaml", "vgg", ""), []),
        (("check", "net.yaml", "vg"), ["vgg"]),
        (("table", "net.yaml", "--variant", ""), ["wide", "narrow"]),
        (("table", "--variant", "w"), []),
        (("table", "resnet", "--variant=wide_resnet1"), ["--variant=wide_resnet101_2"]),
        (("table", "net.yaml", "--set", "w"), ["width="]),
        (("table", "net.yaml", "--columns", "name,par"), ["name,params", "name,params_memory"]),
        (("table", "net.yaml", "--columns", "macs,mac"), ["macs,mac_flops"]),
        (("table", "net.yaml", "--sort", "live"), ["live"]),
        (("table", "net.yaml", "--format", ""), ["text", "markdown", "csv", "json", "latex"]),
        (("table", "net.yaml", "--format=j"), ["--format=json"]),
        (("table", "net.yaml", "--dtype", "fl"), ["float32", "float16", "float64"]),
        (("export", "net.yaml", "--to", "s"), ["svg"]),
        (("export", "net.yaml", "--output", "n"), []),
        (("explain", "net.yaml", ""), ["first", "second", "total"]),
        (("explain", "vgg", "conv2."), ["conv2.0", "conv2.1"]),
        (("draw", "net.yaml", ""), ["first", "second"]),
        (("invert", "net.yaml", "--until", "f"), ["first"]),
        (("check", "--explain", "CC20"), [f"CC20{n}" for n in range(10)]),
        (("check", "--select", "CC201,CC202"), ["CC201,CC202"]),
        (("diff", "a", "b", "--fail-over", "par"), ["params="]),
        (("forensics", "resnet", "--table", ""), ["1", "2"]),
        (("forensics", "resnet", "--table", "2", "--rows", ""), ["total"]),
        (("forensics", "resnet", "--rows", "conv"), ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x"]),
        (("forensics", "googlenet", "--columns", "p"), ["patch size/stride", "pool proj", "params"]),
        (("forensics", "vgg", "--width", "fc"), ["fc6=", "fc7=", "fc8="]),
        (("forensics", "net.yaml", "--rows", ""), []),
        (("check", "--fail-over", "par"), ["params="]),
        (("check", "--report", "j"), ["json=", "junit="]),
        (("check", "--base", "v"), ["v1"]),
        (("check", "--base", "nothing"), []),
        (("table", "--", "-"), []),
        (("nothing", "x"), []),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_offered(words: tuple[str, ...], values: list[str], folder: Path) -> None:
    assert offered(*words) == values


def test_the_gallery_follows_the_files(folder: Path) -> None:
    found = offered("table", "")
    assert found[:2] == ["a$(touch made).yaml", "b`touch made`.yaml"]
    assert [name for name in found if name in gallery_names()] == list(gallery_names())
    assert not {"notes.txt", ".hidden.yaml", "convcalc"} & set(found)
    assert all(name.isprintable() for name in found)


def printed(shell: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "convcalc", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "_CONVCALC_COMPLETE": shell},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_lines_for_zsh_and_fish_have_what_is_said_of_a_word() -> None:
    assert printed("fish", "tabl") == printed("zsh", "tabl") == f"table\t{COMMANDS['table'].summary}\n"
    assert printed("bash", "tabl") == "table\n"


def test_bash_splits_at_equals_signs_and_keeps_quotes(folder: Path) -> None:
    assert printed("bash", "table", "net.yaml", "--variant", "=", "w") == "--variant=wide\n"
    assert printed("bash", "table", "net.yaml", "--variant", "=").splitlines() == ["--variant=wide", "--variant=narrow"]
    assert printed("bash", "table", r"g\ h") == printed("bash", "table", '"g h') == "g\\ h.yaml\n"


@pytest.mark.parametrize(
    "spec", ["-", "missing.yaml", "wrong.yaml", "git:HEAD:net.yaml", "models", "huge.yaml", "pipe"]
)
def test_a_spec_that_cannot_be_read_offers_nothing_and_says_nothing(spec: str, folder: Path) -> None:
    (folder / "wrong.yaml").write_text("[1, 2", "utf-8")
    (folder / "huge.yaml").write_text(SPEC + "#" * (1 << 20), "utf-8")
    os.mkfifo(folder / "pipe")
    assert printed("bash", "table", spec, "--variant", "") == ""
    assert printed("fish", "explain", spec, "x") == ""


def test_a_normal_run_pays_nothing() -> None:
    code = "import sys; sys.argv = ['convcalc', '--version']\nfrom convcalc.cli.app import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    print([m for m in sys.modules if 'cli.complet' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


BASH = """
eval "$(convcalc completion bash)"
complete -p convcalc >/dev/null
COMP_WORDS=({words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_convcalc_completion convcalc
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "replies"),
    [
        (["convcalc", "tab"], ["table"]),
        (["convcalc", "table", "net.yaml", "--variant", "=", "wi"], ["wide"]),
        (["convcalc", "table", "net.yaml", "--columns", "name,para"], ["name,params", "name,params_memory"]),
        (["convcalc", "table", "a$"], [r"a\$\(touch\ made\).yaml"]),
        (["convcalc", "table", "models/m"], ["models/m.onnx"]),
    ],
    ids=str,
)
def test_bash(words: list[str], replies: list[str], folder: Path) -> None:
    script = BASH.format(words=" ".join(map(shlex.quote, words)))
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout.splitlines(), done.stderr) == (replies, "")
    assert not (folder / "made").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish(folder: Path) -> None:
    asked = ("convcalc tab", "convcalc table net.yaml --variant=w", "convcalc table g", "convcalc export x -o no")
    script = "convcalc completion fish | source;" + ";".join(f'complete -C "{line}"' for line in asked)
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=60)
    lines = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    assert lines[:3] == ["table", "--variant=wide", "g h.yaml"] and lines[-1] == "notes.txt"
    assert not (folder / "made").exists()


ZSH = """
zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; eval "$(convcalc completion zsh)"; echo REA""DY'
while zpty -r shell line; do [[ $line == *READY* ]] && break; done
zpty -n -w shell $'convcalc {typed}\\t'
sleep {pause}
zpty -n -w shell $'\\x01echo "[\\x05]"\\n'
while zpty -r shell line; do [[ $line == '['*']'* ]] && {{ print -r -- "$line"; break; }}; done
zpty -d shell
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [("tabl", "[convcalc table]"), ("table net.yaml --variant=wi", "[convcalc table net.yaml --variant=wide]")],
)
def test_zsh(typed: str, completed: str, folder: Path) -> None:
    for pause in (1, 4):
        script = ZSH.format(typed=typed, pause=pause)
        done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, timeout=60)
        if completed in done.stdout:
            break
    assert completed in done.stdout
    assert not (folder / "made").exists()


@pytest.mark.parametrize("shell", SCRIPTS)
def test_scripts_are_the_shells(shell: str) -> None:
    script = run("completion", shell).stdout
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, timeout=60).stderr == ""


def test_a_shell_that_is_none() -> None:
    assert run("completion", "csh").stderr.startswith("error: SHELL takes bash, zsh or fish, not 'csh'\n")
