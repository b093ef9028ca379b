"""The gallery as a table: what each spec is, what it costs, and how much of its printed tables it reproduces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..units import scaled
from .document import Column, Document, Note, Table

if TYPE_CHECKING:
    from ..analysis.gallery import SpecEntry

_TO_THE_YEAR = re.compile(r".*?\b(?:19|20)\d\d\b")


def gallery_document(entries: Sequence[SpecEntry], full: bool = False) -> Document:
    """The gallery and how much of it is confirmed."""
    summary = Note(gallery_summary(entries), "bold")
    return Document((gallery_table(entries, full)._replace(notes=(summary,)),))


def gallery_table(entries: Sequence[SpecEntry], full: bool = False) -> Table:
    """One row a spec; `full` writes sources out, else they end with the year."""
    columns = [
        Column("spec"),
        Column("params", "right"),
        Column("macs", "right"),
        Column("printed cells", "right"),
        Column("source", shrinks=True),
    ]
    rows = [
        [
            entry["name"],
            scaled(entry["params"]),
            scaled(entry["macs"]),
            f"{entry['reproduced']} of {entry['cells']}" if entry["cells"] else "",
            _source(entry["source"] or "", full),
        ]
        for entry in entries
    ]
    return Table(columns, rows)


def gallery_summary(entries: Sequence[SpecEntry]) -> str:
    """How many specs, tables and cells there are."""
    variants = sum(len(entry["variants"]) for entry in entries)
    tables = sum(len(entry["tables"]) for entry in entries)
    cells = sum(entry["cells"] for entry in entries)
    reproduced = sum(entry["reproduced"] for entry in entries)
    return (
        f"{len(entries)} specs with {variants} variants; "
        f"{reproduced:,} of {cells:,} printed cells in {tables} tables reproduced"
    )


def _source(text: str, full: bool) -> str:
    year = _TO_THE_YEAR.match(text)
    return text if full or year is None else year[0]
