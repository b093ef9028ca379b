"""The documentation is run: every console example prints what the page says, and no block is only there to be seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tools import notebooks, sessions
from tools.examples import GENERATED, PAGES, ROOT, differences, unreadable
from tools.notebooks import NOTEBOOKS

LONG = {
    *("analysis.md", "check.md", "export.md", "lecture.md", "models.md", "onnx.md", "published.md", "python.md"),
    *("decoder.md", "first_table.md", "for_engineers.md", "for_students.md", "keras.md", "report.md", "sizes.md"),
    *("sweep.md", "sweep_plans.md", "terminal.md", "verify.md"),
}
"""Pages whose examples take seconds."""


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if page.name in LONG else [], id=page.name) for page in PAGES],
)
def test_examples_print_what_the_page_says(page: Path) -> None:
    assert "\n".join(differences(page.read_text("utf-8"))) == "", "python -m tools.regenerate writes what is printed"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in GENERATED], ids=lambda page: page.name)
def test_other_blocks_are_what_their_fence_says(page: Path) -> None:
    assert unreadable(page.read_text("utf-8")) == []


def test_a_wrong_example_is_found() -> None:
    found = differences("```console\n$ convcalc --version\nconvcalc 0.0\n```\n")
    assert "-convcalc 0.0" in found and any(line.startswith("+convcalc ") for line in found)


@pytest.mark.parametrize(
    "block",
    [
        "python\nimport convcalc\nconvcalc.nothing\n",
        "python\ndef f(:\n",
        "yaml\n[1, 2\n",
        "toml\na =\n",
        "json\n{\n",
        "sh\nif\n",
        "text\n$ convcalc --version\n",
        "rust\nfn main() {}\n",
        "\nnothing\n",
    ],
)
def test_a_block_that_is_not_what_its_fence_says_is_found(block: str) -> None:
    assert len(unreadable(f"```{block}```\n")) == 1


def test_a_wrong_session_is_found() -> None:
    assert differences("```pycon\n>>> x = 2\n```\n\n```pycon\n>>> x + 1\n3\n```\n") == []
    found = differences("```pycon\n>>> x = 2\n```\n\n```pycon\n>>> x + 1\n4\n>>> y\n```\n")
    assert "-4" in found and "+3" in found and "+NameError: name 'y' is not defined" in found


def test_a_session_whose_package_is_not_installed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    session = ">>> import pandas\n>>> pandas.nothing\n7\n"
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert sessions.replayed([session, ">>> 1\n1\n"]) == [session, ">>> 1\n1\n"]
    unknown = ">>> import nowhere_to_be_found\n"
    assert sessions.replayed([unknown])[0].endswith("No module named 'nowhere_to_be_found'\n")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_stored_output_that_is_not_the_cells_is_found(notebook: Path) -> None:
    text = notebook.read_text("utf-8")
    assert notebooks.played(text.replace("25,557,032", "25,557,033")) == notebooks.played(text) == text
    stored = json.loads(text)
    assert (stored["nbformat"], len({cell["id"] for cell in stored["cells"]})) == (4, len(stored["cells"]))
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        notebooks.played(text.replace("import convcalc\\n", "1 / 0\\n"))


def test_blocks_of_lists_are_run() -> None:
    assert len(unreadable("1. Like this:\n\n   ```python\n   1 / 0\n   ```\n")) == 1
    found = differences("- So:\n\n  ```console\n  $ convcalc --version\n  convcalc 0.0\n  ```\n")
    assert "-  convcalc 0.0" in found and any(line.startswith("+  convcalc ") for line in found)


def test_the_set_up_commands_are_two() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    lines = [line for line in readme.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert lines[0].endswith("convcalc table googlenet.yaml")
    assert "pytest" in lines[1]
