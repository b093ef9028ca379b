"""The index of the gallery: one entry a spec, written once and shipped with it, so that listing computes nothing.

`python -m tools.regenerate` writes it anew; a test holds it against the specs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

from ..language.sources import gallery_path


class TableEntry(TypedDict):
    """A printed table and how much of it follows from the spec."""

    title: str
    cells: int
    reproduced: int


class SpecEntry(TypedDict):
    """A spec of the gallery at its defaults."""

    name: str
    title: str
    source: str | None
    variants: list[str]
    input: dict[str, list[int]]
    params: int
    macs: int
    cells: int
    reproduced: int
    tables: list[TableEntry]


def index_path() -> Path:
    """The file that holds the index."""
    return gallery_path() / "index.json"


def read_index() -> list[SpecEntry]:
    """The shipped index, sorted by name. Raises OSError where the file is missing."""
    entries: list[SpecEntry] = json.loads(index_path().read_text(encoding="utf-8"))["specs"]
    return entries


def spec_entry(name: str) -> SpecEntry:
    """The entry of one spec, computed from it."""
    from ..language import load
    from .published import compare
    from .report import analyse

    network = load(name)
    origin, totals = network.origin, analyse(network).totals
    assert origin is not None
    results = compare(network)
    return {
        "name": name,
        "title": network.name,
        "source": network.source,
        "variants": list(origin.variants),
        "input": {of: list(shape) for of, shape in network.inputs.items()},
        "params": totals.params,
        "macs": totals.macs,
        "cells": sum(result.cells for result in results),
        "reproduced": sum(result.reproduced for result in results),
        "tables": [{"title": r.table.title, "cells": r.cells, "reproduced": r.reproduced} for r in results],
    }
