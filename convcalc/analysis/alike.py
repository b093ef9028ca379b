"""Many objects that are alike, as they come: their keys are said once, and what they share is one object."""

from __future__ import annotations

from collections.abc import Iterator

Keys = tuple[str | tuple[str, ...], ...]


class Part:
    """Values that several objects of one stream share."""

    __slots__ = ("text", "values")

    def __init__(self, *values: object) -> None:
        self.values = values
        self.text = ""
        """What the writer who uses the stream up has made of them; empty before."""


class Alike(Iterator[dict[str, object]]):
    """Objects that have the same keys, one after the other; many of them share whole parts.

    >>> shared = Part(2, 3)
    >>> list(Alike(("a", ("b", "c")), iter([(1, shared), (4, shared)])))
    [{'a': 1, 'b': 2, 'c': 3}, {'a': 4, 'b': 2, 'c': 3}]
    """

    def __init__(self, keys: Keys, values: Iterator[tuple[object, ...]]) -> None:
        self.keys = keys
        """In their order; several together are those of a part."""
        self.values = values
        """Of each object the values of its keys, and its parts."""

    def __next__(self) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in zip(self.keys, next(self.values), strict=True):
            if isinstance(key, str):
                found[key] = value
            elif isinstance(value, Part):
                found.update(zip(key, value.values, strict=True))
        return found
