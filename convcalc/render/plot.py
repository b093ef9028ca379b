"""One quantity as horizontal bars in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .escape import printable, width
from .grid import Line, cut

EIGHTHS = " ▏▎▍▌▋▊▉"
NARROWEST = 10
LONGEST_LABEL = 40


def bars(
    labels: Sequence[str], values: Sequence[int | Fraction | None], texts: Sequence[str], limit: int | None
) -> list[Line]:
    """A bar a row, in eighths of a column, the longest for the largest value; nothing is drawn for None.

    >>> for line in bars(["a", "bb"], [2, 3], ["2", "3"], 20): print("".join(text for text, _ in line))
    a   █████████▎     2
    bb  ██████████████ 3
    """
    shown = [printable(label) for label in labels]
    room = limit if limit is not None else 100
    label_width = min(max((width(label) for label in shown), default=0), LONGEST_LABEL, max(room // 2, 8))
    text_width = max((width(text) for text in texts), default=0)
    length = max(room - label_width - text_width - 3, NARROWEST)
    largest = max((value for value in values if value is not None), default=0)
    lines: list[Line] = []
    for label, value, text in zip(shown, values, texts, strict=True):
        name = label if width(label) <= label_width else cut(label, label_width)
        name += " " * (label_width - width(name))
        bar = bar_text(value or 0, largest, length)
        lines.append([(f"{name}  ", ""), (bar.ljust(length), "cyan"), (f" {text.rjust(text_width)}", "")])
    return lines


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
