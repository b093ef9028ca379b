"""The gallery as a table: what each spec is, what it costs, and how much of its printed tables it reproduces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..units import counted, scaled
from .document import Column, Document, KeyLines, Note, Table
from .hanging import hanging

if TYPE_CHECKING:
    from ..analysis.gallery import SpecEntry

_TO_THE_YEAR = re.compile(r".*?\b(?:19|20)\d\d\b")


def gallery_document(
    entries: Sequence[SpecEntry], variants: Mapping[str, Sequence[str]], full: bool = False, limit: int | None = None
) -> Document:
    """The gallery and how much of it is confirmed; below it the variants that are given by spec."""
    table = gallery_table(entries, full, limit)
    named = tuple((name, ", ".join(names)) for name, names in variants.items() if names)
    listed = (KeyLines("variants", named, ("spec", "variants")),) if named else ()
    return Document((table._replace(notes=(Note(gallery_summary(entries), "bold"),)), *listed))


def gallery_table(entries: Sequence[SpecEntry], full: bool = False, limit: int | None = None) -> Table:
    """One row a spec in lines of at most `limit` columns; `full` writes everything out, else sources end with the year.

    Cells are those of printed tables that follow from the spec, of all.
    """
    columns = (
        Column("spec"),
        Column("params", "right"),
        Column("macs", "right"),
        Column("printed cells" if full else "cells", "right"),
        Column("source"),
    )
    of = " of " if full else "/"
    rows = [
        [
            entry["name"],
            scaled(entry["params"]),
            scaled(entry["macs"]),
            f"{entry['reproduced']}{of}{entry['cells']}" if entry["cells"] else "",
            _source(entry["source"] or "", full),
        ]
        for entry in entries
    ]
    hung, _ = hanging([column.heading for column in columns], rows, limit)
    return Table(columns, hung)


def gallery_summary(entries: Sequence[SpecEntry]) -> str:
    """How many specs, tables and cells there are."""
    variants = sum(len(entry["variants"]) for entry in entries)
    tables = sum(len(entry["tables"]) for entry in entries)
    cells = sum(entry["cells"] for entry in entries)
    reproduced = sum(entry["reproduced"] for entry in entries)
    confirmed = f"; {reproduced:,} of {cells:,} printed cells in {counted(tables, 'table')} reproduced" if cells else ""
    return f"{counted(len(entries), 'spec')} with {counted(variants, 'variant')}{confirmed}"


def _source(text: str, full: bool) -> str:
    year = _TO_THE_YEAR.match(text)
    return text if full or year is None else year[0]
