"""Cell by cell: the printed string beside the one that follows from the architecture.

Every cell is computed by its own reading, written in the printed cell's own form (decimals, separators, suffix),
and compared as text. `159K` under `unit: {K: 1024}, round: down` reads: floor(value / 1024), no decimals, then `K`.
A listed difference is run too: an explanation that does not give the printed cell is reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from ..findings import SpecError, UsageError
from ..language.published import (
    PLACEHOLDER,
    SUM,
    Alternative,
    Difference,
    NetworkKey,
    PrintedCell,
    PrintedTable,
    Reading,
    placeholders,
    read_tables,
)
from ..limits import FILE_STEPS
from ..network import Given, Network
from .figures import Figures, find
from .looks import MANY_LOOKS, MANY_STEPS, Looks
from .quantities import QUANTITY_NAMES, quantity
from .quantity import Shaped, Value, number

if TYPE_CHECKING:
    from ..language.published import Round


_NUMBER = re.compile(
    r"(?P<lead>[^\d]*?)(?P<digits>\d[\d,' \u00a0\u2009_]*\d|\d)(?P<fraction>\.\d+)?(?P<rest>\D.*)?", re.S
)


class Printed(NamedTuple):
    """The form of a printed number: `~1,234.5 K` is lead `~`, separator `,`, 1 decimal, rest ` K`."""

    lead: str
    separator: str
    decimals: int
    rest: str

    @property
    def suffix(self) -> str:
        """The unit's text, without the space before it."""
        return self.rest.strip()


def parse_number(text: str) -> Printed | None:
    """The form of a printed number; None where the text is none.

    >>> parse_number("2.7K")
    Printed(lead='', separator='', decimals=1, rest='K')
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    digits = match["digits"]
    separators = {c for c in digits if not c.isdigit()}
    if len(separators) > 1:
        return None
    fraction = match["fraction"] or ""
    return Printed(match["lead"], "".join(separators), max(len(fraction) - 1, 0), match["rest"] or "")


def rounded(value: Fraction, decimals: int, rule: Round) -> int:
    """value·10^decimals as an integer under a rounding rule.

    >>> [rounded(Fraction(5, 2), 0, rule) for rule in ("half_up", "half_even", "down", "up")]
    [3, 2, 2, 3]
    """
    scaled = value * 10**decimals
    whole: int
    rest: int
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    if rule == "down":
        return whole if scaled >= 0 or not rest else whole + 1
    if rule == "up":
        return whole + 1 if rest and scaled >= 0 else whole
    twice = 2 * rest
    if twice == scaled.denominator:
        return whole + 1 if rule == "half_up" else whole + whole % 2
    return whole + 1 if twice > scaled.denominator else whole


def write_number(value: Fraction, form: Printed, rule: Round) -> str:
    """A value in the form of a printed cell.

    >>> write_number(Fraction(163696, 1024), parse_number("159K"), "down")
    '159K'
    """
    number = rounded(value, form.decimals, rule)
    sign, number = ("-", -number) if number < 0 else ("", number)
    whole, fraction = divmod(number, 10**form.decimals)
    digits = f"{whole:,}".replace(",", form.separator) if form.separator else str(whole)
    tail = f".{fraction:0{form.decimals}d}" if form.decimals else ""
    return f"{form.lead}{sign}{digits}{tail}{form.rest}"


def divisor(form: Printed, units: Mapping[str, Fraction]) -> tuple[Fraction, Printed]:
    """The divisor of the printed suffix and the form to write in; the first unit where the suffix is unknown."""
    if not units:
        return Fraction(1), form
    if form.suffix in units:
        return units[form.suffix], form
    for suffix in sorted(units, key=len, reverse=True):
        if form.suffix.startswith(suffix):
            return units[suffix], form
    suffix, first = next(iter(units.items()))
    return first, Printed(form.lead, form.separator, form.decimals, suffix)


Status = Literal["ignored", "empty", "equal", "differs"]


class Cell(NamedTuple):
    """One compared cell. `computed` is written in the printed cell's form."""

    printed: PrintedCell
    status: Status
    computed: str = ""
    difference: Difference | None = None
    explained: bool | None = None
    """Whether the listed explanation gives the printed cell; None where there is none."""


class Equivalent(NamedTuple):
    """Another reading of the table's cells, and how many of those that it speaks of it gives."""

    reading: Alternative
    cells: int
    given: int


class TableResult(NamedTuple):
    """A printed table compared: a row of cells for each printed row."""

    table: PrintedTable
    rows: tuple[tuple[Cell, ...], ...]
    stray: tuple[Difference, ...]
    """Listed differences whose row or column the table does not have."""
    also: tuple[Equivalent, ...] = ()
    """The other readings that are said to give the same cells."""

    @property
    def cells(self) -> int:
        """Cells that count: printed, and compared."""
        return sum(cell.status in ("equal", "differs") for row in self.rows for cell in row)

    @property
    def reproduced(self) -> int:
        """Cells whose computed text equals the printed one."""
        return sum(cell.status == "equal" for row in self.rows for cell in row)

    def column_counts(self) -> list[tuple[str, int, int]]:
        """(heading, reproduced, cells) of every column that counts."""
        counts = []
        for i, heading in enumerate(self.table.columns):
            statuses = [row[i].status for row in self.rows]
            counted = sum(status in ("equal", "differs") for status in statuses)
            if counted:
                counts.append((heading, statuses.count("equal"), counted))
        return counts

    def differing(self) -> list[tuple[str, str, Cell]]:
        """(row label, heading, cell) of every cell that differs."""
        return [
            (printed.label, heading, cell)
            for printed, row in zip(self.table.rows.values(), self.rows, strict=True)
            for heading, cell in zip(self.table.columns, row, strict=True)
            if cell.status == "differs"
        ]

    def explanations(self) -> dict[str, dict[str, int]]:
        """Explanation -> heading -> how many more cells of that column it reproduces."""
        counts: dict[str, dict[str, int]] = {}
        for _, heading, cell in self.differing():
            if cell.difference is not None and cell.explained:
                columns = counts.setdefault(cell.difference.explanation, {})
                columns[heading] = columns.get(heading, 0) + 1
        return counts

    def to_dict(self) -> dict[str, object]:
        """The comparison in the JSON contract of `table`."""
        return {
            "title": self.table.title,
            "cells": self.cells,
            "reproduced": self.reproduced,
            "differences": [
                {
                    "row": row,
                    "column": column,
                    "printed": cell.printed.text,
                    "computed": cell.computed,
                    "reason": cell.difference.reason if cell.difference else None,
                    "reproduced_with": cell.difference.explanation if cell.difference and cell.explained else None,
                }
                for row, column, cell in self.differing()
            ],
        }


class Comparison:
    """Compares the tables of one network's spec; it reloads the spec for readings with other params.

    Where the network is not as the file says it, its cells are read under the caller's params, variant and input too,
    unless their reading says others; all are at one batch size.
    """

    def __init__(
        self,
        network: Network,
        reports: dict[object, Figures] | None = None,
        looks: Looks | None = None,
        batch: int = 1,
    ) -> None:
        self.network = network
        self._batch = batch
        self._looks = looks or Looks()
        self._reports = reports if reports is not None else {}
        """(variant, params, input) of a reading, with the spec's name before where it is of another one -> its report;
        a caller that has some hands them over."""

    def tables(self) -> tuple[TableResult, ...]:
        """Every published table of the spec, compared. Raises SpecError where a claim cannot be read."""
        return tuple(self._compare(table) for table in read_tables(self.network.origin, QUANTITY_NAMES))

    def _compare(self, table: PrintedTable) -> TableResult:
        listed = {(difference.row, difference.column): difference for difference in table.differs or ()}
        used: set[tuple[str, str]] = set()
        rows = []
        for row in table.rows.values():
            cells = []
            for (heading, column), printed in zip(table.columns.items(), row.cells, strict=True):
                keys = ((row.name, heading), (row.label, heading))
                key = next((key for key in keys if key in listed), None)
                if key is not None:
                    used.add(key)
                reading = table.reading(row, column, printed)
                cells.append(self._cell(printed, reading, listed.get(key) if key else None))
            rows.append(tuple(cells))
        stray = tuple(difference for key, difference in listed.items() if key not in used)
        also = tuple(self._equivalent(table, other, rows) for other in table.also or ())
        return TableResult(table, tuple(rows), stray, also)

    def _equivalent(self, table: PrintedTable, other: Alternative, cells: list[tuple[Cell, ...]]) -> Equivalent:
        """What another reading gives of the cells that are compared."""
        counted = given = 0
        for row, compared in zip(table.rows.values(), cells, strict=True):
            if other.row not in (None, row.name, row.label):
                continue
            for (heading, column), cell in zip(table.columns.items(), compared, strict=True):
                if other.column in (None, heading) and cell.status in ("equal", "differs"):
                    counted += 1
                    reading = table.reading(row, column, cell.printed).merged(other)
                    given += self.text(cell.printed, reading) == cell.printed.text
        return Equivalent(other, counted, given)

    def _cell(self, printed: PrintedCell, reading: Reading, difference: Difference | None) -> Cell:
        if not reading.value:
            return Cell(printed, "ignored")
        if not printed.text:
            return Cell(printed, "empty")
        computed = self.text(printed, reading)
        if computed == printed.text:
            return Cell(printed, "equal", computed, difference)
        explained = None
        if difference is not None and difference.reading is not None:
            explained = self.text(printed, reading.merged(difference.reading)) == printed.text
        return Cell(printed, "differs", computed, difference, explained)

    def text(self, printed: PrintedCell, reading: Reading) -> str:
        """What a reading gives, written in the form of a printed cell."""
        if not reading.value:
            return ""
        report = self.report(reading, printed)
        if placeholders(reading.value):
            return self._composed(report, reading, reading.value, printed)
        value = self._sum(report, reading, reading.value.split(SUM), printed)
        return render(value, reading, printed.text, lambda: self._total(report, reading))

    def _composed(self, report: Figures, reading: Reading, template: str, printed: PrintedCell) -> str:
        """A composed value with its quantities written in; empty where one of them has no value."""
        values = {path: self._value(report, reading, path, printed) for path in placeholders(template)}
        if None in values.values():
            return ""

        def written(match: re.Match[str]) -> str:
            value, part = values[match[1]], match[2]
            if isinstance(value, Shaped):
                return value.written(f"{{{part}}}" if part else None)
            return str(value)

        return PLACEHOLDER.sub(written, template)

    def _sum(self, report: Figures, reading: Reading, paths: list[str], printed: PrintedCell) -> Value:
        values = [self._value(report, reading, path, printed) for path in paths]
        if len(values) == 1:
            return values[0]
        numbers = [value for value in values if isinstance(value, (int, Fraction))]
        return sum(numbers) if len(numbers) == len(values) else None

    def _value(self, report: Figures, reading: Reading, value: str, printed: PrintedCell) -> Value:
        path, _, name = value.rpartition(".")
        base = "" if reading.at == "total" else reading.at
        where = ".".join(part for part in (base, path) if part) or "total"
        subject = find(report, where)
        if subject is None:
            if find(report, reading.at or "total") is None:
                self._fail(f"nothing is called '{reading.at}' in {report.network.name}", printed)
            return None
        if not self._looks.take(report, where, subject):
            self._fail(MANY_LOOKS, printed, "CC111")
        found = quantity(name)
        assert found is not None
        return found.get(report, subject)

    def _total(self, report: Figures, reading: Reading) -> Value:
        assert reading.value is not None
        names = [path.rpartition(".")[2] for path in reading.value.split(SUM)]
        found = [known.get(report, report.whole) for known in map(quantity, names) if known is not None]
        return sum([value for value in found if isinstance(value, (int, Fraction))])

    def report(self, reading: Reading, printed: PrintedCell) -> Figures:
        """The report of the network under a reading's variant, params and input."""
        asked = reading.network
        key = asked if asked.spec or asked.widths else asked[1:4]
        found = self._reports.get(key)
        if found is None:
            found = self._reports[key] = Figures(self._network(asked, printed), self._batch)
        return found

    def _network(self, asked: NetworkKey, printed: PrintedCell) -> Network:
        network = self.network if asked[:4] == NetworkKey()[:4] else self._reload(asked, printed)
        if asked.widths is None:
            return network
        from .widths import Widths

        try:
            return Widths(network).changed(dict(asked.widths))
        except SpecError as error:
            self._fail(f"with these widths it does not build: {error.findings[0].message}", printed)
        except UsageError as error:
            self._fail(error.message, printed, hint=error.hint)

    def _reload(self, asked: NetworkKey, printed: PrintedCell) -> Network:
        """The network that a reading asks for, under what the caller gave the spec, unless it is of another spec."""
        origin = self.network.origin
        assert origin is not None
        left = FILE_STEPS - origin.steps
        if left <= 0:
            self._fail(MANY_STEPS, printed, "CC111")
        spec, variant, params, input, _ = asked
        given = origin.given if spec is None else Given()
        try:
            return origin.reload(
                params={**given.params, **dict(params or ())},
                variant=variant or given.variant,
                input=input or given.input,
                spec=spec,
                steps=left,
            )
        except SpecError as error:
            first = error.findings[0]
            code = first.code if first.code == "CC111" else "CC306"
            self._fail(f"{'this reading' if spec is None else spec} does not build: {first.message}", printed, code)
        except UsageError as error:
            what = "the spec" if spec is None else spec
            self._fail(f"this reading does not fit {what}: {error.message}", printed, hint=error.hint)

    def _fail(self, message: str, printed: PrintedCell, code: str = "CC306", hint: str | None = None) -> NoReturn:
        assert self.network.origin is not None
        raise SpecError([self.network.origin.finding_at(code, message, printed.written, hint=hint)])


def render(value: Value, reading: Reading, printed: str, total: object) -> str:
    """A value in the form of a printed cell under a reading; empty where there is no value."""
    if value is None:
        return ""
    if isinstance(value, Shaped):
        exact = number(value) if reading.format is None and parse_number(printed) is not None else None
        if exact is None:
            return value.written(reading.format)
        value = exact
    if isinstance(value, str):
        return value if reading.format is None else reading.format.replace("{}", value)
    form = parse_number(printed)
    if form is None:
        return str(value)
    units = reading.unit or {}
    if units and units.get(form.suffix, Fraction(1)) is None:
        whole = total() if callable(total) else None
        if not isinstance(whole, int) or not whole:
            return ""
        return write_number(Fraction(value) * 100 / whole, form, reading.round or "half_up")
    scale, form = divisor(form, {suffix: n for suffix, n in units.items() if n is not None})
    return write_number(Fraction(value) / scale, form, reading.round or "half_up")


def outlines(table: PrintedTable, figures: Figures) -> bool:
    """Whether a printed table has this network's stages as rows: all that have parameters, and no other network's."""
    named: set[str] = set()
    for row in table.rows.values():
        for column, cell in zip(table.columns.values(), row.cells, strict=True):
            reading = table.reading(row, column, cell)
            if reading.network != NetworkKey():
                return False
            named.update(path.partition(".")[0] for path in (reading.at or "").split(".."))
    return all(stage.name in named for stage in figures.stages if figures.cost(stage).params)


def compare(network: Network, batch: int = 1) -> tuple[TableResult, ...]:
    """Every published table of a network's spec, compared cell by cell."""
    return Comparison(network, batch=batch).tables()
