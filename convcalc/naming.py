"""How names are given: which letters they have, which are free, how long one may be, and what nothing is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .limits import NAME_CHARACTERS

COMPONENT = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
"""One name of a path."""
NAME = re.compile(COMPONENT)
NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
"""A name that is a number: the items below it count on."""
RESERVED = frozenset({"in", "input", "index", "total"})
"""Words that stand for something in a spec, so that nothing is called so."""


def free_name(name: str, taken: Callable[[str], bool]) -> str:
    """The name; where it is taken, with the first number behind it with which it is free.

    >>> free_name("add", {"add", "add_2"}.__contains__)
    'add_3'
    """
    free, number = name, 1
    while taken(free):
        number += 1
        free = f"{name}_{number}"
    return free


def underscored(name: str) -> str:
    """The name of a class with an underscore between its words.

    >>> underscored("Conv2dNormActivation"), underscored("SEModule")
    ('Conv2d_Norm_Activation', 'SE_Module')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)


class UniqueNames:
    """Gives names that are unique and no longer than names may be: cut, and numbered where they are taken.

    >>> names = UniqueNames()
    >>> names.give("add"), names.give("add"), len(names.give("add" * 100))
    ('add', 'add_2', 100)
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._counts: dict[str, int] = {}

    def give(self, name: str) -> str:
        """The name as it may stand."""
        base = name[:NAME_CHARACTERS]
        unique, count = base, self._counts.get(base, 1)
        while unique in self._taken:
            count += 1
            number = f"_{count}"
            unique = base[: NAME_CHARACTERS - len(number)] + number
        self._counts[base] = count
        self._taken.add(unique)
        return unique
