"""The documentation's site in a browser, on a desk and on a phone: what people come for is at the top of the first
page, every page fits, every picture is there, and nobody else is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import Open, find_hindrances

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parent.parent.parent
SCREENS = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
STARTS = {
    "Your first table": "Five minutes",
    "Your PyTorch model": "Models of PyTorch",
    "The lecture": "A lecture on convolutions, with convcalc beside it",
    "Your CI": "Specs in CI",
    "The drawings": "Drawings",
    "The playground": "The playground",
}
"""What the first page offers, and the title of the page to which it leads."""
SEEN = """() => ({
  over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  titles: document.querySelectorAll('.md-content h1').length,
  missing: [...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src),
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built to be read from a disk."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("built") / "site"
    call = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--no-directory-urls", "--site-dir", str(folder)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("screen", SCREENS)
def test_what_people_come_for_is_one_click_from_the_top_of_the_first_page(
    site: Path, open_file: Open, screen: str
) -> None:
    for words, title in STARTS.items():
        page = open_file(site / "index.html", viewport=SCREENS[screen]).page
        link = page.locator("article").get_by_role("link", name=words, exact=True)
        box = link.bounding_box()
        assert box is not None and box["y"] + box["height"] <= SCREENS[screen]["height"], f"{words} is below the fold"
        link.click()
        assert page.locator("article h1").inner_text().rstrip("¶") == title


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_fits_and_has_its_pictures(site: Path, open_file: Open, screen: str, scheme: str) -> None:
    pages = sorted(site.glob("*.html")) + [site / "gallery" / f"{name}.html" for name in ("resnet", "unet", "wavenet")]
    opened = open_file(site / "index.html", viewport=SCREENS[screen], color_scheme=scheme)
    assert len(pages) > 35
    for path in pages:
        opened.page.goto(path.as_uri())
        assert opened.page.evaluate(SEEN) == {"over": 0, "titles": 1, "missing": []}, path.name
    assert [url for url in opened.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_picture_of_a_report_leads_to_the_report(site: Path, open_file: Open) -> None:
    page = open_file(site / "index.html", viewport=SCREENS["desk"], color_scheme="dark").page
    shown = page.locator("article .figure img:visible")
    assert shown.count() == 1 and "report_dark.png" in str(shown.get_attribute("src"))
    shown.click()
    page.get_by_role("tab", name="Diagram", selected=True).wait_for()
    assert page.title().startswith("ResNet")


THEME = ("landmark-unique", "scrollable-region-focusable")
"""What the theme does to pages when they are opened: buttons of every example, and tables that scroll."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(site: Path, open_file: Open, scheme: str) -> None:
    page = open_file(site / "index.html", viewport=SCREENS["desk"], color_scheme=scheme).page
    found = []
    for name in ("index", "first_table", "models", "lecture", "language", "api", "changelog", "gallery/googlenet"):
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_timeout(400)  # the bar comes in by and by
        found += [f"{name}: {each['id']}: {each['nodes'][0]['html'][:120]}" for each in find_hindrances(page)]
    assert [each for each in found if each.split(": ")[1] not in THEME] == []


def test_what_is_copied_from_an_example_is_what_is_typed(site: Path, open_file: Open) -> None:
    page = open_file(site / "first_table.html").page
    code = page.locator("article .highlight:has(.gp) code").first
    said = "code => (code.setAttribute('data-md-copying', ''), code.innerText.trim())"
    assert code.evaluate(said) == "convcalc table lenet5"
