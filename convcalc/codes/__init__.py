"""The pages of the codes of findings: one Markdown file a code, which `check --explain` prints.

A page is a heading (what the code stands for), lines `Hint:` (what to do where nothing more precise is known) and
`Encoding:` (how its wrong spec is saved), both optional, and the text: what it means, `convcalc.toml` where one
belongs to it, a wrong spec, the same spec mended. `findings.severity` says how severe a code is.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..findings import severity

_FOLDER = Path(__file__).parent
_HEADER = r"# (?P<title>.+)\n\n(?:Hint: (?P<hint>.+)\n)?(?:Encoding: (?P<encoding>.+)\n)?\n?"


class Page(NamedTuple):
    """What a page says. Codes about files that are no specs have no examples."""

    title: str
    hint: str | None
    encoding: str
    """How the wrong spec is saved."""
    text: str
    """Markdown, with the examples."""

    @property
    def wrong(self) -> str:
        """A spec that has the finding; empty without one."""
        return self._block("Wrong", "yaml")

    @property
    def right(self) -> str:
        """The same spec, mended; empty without one."""
        return self._block("Right", "yaml")

    @property
    def config(self) -> str:
        """The `convcalc.toml` beside both; empty without one."""
        return self._block("`convcalc.toml`", "toml")

    def _block(self, heading: str, language: str) -> str:
        found = re.search(rf"^{heading}:\n\n```{language}\n(.*?)^```$", self.text, re.DOTALL | re.MULTILINE)
        return found[1] if found else ""


@cache
def codes() -> tuple[str, ...]:
    """Every code that has a page, in order; no page is read.

    >>> codes()[:2]
    ('CC001', 'CC002')
    """
    return tuple(sorted(path.stem for path in _FOLDER.glob("CC*.md")))


@cache
def page(code: str) -> Page:
    """The page of a code. Raises KeyError for a code without one.

    >>> page("CC205").title, page("CC205").hint
    ('output padding out of range', 'use an output padding below the stride')
    """
    if code not in codes():
        raise KeyError(code)
    text = (_FOLDER / f"{code}.md").read_text("utf-8")
    header = re.match(_HEADER, text)
    assert header is not None, f"{code}.md does not start with '# title'"
    return Page(header["title"], header["hint"], header["encoding"] or "utf-8", text[header.end() :])


def markdown(code: str) -> str:
    """The page as it is printed: code and title, severity, text. Raises KeyError for a code without one."""
    found = page(code)
    return f"### {code}: {found.title}\n\n*{severity(code)}*\n\n{found.text}"


def hint(code: str) -> str | None:
    """What to do about a finding of a code where nothing more precise is known."""
    return page(code).hint if code in codes() else None
