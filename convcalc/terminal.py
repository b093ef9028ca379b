"""Text as a terminal shows it: without controls, and the columns that it takes."""

from __future__ import annotations

import re
import unicodedata

_UNSAFE = "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
"""Characters that must not reach a terminal; compiled when a text has one that is not printable."""


def printable(text: str) -> str:
    """Text without terminal controls: control, direction and zero-width characters are shown escaped.

    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return re.sub(_UNSAFE, lambda m: m[0].encode("unicode_escape").decode("ascii"), text)


def width(text: str) -> int:
    """Columns that a text takes on a terminal.

    >>> width("7×7"), width("層")
    (3, 2)
    """
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
