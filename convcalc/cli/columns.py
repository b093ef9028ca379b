"""The columns and rows of `convcalc table`: which are shown, in which order, and which one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..findings import UsageError
from ..hints import suggest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from ..analysis.quantity.registry import Quantity, Value
    from ..analysis.report import Report, Subject

DEFAULT = ("name", "kind", "output", "params", "macs")
WIDE = ("name", "kind", "patch", "output", "receptive_field", "params", "macs", "flops", "activation")
WIDE_FROM = 140
"""Columns of a terminal from which the wide default is shown."""


def chosen(columns: str | None, width: int | None = None) -> list[Quantity]:
    """The quantities of `--columns`, or what fits the terminal. Raises UsageError for an unknown one."""
    if columns is None:
        names: Sequence[str] = WIDE if width is not None and width >= WIDE_FROM else DEFAULT
    else:
        names = columns.split(",")
    return [column(name.strip()) for name in names]


def column(name: str) -> Quantity:
    """The quantity of a name. Raises UsageError for an unknown one."""
    from ..analysis.quantity.registry import ALIASES, QUANTITIES, quantity

    known = quantity(name)
    if known is None:
        hint = suggest(name, [*QUANTITIES, *ALIASES], "")
        raise UsageError(f"there is no column '{name}'", f"{hint} --columns help lists them all".strip())
    return known


def arranged(report: Report, subjects: list[Subject], sort: str | None, top: int | None) -> list[Subject]:
    """The subjects sorted by a column (numbers from the largest, words from a), cut to the first `top`."""
    if sort is not None:
        by = column(sort)
        keyed = [(_key(by.get(report, subject)), subject) for subject in subjects]
        words = any(isinstance(key, str) for key, _ in keyed)
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=not words)  # type: ignore[arg-type, return-value]
        subjects = [subject for _, subject in known] + [subject for key, subject in keyed if key is None]
    return subjects if top is None else subjects[:top]


def _key(value: Value) -> object:
    """What a value is sorted by: its number, word, or the elements of its shape; None for what has none."""
    from math import prod

    from ..analysis.quantity.registry import Shaped

    if not isinstance(value, Shaped):
        return value
    if not isinstance(value.raw, tuple):
        return value.raw
    sizes = [size for size in value.raw if isinstance(size, int)]
    return prod(sizes) if sizes and len(sizes) == len(value.raw) else None


def lengths(report: Report, subjects: Sequence[Subject], name: str) -> tuple[Quantity, list[int | Fraction | None]]:
    """A quantity and its numbers, as lengths of bars. Raises UsageError for a column without numbers."""
    from fractions import Fraction

    drawn = column(name)
    keys = [_key(drawn.get(report, subject)) for subject in subjects]
    numbers = [key if isinstance(key, (int, Fraction)) else None for key in keys]
    if subjects and all(number is None for number in numbers):
        raise UsageError(f"--plot draws numbers, and '{name}' has none here", "for example --plot macs")
    return drawn, numbers
