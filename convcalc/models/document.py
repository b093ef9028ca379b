"""The JSON of a model with its types checked where they are read: a wrong one is a sentence of `Malformed`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeGuard

from ..geometry import LIMIT
from .archive import Excessive

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

DEEPEST = 200
"""Levels of a model's JSON."""
SIGNS = (",", ":", "[", "{")
"""One stands before each value and key, but for the first of a list or an object; those within texts count too."""
SHOWN = 60
"""Characters of a value in a message."""


class Malformed(Exception):
    """The document is not what the framework writes; the message says where, and what it is."""


def parsed(text: bytes | str, most: int, what: str = "it") -> Mapping[str, Json]:
    """The object that a text of JSON holds; `what` it is, for messages.

    Raises `Excessive` for more than so many values and keys, before they are read: a small file may mean millions.
    Raises `Malformed` for what is no object.

    >>> parsed('{"class_name": "Sequential"}', most=100)
    {'class_name': 'Sequential'}
    """
    if sum(text.count(sign) if isinstance(text, str) else text.count(sign.encode()) for sign in SIGNS) > most:
        raise Excessive(f"its JSON has more than {most:,} values and keys")
    deep = f"{what} is nested deeper than {DEEPEST} levels"
    try:
        found: Json = json.loads(text)
    except RecursionError:
        raise Malformed(deep) from None
    except ValueError as error:  # not JSON, not UTF-8, or a number of more digits than Python reads
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is not UTF-8, or has too long a number"
        raise Malformed(f"{what} is no JSON: {reason}") from None
    if not isinstance(found, dict):
        raise Malformed(f"{what} is {shown(found)}, not an object")
    if not _is_flat(found):
        raise Malformed(deep)
    return found


def _is_flat(root: Json) -> bool:
    """Whether it has no more levels than are read."""
    level: list[Json] = [root]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return True
    return False


def _inside(value: Json) -> list[Json]:
    """The lists and objects in a list or an object."""
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, (dict, list))]
    return [inner for inner in value if isinstance(inner, (dict, list))] if isinstance(value, list) else []


def shown(value: object) -> str:
    """A value in a message.

    >>> shown("same"), shown([1] * 100)
    ("'same'", '[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,...')
    """
    text = repr(value) if not isinstance(value, (list, tuple)) else repr(value[:SHOWN])
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def is_integer(value: object) -> TypeGuard[int]:
    """Whether it is a whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def mapping(value: Json, what: str) -> Mapping[str, Json]:
    """A value that must be an object; `what` it is, for the message. Raises `Malformed`."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} must be an object, not {shown(value)}")
    return value


def sequence(value: Json, what: str) -> Sequence[Json]:
    """A value that must be a list. Raises `Malformed`."""
    if not isinstance(value, list):
        raise Malformed(f"{what} must be a list, not {shown(value)}")
    return value


def text(value: Json, what: str) -> str:
    """A value that must be a text. Raises `Malformed`.

    >>> text(3, "the name")
    Traceback (most recent call last):
    convcalc.models.document.Malformed: the name must be a text, not 3
    """
    if not isinstance(value, str):
        raise Malformed(f"{what} must be a text, not {shown(value)}")
    return value


def whole(value: Json, what: str) -> int:
    """A value that must be a whole number of 64 bits. Raises `Malformed`."""
    if not is_integer(value) or abs(value) > LIMIT:
        raise Malformed(f"{what} must be a whole number of 64 bits, not {shown(value)}")
    return value
