"""The smallest case that still fails in the same way, by delta debugging.

Source: Zeller & Hildebrandt 2002, Simplifying and isolating failure-inducing input, 10.1109/32.988498.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from .case import Case

SECONDS = 20.0
"""For one case."""
T = TypeVar("T")
Fails = Callable[[Case], bool]
_WORDS = re.compile(rb"\w+|\s+|[^\w\s]", re.DOTALL)


class _TimeIsOver(Exception):
    """Nothing more is tried; what was found by then stays."""


def shrink(case: Case, fails: Fails, seconds: float = SECONDS) -> Case:
    """A smaller case of which `fails` is true, found within about this time; the case itself where none is."""
    until = time.monotonic() + seconds

    def holds(candidate: Case) -> bool:
        if time.monotonic() > until:
            raise _TimeIsOver
        return fails(candidate)

    before = None
    try:
        while case.size != before:
            before = case.size
            case = _with_fewer_arguments(case, holds)
            for name in sorted(case.files):
                case = _with_less_of_a_file(case, name, holds)
            case = _with_less_data(case, holds)
            if case.ci and holds(replace(case, ci=False)):
                case = replace(case, ci=False)
    except _TimeIsOver:
        pass
    return case


def _with_fewer_arguments(case: Case, holds: Fails) -> Case:
    kept = fewest(case.arguments, lambda found: holds(replace(case, arguments=tuple(found))))
    return replace(case, arguments=tuple(kept))


def _with_less_of_a_file(case: Case, name: str, holds: Fails) -> Case:
    without = replace(case, files={other: content for other, content in case.files.items() if other != name})
    if name != case.spec and holds(without):
        return without

    def having(content: bytes) -> Case:
        return replace(case, files={**case.files, name: content})

    return having(shortest(case.files[name], lambda content: holds(having(content))))


def _with_less_data(case: Case, holds: Fails) -> Case:
    return replace(case, data=shortest(case.data, lambda data: holds(replace(case, data=data))))


def shortest(content: bytes, holds: Callable[[bytes], bool]) -> bytes:
    """The bytes without the lines, words and signs, and single bytes that are not needed.

    >>> shortest(b"a: 1\\nb: [2, 3]\\n", lambda data: b"b" in data and b"3" in data)
    b'b3'
    """
    for pieces in (_lines, _WORDS.findall, _single):
        parts: list[bytes] = pieces(content)
        content = b"".join(fewest(parts, lambda found: holds(b"".join(found))))
    return content


def _lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def _single(content: bytes) -> list[bytes]:
    return [content[at : at + 1] for at in range(len(content))]


def fewest(parts: Sequence[T], holds: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """The parts without runs of them that are not needed: halves, quarters, … single ones.

    >>> fewest([1, 2, 3, 4, 5, 6, 7], lambda found: 3 in found and 6 in found)
    [3, 6]
    """
    run = max(1, len(parts) // 2)
    try:
        while parts:
            at = 0
            while at < len(parts):
                rest = [*parts[:at], *parts[at + run :]]
                if holds(rest):
                    parts = rest
                else:
                    at += run
            if run == 1:
                break
            run //= 2
    except _TimeIsOver:
        pass
    return parts
