"""Names: what items, branches, blocks, inputs, variants and parameters are called, and what `from` finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from keyword import iskeyword
from typing import TypeAlias

from ..hints import suggest
from ..limits import NAME_CHARACTERS
from ..marked import Marked
from ..naming import COMPONENT, NAME, NUMBER, RESERVED
from .problems import Problem

_STEP = rf"(?:{COMPONENT}\*?|\*)"
REFERENCE = re.compile(rf"{_STEP}(?:\.{_STEP})*")
PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MEANINGS = ("in_channels", "index")
"""Names that mean something in every expression."""
GROUP = "layers"

_BOOLEANS = frozenset({"yes", "no", "on", "off", "true", "false", "null"})


def shown(text: str) -> str:
    """A text in quotes with its control characters escaped and its length bounded.

    >>> shown("a\\x1b[31m")
    "'a\\\\x1b[31m'"
    """
    return repr(text if len(text) <= 60 else text[:57] + "...")


def without_space(key: str, known: Container[str]) -> str | None:
    """The hint for a key that YAML read with its value, since no space follows the colon; None for another key.

    >>> without_space("out:8", ["out"])
    'put a space after the colon: out: 8'
    """
    name, colon, value = key.partition(":")
    if not colon or name not in known:
        return None
    return f"put a space after the colon: {name}: {shown(value)[1:-1] or '...'}"


def check_name(text: str, what: str = "name") -> None:
    """Raise a Problem (CC105) unless the text may name an item, a branch, a block, an input or a variant."""
    if len(text) > NAME_CHARACTERS:
        raise Problem("CC105", f"the {what} {shown(text)} is longer than {NAME_CHARACTERS} characters")
    if NAME.fullmatch(text) is None:
        raise Problem(
            "CC105",
            f"{shown(text)} is no {what}",
            "names are letters, digits, '_' and '-', and start with none of '-'; dots make paths",
        )
    if text.isdigit():
        raise Problem("CC105", f"the {what} {shown(text)} is all digits", "numbers name items alone; add a letter")
    if text in RESERVED:
        raise Problem("CC105", f"{shown(text)} is reserved and no {what}", f"reserved: {', '.join(sorted(RESERVED))}")


def check_item_name(text: str) -> None:
    """Raise a Problem (CC105) unless the text may name an item: a name, or a number from which the items count on."""
    if NUMBER.fullmatch(text) is None:
        check_name(text)


def check_parameter(text: str, functions: frozenset[str]) -> None:
    """Raise a Problem (CC105) unless the text may name a parameter."""
    if PARAMETER.fullmatch(text) is None or len(text) > NAME_CHARACTERS:
        raise Problem("CC105", f"{shown(text)} is no parameter's name", "use letters, digits and _")
    if iskeyword(text) or text.lower() in _BOOLEANS:
        raise Problem("CC105", f"{shown(text)} is a keyword and cannot name a parameter")
    if text in functions:
        raise Problem("CC105", f"{shown(text)} is a function and cannot name a parameter")
    if text in MEANINGS:
        raise Problem("CC105", f"{shown(text)} has a meaning of its own and cannot name a parameter")


def parse_reference(text: str) -> tuple[str, ...]:
    """The components of a path after `from`: names, numbers, `*`, `stem*`. Raises a Problem (CC105).

    >>> parse_reference("stack.*.skip")
    ('stack', '*', 'skip')
    """
    if len(text) > 10 * NAME_CHARACTERS or REFERENCE.fullmatch(text) is None:
        raise Problem("CC105", f"{shown(text)} is no name of an item", "write a name, or a path such as stack.3.skip")
    return tuple(text.split("."))


FAILED = -1
"""Stands for a node whose error has been reported; what depends on it is skipped in silence."""

Nodes: TypeAlias = tuple[int, ...]
"""The nodes that an item puts out: one, or the parts of a split."""

FAILURE: Nodes = (FAILED,)


class Absent(Problem):
    """A reference to what other parameters would give: a repetition, a part of a split, an input of the block."""


class PassedOver(Absent):
    """A reference to an item whose `when` is false or whose `repeat` is 0."""


class Unknown(Problem):
    """A reference to a name that nothing above has."""


class Place:
    """The names under one path: the network, a block, a branch, a group or a repetition."""

    __slots__ = ("counts", "group", "inputs", "names", "number", "outer", "path", "prefix", "value")

    def __init__(self, path: str, outer: Place | None, inputs: Nodes | None = None, group: int = -1) -> None:
        self.path = path
        self.prefix = path + "." if path else ""
        """The path with a dot at its end; empty at the top."""
        self.outer = outer
        """Where a name is looked for next; never the caller of a block, and nowhere once the place is complete."""
        self.inputs = inputs
        """What `in` means; None outside of blocks."""
        self.names: dict[str, int | Place | None] = {}
        """Name -> node, place, or None for an item that was passed over."""
        self.counts: dict[str, int] | None = None
        """Kind -> how many unnamed items of it there are; None for none."""
        self.number: int | None = None
        """What the last numbered item is called; None where unnamed items are called by their kinds."""
        self.group = group
        """The number of the group that it is."""
        self.value: Nodes | None = None
        """What it puts out, once it is complete."""

    def automatic(self, kind: str) -> str:
        """The next free name for an unnamed item: kind, kind_2, ..., or the next number below one."""
        if self.number is not None:
            self.number += 1
            while self.names.get(str(self.number)) is not None:
                self.number += 1
            return str(self.number)
        if self.counts is None:
            self.counts = {}
        count = self.counts.get(kind, 0) + 1
        name = kind if count == 1 else f"{kind}_{count}"
        while self.names.get(name) is not None:
            count += 1
            name = f"{kind}_{count}"
        self.counts[kind] = count
        return name

    def complete(self, value: Nodes) -> None:
        """Nothing more is named in it: what only naming needs is dropped."""
        self.value = value
        self.outer = self.counts = None
        self.prefix = ""

    def visible(self) -> Iterator[str]:
        """The names that a reference may start with, nearest first."""
        place: Place | None = self
        while place is not None:
            yield from (name for name, entry in place.names.items() if entry is not None and not name.isdigit())
            place = place.outer


def resolve(path: tuple[str, ...], place: Place, count: Callable[[int], None] | None = None) -> Nodes:
    """The nodes that a path means where it stands. Raises a Problem (CC106).

    `count` is told how many names a `*` is about to look at.
    """
    if path[0] == "in":
        return _block_input(path, place)
    return _values(entries(path, place, count), path)


def entries(path: tuple[str, ...], place: Place, count: Callable[[int], None] | None = None) -> list[int | Place]:
    """What stands at a path, which begins with a name: nodes and places, `FAILED` for what has failed."""
    at: Place | None = place
    while at is not None and path[0] != "*" and not _has(at, path[0], count):
        at = at.outer
    if at is None or path[0] == "*":
        hint = "a path starts with a name" if path[0] == "*" else suggest(path[0], place.visible())
        kind = Absent if path[0].isdigit() else Unknown
        raise kind("CC106", f"nothing above is called {shown(path[0])}", hint)
    found: list[int | Place] = []
    pending: list[tuple[Place, int]] = [(at, 0)]
    while pending:
        holder, depth = pending.pop()
        if path[depth].endswith("*") and count is not None:
            count(len(holder.names))
        for name in _matching(path, depth, holder):
            entry = holder.names.get(name)
            if entry is None:
                if _collects(path[: depth + 1]):
                    continue
                raise _missing(path, depth, holder)
            if entry == FAILED or depth == len(path) - 1:
                found.append(entry)
            elif isinstance(entry, Place):
                if entry.value == (FAILED,):
                    found.append(FAILED)
                else:
                    pending.append((entry, depth + 1))
            elif not _collects(path[: depth + 1]):
                layer, inner = ".".join(path[: depth + 1]), shown(path[depth + 1])
                raise Problem("CC106", f"{layer} is a layer and holds no {inner}")
    if not found:
        raise Absent("CC106", f"nothing above matches {shown('.'.join(path))}")
    return found


def _has(place: Place, component: str, count: Callable[[int], None] | None) -> bool:
    """Whether a place has a name that a component means."""
    if not component.endswith("*"):
        return component in place.names
    if count is not None:
        count(len(place.names))
    return any(name.startswith(component[:-1]) for name in place.names)


def _collects(path: tuple[str, ...]) -> bool:
    """Whether a path, or the beginning of one, may mean several items."""
    return any(component.endswith("*") for component in path)


def _matching(path: tuple[str, ...], depth: int, holder: Place) -> list[str]:
    if not path[depth].endswith("*"):
        return [path[depth]]
    found = [name for name in holder.names if name.startswith(path[depth][:-1])]
    return found if depth == len(path) - 1 else found[::-1]


def _values(found: list[int | Place], path: tuple[str, ...]) -> Nodes:
    value: list[int] = []
    for entry in found:
        if isinstance(entry, int):
            value.append(entry)
        elif entry.value is None:
            raise Problem("CC106", f"{shown('.'.join(path))} is not complete here", "it contains this item")
        else:
            value += entry.value
    return tuple(value)


def _missing(path: tuple[str, ...], depth: int, holder: Place) -> Problem:
    text = ".".join(path[: depth + 1])
    if path[depth] in holder.names:
        return PassedOver("CC106", f"{shown(text)} is passed over: its 'when' is false or its 'repeat' is 0")
    where = f"{'.'.join(path[:depth])} holds no {shown(path[depth])}"
    kind = Absent if path[depth].isdigit() else Problem
    return kind("CC106", where, suggest(path[depth], [name for name, entry in holder.names.items() if entry]))


def _block_input(path: tuple[str, ...], place: Place) -> Nodes:
    at: Place | None = place
    while at is not None and at.inputs is None:
        at = at.outer
    if at is None or at.inputs is None:
        raise Problem("CC106", "'in' is the input of a block; there is none here", "the network's input is 'input'")
    if len(path) == 1:
        return at.inputs
    if len(path) > 2 or not path[1].isdigit():
        raise Problem("CC106", f"{shown('.'.join(path))} is no input of the block", "in, in.0, in.1")
    number = int(path[1]) if len(path[1]) < 10 else 10**9
    if number >= len(at.inputs):
        if at.inputs == (FAILED,):
            return at.inputs
        count = len(at.inputs)
        raise Absent("CC106", f"the block has {count} input{'s' * (count != 1)} here, no in.{path[1]}", "from: [a, b]")
    return (at.inputs[number],)


def note(place: Marked | None, called_at: Marked | None, block: str) -> str:
    """How a finding inside a block mentions where the block is called."""
    if called_at is None or place is None or called_at.line == place.line:
        return ""
    return f" (in {block}, called on line {called_at.line})"
