"""Sizes that are left open in an exported model: expressions over symbols, such as `Mul(Integer(2), Symbol('s0'))`.

Source: torch/_export/serde/serialize.py, which writes sympy's srepr, and before it the expression as people write it.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import floor, prod

from ...geometry import LIMIT
from ...models.document import Malformed

MOST_CHARACTERS = 1000
HIGHEST = 8
"""The highest power."""
FUNCTIONS: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "Add": lambda values: sum(values, Fraction(0)),
    "CeilDiv": lambda values: Fraction(-floor(-values[0] / values[1])),
    "CeilToInt": lambda values: Fraction(-floor(-values[0])),
    "CleanDiv": lambda values: Fraction(floor(values[0] / values[1])),
    "FloorDiv": lambda values: Fraction(floor(values[0] / values[1])),
    "FloorToInt": lambda values: Fraction(floor(values[0])),
    "Integer": lambda values: values[0],
    "Max": lambda values: max(values),
    "Min": lambda values: min(values),
    "Mod": lambda values: values[0] % values[1],
    "Mul": lambda values: prod(values, start=Fraction(1)),
    "Pow": lambda values: _power(*values),
    "PythonMod": lambda values: values[0] % values[1],
    "Rational": lambda values: values[0] / values[1],
}
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "Add",
    ast.Mult: "Mul",
    ast.FloorDiv: "FloorDiv",
    ast.Mod: "Mod",
    ast.Pow: "Pow",
    ast.Div: "Rational",
}


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > HIGHEST:
        raise Malformed(f"the power {exponent} of a size is not read")
    return base ** int(exponent)


def symbols(text: str) -> list[str]:
    """The names of the symbols in an expression, each once.

    >>> symbols("Mul(Integer(2), Symbol('s0', positive=True, integer=True))"), symbols("s0 + 2*s1")
    (['s0'], ['s0', 's1'])
    """
    found = []
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.Call) and _name(node) == "Symbol":
            found.append(_symbol(node))
        elif isinstance(node, ast.Name) and node.id not in FUNCTIONS and node.id != "Symbol":
            found.append(node.id)
    return list(dict.fromkeys(found))


def value(text: str, known: Mapping[str, int]) -> int:
    """The number of an expression. Raises `Malformed` where it has none.

    >>> value("Add(Integer(1), FloorDiv(Symbol('s1', integer=True), Integer(2)))", {"s1": 225})
    113
    """
    try:
        found = _evaluated(_tree(text), known)
    except (ZeroDivisionError, RecursionError, TypeError, IndexError, ValueError) as error:
        raise Malformed(f"the size '{text}' has no value: {error}") from None
    if found.denominator != 1 or not 0 <= found <= LIMIT:
        raise Malformed(f"the size '{text}' is {found}")
    return int(found)


def _tree(text: str) -> ast.expr:
    if len(text) > MOST_CHARACTERS:
        raise Malformed(f"a size takes {len(text):,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of what it reads differently one day
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Malformed(f"the size '{text}' is no expression") from None


def _name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _symbol(node: ast.Call) -> str:
    first = node.args[0] if node.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        raise Malformed("a symbol has no name")
    return first.value


def _evaluated(node: ast.expr, known: Mapping[str, int]) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return Fraction(node.value)
    if isinstance(node, ast.Name):
        return _known(node.id, known)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluated(node.operand, known)
    if isinstance(node, ast.BinOp):
        left, right = _evaluated(node.left, known), _evaluated(node.right, known)
        if isinstance(node.op, ast.Sub):
            return left - right
        name = OPERATORS.get(type(node.op))
        return _unknown(node) if name is None else _bounded(FUNCTIONS[name]([left, right]))
    if isinstance(node, ast.Call):
        name = _name(node)
        if name == "Symbol":
            return _known(_symbol(node), known)
        if name in FUNCTIONS:
            return _bounded(FUNCTIONS[name]([_evaluated(argument, known) for argument in node.args]))
    return _unknown(node)


def _bounded(number: Fraction) -> Fraction:
    if abs(number) > LIMIT or number.denominator > LIMIT:
        raise Malformed("a size has more than 64 bits")
    return number


def _known(name: str, known: Mapping[str, int]) -> Fraction:
    if name not in known:
        raise Malformed(f"the size '{name}' is not known")
    return Fraction(known[name])


def _unknown(node: ast.expr) -> Fraction:
    raise Malformed(f"a size has {type(node).__name__}, which is not read")
