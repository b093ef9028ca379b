"""Text as a terminal and a spreadsheet show it: without controls, and the columns that it takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_HIDDEN = (
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]|(?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f]"
)
"""Characters that a terminal obeys or nobody sees: controls, surrogates, ends of lines, no characters, and what Unicode
calls ignorable (Default_Ignorable_Code_Point). A sign may have one selector of its emoji form, and no second."""

_MARKS = (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, *range(0xFE00, 0xFE10), 0xFFA0)
_PRINTABLE = frozenset(map(chr, (*_MARKS, *range(0xE0100, 0xE01F0))))
"""Those of them that Python calls printable, and the selectors: a text without them is not searched."""


def without_hidden(text: str, show: Callable[[str], str], kept: str = "") -> str:
    """Text whose characters that a terminal obeys or nobody sees are written by `show`, but for those in `kept`."""
    if text.isprintable() and (text.isascii() or _PRINTABLE.isdisjoint(text)):
        return text
    return re.sub(_HIDDEN, lambda match: match[0] if match[0] in kept else show(match[0]), text)


def printable(text: str, kept: str = "") -> str:
    """Text without terminal controls: control, direction and zero-width characters are shown escaped.

    >>> printable("a\\x1b[31mb"), printable("a\\n\\xad", kept="\\n")
    ('a\\\\x1b[31mb', 'a\\n\\\\xad')
    """
    return without_hidden(text, _escaped, kept)


def csv_cell(text: str) -> str:
    """A text as a cell of CSV that no spreadsheet takes for a formula.

    >>> csv_cell("=1+1"), csv_cell("a")
    ("'=1+1", 'a')
    """
    clean = printable(text)
    return f"'{clean}" if clean[:1] in ("=", "+", "-", "@") else clean


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def width(text: str) -> int:
    """Columns that a text takes on a terminal.

    >>> width("7×7"), width("層")
    (3, 2)
    """
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
