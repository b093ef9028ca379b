"""The arguments of an operation's call: by place, by name, whole numbers and numbers."""

from __future__ import annotations

from ...models.document import Malformed, is_integer, shown
from ..builder import Use
from ..graph import Array


def given(use: Use, position: int, *names: str) -> object:
    """An argument by its place in the call, by its names there, or by its names in the settings."""
    if position < len(use.arguments):
        return use.arguments[position]
    for name in names:
        if use.named.get(name) is not None:
            return use.named[name]
    for name in names:
        if name in use.settings:
            return use.settings.get(name)
    return None


def whole(value: object, what: str, default: int | None = None) -> int:
    """A whole number."""
    value = default if value is None else value
    if not is_integer(value):
        raise Malformed(f"{what} must be a whole number, not {shown(value)}")
    return value


def wholes(value: object, what: str) -> list[int]:
    """Whole numbers, or one."""
    if is_integer(value):
        return [value]
    if not isinstance(value, (list, tuple)) or not all(map(is_integer, value)):
        raise Malformed(f"{what} must be whole numbers, not {shown(value)}")
    return list(value)


def number(value: object) -> float | None:
    """A number, or an array of one."""
    while isinstance(value, (Array, list)):
        inner = value.value if isinstance(value, Array) else value
        if not isinstance(inner, list):
            value = inner
        elif len(inner) == 1:
            value = inner[0]
        else:
            return None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
