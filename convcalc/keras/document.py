"""The JSON of a model with its types checked where they are read: a wrong one is a sentence, never an exception."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeGuard, cast

from ..models.json_values import json_values

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

MOST_BYTES = 1 << 25
"""Bytes of a model's JSON."""
MOST_VALUES = 1_000_000
"""Values and keys of a model's JSON: of some ten thousand layers."""
DEEPEST = 200
"""Levels of a model's JSON."""
SHOWN = 60
"""Characters of a value in a message."""


class Malformed(Exception):
    """The model is not what Keras writes; the message says where, and what it is."""

    def __init__(self, message: str, *, subclassed: bool = False) -> None:
        super().__init__(message)
        self.subclassed = subclassed
        """Whether its layers stand in the code of a class alone."""


def parsed(text: bytes | str) -> Mapping[str, Json]:
    """The object that a text of JSON holds. Raises `Malformed`, and `Excessive` for too many values.

    >>> parsed('{"class_name": "Sequential"}')
    {'class_name': 'Sequential'}
    """
    try:
        found = cast("Json", json_values(text, MOST_VALUES))
    except RecursionError:
        raise Malformed(f"it is nested deeper than {DEEPEST} levels") from None
    except ValueError as error:
        raise Malformed(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Malformed(f"it is {shown(found)}, not an object")
    _check_depth(found)
    return found


def _check_depth(root: Json) -> None:
    level: list[Json] = [root]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise Malformed(f"it is nested deeper than {DEEPEST} levels")


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


class Settings:
    """The settings of a layer by their names; a getter raises `Malformed` where the type is another one."""

    def __init__(self, values: Mapping[str, Json]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def get(self, name: str) -> Json:
        """The value as it stands; None where there is none."""
        return self.values.get(name)

    def flag(self, name: str, default: bool) -> bool:
        """A truth value."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise Malformed(f"{name} must be true or false, not {shown(value)}")
        return value

    def text(self, name: str, default: str) -> str:
        """A text."""
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise Malformed(f"{name} must be a text, not {shown(value)}")
        return value

    def number(self, name: str, default: float) -> float:
        """A number."""
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise Malformed(f"{name} must be a number, not {shown(value)}")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        value = self.values.get(name, default)
        if not is_integer(value):
            raise Malformed(f"{name} must be a whole number, not {shown(value)}")
        return value

    def integers(self, name: str, axes: int | None = None, default: int | None = None) -> tuple[int, ...]:
        """Whole numbers: one an axis, or one for all `axes`."""
        value = self.values.get(name)
        value = default if value is None else value
        if is_integer(value):
            return (value,) * (axes or 1)
        if not isinstance(value, list) or not all(map(is_integer, value)):
            raise Malformed(f"{name} must be whole numbers, not {shown(value)}")
        if axes is not None and len(value) != axes:
            raise Malformed(f"{name} must have {axes} values, not {len(value)}")
        return tuple(value)


def is_integer(value: object) -> TypeGuard[int]:
    """Whether it is a whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def mapping(value: Json, what: str) -> Mapping[str, Json]:
    """An object. Raises `Malformed`."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} must be an object, not {shown(value)}")
    return value


def sequence(value: Json, what: str) -> Sequence[Json]:
    """A list. Raises `Malformed`."""
    if not isinstance(value, list):
        raise Malformed(f"{what} must be a list, not {shown(value)}")
    return value
