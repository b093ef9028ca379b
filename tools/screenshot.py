"""Photograph the report of ResNet-50 for README: its diagram, with one stage open.

python -m tools.screenshot

Writes docs/pictures/report.png. Needs Playwright and the chromium of the distribution (extra `browser`). Browsers draw
letters a little differently, so that no test holds the picture to its bytes; tests/browser/ tests what it shows.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import convcalc

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "report.png"
STAGE = "conv2_x"


def main() -> None:
    """Write the picture."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("there is no chromium: install the distribution's package")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        page_file.write_text(convcalc.report(convcalc.load("resnet", variant="resnet50")), "utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 860}, device_scale_factor=1, color_scheme="light")
        page.goto(f"{page_file.as_uri()}#diagram")
        page.get_by_role("button", name=STAGE).first.click()
        page.wait_for_timeout(1000)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
