"""What is kept of the networks that one file asks for: the latest of them, within a number of layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..limits import KEPT_LAYERS

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(dict[Key, Value]):
    """A dictionary that forgets what was added first, once all together has more layers than are kept.

    What was added last is always kept, and so is the value of the key `always`, which does not count. `layers` says
    how many layers a value has.

    >>> kept = Kept(lambda word: len(word) * KEPT_LAYERS // 4, "a")
    >>> kept["a"], kept["b"], kept["c"], kept["d"] = "x" * 9, "xx", "xx", "x"
    >>> list(kept)
    ['a', 'c', 'd']
    """

    def __init__(self, layers: Callable[[Value], int], always: Key) -> None:
        super().__init__()
        self._layers = layers
        self._always = always
        self._held = 0

    def __setitem__(self, key: Key, value: Value) -> None:
        if key in self:
            self._forget(key)
        super().__setitem__(key, value)
        self._held += self._counted(key)
        while self._held > KEPT_LAYERS:
            first = next(other for other in self if other != self._always)
            if first == key:
                break
            self._forget(first)

    def _counted(self, key: Key) -> int:
        return 0 if key == self._always else self._layers(self[key])

    def _forget(self, key: Key) -> None:
        self._held -= self._counted(key)
        del self[key]
