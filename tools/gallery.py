"""The index of the gallery, specs/index.json, and the table of docs/gallery.md, both computed from the specs."""

from __future__ import annotations

import json
from pathlib import Path

from convcalc.analysis.gallery import index_path, spec_entry
from convcalc.language import gallery_names
from convcalc.render.document import Document
from convcalc.render.gallery import gallery_summary, gallery_table
from convcalc.render.markup import markdown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "gallery.md"
START, END = "<!-- gallery -->\n", "<!-- /gallery -->"


def texts() -> dict[Path, str]:
    """Both files and their texts."""
    entries = [spec_entry(name) for name in gallery_names()]
    index = json.dumps({"format": 1, "specs": entries}, indent=1, ensure_ascii=False) + "\n"
    before, _, rest = PAGE.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    table = markdown(Document((gallery_table(entries, full=True),)))
    return {index_path(): index, PAGE: f"{before}{START}\n{table}\n\n{gallery_summary(entries)}.\n{END}{after}"}
