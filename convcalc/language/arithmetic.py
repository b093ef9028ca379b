"""The arithmetic of expressions: exact, typed and bounded."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from ..geometry import LIMIT
from .problems import Problem

Value: TypeAlias = "int | Fraction | str | tuple[Value, ...]"
"""bool is an int here, as in Python; words are str; lists are tuples."""
Number = int | Fraction

MAX_FRACTION_BITS = 128


def say(value: Value | None) -> str:
    """A value as a message shows it; an empty one, which may stand in a list, is `nothing`.

    >>> say(Fraction(75, 2)), say(True), say((1, Fraction(1, 3)))
    ('37.5', 'true', '[1, 1/3]')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        decimal = str(float(value))
        return decimal if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"
    if isinstance(value, tuple):
        return "[" + ", ".join(say(item) for item in value[:10]) + (", ...]" if len(value) > 10 else "]")
    if isinstance(value, str):
        return f"the word '{value}'"
    return str(value) if value.bit_length() <= 128 else f"a number of {value.bit_length()} bits"


def checked(value: Value) -> Value:
    """The value, a whole fraction as an integer. Raises a Problem (CC108) beyond 2^63 - 1."""
    if type(value) is Fraction:
        if value.denominator == 1:
            value = value.numerator
        else:
            if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_FRACTION_BITS:
                raise Problem("CC108", f"a fraction of more than {MAX_FRACTION_BITS} bits")
            return value
    if isinstance(value, int) and not -LIMIT <= value <= LIMIT:
        raise Problem("CC212", f"{say(value)} is above 2^63 - 1")
    return value


def number(value: Value, where: str) -> Number:
    """The value as a number; truth values and words are none."""
    if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
        hint = "words are compared with == and !=" if isinstance(value, str) else None
        raise Problem("CC108", f"{where} takes numbers, not {say(value)}", hint)
    return value


def truth(value: Value, where: str) -> bool:
    """The value as a truth value; numbers are none."""
    if not isinstance(value, bool):
        raise Problem("CC108", f"{where} takes true or false, not {say(value)}", "compare: x != 0")
    return value


def _integer(value: Value, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Problem("CC108", f"{where} takes integers, not {say(value)}")
    return value


def negative(value: Value) -> Value:
    """−x."""
    return -number(value, "-")


def equal(left: Value, right: Value) -> bool:
    """Whether two values are the same; a truth value equals no number."""
    return isinstance(left, bool) is isinstance(right, bool) and left == right


def member(value: Value, container: Value) -> bool:
    """Whether a value is in a list."""
    if not isinstance(container, tuple):
        raise Problem("CC108", f"'in' takes a list, not {say(container)}")
    return any(equal(value, item) for item in container)


def item_of(value: Value, index: Value) -> Value:
    """list[index]; negative indices count from the end."""
    if not isinstance(value, tuple):
        raise Problem("CC108", f"only lists have elements, not {say(value)}")
    position = _integer(index, "an index")
    if not -len(value) <= position < len(value):
        raise Problem("CC108", f"a list of {len(value)} has no element {position}")
    return value[position]


def _divisor(value: Number, what: str) -> Number:
    if value == 0:
        raise Problem("CC108", f"{what} by zero")
    return value


def _power(base: Number, exponent: Number) -> Value:
    if not isinstance(exponent, int):
        raise Problem("CC108", f"a power with the exponent {say(exponent)} is not exact", "use whole exponents")
    if exponent < 0:
        _divisor(base, "division")
    part = max(abs(base.numerator), base.denominator)
    if part > 1 and (part.bit_length() - 1) * abs(exponent) > MAX_FRACTION_BITS:
        raise Problem("CC212", f"{say(base)} ** {say(exponent)} is above 2^63 - 1")
    if part <= 1:
        exponent = 2 - exponent % 2
    return base**exponent if exponent >= 0 else Fraction(base) ** exponent


def _arithmetic(spelling: str, operation: Callable[[Number, Number], Value]) -> Callable[[Value, Value], Value]:
    def run(left: Value, right: Value) -> Value:
        return checked(operation(number(left, spelling), number(right, spelling)))

    return run


OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "+": _arithmetic("+", operator.add),
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", lambda a, b: Fraction(a) / _divisor(b, "division")),
    "//": _arithmetic("//", lambda a, b: a // _divisor(b, "division")),
    "%": _arithmetic("%", lambda a, b: a % _divisor(b, "remainder")),
    "**": _arithmetic("**", _power),
}


def _ordering(spelling: str, operation: Callable[[Number, Number], bool]) -> Callable[[Value, Value], bool]:
    return lambda left, right: operation(number(left, spelling), number(right, spelling))


ORDERINGS: dict[str, Callable[[Value, Value], bool]] = {
    "<": _ordering("<", operator.lt),
    "<=": _ordering("<=", operator.le),
    ">": _ordering(">", operator.gt),
    ">=": _ordering(">=", operator.ge),
}


def make_divisible(value: Value, divisor: Value = 8) -> int:
    """The multiple of `divisor` nearest to the value, at least one, never below 90 % of the value.

    Source: MobileNet, tensorflow/models slim/nets/mobilenet/mobilenet.py (`_make_divisible`).

    >>> make_divisible(Fraction("24.5"), 8), make_divisible(11, 8)
    (24, 16)
    """
    exact, step = Fraction(number(value, "make_divisible")), _integer(divisor, "make_divisible")
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


def _list(value: Value, where: str) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise Problem("CC108", f"{where} takes a list, not {say(value)}")
    return value


def _sum(value: Value) -> Value:
    total: Number = 0
    for item in _list(value, "sum"):
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
    "len": (1, 1, lambda x: len(_list(x, "len"))),
    "sum": (1, 1, _sum),
}
"""Name -> fewest arguments, most arguments, function."""
