"""The manual of the codes: its examples are what they say, and docs/codes.md is made of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convcalc.check.config import config_of
from convcalc.check.manual.page import Page
from convcalc.check.manual.pages import codes_markdown, pages
from convcalc.check.run import Task, check_file
from convcalc.check.selection import read_selection
from convcalc.findings import CODES

from .command import run

DOCS = Path(__file__).parent.parent / "docs"
ALL = read_selection([], [], advice=True)


def codes_of(folder: Path, page: Page, text: str, encoding: str) -> set[str]:
    path = folder / "spec.yaml"
    path.write_bytes(text.encode(encoding))
    if page.config:
        (folder / "convcalc.toml").write_text(page.config, "utf-8")
    config_of.cache_clear()
    return {f.code for f in check_file(Task(str(path), ALL, config_of(folder).budgets_of(path))).findings}


EXAMPLES = [page for page in pages().values() if page.wrong]


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.code)
def test_page(page: Page, tmp_path: Path) -> None:
    assert codes_of(tmp_path, page, page.wrong, page.encoding) == {page.code}
    assert codes_of(tmp_path, page, page.right, "utf-8") == set()


def test_codes_headings_and_pages_are_the_same() -> None:
    text = (DOCS / "codes.md").read_text("utf-8")
    assert re.findall(r"^### (CC\d{3}): (.+)$", text, re.MULTILINE) == list(CODES.items())
    assert list(pages()) == list(CODES)
    assert {page.code[:3] for page in pages().values() if not page.wrong} == {"CC5", "CC7"}


def test_docs_are_current() -> None:
    assert (DOCS / "codes.md").read_text("utf-8") == codes_markdown(), "run python docs/generate.py"


def test_explain_prints_a_page() -> None:
    done = run("check", "--explain", "cc201")
    assert done.code == 0 and "### CC201: kernel larger than the padded input" in done.stdout
    assert run("check", "--explain", "CC999").code == 2


def test_a_page_test_can_fail(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        test_page(pages()["CC201"]._replace(wrong=pages()["CC201"].right), tmp_path)
