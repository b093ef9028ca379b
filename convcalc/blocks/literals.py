"""Values as YAML."""

from __future__ import annotations

import re

from ..terminal import printable


def literal(value: object) -> str:
    """A value as a spec has it.

    >>> literal((1, True, None, 0.5, "aten::relu"))
    '[1, true, ~, 0.5, "aten::relu"]'
    """
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return scalar(value)
    return "~" if value is None else str(value)


def scalar(text: str) -> str:
    """A text as a YAML scalar: plain where it is a simple name, else in double quotes.

    >>> scalar("GoogLeNet"), scalar("a: b")
    ('GoogLeNet', '"a: b"')
    """
    if re.fullmatch(r"[A-Za-z][\w.-]*", text, re.ASCII) and text != "null":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'  # the escapes of Python are among those of YAML
