"""Axes: what a param, the variant or the input goes through, value by value or drawn.

A grid is a list of values and progressions, `32:256:8,384`; a range is one progression, from which values are drawn
evenly or evenly in the logarithm. `start:stop:step` has start, start + step, … up to stop, both ends included.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import accumulate
from math import exp, floor

from ..findings import SpecError
from ..language.events import parse
from ..language.names import shown
from ..language.params import INVALID, Names, is_constant, read_value
from ..language.problems import Findings, Problem
from ..language.values import Number, Value, checked, say
from ..marked import Source
from ..naming import NAME
from .words import Piece, Target, assignment, read_target, split

VARIANT = "variant"
"""The axis of the variants, whose names are no expressions."""
MOST_VALUES = 2**63 - 1
"""Values of an axis."""
VARIANT = "variant"
MOST_CHARACTERS = 100_000
"""Of the text of an axis."""
GRID = "--grid width=32:256:8, or --grid 'depths=[2,3,4,3],[3,4,6,3]'"
RANGE = "--range w0=24:128:8,log"
_EXACT = Context(prec=40)
"""Its logarithms and exponentials are correctly rounded: the same on every machine."""
DOUBT = 1e-6
"""Of a step: nearer to the middle between two values machines may differ, which round to 1e-9 of a step at most."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Values as they are listed."""

    values: tuple[Value, ...]

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.values)

    def at(self, place: int) -> Value:
        """The value at a place from 0."""
        return self.values[place]

    def samples(self) -> tuple[Value, ...]:
        """Values that are judged before a sweep starts: all."""
        return self.values


@dataclass(frozen=True, slots=True)
class Progression:
    """start, start + step, …: so many values."""

    start: Number
    step: Number
    size: int

    def at(self, place: int) -> Value:
        """The value at a place from 0."""
        found = self.start + place * self.step
        return found.numerator if found.denominator == 1 else found

    def samples(self) -> tuple[Value, ...]:
        """Values that are judged before a sweep starts: the ends."""
        return self.at(0), self.at(self.size - 1)


class Axis:
    """What a target goes through; values by their number, however many there are."""

    def __init__(self, target: Target, parts: Sequence[Listed | Progression], log: Log | None = None) -> None:
        self.target = target
        self.parts = tuple(parts)
        self.log = log
        """How values are drawn evenly in the logarithm; None where they are drawn evenly."""
        self._ends = list(accumulate(part.size for part in self.parts))
        self.size: int = self._ends[-1]

    def value(self, number: int) -> Value:
        """The value of a number from 0."""
        part = bisect_right(self._ends, number)
        return self.parts[part].at(number - (self._ends[part - 1] if part else 0))

    def drawn(self, draw: int) -> int:
        """The number of the value that a draw from 0 to 2^64 - 1 stands for."""
        return draw * self.size >> 64 if self.log is None else self.log.number(draw)

    def samples(self) -> list[Value]:
        """Values that are judged before a sweep starts: those that are listed, and the ends of progressions."""
        return [value for part in self.parts for value in part.samples()]


class Log:
    """Draws of a progression, even in the logarithm between half a step before its first value and half a step
    behind its last (from half the first value where that is more), taken to the nearest value."""

    def __init__(self, progression: Progression) -> None:
        start, step = progression.start, progression.step
        self._last = progression.size - 1
        low = max(start - Fraction(step) / 2, Fraction(start) / 2)
        high = start + (progression.size - Fraction(1, 2)) * step
        self._low = _EXACT.ln(_decimal(low))
        self._width = _EXACT.subtract(_EXACT.ln(_decimal(high)), self._low)
        self._start, self._step = _decimal(start), _decimal(step)
        self._near = float(self._low), float(self._width), float(self._start), float(self._step)

    def number(self, draw: int) -> int:
        """The number of the value that a draw from 0 to 2^64 - 1 stands for."""
        low, width, start, step = self._near
        place = (exp(low + width * (draw / 2**64)) - start) / step + 0.5
        number = floor(place)
        if not (DOUBT < place - number < 1 - DOUBT and place < 1 / DOUBT):
            number = self._exact(draw)
        return min(max(number, 0), self._last)

    def _exact(self, draw: int) -> int:
        """The same where machines may differ."""
        share = _EXACT.divide(Decimal(draw), Decimal(2**64))
        drawn = _EXACT.exp(_EXACT.fma(share, self._width, self._low))
        steps = _EXACT.divide(_EXACT.subtract(drawn, self._start), self._step)
        return int(_EXACT.add(steps, Decimal("0.5")).to_integral_value(ROUND_FLOOR))


def _decimal(value: Number) -> Decimal:
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def read_grid(text: str) -> Axis:
    """The axis of a grid, `NAME=VALUES`. Raises a Problem.

    >>> axis = read_grid("width=32:256:8,384")
    >>> axis.size, axis.value(1), axis.value(28), axis.value(29)
    (30, 40, 256, 384)
    >>> read_grid("depths=[2,3,4,3],[3,4,6,3]").value(1)
    (3, 4, 6, 3)
    """
    _bounded(text)
    name, values = assignment(text, "NAME=VALUES", GRID)
    parts: list[Listed | Progression] = []
    for piece in split(values, ","):
        ends = split(piece, ":")
        if len(ends) > 1:
            parts.append(_progression(piece, ends))
        elif name.text == VARIANT and NAME.fullmatch(piece.text) and not piece.text.isdigit():
            parts.append(Listed((piece.text,)))
        else:
            parts.append(Listed((_variant(piece) if name.text == VARIANT else constant(piece),)))
    return _axis(name, parts)


def _variant(piece: Piece) -> Value:
    """The name of a variant, which may have a hyphen; what is no name is a value as any."""
    text = piece.text.strip("'\"")
    return text if NAME.fullmatch(text) and "-" in text else constant(piece)


def read_range(text: str) -> Axis:
    """The axis of a range, `NAME=START:STOP:STEP`, with `,log` behind it where it is drawn evenly in the logarithm.

    Raises a Problem.

    >>> axis = read_range("w0=24:128:8,log")
    >>> axis.size, axis.value(0), axis.value(axis.drawn(2**63))
    (14, 24, 48)
    """
    _bounded(text)
    name, values = assignment(text, "NAME=START:STOP:STEP", RANGE)
    pieces = split(values, ",")
    ends = split(pieces[0], ":")
    if len(ends) < 2 or len(pieces) > 2:
        raise values.problem(f"expected START:STOP:STEP, not {shown(values.text)}", f"for example {RANGE}")
    progression = _progression(pieces[0], ends)
    if len(pieces) == 1 or pieces[1].text == "linear":
        return _axis(name, [progression])
    if pieces[1].text != "log":
        raise pieces[1].problem(f"expected linear or log, not {shown(pieces[1].text)}", f"for example {RANGE}")
    if progression.start <= 0:
        raise ends[0].problem(f"a logarithm starts above 0, not at {say(progression.start)}")
    return _axis(name, [progression], Log(progression))


def shapes_axis(target: Target, shapes: Sequence[tuple[int, ...]]) -> Axis:
    """The axis of shapes of an input."""
    return Axis(target, [Listed(tuple(shapes))])


def read_shapes(text: str) -> tuple[str | None, Axis]:
    """The axis of `--input`: `[NAME=]SHAPE;SHAPE`, and the name of the input. Raises a Problem.

    >>> name, axis = read_shapes("3,128,128;3x224x224")
    >>> name, axis.size, axis.value(1)
    (None, 2, (3, 224, 224))
    """
    _bounded(text)
    name, equals, sizes = text.rpartition("=")
    shapes: list[tuple[int, ...]] = []
    for piece in split(Piece(sizes, len(name) + len(equals)), ";"):
        inner = Piece(piece.text.replace("×", ",").replace("x", ","), piece.offset).stripped()
        parts = split(inner, ",")
        if not all(part.text.isascii() and part.text.isdigit() and len(part.text) <= 19 for part in parts):
            hint = "for example --input '3,128,128;3,224,224'"
            raise piece.problem(f"expected channels and sizes, not {shown(piece.text)}", hint)
        shapes.append(tuple(int(part.text) for part in parts))
    given = name.strip() or None
    return given, shapes_axis(Target("input" if given is None else f"input.{given}"), shapes)


def _bounded(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise Problem("CC004", f"an axis of {len(text):,} characters; the limit is {MOST_CHARACTERS:,}")


def _axis(name: Piece, parts: Sequence[Listed | Progression], log: Log | None = None) -> Axis:
    found = Axis(read_target(name), parts, log)
    if found.size > MOST_VALUES:
        raise Piece(name.text, name.offset).problem("an axis of more than 2^63 - 1 values", "take a larger step")
    return found


def _progression(whole: Piece, ends: list[Piece]) -> Progression:
    if len(ends) > 3:
        raise whole.problem(f"expected START:STOP:STEP, not {shown(whole.text)}", "for example 32:256:8")
    start, stop = _number(ends[0]), _number(ends[1])
    if len(ends) == 3:
        step = _number(ends[2])
        if step <= 0:
            raise ends[2].problem(f"a step is above 0, not {say(step)}", "write the smaller end first")
    elif isinstance(start, int) and isinstance(stop, int):
        step = 1
    else:
        raise whole.problem("from or to a fraction a step is needed", f"for example {whole.text}:0.1")
    if stop < start:
        raise whole.problem(
            f"{shown(whole.text)} is empty", f"write the smaller end first: {ends[1].text}:{ends[0].text}"
        )
    return Progression(start, step, int((stop - start) // step) + 1)


def _number(piece: Piece) -> Number:
    value = constant(piece)
    if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
        raise piece.problem(f"expected a number, not {say(value)}", "for example 32:256:8")
    return value


def constant(piece: Piece) -> Value:
    """The value of a text that needs no names: a number, a word, a truth value, a list. Raises a Problem.

    >>> constant(Piece("[2, 3 * 4]", 0)), constant(Piece("relu", 0)), constant(Piece("0.25", 0))
    ((2, 12), 'relu', Fraction(1, 4))
    """
    if not piece.text:
        raise piece.problem("a value is expected", "for example width=32,64,128")
    if piece.text.isascii() and piece.text.isdigit() and piece.text[0] != "0" and len(piece.text) < 19:
        return int(piece.text)
    source = Source(piece.text, "<value>")
    findings = Findings(source)
    try:
        found = read_value(parse(source), Names({}), findings, free_words=True)
        findings.raise_any()
    except SpecError as error:
        first = error.findings[0]
        offset = piece.offset + (first.column - 1 if first.line == 1 else 0)
        raise Problem(first.code, first.message, first.hint, offset, first.width) from None
    if found is None or found is INVALID or not is_constant(found):
        raise piece.problem(f"a value is expected, not {shown(piece.text)}")
    return checked(found)  # type: ignore[arg-type]
