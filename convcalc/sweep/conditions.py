"""Conditions: which candidates fit. `macs<=600e6`, `100M<=macs<=600M`, `conv2_x.macs<=100M`, `receptive_field>=224`."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from fractions import Fraction
from operator import eq, ge, gt, le, lt, ne
from typing import Literal, NamedTuple, get_args

from ..analysis.quantities import QUANTITY_NAMES, quantity
from ..analysis.quantity import Shaped, Value, number
from ..hints import suggest
from ..language.names import shown
from ..language.problems import Problem
from ..units import NoAmount, read_amount
from .asked import Asked
from .words import Piece, assignment, split

Op = Literal["<=", ">=", "==", "!=", "<", ">"]
Limit = int | Fraction | str

_HOLDS: dict[Op, Callable[[object, object], bool]] = {"<=": le, ">=": ge, "==": eq, "!=": ne, "<": lt, ">": gt}  # type: ignore[dict-item]
_TURNED: dict[Op, Op] = {"<=": ">=", ">=": "<=", "==": "==", "!=": "!=", "<": ">", ">": "<"}
_OPERATOR = re.compile(r"<=|>=|==|!=|<|>|=")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
EXAMPLE = "for example macs<=600e6, peak_memory<=256KiB or conv2_x.macs<=100M"
MOST_PATH = 1000
"""Characters of what is asked for."""


class Condition(NamedTuple):
    """What a quantity has to be."""

    asked: Asked
    op: Op
    limit: Limit
    joined: bool = False
    """Whether it is of a column that is joined; `asked.quantity` is then the column's name."""

    def holds(self, value: Value) -> bool:
        """Whether a value is so; of several axes all have to be, and what has no value is never so.

        >>> Condition(Asked("macs"), "<=", 100).holds(100), Condition(Asked("macs"), "<=", 100).holds(None)
        (True, False)
        """
        raw = value.raw if isinstance(value, Shaped) else value
        parts = raw if isinstance(raw, tuple) else (raw,)
        return bool(parts) and all(self._holds(part) for part in parts)

    def _holds(self, part: object) -> bool:
        if isinstance(self.limit, str) is not isinstance(part, str) or not isinstance(part, (int, Fraction, str)):
            return False
        return _HOLDS[self.op](part, self.limit)

    def __str__(self) -> str:
        return f"{self.asked.name}{self.op}{self.limit}"


def read_asked(piece: Piece) -> Asked:
    """A quantity, of the network or at a path. Raises a Problem.

    >>> read_asked(Piece("macs", 0)), read_asked(Piece("conv2_x.macs", 0))
    (Asked(quantity='macs', path='total'), Asked(quantity='macs', path='conv2_x'))
    """
    if not piece.text:
        raise piece.problem("a quantity is expected", EXAMPLE)
    path, _, name = piece.text.rpartition(".")
    if len(piece.text) > MOST_PATH or any(sign.isspace() or not sign.isprintable() for sign in piece.text):
        raise piece.problem(f"{shown(piece.text)} is no quantity", EXAMPLE)
    if quantity(name) is None:
        at = Piece(name, piece.offset + len(piece.text) - len(name))
        hint = suggest(name, QUANTITY_NAMES, "'convcalc table --columns help' lists them all")
        raise at.problem(f"there is no quantity {shown(name)}", hint)
    return Asked(name, path or "total")


def read_conditions(text: str, joined: Container[str] = ()) -> tuple[Condition, ...]:
    """What a text demands: one condition, or two where a quantity stands between two limits. Raises a Problem.

    `joined` are the names of columns that are joined.

    >>> [str(condition) for condition in read_conditions("100M <= macs < 600e6")]
    ['macs>=100000000', 'macs<600000000']
    """
    operators = list(_OPERATOR.finditer(text))
    if len(operators) not in (1, 2):
        raise Piece(text, 0).problem(f"expected QUANTITY OP AMOUNT, not {shown(text)}", EXAMPLE)
    ends = [0, *(edge for match in operators for edge in match.span()), len(text)]
    pieces = [Piece(text[a:b], a).stripped() for a, b in zip(ends[::2], ends[1::2], strict=True)]
    ops = [_operator(match) for match in operators]
    turned = len(ops) == 2 or (_is_amount(pieces[0]) and not _is_amount(pieces[1]))
    subject = pieces[1] if turned else pieces[0]
    measured = subject.text in joined
    asked = Asked(subject.text) if measured else read_asked(subject)

    def condition(op: Op, limit: Piece) -> Condition:
        return Condition(asked, op, _limit(limit, op, asked), measured)

    if len(ops) == 2:
        return condition(_TURNED[ops[0]], pieces[0]), condition(ops[1], pieces[2])
    return (condition(_TURNED[ops[0]], pieces[0]) if turned else condition(ops[0], pieces[1]),)


def read_near(text: str) -> tuple[Condition, ...]:
    """What `QUANTITY=AMOUNT,TOLERANCE` demands: a tolerance is a share (`1%`) or an amount. Raises a Problem.

    >>> [str(condition) for condition in read_near("macs=400e6,1%")]
    ['macs>=396000000', 'macs<=404000000']
    """
    example = "macs=400e6,1%"
    name, behind = assignment(text, "QUANTITY=AMOUNT,TOLERANCE", example)
    asked = read_asked(name)
    parts = split(behind, ",")
    if len(parts) != 2:
        raise behind.problem(f"expected AMOUNT,TOLERANCE, not {shown(behind.text)}", f"for example {example}")
    middle = _amount(parts[0])
    share, percent, rest = parts[1].text.partition("%")
    tolerance = _amount(Piece(share, parts[1].offset))
    if rest:
        raise parts[1].problem(f"expected 1% or an amount, not {shown(parts[1].text)}")
    width = abs(middle) * tolerance / 100 if percent else tolerance
    if width < 0:
        raise parts[1].problem("a tolerance is at least 0")
    return Condition(asked, ">=", _whole(middle - width)), Condition(asked, "<=", _whole(middle + width))


def _operator(match: re.Match[str]) -> Op:
    if match[0] not in get_args(Op):
        raise Problem("CC103", "'=' does not compare", "compare with ==, <= or >=", match.start(), 1)
    return match[0]  # type: ignore[return-value]


def _limit(piece: Piece, op: Op, asked: Asked) -> Limit:
    record = quantity(asked.quantity)
    if op in ("==", "!=") and _WORD.fullmatch(piece.text) and record is not None and not record.unit:
        return piece.text
    return _whole(_amount(piece))


def _is_amount(piece: Piece) -> bool:
    return piece.text[:1].isdigit() or piece.text[:1] in ("-", "+", ".")


def _amount(piece: Piece) -> Fraction:
    """A number with a unit, or without; a sign may stand before it. Raises a Problem."""
    sign = -1 if piece.text.startswith("-") else 1
    try:
        return sign * read_amount(piece.text.removeprefix("-"))
    except NoAmount:
        hint = "write 600000000, 600e6, 600M or 256KiB"
        raise piece.problem(f"an amount is expected, not {shown(piece.text)}", hint) from None


def _whole(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def measured(value: Value) -> int | Fraction | None:
    """The number that objectives and orders compare: of several axes the largest."""
    raw = value.raw if isinstance(value, Shaped) else value
    if isinstance(raw, tuple):
        numbers = [part for part in raw if isinstance(part, (int, Fraction))]
        return max(numbers) if numbers and len(numbers) == len(raw) else None
    return number(value)
