"""Pages of help as lines: a usage line, prose, commands or examples, and lists of options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from ..terminal import width

if TYPE_CHECKING:
    from .lines import Line

INDENT = "  "
WIDEST = 100
"""Columns that a page takes at most: longer lines are hard to read."""
PIPED = 80
WIDEST_TERM = 28
"""Columns of the terms of a list; what is said of a longer one stands below it."""
LEAST = 20
"""Columns below which what is said of a term does not stand beside it."""


class Terms(NamedTuple):
    """A heading, and terms with what is said of each."""

    heading: str
    terms: tuple[tuple[str, str], ...]


class Page(NamedTuple):
    """A page of help."""

    usage: str
    said: tuple[str, ...]
    """Paragraphs below the usage line."""
    examples: tuple[str, ...]
    lists: tuple[Terms, ...]
    ending: str = ""
    aligned: bool = True
    """Whether what is said of terms begins in one column on the whole page, or in each list on its own."""


def help_lines(page: Page, terminal: int | None) -> Iterator[Line]:
    """The page for a terminal of this many columns; None in a pipe."""
    limit = min(terminal or PIPED, WIDEST)
    first, *more = _wrapped(page.usage, limit, "usage: ", " " * len("usage: "))
    yield [("usage:", "bold"), (first.removeprefix("usage:"), "")]
    yield from ([(line, "")] for line in more)
    for text in page.said:
        yield []
        yield from ([(line, "")] for line in _wrapped(text, limit))
    if page.examples:
        yield []
        yield [("examples", "bold")]
        yield from ([(INDENT, ""), (example, "cyan")] for example in page.examples)
    for terms in page.lists:
        beside = _widest(page.lists if page.aligned else [terms])
        if terms.terms:
            yield []
            yield [(terms.heading, "bold")]
            for term, text in terms.terms:
                yield from _term_lines(term, text, beside, limit)
    if page.ending:
        yield []
        yield from ([(line, "dim")] for line in _wrapped(page.ending, limit))


def _widest(lists: Sequence[Terms]) -> int:
    """Columns of the terms of these lists."""
    return min(max((width(term) for terms in lists for term, _ in terms.terms), default=0), WIDEST_TERM)


def _term_lines(term: str, text: str, beside: int, limit: int) -> Iterator[Line]:
    """A term and what is said of it: beside it, or below where it is too long or the terminal too narrow."""
    margin = len(INDENT) + beside + len(INDENT)
    if limit - margin < LEAST:
        margin = 2 * len(INDENT)
    lines = _wrapped(text, limit - margin) if text else []
    gap = margin - len(INDENT) - width(term)
    if gap >= len(INDENT):
        yield [(INDENT, ""), (term, "cyan"), (" " * gap + lines[0] if lines else "", "")]
        lines = lines[1:]
    else:
        parts = _wrapped(term, limit - len(INDENT))
        yield from ([(INDENT, ""), (part, "cyan")] for part in parts)
    yield from ([(" " * margin + line, "")] for line in lines)


def _wrapped(text: str, limit: int, head: str = "", below: str = "") -> Sequence[str]:
    """A text as lines that fit; a choice (`a|b|c`) may break behind its bars."""
    lines = wrap(
        text.replace("|", "|\x00 "),
        max(limit, LEAST),
        initial_indent=head,
        subsequent_indent=below,
        break_on_hyphens=False,
    )
    return [line.replace("\x00 ", "").replace("\x00", "") for line in lines] or [head]
