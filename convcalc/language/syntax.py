"""The text of an expression: its numbers, its syntax tree, its limits."""

from __future__ import annotations

import ast
import re

from .names import shown
from .problems import Problem

MAX_LENGTH = 1000
MAX_DEPTH = 50
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
    if len(text) > MAX_LENGTH:
        raise Problem("CC107", f"an expression of {len(text)} characters; the limit is {MAX_LENGTH}")
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
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return tree
    raise Problem("CC107", f"{shown(text)} is nested deeper than {MAX_DEPTH} levels")


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
