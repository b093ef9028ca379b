"""What has been found out and is kept for the next candidates, within a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """A dictionary of at most `most` entries, which forgets those that were not asked for in a long time.

    It has two generations: what is asked for moves to the young one, and when that has half of all, the old one goes.
    `weight` says as how many entries a value counts.

    >>> kept: Remembered[str, int] = Remembered(4)
    >>> for number, word in enumerate("abc"):
    ...     kept[word] = number
    >>> kept.get("a"), len(kept)
    (0, 3)
    >>> kept["d"] = 3
    >>> [kept.get(word) for word in "abcd"], len(kept)
    ([0, None, 2, 3], 3)
    """

    def __init__(self, most: int, weight: Callable[[Value], int] | None = None) -> None:
        self._half = most // 2
        self._weight = weight
        self._held = 0
        """What the young generation has."""
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """The value of a key; None where it is not known."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None)
            if found is not None:
                self[key] = found
        return found

    def __setitem__(self, key: Key, value: Value) -> None:
        if self._held >= self._half:
            self._old, self._young = self._young, {}
            self._held = 0
        self._young[key] = value
        self._held += 1 if self._weight is None else self._weight(value)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
