"""The documentation is run: every console example prints what the page says.

A ```yaml block whose first line is `# name.yaml` is written to that file for the examples below it. A
```console block is a shell session, in a folder with the files of docs/files: `$ command` lines and the output
(both streams) under each.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)


def sessions(page: str) -> list[tuple[str, str]]:
    """(language, text) of the page's blocks that take part, in order."""
    return [(kind, text) for kind, text in BLOCK.findall(page) if kind in ("console", "yaml")]


def commands(session: str) -> list[tuple[str, str]]:
    """(command, expected output) of a console block."""
    found = []
    for part in re.split(r"^\$ ", session, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = f"{command}\n{more}"
        found.append((command, output))
    return found


def differences(page: str, folder: Path) -> list[str]:
    """Examples of a page that print something else, as text."""
    shims = folder / "bin"
    shims.mkdir()
    shim = shims / "convcalc"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcalc "$@"\n')
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    environment = {
        **os.environ,
        "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "COLUMNS": "80",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    work = folder / "work"
    shutil.copytree(ROOT / "docs" / "files", work)
    wrong = []
    for kind, text in sessions(page):
        if kind == "yaml":
            name = re.match(r"# ([\w./-]+\.ya?ml)\n", text)
            if name:
                target = work / name[1]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            continue
        for command, expected in commands(text):
            done = subprocess.run(
                ["bash", "-c", f"exec 2>&1\n{command}"],
                cwd=work,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                timeout=60,
            )
            if done.stdout.rstrip() != expected.rstrip():
                wrong.append(f"$ {command}\n--- printed\n{done.stdout}--- expected\n{expected}")
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    assert differences(page.read_text("utf-8"), tmp_path) == []


def test_a_wrong_example_is_found(tmp_path: Path) -> None:
    (found,) = differences("```console\n$ convcalc --version\nconvcalc 0.0\n```\n", tmp_path)
    assert "--- printed\nconvcalc " in found


def test_generated_pages_are_current() -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_set_up_commands_are_two() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    lines = [line for line in readme.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert lines[0].endswith("convcalc table googlenet.yaml")
    assert "pytest" in lines[1]
