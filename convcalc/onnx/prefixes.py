"""Groups that names without slashes and dots tell: `res2_0_branch2a` stands in part 0 of `res2`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from .scopes import Module, Scope

NUMBERED = re.compile(r".*\d[a-z]?", re.DOTALL)
"""What ends the name of a part of which there are several."""
DIGITS = re.compile(r"\d+[a-z]?")
MOST = 16
"""Words of a name that are looked at."""

Words = tuple[str, ...]


def divided(scopes: Sequence[Scope | None]) -> list[Scope | None]:
    """The scopes in which the outermost module's name is divided where its numbered beginnings are parts.

    A part has several layers that stand together, and there are others of its kind. Calls of modules stay as they are.
    """
    names = [scope.modules[0].mark for scope in scopes if scope is not None and scope.modules and not scope.called]
    parts = _parts(list(dict.fromkeys(names)))
    return [
        scope
        if scope is None or scope.called or not scope.modules
        else scope._replace(modules=(*_modules(scope.modules[0].mark, parts), *scope.modules[1:]))
        for scope in scopes
    ]


def _parts(names: Sequence[str]) -> set[Words]:
    """The beginnings of names that are parts."""
    members: Counter[Words] = Counter()
    runs: Counter[Words] = Counter()
    before: set[Words] = set()
    for name in names:
        own = set(_beginnings(name))
        members.update(own)
        runs.update(own - before)
        before = own
    found = {part for part, count in members.items() if count > 1 and runs[part] == 1}
    kinds = Counter(map(_kind, found))
    return {part for part in found if kinds[_kind(part)] > 1}


def _beginnings(name: str) -> list[Words]:
    words = tuple(name.split("_", MOST))
    return [words[:count] for count in range(1, len(words)) if NUMBERED.fullmatch(words[count - 1])]


def _kind(part: Words) -> Words:
    """A part without its numbers."""
    return tuple([DIGITS.sub("", word) for word in part])


def _modules(name: str, parts: set[Words]) -> list[Module]:
    """The parts that a name begins with, and what is left of it."""
    found: list[Module] = []
    start = 0
    words = tuple(name.split("_", MOST))
    for stop in range(1, len(words) + 1):
        if stop == len(words) or words[:stop] in parts:
            own = "_".join(words[start:stop])
            found.append(Module((own,), "", own))
            start = stop
    return found
