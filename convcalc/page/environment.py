"""How templates are filled: every text is escaped, controls and directions that nobody sees are shown as escapes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..findings import UsageError
from ..hints import installing
from ..terminal import printable

if TYPE_CHECKING:
    from jinja2 import Environment

LONGEST = 160
"""Characters of a name or a cell from a file that are shown at once."""
PROSE = 1500
"""The same of what says something in sentences."""
MOST_ROWS = 5_000
"""Of a table or a tree: more than anybody reads."""


def environment() -> Environment:
    """The templates of the page. Raises UsageError where jinja2 is not installed."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise UsageError("a report needs jinja2, which is not installed", installing("report")) from None
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
    found.filters["cut"] = cut
    found.filters["prose"] = partial(cut, most=PROSE)
    return found


def visible(value: object) -> object:
    """What a template writes: a text in which nothing is hidden; mark-up stays.

    >>> visible("a\\u202eb")
    'a\\\\u202eb'
    """
    return printable(value) if type(value) is str else value


def short(text: str, most: int = LONGEST) -> str:
    """A text without what nobody sees, cut where it is long.

    >>> len(short("x" * 10_000)), short("x")
    (160, 'x')
    """
    clean = printable(text)
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


def cut(text: str, most: int = LONGEST) -> str:
    """The same as mark-up: the whole of a text that is cut is said to whoever points at it.

    >>> cut("a < b"), cut("a < b", 4)
    ('a < b', Markup('<span title="a &lt; b">a &lt;…</span>'))
    """
    from markupsafe import Markup

    shown = short(text, most)
    if len(shown) < most or shown == printable(text):
        return shown
    return Markup('<span title="{}">{}</span>').format(printable(text), shown)
