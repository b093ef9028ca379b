"""Write specs/index.json and the table of docs/gallery.md from the specs. Run it after a change of the gallery.

python tools/gallery_index.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from convcalc.language import gallery_names  # noqa: E402
from convcalc.published.index import index_path, spec_entry  # noqa: E402
from convcalc.render.gallery import gallery_grid, gallery_summary  # noqa: E402
from convcalc.render.grid import markdown  # noqa: E402

START, END = "<!-- gallery -->\n", "<!-- /gallery -->"


def main() -> None:
    """Compute every entry and write both files."""
    entries = [spec_entry(name) for name in gallery_names()]
    index_path().write_text(json.dumps({"format": 1, "specs": entries}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    page = ROOT / "docs" / "gallery.md"
    before, _, rest = page.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    table = markdown([gallery_grid(entries, full=True)])
    page.write_text(f"{before}{START}\n{table}\n\n{gallery_summary(entries)}.\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
