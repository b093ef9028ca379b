"""Values of expressions: exact numbers, words, truth values and lists, and the operators on them.

Decimal literals are exact rationals; a result with denominator 1 is an integer; nothing above 2^63 - 1 is computed,
and nothing that could grow is started.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from ..geometry import LIMIT
from ..limits import LIST_VALUES
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
        over, under = value.as_integer_ratio()
        if under != 1:
            if over.bit_length() > MAX_FRACTION_BITS or under.bit_length() > MAX_FRACTION_BITS:
                raise Problem("CC108", f"a fraction of more than {MAX_FRACTION_BITS} bits")
            return value
        value = over
    if isinstance(value, int) and not -LIMIT <= value <= LIMIT:
        raise Problem("CC212", f"{say(value)} is above 2^63 - 1")
    return value


def listed(values: Sequence[Value]) -> Value:
    """The values as a list. Raises a Problem (CC108) where it holds more than `LIST_VALUES`, lists in it included."""
    pending, count = list(values), 0
    while pending:
        value = pending.pop()
        count += 1
        if count > LIST_VALUES:
            raise Problem("CC108", f"a list of more than {LIST_VALUES:,} values, those of the lists in it included")
        if isinstance(value, tuple):
            pending += value
    return tuple(values)


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


def integer(value: Value, where: str) -> int:
    """The value as an integer; truth values are none."""
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
    position = integer(index, "an index")
    if not -len(value) <= position < len(value):
        raise Problem("CC108", f"a list of {len(value)} has no element {position}")
    return value[position]


def _divisor(value: Number, what: str) -> Number:
    if value == 0:
        raise Problem("CC108", f"{what} by zero")
    return value


def whole_power(base: Number, exponent: Number) -> Value:
    """A power whose exponent is a whole number. Raises a Problem for another, and beyond the bounds."""
    if not isinstance(exponent, int):
        hint = "use whole exponents, or power(x, y), which has 12 decimals"
        raise Problem("CC108", f"a power with the exponent {say(exponent)} is not exact", hint)
    if exponent < 0:
        _divisor(base, "division")
    part = max(abs(base.numerator), base.denominator)
    if part > 1 and (part.bit_length() - 1) * abs(exponent) > MAX_FRACTION_BITS:
        raise Problem("CC212", f"{say(base)} ** {say(exponent)} is above 2^63 - 1")
    if part <= 1 and exponent:
        exponent = 2 - exponent % 2
    return base**exponent if exponent >= 0 else Fraction(base) ** exponent


_NUMBERS = frozenset({int, Fraction})


def _arithmetic(spelling: str, operation: Callable[[Any, Any], Value]) -> Callable[[Value, Value], Value]:
    def run(left: Value, right: Value) -> Value:
        if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
            left, right = number(left, spelling), number(right, spelling)
        return checked(operation(left, right))

    return run


def _quotient(left: Number, right: Number) -> Value:
    _divisor(right, "division")
    return Fraction(left, right)


OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "+": _arithmetic("+", operator.add),
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", _quotient),
    "//": _arithmetic("//", lambda a, b: a // _divisor(b, "division")),
    "%": _arithmetic("%", lambda a, b: a % _divisor(b, "remainder")),
    "**": _arithmetic("**", whole_power),
}


def _ordering(spelling: str, operation: Callable[[Number, Number], bool]) -> Callable[[Value, Value], bool]:
    return lambda left, right: operation(number(left, spelling), number(right, spelling))


ORDERINGS: dict[str, Callable[[Value, Value], bool]] = {
    "<": _ordering("<", operator.lt),
    "<=": _ordering("<=", operator.le),
    ">": _ordering(">", operator.gt),
    ">=": _ordering(">=", operator.ge),
}


def listing(value: Value, where: str) -> tuple[Value, ...]:
    """The value as a list; numbers and words are none."""
    if not isinstance(value, tuple):
        raise Problem("CC108", f"{where} takes a list, not {say(value)}")
    return value
