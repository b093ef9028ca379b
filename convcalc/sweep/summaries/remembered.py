"""What has been found out and is kept for the next candidates, within a number."""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """A dictionary of at most `most` entries, which forgets those that were not asked for in a long time.

    It has two generations: what is asked for moves to the young one, and when that has half of all, the old one goes.

    >>> kept: Remembered[str, int] = Remembered(4)
    >>> for number, word in enumerate("abcd"):
    ...     kept[word] = number
    >>> kept.get("a"), kept.get("d"), len(kept)
    (0, 3, 4)
    >>> kept["e"] = 4
    >>> kept.get("a"), kept.get("b"), kept.get("e"), len(kept)
    (0, None, 4, 3)
    """

    def __init__(self, most: int) -> None:
        self._half = most // 2
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
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def clear(self) -> None:
        """Forget everything."""
        self._young.clear()
        self._old.clear()
