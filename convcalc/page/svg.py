"""Pieces of drawings that stand in the page: marks with classes, whose colours and fonts the style sheet has."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ..export.drawing import px
from ..terminal import printable
from .environment import short

LETTER = 6.4
"""Width of a letter of a drawing's texts."""


def mark(tag: str, kind: str = "", said: str = "", **places: float | str) -> str:
    """An element without a text; what it `said` is shown to whoever points at it.

    >>> mark("rect", "bar", "a < b", x=1, width=2.25)
    '<rect class="bar" x="1" width="2.2"><title>a &lt; b</title></rect>'
    """
    attributes = f' class="{kind}"' if kind else ""
    for name, value in places.items():
        attributes += f' {name.replace("_", "-")}="{value if isinstance(value, str) else px(value)}"'
    return f"<{tag}{attributes}><title>{_text(said)}</title></{tag}>" if said else f"<{tag}{attributes}/>"


def write(text: str, x: float, y: float, kind: str = "") -> str:
    """A text at a place.

    >>> write("4 < 5", 1, 2, "end")
    '<text class="end" x="1" y="2">4 &lt; 5</text>'
    """
    attribute = f' class="{kind}"' if kind else ""
    return f'<text{attribute} x="{px(x)}" y="{px(y)}">{_text(text)}</text>'


def _text(text: str) -> str:
    return escape(printable(text), quote=False)


def drawing(
    name: str, width: float, height: float, marks: Iterable[str], kind: str = "chart", id: str = "", role: str = "img"
) -> str:
    """Marks as one drawing; its `name` is what it is to whoever does not see it.

    The `role` of one whose marks lead somewhere is a group: within a picture nothing is reached.
    """
    place = f' id="{id}"' if id else ""
    return (
        f'<svg{place} class="{kind}" role="{role}" viewBox="0 0 {px(width)} {px(height)}" width="{px(width)}" '
        f'height="{px(height)}" aria-label="{escape(printable(name))}">{"".join(marks)}</svg>'
    )


def fitting(path: str, room: float) -> str:
    """As much of a path as there is room for: its last names, but no number alone; else nothing.

    >>> fitting("conv2_x.0.relu", 100), fitting("conv2_x.0.relu", 60), fitting("conv2_x.0", 30)
    ('conv2_x.0.relu', '0.relu', '')
    """
    text = printable(path)
    while len(text) * LETTER > room:
        _, dot, text = text.partition(".")
        if not dot:
            return ""
    return "" if text.isdecimal() and text != path else text


def cut(text: str, room: float) -> str:
    """A text, cut where it is longer than its room.

    >>> cut("inception_3a", 50)
    'incept…'
    """
    letters = int(room / LETTER)
    text = short(text)
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
