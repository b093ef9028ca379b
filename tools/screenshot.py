"""Photograph reports for the documentation, in light and dark: what docs/pictures/report*.png show.

python -m tools.screenshot

Needs Playwright and the chromium of the distribution (extra `browser`). Browsers draw letters a little differently, so
that no test holds the pictures to their bytes; tests/browser/ tests what they show.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tools.site_reports import PICTURES, REPORTS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
COLOURS = 128
"""Of a picture: enough for what a report draws, and a third of the bytes."""
SCHEMES: tuple[tuple[str, Literal["light", "dark"]], ...] = (("", "light"), ("_dark", "dark"))


def _open_stage(page: Page) -> None:
    page.get_by_role("button", name="conv2_x").first.click()


BEFORE: dict[str, Callable[[Page], None]] = {"report": _open_stage}
"""What is clicked before the picture of that name is taken."""


def main() -> None:
    """Write the pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("there is no chromium: install the distribution's package")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for name, made in REPORTS.items():
            (Path(folder) / f"{name}.html").write_text(made(), "utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for end, scheme in SCHEMES:
            for name, shown in PICTURES.items():
                page = browser.new_page(viewport={"width": 1200, "height": 860}, color_scheme=scheme)
                page.goto(f"{Path(folder).as_uri()}/{shown}")
                page.wait_for_timeout(500)
                BEFORE.get(name, lambda page: None)(page)
                page.wait_for_timeout(1000)
                picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
                picture.save(FOLDER / f"{name}{end}.png", optimize=True)
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
