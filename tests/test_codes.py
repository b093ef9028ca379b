"""A code stands in two places: where it is raised, and on its page, whose examples are what they say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import convcalc
from convcalc.check.config import config_of
from convcalc.check.run import Task, check_file
from convcalc.check.selection import read_selection
from convcalc.codes import Page, codes, markdown, page
from convcalc.findings import SEVERITIES, severity
from convcalc.render.findings import code_document
from convcalc.render.text import document_lines

from .command import run

PACKAGE = Path(convcalc.__file__).parent
ALL = read_selection([], [], advice=True)
WITHOUT_EXAMPLES = ("CC5", "CC6", "CC7", "CC8")
"""Families about runs, comparisons and files that are no specs."""


def codes_of(folder: Path, found: Page, text: str, encoding: str) -> set[str]:
    path = folder / "spec.yaml"
    path.write_bytes(text.encode(encoding))
    if found.config:
        (folder / "convcalc.toml").write_text(found.config, "utf-8")
    config_of.cache_clear()
    return {f.code for f in check_file(Task(str(path), ALL, config_of(folder).budgets_of(path))).findings}


@pytest.mark.parametrize("code", [code for code in codes() if not code.startswith(WITHOUT_EXAMPLES)])
def test_examples(code: str, tmp_path: Path) -> None:
    found = page(code)
    assert found.wrong and found.right
    assert codes_of(tmp_path, found, found.wrong, found.encoding) == {code}
    assert codes_of(tmp_path, found, found.right, "utf-8") == set()


def test_an_example_that_is_not_what_it_says_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = page("CC201")
    mended = found._replace(text=found.text.replace("k: 7", "k: 5"))
    assert mended != found
    monkeypatch.setattr("tests.test_codes.page", lambda code: mended)
    with pytest.raises(AssertionError):
        test_examples("CC201", tmp_path)


def raised(source: str) -> set[str]:
    """Codes that a module writes as texts of their own."""
    if not re.search(r"CC\d{3}", source):
        return set()
    constants = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str) and re.fullmatch(r"CC\d{3}", value)}


def test_every_code_that_is_raised_has_a_page_and_every_page_is_raised() -> None:
    modules = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "findings.py"]
    assert set().union(*(raised(path.read_text("utf-8")) for path in modules)) == set(codes())
    assert raised('fail("CC199")\n"a text about CC198"') == {"CC199"}


def test_severities_are_of_codes_and_families_that_exist() -> None:
    assert [prefix for prefix in SEVERITIES if not any(code.startswith(prefix) for code in codes())] == []


def test_a_page_is_a_title_a_text_and_known_headers() -> None:
    for code in codes():
        found = page(code)
        assert found.title[0] != " " and not found.title.endswith("."), code
        assert not re.match(r"[A-Z]\w+: ", found.text), f"{code}: a header that is not known"
        assert found.text.endswith("\n") and all(len(line) <= 118 for line in found.text.splitlines()), code
        assert bool(found.wrong) == bool(found.right) == (not code.startswith(WITHOUT_EXAMPLES)), code


def test_explain_prints_a_page() -> None:
    done = run("check", "--explain", "cc201")
    assert done.code == 0 and "### CC201: kernel larger than the padded input" in done.stdout
    assert "\n*error*\n" in done.stdout and severity("CC201") == "error"
    assert all(run("check", "--explain", code).stdout == markdown(code) for code in codes())
    assert run("check", "--explain", "CC999").code == 2
    near = run("check", "--explain", "cc609").stderr
    assert near == "error: there is no code 'cc609'\n  hint: there is CC601\n"


def test_a_right_spec_reads_no_page() -> None:
    page.cache_clear()
    assert run("check", "googlenet").code == 0 and run("table", "googlenet").code == 0
    assert page.cache_info().currsize == 0
    run("check", "-", data=b"convcalc: 1\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 8, k: 3, g: 2}}]\n")
    assert page.cache_info().currsize == 0, "a finding with its own hint needs none of the page's"
    run("check", "-", data=b"convcalc: 1\nconvcalc: 1\n")
    assert page.cache_info().currsize == 1


def test_explain_renders_the_page_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcalc.render.streams.coloured", lambda *_: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = run("check", "--explain", "CC209").stdout
    assert "```" not in text and "###" not in text
    lines = [line for line in document_lines(code_document("CC209"), 80) if line]
    assert lines[0][0] == ("CC209: a linear layer on an unflattened input", "bold")
    assert lines[1] == [("error", "bold red")]
    assert ("convcalc: 1", "cyan") in [piece for line in lines for piece in line]
