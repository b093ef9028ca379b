"""The `published` section of a spec: tables as printed, checked and read into records."""

from __future__ import annotations

from typing import NamedTuple

from ..findings import Finding, SpecError
from ..marked import List, Map, Marked, Text
from ..network import Origin
from .reading import Reading, read_reading, text_of


class PrintedCell(NamedTuple):
    """One cell as printed; `at` is its place in the document."""

    text: str
    reading: Reading
    at: Marked


class PrintedRow(NamedTuple):
    """One row: its key, the label printed for it, and a cell a column."""

    key: str
    label: str
    reading: Reading
    cells: tuple[PrintedCell, ...]


class PrintedColumn(NamedTuple):
    """A heading and how its cells are read."""

    heading: str
    reading: Reading


class Difference(NamedTuple):
    """A cell that is known to differ: why, and the reading that gives it, if there is one."""

    row: str
    column: str
    reason: str
    reading: Reading | None
    explanation: str
    """The explanation as text: `with stem: separable`; empty where there is none."""
    at: Marked


class PrintedTable(NamedTuple):
    """A printed table with everything that says how to read it."""

    title: str
    source: str
    note: str
    reading: Reading
    columns: tuple[PrintedColumn, ...]
    rows: tuple[PrintedRow, ...]
    differs: tuple[Difference, ...]
    at: Marked


TABLE_KEYS = ("title", "source", "note", "columns", "rows", "differs")
ROW_KEYS = ("label", "cells")
DIFFERENCE_KEYS = ("row", "column", "reason", "reading")


def read_tables(origin: Origin) -> tuple[PrintedTable, ...]:
    """The printed tables of a spec, none where it has no `published` section. Raises SpecError with places."""
    section = origin.section("published")
    if section is None:
        return ()
    items = section.items if isinstance(section, List) else [section]
    return tuple(_table(item, origin) for item in items)


def _fail(origin: Origin, message: str, at: Marked, hint: str | None = None) -> SpecError:
    findings: list[Finding] = [origin.finding_at("CC103", message, at, hint=hint)]
    return SpecError(findings)


def _mapping(node: Marked, origin: Origin, what: str) -> Map:
    if not isinstance(node, Map):
        raise _fail(origin, f"{what} must be a mapping", node)
    return node


def _table(node: Marked, origin: Origin) -> PrintedTable:
    entries = _mapping(node, origin, "a published table").entries
    for required in ("title", "columns", "rows"):
        if required not in entries:
            raise SpecError([origin.finding_at("CC104", f"a published table needs '{required}'", node)])
    columns = _columns(entries["columns"], origin)
    rows = tuple(
        _row(key, _mapping(entries["rows"], origin, "'rows'").keys[key], value, columns, origin)
        for key, value in _mapping(entries["rows"], origin, "'rows'").entries.items()
    )
    differs = entries.get("differs")
    items = differs.items if isinstance(differs, List) else []
    if differs is not None and not isinstance(differs, List):
        raise _fail(origin, "'differs' must be a list", differs)
    texts = {
        key: text_of(entries[key], origin, f"'{key}'") if key in entries else "" for key in ("title", "source", "note")
    }
    return PrintedTable(
        **texts,
        reading=read_reading(entries, origin, TABLE_KEYS),
        columns=columns,
        rows=rows,
        differs=tuple(_difference(item, origin) for item in items),
        at=node,
    )


def _columns(node: Marked, origin: Origin) -> tuple[PrintedColumn, ...]:
    columns = []
    for heading, value in _mapping(node, origin, "'columns'").entries.items():
        if isinstance(value, Text) and value.empty:
            columns.append(PrintedColumn(heading, Reading(ignored=True)))
            continue
        columns.append(PrintedColumn(heading, read_reading(_mapping(value, origin, "a column").entries, origin)))
    return tuple(columns)


def _row(key: str, at: Text, node: Marked, columns: tuple[PrintedColumn, ...], origin: Origin) -> PrintedRow:
    label, reading, cells = key, Reading(at=key), node
    if isinstance(node, Map):
        if "cells" not in node.entries:
            raise SpecError([origin.finding_at("CC104", f"the row '{key}' needs 'cells'", at)])
        cells = node.entries["cells"]
        said = read_reading(node.entries, origin, ROW_KEYS)
        if "label" in node.entries:
            label = text_of(node.entries["label"], origin, "'label'")
    else:
        said = Reading()
    if not isinstance(cells, List):
        raise _fail(
            origin, f"the row '{key}' must be a list of cells", cells, 'one cell a column, "" where it is empty'
        )
    if len(cells.items) != len(columns):
        raise _fail(origin, f"the row '{key}' has {len(cells.items)} cells for {len(columns)} columns", at)
    # A column that is only shown stays so under a row's value: its cells are labels.
    merged = tuple(
        _cell(
            item,
            reading.merged(column.reading).merged(said)._replace(ignored=column.reading.ignored or said.ignored),
            origin,
        )
        for item, column in zip(cells.items, columns, strict=True)
    )
    return PrintedRow(key, label, said, merged)


def _cell(node: Marked, reading: Reading, origin: Origin) -> PrintedCell:
    if isinstance(node, Map):
        if "text" not in node.entries:
            raise SpecError([origin.finding_at("CC104", "a cell needs 'text'", node)])
        said = read_reading(node.entries, origin, ("text",))
        return PrintedCell(text_of(node.entries["text"], origin, "'text'"), reading.merged(said), node)
    text = text_of(node, origin, "a cell")
    return PrintedCell("" if isinstance(node, Text) and node.empty else text, reading, node)


def _difference(node: Marked, origin: Origin) -> Difference:
    entries = _mapping(node, origin, "a difference").entries
    for required in ("row", "column", "reason"):
        if required not in entries:
            raise SpecError([origin.finding_at("CC104", f"a difference needs '{required}'", node)])
    row, column, reason = (text_of(entries[key], origin, f"'{key}'") for key in ("row", "column", "reason"))
    reading = read_reading(entries, origin, DIFFERENCE_KEYS)
    inner = entries.get("reading")
    if inner is not None:
        reading = reading.merged(read_reading(_mapping(inner, origin, "'reading'").entries, origin))
    explained = reading != Reading()
    return Difference(row, column, reason, reading if explained else None, describe(reading) if explained else "", node)


def describe(reading: Reading) -> str:
    """A reading in words, as a reader of the table needs it.

    >>> describe(Reading(params=(("stem", "separable"),)))
    'with stem: separable'
    """
    parts = []
    if reading.variant:
        parts.append(f"variant {reading.variant}")
    if reading.params:
        parts.append("with " + ", ".join(f"{name}: {value}" for name, value in reading.params))
    if reading.input:
        parts.append("input " + "×".join(map(str, reading.input)))
    for name in ("at", "value", "round", "format"):
        value = getattr(reading, name)
        if value:
            parts.append(f"{name} {value}")
    if reading.unit:
        parts.append("unit " + ", ".join(f"{suffix}: {n if n is not None else 'total'}" for suffix, n in reading.unit))
    return ", ".join(parts)
