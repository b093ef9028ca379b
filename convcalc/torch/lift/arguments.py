"""The arguments of a call under their names, given by position or by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from ..tape import Ref

OTHER_NAMES = {
    "self": "input",
    "tensor": "input",
    "split_size_or_sections": "split_size",
    "split_sizes": "split_size",
    "axis": "dim",
    "keepdims": "keepdim",
    "axis0": "dim0",
    "axis1": "dim1",
    "dims": "repeats",
    "input": "indices",
    "ord": "p",
    "tensors": "operands",
    "inplace": "",
    "memory_format": "",
    "out": "",
}
"""What frameworks call an argument -> its name here; empty for what changes no number."""


class Parameters(NamedTuple):
    """The parameters of a function."""

    names: tuple[str, ...]
    defaults: Mapping[str, Any]
    rest: str | None
    """The last one, where it takes the positional arguments that are left: `view(*shape)`."""


@cache
def parameters(signature: str) -> Parameters:
    """The parameters that a text names.

    >>> parameters("input weight bias=None stride=1").names
    ('input', 'weight', 'bias', 'stride')
    >>> parameters("input *shape").rest
    'shape'
    """
    words = {"None": None, "True": True, "False": False}
    names: list[str] = []
    defaults: dict[str, Any] = {}
    rest = None
    for part in signature.split():
        name, given, value = part.partition("=")
        if name.startswith("*"):
            name = rest = name[1:]
        names.append(name)
        if given:
            defaults[name] = words[value] if value in words else float(value) if "." in value else int(value)
    return Parameters(tuple(names), defaults, rest)


def listed(value: object) -> bool:
    """Whether an argument is a list; a tensor is none."""
    return isinstance(value, tuple) and not isinstance(value, Ref)


class WrongCall(ValueError):
    """A call whose arguments its function does not take."""


def bound(signature: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments under their names; raises `WrongCall` where one is unknown, missing or given twice.

    >>> bound("input weight bias=None stride=1", ("x", "w"), {"stride": 2})
    {'bias': None, 'stride': 2, 'input': 'x', 'weight': 'w'}
    >>> bound("input *dims", ("x", 0, 2, 1), {})["dims"], bound("input *dims", ("x", (0, 2, 1)), {})["dims"]
    ((0, 2, 1), (0, 2, 1))
    """
    known = parameters(signature)
    found = dict(known.defaults)
    positional, given = known.names, args
    if known.rest is not None:
        count = len(known.names) - 1
        positional, given, left = known.names[:-1], args[:count], args[count:]
        found[known.rest] = ()
        if left:
            found[known.rest] = left[0] if len(left) == 1 and listed(left[0]) else left
    if len(given) > len(positional):
        raise WrongCall(f"it is called with {len(given)} arguments, and {len(positional)} are known")
    found.update(zip(positional, given, strict=False))
    for name, value in kwargs.items():
        own = name if name in known.names else OTHER_NAMES.get(name, name)
        if own:
            found[own] = value
    missing = [name for name in known.names if name not in found]
    if missing:
        raise WrongCall(f"it is called without {missing[0]}")
    return found
