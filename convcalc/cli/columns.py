"""The columns and rows of `convcalc table`: which are shown, in which order, and which one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..findings import UsageError
from ..hints import suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..analysis.figures import Figures, Subject
    from ..analysis.quantity import Quantity, Value
    from ..render.grid import Line

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
    from ..analysis.quantities import QUANTITY_NAMES, quantity

    known = quantity(name)
    if known is None:
        hint = suggest(name, QUANTITY_NAMES, "")
        raise UsageError(f"there is no column '{name}'", f"{hint} --columns help lists them all".strip())
    return known if name == known.name else known._replace(asked=name)


def refuse_without_device(quantities: Iterable[Quantity]) -> None:
    """Raise UsageError where a quantity has no value without `--device`."""
    for quantity in quantities:
        if quantity.needs == "--device":
            raise UsageError(f"the column {quantity.heading} needs --device", "for example --device v100")


def help_lines() -> list[Line]:
    """Every column with its unit and meaning."""
    from ..analysis.quantities import QUANTITIES
    from ..render.grid import Column, Grid, layout
    from ..render.terminal import line_width

    rows = [[q.name, q.unit, q.described] for q in QUANTITIES.values()]
    return list(layout(Grid([Column("column"), Column("unit"), Column("meaning")], rows), line_width()))


def arranged(report: Figures, subjects: list[Subject], sort: str | None, top: int | None) -> list[Subject]:
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

    from ..analysis.quantity import Shaped, number

    if not isinstance(value, Shaped):
        return value
    if not isinstance(value.raw, tuple):
        return number(value)
    sizes = [size for size in value.raw if isinstance(size, int)]
    return prod(sizes) if sizes and len(sizes) == len(value.raw) else None


def plot_lines(report: Figures, subjects: Sequence[Subject], name: str, width: int | None) -> list[Line]:
    """One column as bars. Raises UsageError for a column without numbers."""
    from fractions import Fraction

    from ..render.plot import bars
    from ..render.table import value_text

    drawn = column(name)
    values = [drawn.get(report, subject) for subject in subjects]
    numbers = [key if isinstance(key := _key(value), (int, Fraction)) else None for value in values]
    if subjects and all(number is None for number in numbers):
        raise UsageError(f"--plot draws numbers, and '{name}' has none here", "for example --plot macs")
    texts = [value_text(value, unit=drawn.unit) for value in values]
    unit = f" ({drawn.unit})" if drawn.unit else ""
    heading = f"{drawn.heading}{unit}: {drawn.meaning}"
    return [[(heading, "bold")], *bars([subject.name for subject in subjects], numbers, texts, width)]
