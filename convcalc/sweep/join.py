"""Measured figures joined to candidates: a CSV file whose columns that are named as axes are the key."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256

from ..analysis.quantities import quantity
from ..files import read_regular, sentence
from ..findings import UsageError
from ..hints import nearest, shortened
from ..language.names import shown
from ..limits import NAME_CHARACTERS
from ..terminal import printable
from .cells import Cell, cell
from .chunks import Chunk
from .faults import quoted
from .plan import Plan

MOST_BYTES = 1 << 25
MOST_ROWS = 200_000
MOST_COLUMNS = 200
MOST_CELLS = 1_000_000
LONGEST_ROW = 1 << 20
"""Characters of a row, and so of a line."""
EXAMPLE = "its first line names the columns, for example 'width,depths,latency'"

Measured = int | Fraction | str | None
Key = tuple[int | float | str | None, ...]


@dataclass(frozen=True)
class Join:
    """What a file says of the candidates that have these values."""

    keys: tuple[str, ...]
    """The axes and derived values that are its key."""
    columns: tuple[str, ...]
    """What was measured."""
    rows: dict[Key, tuple[Measured, ...]]
    sha256: str
    """The hash of the file."""

    def of(self, plan: Plan, chunk: Chunk) -> tuple[list[bool], list[list[Cell]]]:
        """Which candidates of a chunk fit, and the columns that are joined; None where the file says nothing."""
        names = plan.space.names
        settings = [chunk.values[names.index(key)] for key in self.keys]
        nothing: tuple[Measured, ...] = (None,) * len(self.columns)
        found = [self.rows.get(tuple(map(_element, key)), nothing) for key in zip(*settings, strict=True)]
        fits = [fits and plan.fits_joined(measured) for fits, measured in zip(chunk.fits, found, strict=True)]
        return fits, [[cell(measured[place]) for measured in found] for place in range(len(self.columns))]


def joined(plan: Plan, path: str) -> tuple[Plan, Join]:
    """A plan that knows the columns of a file, and what the file says. Raises UsageError.

    The columns of the file that are named as axes or derived values are its key, the others what was measured.
    """
    join = _read(path, plan.space.names)
    return replace(plan, join=(path, *join.keys), joined=join.columns), join


def _read(path: str, axes: Sequence[str]) -> Join:
    try:
        data = read_regular(path, MOST_BYTES)
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{quoted(path)} is no UTF-8: byte {error.start + 1} is none of a character") from None
    except OSError as error:
        raise UsageError(sentence(error, "read", quoted(path))) from None
    except ValueError:
        raise UsageError(f"{quoted(path)} is no path") from None
    if len(data) > MOST_BYTES:
        raise UsageError(f"{quoted(path)} is larger than {MOST_BYTES >> 20} MiB")
    return _Reader(path, axes).join(data, sha256(data).hexdigest())


class _Reader:
    """Reads one file; knows where it is, for what is wrong."""

    def __init__(self, path: str, axes: Sequence[str]) -> None:
        self._path = path
        self._axes = axes
        self._line = 1
        self._names: list[str] = []

    def join(self, data: bytes, digest: str) -> Join:
        reader = csv.reader(self._lines(data), strict=True)
        try:
            self._names = [name.strip() for name in next(reader, [])]
            self._characters = 0
            keys = self._judge_names()
            measured = [name for name in self._names if name not in keys]
            rows, lines = self._rows(reader, keys, measured)
        except csv.Error as error:
            raise self._wrong(f"this is no CSV: {error}", None, reader.line_num) from None
        numeric = [any(_number(row[place]) is not None for row in rows.values()) for place in range(len(measured))]
        typed = {
            key: tuple(
                self._measured(text, measured[place], lines[key]) if numeric[place] else text or None
                for place, text in enumerate(row)
            )
            for key, row in rows.items()
        }
        return Join(tuple(keys), tuple(measured), typed, digest)

    def _lines(self, data: bytes) -> Iterator[str]:
        """The lines of the file; a row may have several, and no more characters than a row has."""
        self._characters = 0
        with io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="") as file:
            while line := file.readline(LONGEST_ROW + 1):
                self._characters += len(line)
                if self._characters > LONGEST_ROW:
                    raise self._wrong(f"a row has more than {LONGEST_ROW:,} characters")
                yield line

    def _judge_names(self) -> list[str]:
        """The names of the key. Raises UsageError for a line of names that cannot be meant."""
        names = self._names
        if not any(names):
            raise self._wrong("no column has a name", EXAMPLE)
        if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            raise self._wrong("there is one column: commas part columns", EXAMPLE)
        if len(names) > MOST_COLUMNS:
            raise self._wrong(f"{len(names)} columns are more than {MOST_COLUMNS}")
        keys = [name for name in names if name in self._axes]
        for place, name in enumerate(names):
            if not name or not name.isprintable() or len(name) > NAME_CHARACTERS:
                raise self._wrong(f"column {place + 1} has no name that can be asked for: {shown(name)}", EXAMPLE)
            if name in names[:place]:
                raise self._wrong(f"column {shown(name)} is there twice")
            if name in keys:
                continue
            meant = nearest(name, [axis for axis in self._axes if axis not in names])
            if meant is not None:
                hint = f"did you mean '{meant}'? Else give what was measured another name"
                raise self._wrong(f"column {shown(name)} is no axis", hint)
            if quantity(name) is not None:
                hint = f"for example measured_{name}"
                raise self._wrong(f"column {shown(name)} is a quantity that is computed: give it another name", hint)
        if not keys:
            hint = f"axes are {shortened(list(self._axes))}"
            raise self._wrong("no column is an axis, so that nothing says which candidates its rows are of", hint)
        if len(keys) == len(names):
            raise self._wrong("all columns are axes: nothing was measured", EXAMPLE)
        return keys

    def _rows(
        self, reader: Iterable[list[str]], keys: Sequence[str], measured: Sequence[str]
    ) -> tuple[dict[Key, tuple[str, ...]], dict[Key, int]]:
        """Key -> what stands in its row, and its line."""
        found: dict[Key, tuple[str, ...]] = {}
        lines: dict[Key, int] = {}
        of_key = [self._names.index(name) for name in keys]
        others = [self._names.index(name) for name in measured]
        for number, row in enumerate(reader, 1):
            self._line, self._characters = reader.line_num, 0  # type: ignore[attr-defined]
            if number > MOST_ROWS:
                raise self._wrong(f"more than {MOST_ROWS:,} rows")
            if not any(text.strip() for text in row):
                continue
            if len(row) != len(self._names):
                raise self._wrong(f"{len(row)} values for {len(self._names)} columns")
            key = tuple(_element(row[place]) for place in of_key)
            if key in found:
                raise self._wrong(f"the same {' and '.join(keys)} as line {lines[key]}")
            if (len(found) + 1) * len(self._names) > MOST_CELLS:
                raise self._wrong(f"more than {MOST_CELLS:,} values")
            found[key], lines[key] = tuple(row[place].strip() for place in others), self._line
        return found, lines

    def _measured(self, text: str, name: str, line: int) -> Measured:
        if not text:
            return None
        number = _number(text)
        if number is None:
            hint = "numbers are written as 12, 0.5 or 1.5e-3; leave out what is not known"
            raise self._wrong(f"column {shown(name)}: {shown(text)} is no number", hint, line)
        return number

    def _wrong(self, message: str, hint: str | None = None, line: int | None = None) -> UsageError:
        return UsageError(f"{printable(self._path)}:{self._line if line is None else line}: {message}", hint)


_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)


def _number(text: str) -> int | Fraction | None:
    """The number that a text is, exactly.

    >>> _number("12"), _number("1.5e-3"), _number("3x"), _number("nan")
    (12, Fraction(3, 2000), None, None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    value = Fraction(text)
    return value.numerator if value.denominator == 1 else value


def _element(value: Cell) -> int | float | str | None:
    """What of a cell, or of a text of the file, is compared: numbers by their value, lists and words without spaces.

    >>> _element("[3, 4,6]") == _element(" [3,4, 6]"), _element("1.0") == _element(1), _element("1/3")
    (True, True, '1/3')
    """
    if not isinstance(value, str):
        return value
    number = _number(value.strip())
    if number is None:
        return "".join(value.split())
    return number if isinstance(number, int) else float(number)
