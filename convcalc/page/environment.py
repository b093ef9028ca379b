"""How templates are filled: every text is escaped, controls and directions that nobody sees are shown as escapes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..findings import UsageError
from ..terminal import printable

if TYPE_CHECKING:
    from jinja2 import Environment

LONGEST = 160
"""Characters of a text from a file that are shown at once."""


def environment() -> Environment:
    """The templates of the page. Raises UsageError where jinja2 is not installed."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise UsageError("a report needs jinja2, which is not installed", "pip install 'convcalc[report]'") from None
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters["short"] = short
    return found


def visible(value: object) -> object:
    """What a template writes: a text in which nothing is hidden; mark-up stays.

    >>> visible("a\\u202eb")
    'a\\\\u202eb'
    """
    return printable(value) if type(value) is str else value


def short(text: str) -> str:
    """A text that fits its place; the whole of a longer one stands in a title.

    >>> len(short("x" * 10_000)), short("x")
    (160, 'x')
    """
    clean = printable(text)
    return clean if len(clean) <= LONGEST else f"{clean[: LONGEST - 1]}…"
