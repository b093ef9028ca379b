"""Names: what items, branches, blocks, inputs, variants and parameters may be called."""

from __future__ import annotations

import re
from collections.abc import Container
from keyword import iskeyword

from .problems import Problem

_COMPONENT = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
NAME = re.compile(_COMPONENT)
REFERENCE = re.compile(rf"(?:{_COMPONENT}|\*)(?:\.(?:{_COMPONENT}|\*))*")
PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_NAME = 100
RESERVED = frozenset({"in", "input", "index", "total"})
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
    if len(text) > MAX_NAME:
        raise Problem("CC105", f"the {what} {shown(text)} is longer than {MAX_NAME} characters")
    if NAME.fullmatch(text) is None:
        raise Problem(
            "CC105",
            f"{shown(text)} is no {what}",
            "names are letters, digits, '_' and '-', and start with none of '-'; dots make paths",
        )
    if text.isdigit():
        raise Problem("CC105", f"the {what} {shown(text)} is all digits", "numbers name repetitions; add a letter")
    if text in RESERVED:
        raise Problem("CC105", f"{shown(text)} is reserved and no {what}", f"reserved: {', '.join(sorted(RESERVED))}")


def check_parameter(text: str, functions: frozenset[str]) -> None:
    """Raise a Problem (CC105) unless the text may name a parameter."""
    if PARAMETER.fullmatch(text) is None or len(text) > MAX_NAME:
        raise Problem("CC105", f"{shown(text)} is no parameter's name", "use letters, digits and _")
    if iskeyword(text) or text.lower() in _BOOLEANS:
        raise Problem("CC105", f"{shown(text)} is a keyword and cannot name a parameter")
    if text in functions:
        raise Problem("CC105", f"{shown(text)} is a function and cannot name a parameter")
    if text in MEANINGS:
        raise Problem("CC105", f"{shown(text)} has a meaning of its own and cannot name a parameter")


def parse_reference(text: str) -> tuple[str, ...]:
    """The components of a path after `from`: names, numbers, `*`. Raises a Problem (CC105).

    >>> parse_reference("stack.*.skip")
    ('stack', '*', 'skip')
    """
    if len(text) > 10 * MAX_NAME or REFERENCE.fullmatch(text) is None:
        raise Problem("CC105", f"{shown(text)} is no name of an item", "write a name, or a path such as stack.3.skip")
    return tuple(text.split("."))
