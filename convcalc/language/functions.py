"""The functions of expressions. What is not exact has twelve decimals, the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache

from ..limits import LIST_VALUES
from .problems import Problem
from .values import Number, Value, integer, listing, number, say, whole_power


def make_divisible(value: Value, divisor: Value = 8) -> int:
    """The multiple of `divisor` nearest to the value, at least one, never below 90 % of the value.

    Source: MobileNet, tensorflow/models slim/nets/mobilenet/mobilenet.py (`_make_divisible`).

    >>> make_divisible(Fraction("24.5"), 8), make_divisible(11, 8)
    (24, 16)
    """
    exact, step = Fraction(number(value, "make_divisible")), integer(divisor, "make_divisible")
    if step < 1:
        raise Problem("CC108", f"make_divisible takes a divisor of at least 1, not {step}")
    rounded = max(step, int(exact + Fraction(step, 2)) // step * step)
    return rounded + step if rounded < Fraction(9, 10) * exact else rounded


def _extreme(name: str, pick: Callable[[list[Number]], Number]) -> Callable[..., Value]:
    def run(*arguments: Value) -> Value:
        first = arguments[0]
        items = first if len(arguments) == 1 and isinstance(first, tuple) else arguments
        if not items:
            raise Problem("CC108", f"{name} of an empty list")
        return pick([number(item, name) for item in items])

    return run


def _sum(value: Value) -> Value:
    total: Number = 0
    for item in listing(value, "sum"):
        total += number(item, "sum")
    return total


FUNCTIONS: dict[str, tuple[int, int, Callable[..., Value]]] = {
    "min": (1, 50, _extreme("min", min)),
    "max": (1, 50, _extreme("max", max)),
    "abs": (1, 1, lambda x: abs(number(x, "abs"))),
    "ceil": (1, 1, lambda x: math.ceil(number(x, "ceil"))),
    "floor": (1, 1, lambda x: math.floor(number(x, "floor"))),
    "round": (1, 1, lambda x: round(number(x, "round"))),
    "make_divisible": (1, 2, make_divisible),
    "len": (1, 1, lambda x: len(listing(x, "len"))),
    "sum": (1, 1, _sum),
}
"""Name -> fewest arguments, most arguments, function. No parameter and no word is called so."""


def _range(*ends: Value) -> Value:
    """0, 1, … below the end, or from a start."""
    start, stop = (0, *ends) if len(ends) == 1 else ends
    first, last = integer(start, "range"), integer(stop, "range")
    if last - first > LIST_VALUES:
        raise Problem("CC108", f"a range of more than {LIST_VALUES:,} numbers")
    return tuple(range(first, last))


def _occurrences(value: Value, where: str) -> dict[tuple[bool, Value], int]:
    """How often each value of a list occurs, in the order in which they first do; a truth value equals no number."""
    found: dict[tuple[bool, Value], int] = {}
    for item in listing(value, where):
        key = isinstance(item, bool), item
        found[key] = found.get(key, 0) + 1
    return found


_REAL = Context(prec=50)
"""Its logarithms and exponentials are correctly rounded, so that they are the same on every machine."""
DECIMALS = 12
"""Of what is not exact."""


def _decimal(value: Number) -> Decimal:
    return _REAL.divide(Decimal(value.numerator), Decimal(value.denominator))


def _rounded(value: Decimal) -> Number:
    """A number of so many decimals."""
    exact = Fraction(round(Fraction(value) * 10**DECIMALS), 10**DECIMALS)
    return exact.numerator if exact.denominator == 1 else exact


def _positive(value: Value, where: str) -> Number:
    found = number(value, where)
    if found <= 0:
        raise Problem("CC108", f"{where} takes numbers above 0, not {say(found)}")
    return found


def power(base: Value, exponent: Value) -> Value:
    """A power; with an exponent that is no whole number, to 12 decimals.

    >>> power(2, 3), power(4, Fraction(1, 2)), power(Fraction("1.2"), Fraction(1, 2))
    (8, 2, Fraction(109544511501, 100000000000))
    """
    over = number(exponent, "power")
    if isinstance(over, int):
        return whole_power(number(base, "power"), over)
    logarithm = _REAL.multiply(_decimal(over), _REAL.ln(_decimal(_positive(base, "power"))))
    if abs(logarithm) > LARGEST_LOGARITHM:
        raise Problem("CC212", f"{say(base)} to the power of {say(over)} is above 2^63 - 1, or below its inverse")
    return _rounded(_REAL.exp(logarithm))


LARGEST_LOGARITHM = 44
"""ln(2^63) is 43.67."""


def _bases(value: Value, base: Value) -> tuple[Number, Number]:
    """The number and the base of a logarithm."""
    under = _positive(base, "log")
    if under == 1:
        raise Problem("CC108", "log has no base 1")
    return _positive(value, "log"), under


def log(value: Value, base: Value) -> Value:
    """A logarithm, to 12 decimals.

    >>> log(8, 2), log(10, 4)
    (3, Fraction(415241011861, 250000000000))
    """
    found, under = _bases(value, base)
    return _rounded(_REAL.divide(_REAL.ln(_decimal(found)), _REAL.ln(_decimal(under))))


LOGARITHM_BITS = 2**14
"""Of the numbers that decide how a logarithm is rounded."""


@lru_cache(maxsize=2**14)
def _powers(over: int, under: int, halves: int) -> tuple[int, int]:
    """(over / under)^halves as a fraction. Raises a Problem (CC108) where it is too large."""
    if abs(halves) * max(over.bit_length(), under.bit_length()) > LOGARITHM_BITS:
        raise Problem("CC108", f"a logarithm to the base {say(Fraction(over, under))} is too large to be rounded")
    return (over**halves, under**halves) if halves >= 0 else (under**-halves, over**-halves)


def _compared(value: Number, base: Number, halves: int) -> int:
    """-1, 0 or 1: how value^2 compares with base^halves, in integers."""
    over, under = value.as_integer_ratio()
    power, divisor = _powers(*base.as_integer_ratio(), halves)
    left, right = over * over * divisor, under * under * power
    return (left > right) - (left < right)


@lru_cache(maxsize=2**10)
def _logarithm(over: int, under: int) -> float:
    """A natural logarithm, nearly."""
    ratio = over / under
    return math.log1p((over - under) / under) if 0.5 < ratio < 2 else math.log(ratio)


def _guess(value: Number, base: Number) -> float:
    """The logarithm to a base, nearly: far less than 1 from it."""
    return _logarithm(*value.as_integer_ratio()) / _logarithm(*base.as_integer_ratio())


def _floor_log(value: Number, base: Number) -> int:
    """The largest whole number that is not above the logarithm; for bases above 1."""
    found = math.floor(_guess(value, base)) + 1
    while _compared(value, base, 2 * found) < 0:
        found -= 1
    return found


def _nearest_log(value: Number, base: Number) -> int:
    """The nearest whole number, of two that are equally near the even one; for bases above 1."""
    floor = _floor_log(value, base)
    beyond_half = _compared(value, base, 2 * floor + 1)
    return floor + (beyond_half > 0 or (beyond_half == 0 and floor % 2 == 1))


def _ceil_log(value: Number, base: Number) -> int:
    return -_floor_log(1 / Fraction(value), base)


def _rounded_log(rule: Callable[[Number, Number], int], below: Callable[[Number, Number], int]) -> Callable[..., int]:
    """A rounded logarithm; `below` is what its negative follows, for bases below 1."""

    def run(value: Value, base: Value) -> int:
        found, under = _bases(value, base)
        return rule(found, under) if under > 1 else -below(found, 1 / Fraction(under))

    return run


LOGARITHMS: dict[str, Callable[..., int]] = {
    "round": _rounded_log(_nearest_log, _nearest_log),
    "floor": _rounded_log(_floor_log, _ceil_log),
    "ceil": _rounded_log(_ceil_log, _floor_log),
}
"""Function -> what it makes of a logarithm, decided in integers: log_b x < k / 2 where x^2 < b^k, for b above 1."""

CALLED: dict[str, tuple[int, int, Callable[..., Value]]] = {
    **FUNCTIONS,
    "range": (1, 2, _range),
    "distinct": (1, 1, lambda x: tuple(item for _, item in _occurrences(x, "distinct"))),
    "counts": (1, 1, lambda x: tuple(_occurrences(x, "counts").values())),
    "log": (2, 2, log),
    "power": (2, 2, power),
}
"""The same of all that can be called: these others are functions only where they are."""
WALKING = frozenset({"min", "max", "sum", "distinct", "counts"})
"""Functions that go through a list, where they have one argument."""
