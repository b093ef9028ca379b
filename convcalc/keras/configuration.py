"""The configuration of a model of Keras, with the types of its settings checked where they are read."""

from __future__ import annotations

from collections.abc import Mapping

from ..models.document import Json, Malformed, is_integer, shown, text

MOST_BYTES = 1 << 25
"""Bytes of a configuration."""
MOST_VALUES = 1_000_000
"""Values and keys of a configuration: of some ten thousand layers."""


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
        return default if value is None else text(value, name)

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
