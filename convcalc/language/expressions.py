"""Expressions: exact, typed and bounded arithmetic over Python's syntax tree. Never `eval`.

A text is read once and kept. Decimal literals are exact rationals; a result with denominator 1 is an
integer; nothing above 2^63 - 1 is computed, and nothing that could grow is started.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from ..geometry import LIMIT
from ..hints import suggest
from ..limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH, LIST_VALUES
from .names import shown
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
    if part <= 1 and exponent:
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


CONSTANTS: dict[str, Value] = {"true": True, "false": False}

Env = Mapping[str, Value]
Run = Callable[[Env], Value]

_SPELLINGS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_ALLOWED = "+ - * / // % **, comparisons, and/or/not, x if c else y, list indexing"
QUOTE = 'an expression with commas or brackets inside { } or [ ] must be quoted: "make_divisible(c * 0.75, 8)"'

_NUMBER = re.compile(r"(?<![\w.])(?:\d[\w.]*(?:(?<=[eE])[+-]\d+)?|\.\d\w*)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_DECIMAL = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?")


def check_number(text: str, offset: int = 0) -> None:
    """Raise a Problem for a number that is not plain decimal, with what to write instead."""
    if _DECIMAL.fullmatch(text) and not (len(text) > 1 and text[0] == "0" and text[1].isdigit()):
        return
    meaning: str | None = None
    digits = text.replace("_", "")
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+", digits) and len(digits) < 30:
        meaning = f"write {int(digits, 0)}"
    elif re.fullmatch(r"0[0-7]+", digits) and len(digits) < 30:
        meaning = f"write {int(digits)}, or {int(digits, 8)} for what YAML 1.1 reads (octal)"
    elif re.fullmatch(r"\d+(?:\.\d+)?", digits) and len(digits) < 30:
        meaning = f"write {digits.lstrip('0') or '0'}"
    elif re.fullmatch(r"[\d.]+[eE][+-]?\d+", digits):
        raise Problem("CC108", f"the exponent of {shown(text)} is too large", "two digits at most", offset, len(text))
    if meaning is None:
        raise Problem("CC107", f"{shown(text)} is neither a number nor a name", None, offset, len(text))
    raise Problem("CC005", f"{shown(text)} is no plain decimal number", meaning, offset, len(text))


def parse_expression(text: str) -> ast.expr:
    """The syntax tree of an expression, its numbers checked. Raises a Problem (CC107, CC005)."""
    if len(text) > EXPRESSION_CHARACTERS:
        raise Problem("CC107", f"an expression of {len(text)} characters; the limit is {EXPRESSION_CHARACTERS}")
    for match in _NUMBER.finditer(_QUOTED.sub(lambda quoted: " " * len(quoted.group()), text)):
        check_number(match.group(), match.start())
    if "\\" in text or "\n" in text or "#" in text:
        raise Problem("CC107", f"{shown(text)} is no expression: it holds a backslash, a line break or #")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        problem = (error.msg or "not an expression").partition(". Perhaps")[0]
        offset = (error.offset or 1) - 1 + len(text) - len(text.lstrip())
        raise Problem("CC107", f"{shown(text)} is no expression: {problem}", _hint(text), offset, 1) from None
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise Problem("CC107", f"{shown(text)} is nested too deeply or holds an endless number") from None
    level: list[ast.AST] = [tree]
    for _ in range(EXPRESSION_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return tree
    raise Problem("CC107", f"{shown(text)} is nested deeper than {EXPRESSION_DEPTH} levels")


def _hint(text: str) -> str | None:
    if text.count("(") != text.count(")") or text.count("[") != text.count("]"):
        return QUOTE
    if "&&" in text or "||" in text or "!" in text.replace("!=", ""):
        return "write and, or, not"
    if "?" in text:
        return "write x if condition else y"
    if "=" in text:
        return "compare with =="
    return None


class Expression:
    """A compiled expression: the names that it needs (with their offsets) and how to evaluate it."""

    __slots__ = ("names", "run", "text", "weight", "words")

    def __init__(self, text: str, names: dict[str, int], words: frozenset[str], run: Run, weight: int) -> None:
        self.text = text
        self.weight = weight
        """Steps that evaluating it takes beyond the first."""
        self.names = names
        self.words = words
        self.run = run

    def evaluate(self, env: Env) -> Value:
        """The value under these names. Raises a Problem (CC108)."""
        try:
            return self.run(env)
        except Problem as problem:
            shown_text = self.text if len(self.text) <= 80 else self.text[:77] + "..."
            raise Problem(problem.code, f"{problem.message} in '{shown_text}'", problem.hint) from None


@lru_cache(maxsize=2**14)
def compile_expression(text: str) -> Expression:
    """Read an expression. Raises a Problem (CC107; CC005 for numbers that mean something else than they say).

    >>> compile_expression("ceil(25 * 2.2)").evaluate({})
    55
    """
    tree = parse_expression(text)
    compiler = _Compiler(text)
    run = compiler.compile(tree)
    return Expression(text, compiler.names, frozenset(compiler.words), run, _weight(tree))


A_STEP = 20
"""Parts of an expression whose evaluation takes as long as a step of expansion."""
OVER_A_LIST = 1200
"""Parts that something counts for which may go through a list."""


def _weight(tree: ast.expr) -> int:
    parts = 0
    for node in ast.walk(tree):
        one = isinstance(node, ast.Call) and len(node.args) == 1
        walks = one or isinstance(node, (ast.In, ast.NotIn, ast.List))
        parts += OVER_A_LIST if walks else 1
    return parts // A_STEP


class _Compiler:
    """Turns a syntax tree into nested functions; what the language lacks is refused by name."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.start = len(text) - len(text.lstrip())
        self.names: dict[str, int] = {}
        self.words: set[str] = set()

    def compile(self, node: ast.expr) -> Run:
        """The function of a node."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self._refuse(node, f"{type(node).__name__} is not part of expressions", f"there are {_ALLOWED}")
        run: Run = method(node)
        return run

    def _refuse(self, node: ast.expr, message: str, hint: str | None = None, code: str = "CC107") -> Problem:
        width = (node.end_col_offset or node.col_offset + 1) - node.col_offset
        return Problem(code, message, hint, self.start + node.col_offset, width)

    def _constant(self, node: ast.Constant) -> Run:
        value = node.value
        result: Value
        if isinstance(value, (bool, str)):
            result = value
            if isinstance(value, str):
                self.words.add(value)
        elif isinstance(value, int):
            result = checked(value)
        elif isinstance(value, float):
            encoded = self.text.strip().encode()
            result = checked(Fraction(encoded[node.col_offset : node.end_col_offset].decode()))
        else:
            raise self._refuse(node, f"{value!r} is not part of expressions")
        return lambda env: result

    def _name(self, node: ast.Name) -> Run:
        name = node.id
        if name in CONSTANTS:
            value = CONSTANTS[name]
            return lambda env: value
        if name in FUNCTIONS:
            raise self._refuse(node, f"{name} is a function", f"call it: {name}(...)")
        self.names.setdefault(name, self.start + node.col_offset)
        return lambda env: env[name]

    def _list(self, node: ast.List | ast.Tuple) -> Run:
        items = [self.compile(item) for item in node.elts]
        return lambda env: listed([item(env) for item in items])

    def _tuple(self, node: ast.Tuple) -> Run:
        raise self._refuse(node, "a comma outside of brackets", "write a list in brackets: [1, 2]")

    def _unaryop(self, node: ast.UnaryOp) -> Run:
        operand = self.compile(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda env: not truth(operand(env), "not")
        if isinstance(node.op, ast.USub):
            return lambda env: negative(operand(env))
        if isinstance(node.op, ast.UAdd):
            return lambda env: negative(negative(operand(env)))
        raise self._refuse(node, "~ is not part of expressions", f"there are {_ALLOWED}")

    def _binop(self, node: ast.BinOp) -> Run:
        spelling = _SPELLINGS.get(type(node.op))
        if spelling is None:
            operator = type(node.op).__name__
            hint = "use ** for powers" if operator == "BitXor" else f"there are {_ALLOWED}"
            raise self._refuse(node, f"the operator {operator} is not part of expressions", hint)
        operation = OPERATORS[spelling]
        left, right = self.compile(node.left), self.compile(node.right)
        return lambda env: operation(left(env), right(env))

    def _boolop(self, node: ast.BoolOp) -> Run:
        parts = [self.compile(part) for part in node.values]
        if isinstance(node.op, ast.And):
            return lambda env: all(truth(part(env), "and") for part in parts)
        return lambda env: any(truth(part(env), "or") for part in parts)

    def _ifexp(self, node: ast.IfExp) -> Run:
        test, then, otherwise = self.compile(node.test), self.compile(node.body), self.compile(node.orelse)
        return lambda env: then(env) if truth(test(env), "if") else otherwise(env)

    def _compare(self, node: ast.Compare) -> Run:
        operands = [self.compile(operand) for operand in (node.left, *node.comparators)]
        tests: list[Callable[[Value, Value], bool]] = []
        for op in node.ops:
            if isinstance(op, ast.Eq):
                tests.append(equal)
            elif isinstance(op, ast.NotEq):
                tests.append(lambda a, b: not equal(a, b))
            elif isinstance(op, ast.In):
                tests.append(member)
            elif isinstance(op, ast.NotIn):
                tests.append(lambda a, b: not member(a, b))
            elif type(op) in _COMPARISONS:
                tests.append(ORDERINGS[_COMPARISONS[type(op)]])
            else:
                raise self._refuse(node, "'is' is not part of expressions", "compare with ==")

        def run(env: Env) -> Value:
            left = operands[0](env)
            for test, operand in zip(tests, operands[1:], strict=True):
                right = operand(env)
                if not test(left, right):
                    return False
                left = right
            return True

        return run

    def _subscript(self, node: ast.Subscript) -> Run:
        if isinstance(node.slice, (ast.Slice, ast.Tuple)):
            raise self._refuse(node.slice, "slices are not part of expressions", "index one element: list[0]")
        value, index = self.compile(node.value), self.compile(node.slice)
        return lambda env: item_of(value(env), index(env))

    def _call(self, node: ast.Call) -> Run:
        if not isinstance(node.func, ast.Name):
            raise self._refuse(node, "only functions are called")
        function = FUNCTIONS.get(node.func.id)
        if function is None:
            raise self._refuse(
                node.func, f"there is no function {shown(node.func.id)}", suggest(node.func.id, FUNCTIONS), "CC106"
            )
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self._refuse(node, f"{node.func.id} takes plain arguments only")
        fewest, most, call = function
        if not fewest <= len(node.args) <= most:
            wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            plural = "s" * (wanted != "1")
            raise self._refuse(node, f"{node.func.id} takes {wanted} argument{plural}, not {len(node.args)}")
        arguments = [self.compile(argument) for argument in node.args]
        return lambda env: checked(call(*[argument(env) for argument in arguments]))
