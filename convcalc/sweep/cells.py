"""What is kept of a value: a whole number as it is, a fraction as a decimal, a word, a shape as tables print it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from ..analysis.quantity import Value, number
from ..language.values import Value as ParamValue
from ..naming import free_name

Cell = int | float | str | None
"""None: there is nothing of it."""

_SIZES = re.compile(r"\d{1,19}(?:×\d{1,19})+", re.ASCII)


def cell(value: Value) -> Cell:
    """A figure as it is kept: whole numbers stay exact, whatever their size.

    >>> from convcalc.analysis.quantity import per_axis, shaped
    >>> cell(2**70), cell(Fraction(7, 2)), cell(shaped((64, 7, 7))), cell(per_axis((3, 5))), cell(None)
    (1180591620717411303424, 3.5, '7×7×64', '3×5', None)
    """
    if value is None or isinstance(value, str):
        return value
    known = number(value)
    if known is not None:
        return _numeric(known)
    assert not isinstance(value, (int, Fraction))
    return value.written()


def setting(value: ParamValue) -> int | float | str:
    """What an axis or a derived value is, as it is kept.

    >>> setting((3, (True, "same"))), setting(Fraction(1, 4)), setting(False), setting(64)
    ('[3, [true, same]]', 0.25, 'false', 64)
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(str(setting(each)) for each in value) + "]"
    return value if isinstance(value, str) else _numeric(value)


def _numeric(value: int | Fraction) -> int | float:
    if isinstance(value, int):
        return int(value)
    return value.numerator if value.denominator == 1 else float(value)


def magnitude(kept: Cell) -> int | float | None:
    """The number by which cells are put in order: of sizes the largest; None for words and nothing.

    >>> magnitude("3×5"), magnitude(12), magnitude("conv2d")
    (5, 12, None)
    """
    if isinstance(kept, str):
        return max(sizes(kept), default=None)
    return kept


def sizes(kept: str) -> tuple[int, ...]:
    """The sizes that a cell is written of; none where it is a word.

    >>> sizes("7×7×64"), sizes("same")
    ((7, 7, 64), ())
    """
    return tuple(int(size) for size in kept.split("×")) if _SIZES.fullmatch(kept) else ()


def distinct(names: Iterable[str]) -> list[str]:
    """Names of which each is another one: what is there already has a number behind it.

    >>> distinct(["depth", "macs", "depth"])
    ['depth', 'macs', 'depth_2']
    """
    found: list[str] = []
    for name in names:
        found.append(free_name(name, found.__contains__))
    return found
