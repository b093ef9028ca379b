"""The section `published`: tables as printed, and how each of their cells is read."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal, NamedTuple

from ..hints import suggest
from ..marked import List, Map, Marked, Text
from ..network import Origin
from .grammar import (
    WORD,
    Either,
    Entries,
    Fields,
    Form,
    Items,
    Key,
    Named,
    Needed,
    Nothing,
    OneOrMore,
    Reader,
    Scalar,
    Short,
    Sizes,
    Vocabulary,
    Whole,
)
from .load import SpecOrigin
from .problems import Findings, Problem

Round = Literal["half_up", "half_even", "down", "up"]
ROUNDINGS: tuple[Round, ...] = ("half_up", "half_even", "down", "up")

PLACEHOLDER = re.compile(r"\{([^{}:]*)(?::(\w+))?\}")
"""In a composed value: `{path.quantity}`, or `{path.quantity:part}` for one part of a shape or window."""
SUM = " + "
"""Between the quantities of a value that is their sum."""
SHARE = "total"
"""As a unit's divisor: the percentage of the network's total."""
IGNORED = ""
"""What `value: ~` is read as: the cell is shown, never compared or counted."""
OWN = ""
"""What `spec: ~` and `variant: ~` are read as: this spec, and no variant of it."""
LONGEST_CELL = 1000
"""Characters of a printed cell."""
_DIVISOR = re.compile(r"[0-9]{1,19}(\.[0-9]{1,9})?")


def placeholders(value: str) -> list[str]:
    """The quantities of a composed value; none where the value is a single quantity.

    >>> placeholders("[{conv1.patch}, {conv1.out_channels}]×{repeats}"), placeholders("params")
    (['conv1.patch', 'conv1.out_channels', 'repeats'], [])
    """
    return [match[1] for match in PLACEHOLDER.finditer(value)]


class _Value(Scalar[str]):
    """`[path.]quantity`, a sum of such, or text in which `{[path.]quantity[:part]}` stand for several."""

    def read(self, node: Marked, reader: Reader) -> str:
        if isinstance(node, Text) and node.empty:
            return IGNORED
        text = super().read(node, reader)
        for path in placeholders(text) or text.split(SUM):
            name = path.rpartition(".")[2]
            if name not in reader.vocabulary:
                hint = suggest(name, reader.vocabulary, "quantities: " + ", ".join(reader.vocabulary))
                raise Problem("CC306", f"there is no quantity '{name}'", hint)
        return text


def _rounding(text: str) -> Round:
    if text not in ROUNDINGS:
        raise Problem("CC103", f"there is no rounding '{text}'", f"one of {', '.join(ROUNDINGS)}")
    return text


def _divisor(text: str) -> Fraction | None:
    """The divisor of a unit; None for the percentage of the total."""
    if text == SHARE:
        return None
    number = Fraction(text) if _DIVISOR.fullmatch(text) else Fraction(0)
    if number <= 0:
        raise Problem("CC103", f"the divisor '{text}' is not a positive number or '{SHARE}'")
    return number


class NetworkKey(NamedTuple):
    """Which network a cell is of: the spec's own where nothing is said."""

    spec: str | None = None
    variant: str | None = None
    params: tuple[tuple[str, str], ...] | None = None
    input: tuple[int, ...] | None = None
    widths: tuple[tuple[str, int], ...] | None = None


class Reading(Entries):
    """What a cell is read from. None stands for what is not said."""

    at = Key(Scalar(str, "'at' must be text", schema=WORD), "Path of the layer or stage, input, or total.")
    value = Key(
        _Value(str, "'value' must be text", schema={"type": ["string", "null"]}),
        "[relative path.]quantity; null: never compared.",
    )
    unit = Key(
        Named(
            Scalar(_divisor, "a divisor must be text", schema={"anyOf": [{"type": "number"}, {"enum": [SHARE]}]}),
            "'unit' maps a printed suffix to its divisor",
            "unit: {K: 1024}",
        )
    )
    round = Key(
        Scalar(_rounding, "'round' must be text", schema={"enum": list(ROUNDINGS)}),
        "How the last printed digit is rounded.",
    )
    format = Key(Scalar(str, "'format' must be text", schema=WORD), examples=("{h}×{w}×{c}",))
    spec = Key(
        Either(
            Nothing(OWN),
            Scalar(str, "'spec' must be text", schema=WORD),
            message="'spec' is the name of a spec",
            hint="spec: resnet, or spec: other.yaml for a file beside this one",
        ),
        "Another spec that the figures are from: of the gallery, or a .yaml file of this one's folder.",
        examples=("resnet", "other.yaml"),
    )
    variant = Key(
        Either(Nothing(OWN), Scalar(str, "'variant' must be text", schema=WORD), message="'variant' must be text"),
        "A variant of the spec; null: none.",
    )
    params = Key(
        Named(
            Scalar(str, "the value of {name} must be text"), "'with' maps params to values", "with: {stem: separable}"
        ),
        name="with",
    )
    input = Key(Sizes("'input' is a list of sizes", "input: [3, 160, 160]"))
    widths = Key(
        Named(
            Whole("the width of {name} is", "widths: {conv1: 48}"),
            "'widths' maps layers to their channels",
            "widths: {conv1: 48}",
        ),
        "Other widths of single layers: the path of each, and how many channels it puts out.",
    )

    @property
    def network(self) -> NetworkKey:
        """Which network it is of."""
        params = tuple(self.params.items()) if self.params else None
        widths = tuple(self.widths.items()) if self.widths else None
        return NetworkKey(self.spec or None, self.variant or None, params, self.input, widths)

    @property
    def ignored(self) -> bool:
        """Whether the cell is shown, never compared."""
        return self.value == IGNORED

    def merged(self, *others: Reading) -> Reading:
        """This reading with what the others say on top, the last one uppermost."""
        readings = (self, *others)
        return Reading({name: said for each in readings for name, said in each.said.items() if name in Reading.keys})

    def __str__(self) -> str:
        """In words, as a reader of the table needs it.

        >>> str(Reading({"with": {"stem": "separable"}}))
        'with stem: separable'
        """
        parts = [f"spec {self.spec}"] if self.spec else []
        if self.variant:
            parts.append(f"variant {self.variant}")
        if self.params:
            parts.append("with " + ", ".join(f"{name}: {value}" for name, value in self.params.items()))
        if self.input:
            parts.append("input " + "×".join(map(str, self.input)))
        if self.widths:
            parts.append("widths " + ", ".join(f"{path}: {width}" for path, width in self.widths.items()))
        parts += [f"{name} {self.said[name]}" for name in ("at", "value", "round", "format") if self.said.get(name)]
        if self.unit:
            divisors = [f"{suffix}: {SHARE if divisor is None else divisor}" for suffix, divisor in self.unit.items()]
            parts.append("unit " + ", ".join(divisors))
        return ", ".join(parts)


_UNKNOWN = "unknown key {key} in a published table"
_KNOWN = "known keys: {keys}"
_READING = Fields(Reading, "'reading' must be a mapping", unknown=_UNKNOWN, known=_KNOWN)
_SHOWN = Reading({"value": IGNORED})
_COLUMN: Form[Reading] = Either(
    Nothing(_SHOWN),
    Fields(Reading, "a column must be a mapping", unknown=_UNKNOWN, known=_KNOWN),
    message="a column must be a mapping",
)


class _Printed(Scalar[str]):
    """The text of a cell, of at most `LONGEST_CELL` characters; an empty one prints nothing."""

    def read(self, node: Marked, reader: Reader) -> str:
        if not isinstance(node, Text):
            return super().read(node, reader)
        if len(node.text) > LONGEST_CELL:
            raise Problem("CC103", f"a cell of {len(node.text):,} characters; the limit is {LONGEST_CELL:,}")
        return "" if node.empty else super().read(node, reader)


class PrintedCell(Reading):
    """One cell as printed."""

    text = Needed(_Printed(str, "'text' must be text"))


_CELL = Short(
    Fields(PrintedCell, "a cell must be text", unknown=_UNKNOWN, known=_KNOWN, missing="a cell needs '{key}'"),
    "text",
)
_CELLS = ("the row '{name}' must be a list of cells", 'one cell a column, "" where it is empty')


class PrintedRow(Reading):
    """One row: the label printed for it, and a cell a column."""

    printed_label = Key(Scalar(str, "'label' must be text"), name="label")
    cells = Needed(Items(_CELL, *_CELLS))

    @property
    def name(self) -> str:
        """Its key."""
        return self.under.text if self.under else ""

    @property
    def label(self) -> str:
        """What is printed for it, its key by default."""
        return self.name if self.printed_label is None else self.printed_label


_ROW = Short(
    Fields(PrintedRow, *_CELLS, unknown=_UNKNOWN, known=_KNOWN, missing="the row '{name}' needs '{key}'"),
    "cells",
)


class Difference(Reading):
    """A cell that is known to differ: why, and the reading that gives it, if there is one."""

    row = Needed(Scalar(str, "'row' must be text"))
    column = Needed(Scalar(str, "'column' must be text"))
    reason = Needed(Scalar(str, "'reason' must be text", schema=WORD))
    inner = Key(_READING, name="reading")

    @property
    def reading(self) -> Reading | None:
        """What gives the printed cell."""
        reading = self.merged(self.inner) if self.inner is not None else self.merged()
        return reading if reading.said else None

    @property
    def explanation(self) -> str:
        """The reading in words: `with stem: separable`; empty where there is none."""
        return str(self.reading or "")


class Alternative(Reading):
    """Another reading that gives every printed cell of a row, a column or the whole table just as well."""

    row = Key(Scalar(str, "'row' must be text"), "A row, by its key or label; without one, all.")
    column = Key(Scalar(str, "'column' must be text"), "A column; without one, all.")


class PrintedTable(Reading):
    """A printed table with everything that says how to read it."""

    title = Needed(Scalar(str, "'title' must be text"))
    source = Key(Scalar(str, "'source' must be text"))
    note = Key(Scalar(str, "'note' must be text"))
    columns = Needed(Named(_COLUMN, "'columns' must be a mapping"))
    rows = Needed(Named(_ROW, "'rows' must be a mapping"))
    differs = Key(
        Items(
            Fields(
                Difference,
                "a difference must be a mapping",
                unknown=_UNKNOWN,
                known=_KNOWN,
                missing="a difference needs '{key}'",
            ),
            "'differs' must be a list",
        )
    )
    also = Key(
        Items(
            Fields(Alternative, "another reading must be a mapping", unknown=_UNKNOWN, known=_KNOWN),
            "'also' must be a list",
        ),
        "Other readings that give the same cells.",
    )

    @property
    def specs(self) -> list[str]:
        """The other specs that its figures are from, in the order in which it names them."""
        rows = [said for row in self.rows.values() for said in (row, *row.cells)]
        listed = [other.reading or other for other in self.differs or ()]
        said = (self, *self.columns.values(), *rows, *listed, *(self.also or ()))
        return list(dict.fromkeys(reading.spec for reading in said if reading.spec))

    def reading(self, row: PrintedRow, column: Reading, cell: PrintedCell) -> Reading:
        """How a cell is read: as the table says, its column, its row, itself.

        A column that is only shown stays so under a row's value: its cells are labels.
        """
        row_said = self.merged(Reading({"at": row.name}), column, row)
        return row_said.merged(_SHOWN, cell) if column.ignored else row_said.merged(cell)


class _Table(Fields[PrintedTable]):
    """A table whose rows have a cell for each column."""

    def read(self, node: Marked, reader: Reader) -> PrintedTable:
        table = super().read(node, reader)
        columns, rows = (node.entries.get(key) if isinstance(node, Map) else None for key in ("columns", "rows"))
        if isinstance(columns, Map) and isinstance(rows, Map):
            for name, row in rows.entries.items():
                cells = row.entries.get("cells") if isinstance(row, Map) else row
                if isinstance(cells, List) and len(cells.items) != len(columns.entries):
                    message = f"the row '{name}' has {len(cells.items)} cells for {len(columns.entries)} columns"
                    reader.findings.add("CC103", message, rows.keys[name])
        return table


TABLE = _Table(
    PrintedTable,
    "a published table must be a mapping",
    unknown=_UNKNOWN,
    known=_KNOWN,
    missing="a published table needs '{key}'",
    definition="printed_table",
)
PUBLISHED = OneOrMore(TABLE)


def read_tables(origin: Origin | None, vocabulary: Vocabulary) -> list[PrintedTable]:
    """The printed tables of a spec, none where it has no `published` section.

    `vocabulary` names the quantities that a value may name. Raises SpecError with everything that is wrong.
    """
    section = origin.section("published") if isinstance(origin, SpecOrigin) else None
    if section is None or not isinstance(origin, SpecOrigin):
        return []
    findings = Findings(origin.source)
    tables = Reader(findings, vocabulary).read(PUBLISHED, section)
    findings.raise_any()
    return tables or []
