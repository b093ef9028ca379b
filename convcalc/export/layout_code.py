"""Calls as text that fits into a line, or is broken at its arguments."""

from __future__ import annotations

from typing import NamedTuple

WIDTH = 100
INDENT = "    "


class Form(NamedTuple):
    """`head(items)`; an item is finished text or a form."""

    head: str
    items: tuple[Form | str, ...]
    prefix: str = ""
    """What stands before the head: the name of a keyword argument, a star."""


def one_line(form: Form | str) -> str:
    """The form without line breaks."""
    if isinstance(form, str):
        return form
    return f"{form.prefix}{form.head}({', '.join(map(one_line, form.items))})"


def layout(before: str, form: Form | str, after: str = "", depth: int = 0) -> list[str]:
    """Lines of `before form after`, indented by `depth`, broken where one line is too long.

    >>> layout("x = ", Form("f", ("1", "2")))
    ['x = f(1, 2)']
    """
    pad = INDENT * depth
    line = f"{pad}{before}{one_line(form)}{after}"
    if isinstance(form, str) or not form.items or (len(line) <= WIDTH and not _deep(form)):
        return [line]
    lines = [f"{pad}{before}{form.prefix}{form.head}("]
    for item in form.items:
        lines += layout("", item, ",", depth + 1)
    return [*lines, f"{pad}){after}"]


def _deep(form: Form) -> bool:
    """Whether it, or what it holds, holds so many calls that each deserves its line."""
    inner = [item for item in form.items if isinstance(item, Form)]
    return len(inner) > 2 or any(map(_deep, inner))
