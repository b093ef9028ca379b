"""The words of a plan, taken apart: what stands between commas, names before an equals sign, what a name means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..language.names import shown
from ..language.problems import Problem

OPENING, CLOSING = "([{", ")]}"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)?")
_TARGET = re.compile(rf"\s*({NAME.pattern})((?:\[-?[0-9]{{1,4}}\])*)\s*")
_INDEX = re.compile(r"-?[0-9]+")


class Piece(NamedTuple):
    """A part of a word, and how many characters stand before it."""

    text: str
    offset: int

    def problem(self, message: str, hint: str | None = None, code: str = "CC103") -> Problem:
        """A problem with the whole piece."""
        return Problem(code, message, hint, self.offset, max(len(self.text), 1))

    def stripped(self) -> Piece:
        """The same without the space around it."""
        return Piece(self.text.strip(), self.offset + len(self.text) - len(self.text.lstrip()))


def split(piece: Piece, separator: str) -> list[Piece]:
    """The parts between separators that stand outside of brackets and quotes, without the space around them.

    >>> [part.text for part in split(Piece("[2,3],[4,5], 'a,b'", 0), ",")]
    ['[2,3]', '[4,5]', "'a,b'"]
    """
    found, start = [], 0
    for at in _outside(piece.text, separator):
        found.append(Piece(piece.text[start:at], piece.offset + start).stripped())
        start = at + 1
    return [*found, Piece(piece.text[start:], piece.offset + start).stripped()]


def _outside(text: str, separator: str) -> Iterator[int]:
    depth, quote = 0, ""
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in OPENING:
            depth += 1
        elif sign in CLOSING:
            depth -= 1
        elif sign == separator and depth == 0:
            yield at


class Target(NamedTuple):
    """What is set: a name, or an element of the list of that name."""

    name: str
    indices: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name + "".join(f"[{index}]" for index in self.indices)


def read_target(piece: Piece) -> Target:
    """What a text sets. Raises a Problem.

    >>> read_target(Piece("depths[2]", 0)), str(read_target(Piece(" width ", 0)))
    (Target(name='depths', indices=(2,)), 'width')
    """
    match = _TARGET.fullmatch(piece.text)
    if match is None:
        raise piece.stripped().problem(
            f"a name is expected, not {shown(piece.text.strip())}", "for example width, depths[2], variant, input[1]"
        )
    return Target(match[1], tuple(map(int, _INDEX.findall(match[2]))))


def assignment(text: str, expected: str, example: str) -> tuple[Piece, Piece]:
    """What stands before and behind the first equals sign. Raises a Problem where one of them is empty."""
    name, equals, value = text.partition("=")
    before, behind = Piece(name, 0).stripped(), Piece(value, len(name) + 1).stripped()
    if not equals or not before.text or not behind.text:
        raise Piece(text, 0).problem(f"expected {expected}, not {shown(text)}", f"for example {example}")
    return before, behind
