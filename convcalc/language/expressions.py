"""Expressions: exact, typed and bounded arithmetic over Python's syntax tree. Never `eval`.

A text is read once and kept.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TypeGuard

from ..hints import suggest
from ..limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH
from .functions import CALLED, FUNCTIONS, LOGARITHMS, WALKING
from .names import shown
from .problems import Problem
from .values import (
    OPERATORS,
    ORDERINGS,
    Value,
    checked,
    equal,
    item_of,
    listed,
    listing,
    member,
    negative,
    truth,
)

CONSTANTS: dict[str, Value] = {"true": True, "false": False}

Env = Mapping[str, Value]
Run = Callable[[Env], Value]

_SPELLINGS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_ALLOWED = "+ - * / // % **, comparisons, and/or/not, x if c else y, list indexing, [x for i in list]"
QUOTE = 'an expression with commas or brackets inside { } or [ ] must be quoted: "make_divisible(c * 0.75, 8)"'
AXES = "a value for each axis stands in square brackets: "

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
        sizes = re.fullmatch(r"\d{1,9}(?:[xX]\d{1,9})+", text)
        hint = f"{AXES}[{', '.join(re.split('[xX]', text))}]" if sizes else None
        raise Problem("CC107", f"{shown(text)} is neither a number nor a name", hint, offset, len(text))
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
    if opened := re.fullmatch(r"\(\s*(\d{1,9})", text.strip()):
        return f"{AXES}[{opened[1]}, ...]"
    if text.count("(") != text.count(")") or text.count("[") != text.count("]"):
        return QUOTE
    if "&&" in text or "||" in text or "!" in text.replace("!=", ""):
        return "write and, or, not"
    if "?" in text:
        return "write x if condition else y"
    if "=" in re.sub("[=!<>]=", "", text):
        return "compare with =="
    return None


class Expression:
    """A compiled expression: the names that it needs (with their offsets) and how to evaluate it."""

    __slots__ = ("names", "parts", "run", "text", "weight", "words")

    def __init__(
        self, text: str, names: dict[str, int], words: frozenset[str], run: Run, weight: int, parts: Parts
    ) -> None:
        self.text = text
        self.weight = weight
        """Steps that evaluating it takes beyond the first."""
        self.names = names
        self.words = words
        self.run = run
        self.parts = parts

    def evaluate(self, env: Env) -> Value:
        """The value under these names. Raises a Problem (CC108)."""
        self.parts.left = self.parts.most
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
    weight = _weight(tree, compiler.parts)
    return Expression(text, compiler.names, frozenset(compiler.words), run, weight, compiler.parts)


A_STEP = 20
"""Parts of an expression whose evaluation takes as long as a step of expansion."""
OVER_A_LIST = 1200
"""Parts that something counts for which may go through a list."""


PARTS_A_CHARACTER = 200
"""Parts that the lists which an expression makes of others may take, for each of its characters."""


class Parts:
    """What may be evaluated for the lists that an expression makes of others, until it is refused."""

    __slots__ = ("left", "most")

    def __init__(self, text: str) -> None:
        self.most = self.left = PARTS_A_CHARACTER * len(text)

    def take(self, count: int) -> None:
        """Count parts before they are evaluated. Raises a Problem (CC108)."""
        self.left -= count
        if self.left < 0:
            raise Problem("CC108", f"more than {self.most:,} parts are evaluated for lists", "make shorter lists")


def _weight(tree: ast.expr, most: Parts) -> int:
    parts = 0
    for node in ast.walk(tree):
        one = isinstance(node, ast.Call) and len(node.args) == 1
        walks = one or isinstance(node, (ast.In, ast.NotIn, ast.List))
        parts += most.most if isinstance(node, ast.ListComp) else OVER_A_LIST if walks else 1
    return parts // A_STEP


def _goes_through(node: ast.AST) -> bool:
    """Whether a node calls what goes through a list."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    return node.func.id == "range" or (node.func.id in WALKING and len(node.args) == 1)


def _each(tree: ast.AST) -> int:
    """Parts that one element of a list takes, without those of lists that are made inside it."""
    parts, waiting = 0, [tree]
    while waiting:
        node = waiting.pop()
        walks = isinstance(node, (ast.In, ast.NotIn, ast.List)) or _goes_through(node)
        parts += OVER_A_LIST if walks else 1
        waiting += [] if isinstance(node, ast.ListComp) else ast.iter_child_nodes(node)
    return parts


class _Inner(dict[str, Value]):
    """Names inside a list that is made of another: those of its elements, and the names around it."""

    __slots__ = ("outer",)

    def __init__(self, outer: Env) -> None:
        super().__init__()
        self.outer = outer

    def __missing__(self, name: str) -> Value:
        return self.outer[name]


class _Compiler:
    """Turns a syntax tree into nested functions; what the language lacks is refused by name."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.start = len(text) - len(text.lstrip())
        self.names: dict[str, int] = {}
        self.words: set[str] = set()
        self.parts = Parts(text)
        self.elements: list[str] = []
        """The names of the elements of lists that are made where a node stands."""

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
        if name in self.elements:
            return lambda env: env[name]
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

    def _listcomp(self, node: ast.ListComp) -> Run:
        """`[element for name in list if condition]`."""
        generator = node.generators[0]
        if len(node.generators) > 1 or generator.is_async or not isinstance(generator.target, ast.Name):
            raise self._refuse(node, "a list is made of one other list", "write [2 * w for w in widths]")
        name = generator.target.id
        if name in FUNCTIONS or name in CONSTANTS:
            raise self._refuse(generator.target, f"{name} is no name of an element", "write [2 * w for w in widths]")
        source = self.compile(generator.iter)
        self.elements.append(name)
        tests = [self.compile(test) for test in generator.ifs]
        element = self.compile(node.elt)
        self.elements.pop()
        each, parts = 1 + sum(map(_each, (node.elt, *generator.ifs))), self.parts

        def run(env: Env) -> Value:
            inner = _Inner(env)
            found: list[Value] = []
            for item in listing(source(env), "for"):
                parts.take(each)
                inner[name] = item
                if all(truth(test(inner), "if") for test in tests):
                    found.append(element(inner))
            return listed(found)

        return run

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
        name = node.func.id
        function = CALLED.get(name)
        if function is None:
            raise self._refuse(node.func, f"there is no function {shown(name)}", suggest(name, CALLED), "CC106")
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self._refuse(node, f"{name} takes plain arguments only")
        fewest, most, call = function
        if not fewest <= len(node.args) <= most:
            wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            plural = "s" * (wanted != "1")
            raise self._refuse(node, f"{name} takes {wanted} argument{plural}, not {len(node.args)}")
        given = node.args
        if name in LOGARITHMS and _is_logarithm(given[0]):
            given, call = given[0].args, LOGARITHMS[name]
        arguments = [self.compile(argument) for argument in given]
        return lambda env: checked(call(*[argument(env) for argument in arguments]))


def _is_logarithm(node: ast.expr) -> TypeGuard[ast.Call]:
    """Whether a node is `log(x, base)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords:
        return False
    plain = not any(isinstance(argument, ast.Starred) for argument in node.args)
    return node.func.id == "log" and len(node.args) == 2 and plain
