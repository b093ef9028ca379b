"""The data of the page, written short: what is alike in a list stands once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .layers import Pages

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029", "##": "\\u0023#"}
"""What an element of script, a script and a log of a CI would read otherwise."""


def island(data: object) -> str:
    """Data as JSON that an element of script can hold, whatever stands in its texts.

    >>> island({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]|##", lambda match: _ESCAPES[match[0]], text)


def packed(graph: Mapping[str, object], pages: Pages) -> dict[str, object]:
    """A graph whose boxes and groups are lists in the order of their keys, and whose paths are numbers of pages."""
    costs = cast(Sequence[str], graph["costs"])
    found = dict(graph)
    for name in ("nodes", "groups"):
        boxes = cast(Sequence[Mapping[str, object]], graph[name])
        keys = (
            [key for key in boxes[0] if key != "id" and not (key == "shape_text" and "shape" in boxes[0])]
            if boxes
            else []
        )
        found[name] = {"keys": keys, "rows": [_row(box, keys, costs, pages) for box in boxes]}
    return found


def _row(box: Mapping[str, object], keys: Sequence[str], costs: Sequence[str], pages: Pages) -> list[object]:
    row: list[object] = []
    for key in keys:
        value = box[key]
        if key == "path":
            number = pages.number(cast(str, value))
            row.append(value if number is None else number)
        elif key == "figures":
            figures = cast(Mapping[str, int], value)
            row.append([figures[cost] for cost in costs])
        else:
            row.append(value)
    return row
