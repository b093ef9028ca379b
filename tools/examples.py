"""The examples of the documentation, run: what a page says and what happens.

A ```yaml block whose first line is `# name.yaml` is written to that file for the examples below it. A
```console block is a shell session, in a folder with the files of docs/files: `$ command` lines and the output
(both streams) under each. ```python blocks run one after another in one program; so do the statements of ```pycon
blocks, with what they print under each. What stands in the other fences is read as what the fence says; ```text shows
what has no language, and no commands.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent, indent
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = frozenset({"codes.md"})
"""Pages whose blocks other tests run: wrong specs stand in them."""
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
WITHOUT_TORCH = "needs torch, which is not installed"
"""What a command says that reads a model of PyTorch where there is none: its output stays as it is written."""
_NAMED = re.compile(r"# ([\w./-]+\.ya?ml)\n")


def blocks(page: str) -> list[tuple[str, str]]:
    """(language, text) of a page's fenced blocks, in order; those of lists without their indentation."""
    return [(block["language"], dedent(block["text"])) for block in _BLOCK.finditer(page)]


def commands(session: str) -> list[tuple[str, str]]:
    """(command, expected output) of a console block."""
    found = []
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = f"{command}\n{more}"
        found.append((command, output))
    return found


class Session:
    """A shell in a folder of its own, with the program in its path."""

    def __init__(self, folder: Path) -> None:
        shims = folder / "bin"
        shims.mkdir()
        shim = shims / "convcalc"
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcalc "$@"\n')
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
        self.folder = folder / "work"
        shutil.copytree(ROOT / "docs" / "files", self.folder)
        self.environment = {
            **os.environ,
            "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONUTF8": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }

    def run(self, *command: str) -> tuple[int, str]:
        """(exit code, what a command prints on both streams together)."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
        )
        return done.returncode, done.stdout.decode("utf-8")

    def answer(self, asked: dict[str, list[str]]) -> list[Any]:
        """What comes of sessions or cells in Python; see tools/sessions.py. Raises AssertionError where they end."""
        path = self.folder / "asked.json"
        path.write_text(json.dumps(asked), encoding="utf-8")
        code, said = self.run(sys.executable, "-W", "error", "-m", "tools.sessions", path.name)
        assert code == 0, said
        answers: list[Any] = json.loads(path.read_text("utf-8"))
        path.unlink()
        return answers

    def write(self, text: str) -> None:
        """A YAML block as the file that its first line names; without one, nothing."""
        name = _NAMED.match(text)
        if name:
            target = self.folder / name[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


def played(page: str) -> str:
    """The page with the output of each console example as it is now."""

    def run(block: re.Match[str]) -> str:
        language, text = block["language"], dedent(block["text"])
        if language == "yaml":
            session.write(text)
        if language != "console":
            return block[0]
        parts = []
        for command, expected in commands(text):
            _, printed = session.run("bash", "-c", command)
            same = printed.rstrip() == expected.rstrip() or WITHOUT_TORCH in printed
            parts.append(f"$ {command}\n{expected if same else printed}")
        return indent(f"```console\n{''.join(parts)}```", block["indent"])

    def replay(block: re.Match[str]) -> str:
        return indent(f"```pycon\n{answers.pop(0)}```", block["indent"]) if block["language"] == "pycon" else block[0]

    with TemporaryDirectory() as folder:
        session = Session(Path(folder))
        text = _BLOCK.sub(run, page)
        sessions = [session for language, session in blocks(text) if language == "pycon"]
        answers = session.answer({"sessions": sessions}) if sessions else []
        return _BLOCK.sub(replay, text)


def differences(page: str) -> list[str]:
    """Lines of a page that are not as they are now, as a comparison."""
    return list(unified_diff(page.splitlines(), played(page).splitlines(), "the page", "printed", n=3, lineterm=""))


def unreadable(page: str) -> list[str]:
    """What is wrong with the other blocks: python that does not run, text that is not what its fence says."""
    wrong = []
    with TemporaryDirectory() as folder:
        session = Session(Path(folder))
        program = "".join(text for language, text in blocks(page) if language == "python")
        if program:
            (session.folder / "example.py").write_text(program, encoding="utf-8")
            code, printed = session.run(sys.executable, "-W", "error", "example.py")
            wrong += [printed] if code else []
        for language, text in blocks(page):
            if language == "sh":
                (session.folder / "example.sh").write_text(text, encoding="utf-8")
                code, printed = session.run("bash", "-n", "example.sh")
                wrong += [printed] if code else []
            elif language == "text":
                wrong += [f"a command that is not run: {text}"] if re.match(r"\$ ", text) else []
            elif language in READERS:
                try:
                    READERS[language](text)
                except (ValueError, yaml.YAMLError) as error:
                    wrong.append(f"{error} in\n{text}")
            elif language not in ("console", "python", "pycon"):
                wrong.append(f"nothing reads blocks of '{language}':\n{text}")
    return wrong


READERS: dict[str, Callable[[str], object]] = {
    "yaml": yaml.safe_load,
    "yml": yaml.safe_load,
    "json": json.loads,
    "toml": tomllib.loads,
}
"""Language of a fence -> what reads it; all raise ValueError or YAMLError."""


def texts() -> dict[Path, str]:
    """Every page with its examples played."""
    return {page: played(page.read_text("utf-8")) for page in PAGES}
