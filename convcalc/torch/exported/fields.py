"""The JSON of an exported model with its types checked where they are read: a wrong one is a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...geometry import LIMIT
from ...models.json_values import json_values

MOST_BYTES = 1 << 24
"""Bytes of a model's JSON."""
MOST_VALUES = 3_000_000
"""Values and keys of a model's JSON."""
SHOWN = 60
"""Characters of a value in a message."""


class Malformed(Exception):
    """The model is not what torch.export writes; the message says what is wrong."""


def parsed(text: bytes) -> Mapping[str, Any]:
    """The object that a text of JSON holds. Raises `Malformed`, and `Excessive` for too many values."""
    try:
        found = json_values(text, MOST_VALUES)
    except RecursionError:
        raise Malformed("its graph is nested too deeply") from None
    except ValueError as error:
        raise Malformed(f"its graph is no JSON: {error}") from None
    return mapping(found, "its graph")


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """A value that must be an object."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} is {_shown(value)}, not an object")
    return value


def sequence(value: object, what: str) -> Sequence[Any]:
    """A value that must be a list."""
    if not isinstance(value, list):
        raise Malformed(f"{what} is {_shown(value)}, not a list")
    return value


def text(value: object, what: str) -> str:
    """A value that must be a text."""
    if not isinstance(value, str):
        raise Malformed(f"{what} is {_shown(value)}, not a text")
    return value


def whole(value: object, what: str) -> int:
    """A value that must be a whole number of 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LIMIT:
        raise Malformed(f"{what} is {_shown(value)}, not a whole number of 64 bits")
    return value


def only(value: object, what: str) -> tuple[str, Any]:
    """The name and the content of an object with one key: a union, as torch.export writes it."""
    found = mapping(value, what)
    if len(found) != 1:
        raise Malformed(f"{what} has {len(found)} keys, not one")
    return next(iter(found.items()))


def _shown(value: object) -> str:
    said = json.dumps(value, ensure_ascii=True)
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}…"
