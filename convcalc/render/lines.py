"""Lines of (text, style) pieces: what the writers of text share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..terminal import printable, width
from .document import Note

if TYPE_CHECKING:
    from fractions import Fraction

Piece = tuple[str, str]
Line = list[Piece]

INDENT = "  "
GAP = "  "
EIGHTHS = " ▏▎▍▌▋▊▉"


def plain(lines: Iterable[Line]) -> str:
    """Lines without their styles.

    >>> plain([[("layer", "bold"), ("  1", "")], []])
    'layer  1\\n'
    """
    return "\n".join("".join([text for text, _ in line]) for line in lines)


def set_in(indent: str, lines: Iterable[Line]) -> Iterator[Line]:
    """Lines with blanks before them, but for the empty ones."""
    for line in lines:
        yield [(indent, ""), *line] if indent and any(text for text, _ in line) else line


def note_lines(notes: Iterable[Note], limit: int | None) -> Iterator[Line]:
    """Remarks, each on one line if it or what is shorter fits, else on several."""
    for note in notes:
        fits = limit is None or width(printable(note.text)) <= limit or not note.shorter
        yield from wrapped(note.text if fits else note.shorter, limit, note.style)


def wrapped(text: str, limit: int | None, style: str = "") -> Iterator[Line]:
    """A text as lines that fit, further lines under the first one's beginning."""
    text = printable(text)
    if limit is None or width(text) <= limit:
        yield [(text, style)]
        return
    from textwrap import wrap

    indent = " " * (len(text) - len(text.lstrip()))
    for line in wrap(text.strip(), limit, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False):
        yield [(line, style)]


def bar_text(value: int | Fraction, largest: int | Fraction, length: int) -> str:
    """A bar of value/largest of `length` columns, rounded down to an eighth of a column.

    >>> bar_text(1, 2, 3)
    '█▌'
    """
    if largest <= 0 or value <= 0:
        return ""
    eighths = int(8 * length * value // largest)
    full, part = divmod(eighths, 8)
    return "█" * full + (EIGHTHS[part] if part else "")


def padded(text: str, columns: int, align: str) -> str:
    blanks = " " * (columns - width(text))
    return blanks + text if align == "right" else text + blanks


def cut(text: str, columns: int) -> str:
    """The text cut to a width, the middle left out: paths differ at both ends.

    >>> cut("inception_3a.3x3.conv", 11)
    'incep….conv'
    """
    if columns < 3:
        return text[:columns]
    head = (columns - 1) // 2
    tail = columns - 1 - head
    while width(text[:head]) + 1 + width(text[-tail:]) > columns:
        head, tail = max(head - 1, 1), max(tail - 1, 1)
        if head == tail == 1:
            break
    return f"{text[:head]}…{text[-tail:]}"
