"""The notebooks of docs/, run: the outputs that are stored are those of the cells as they are now."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .examples import ROOT, Session

NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))


def played(notebook: str) -> str:
    """A notebook (nbformat 4) with the outputs of its code cells, run in order in a folder with docs/files."""
    document: dict[str, Any] = json.loads(notebook)
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    with TemporaryDirectory() as folder:
        session = Session(Path(folder))
        del session.environment["COLUMNS"]
        outputs = session.answer({"cells": ["".join(cell["source"]) for cell in cells]})
    for number, (cell, found) in enumerate(zip(cells, outputs, strict=True), start=1):
        cell["execution_count"] = number
        cell["outputs"] = found
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def texts() -> dict[Path, str]:
    """Every notebook with its outputs."""
    return {path: played(path.read_text("utf-8")) for path in NOTEBOOKS}
