"""The playground in a browser: built once, served from this machine, it asks nobody else and says what `table` says.

Building needs node, npm and PyPI; without them these tests are skipped, and fail where `CONVCALC_BROWSER=required`.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import threading
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from convcalc import analyse, load
from tools import playground as builder

from .conftest import Opened, _missing, listened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parent.parent.parent
STARTING = 180
"""Seconds that Python may take to start in a browser on a machine that does much else."""
ANSWERING = 60
LONGEST_ANALYSIS = 3000
"""Milliseconds of one analysis of ResNet-50 there; 130 to 260 on a machine that does nothing else."""
HOSTILE = '</script><img src=x onerror="alert(1)">\u202e'
SPEC = "convcalc: 1\nname: net\ninput: [3, 32, 32]\nlayers:\n  - {conv2d: {out: 8, k: K}, name: first}\n  - relu\n"


PASTE = """(content, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  content.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def state_of_sources() -> str:
    """A hash of everything that the site is made of."""
    digest = hashlib.sha256()
    folders = [ROOT / "convcalc", ROOT / "specs", ROOT / "web" / "playground"]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    for path in sorted([*paths, Path(builder.__file__), ROOT / "pyproject.toml"]):
        if not {"node_modules", "__pycache__"} & set(path.parts):
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built where the last build is of other sources."""
    folder, mark = builder.CACHE / "site", builder.CACHE / "site.txt"
    state = state_of_sources()
    if mark.exists() and mark.read_text() == state and (folder / "index.html").exists():
        return folder
    try:
        builder.build(folder)
    except builder.BuildError as error:
        _missing(f"a build of the playground: {error}")
    mark.write_text(state)
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Requests are not told."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def arrived(page: Page, address: str, fragment: str) -> None:
    """Go to a place, and wait until what is there is analysed and checked."""
    page.goto(f"{address}#{fragment}")
    page.wait_for_selector("html[data-findings]", state="attached", timeout=1000 * STARTING)


@pytest.fixture(scope="module")
def opened(browser: Browser, address: str) -> Iterator[Opened]:
    """A page on which Python has started; tests go to other places on it."""
    context = browser.new_context(viewport={"width": 1400, "height": 860}, color_scheme="light")
    found = listened(context.new_page(), ANSWERING)
    arrived(found.page, address, "spec=resnet&variant=resnet50")
    yield found
    context.close()


@pytest.fixture
def page(opened: Opened) -> Iterator[Page]:
    """The page; a message of its console fails the test."""
    yield opened.page
    assert opened.messages == []


def rewrite(page: Page, text: str) -> None:
    """Put a text in the place of what the editor holds, as somebody who pastes it."""
    content = page.locator(".cm-content")
    content.click()
    page.keyboard.press("Control+a")
    content.evaluate(PASTE, text)


def said(page: Page, text: str) -> None:
    page.locator("#findings", has_text=text).wait_for()


def status(page: Page, text: str) -> None:
    page.locator("#status", has_text=text).wait_for()


def test_it_asks_its_own_server_alone(opened: Opened, page: Page, address: str) -> None:
    elsewhere = [url for url in opened.requests if not url.startswith((address, "data:", f"blob:{address}"))]
    assert elsewhere == []
    assert any(url.endswith("packages.zip") for url in opened.requests)


def test_figures_are_those_of_table(page: Page) -> None:
    printed = str(analyse(load("resnet", variant="resnet50")))
    assert not page.locator("#progress").is_visible(), "it has started"
    rows = page.locator("#table tbody tr:visible")
    assert rows.count() == 9
    for row in rows.all():
        cells = [cell.strip() for cell in row.locator("td.n").all_inner_texts() if cell.strip() not in ("", "·")]
        assert all(cell in printed for cell in cells)
    assert "25,557,032 params · 4,089,184,256 macs" in page.locator("#table").inner_text()


def test_an_edit_is_analysed_again_in_little_time(page: Page) -> None:
    times = []
    for number in range(4):
        before = page.locator("#status").inner_text()
        page.locator(".cm-content").click()
        page.keyboard.press("Control+End")
        page.keyboard.insert_text(f"# {number}\n")
        page.wait_for_timeout(400)
        status(page, "resnet50")
        for _ in range(100):
            if page.locator("#status").inner_text() != before:
                break
            page.wait_for_timeout(50)
        took = page.locator("html").get_attribute("data-took")
        times.append(float(took or 0))
    print(f"ResNet-50 analysed again in {min(times):.0f} to {max(times):.0f} ms")
    assert min(times) < LONGEST_ANALYSIS


def test_what_is_wrong_is_marked_where_it_is_and_mended(page: Page) -> None:
    rewrite(page, SPEC.replace("K", "3"))
    status(page, "net: 3×32×32 → 8×30×30")
    said(page, "check finds nothing")
    rewrite(page, SPEC.replace("K", "35"))
    said(page, "CC201")
    assert "5:6: error CC201" in page.locator("#findings").inner_text()
    assert "^^^^^^" in page.locator("#findings").inner_text()
    assert page.locator(".cm-lintRange-error").inner_text() == "conv2d"
    assert page.locator("#stale").is_visible()
    assert page.locator("#table tbody tr").count() == 2, "the network before it stays"
    page.locator("#findings button").click()
    assert page.evaluate("document.activeElement.id") == "editor"
    rewrite(page, SPEC.replace("K", "5"))
    status(page, "net: 3×32×32 → 8×28×28")
    assert not page.locator("#stale").is_visible()
    assert page.locator(".cm-lintRange-error").count() == 0
    assert "8×28×28" in page.locator("#table").inner_text()


def test_the_schema_completes(page: Page) -> None:
    rewrite(page, "convcalc: 1\ninput: [3, 32, 32]\nlayers:\n  - {max_p")
    page.keyboard.press("Control+Space")
    options = page.locator(".cm-tooltip-autocomplete li")
    options.first.wait_for()
    assert any("max_pool2d" in text for text in options.all_inner_texts())
    page.keyboard.type("ool2")
    page.locator(".cm-tooltip-autocomplete li[aria-selected]", has_text="max_pool2d").wait_for()
    page.wait_for_timeout(200)
    page.keyboard.press("Enter")
    page.keyboard.insert_text("{k: 2}}\n")
    status(page, "3×32×32 → 3×16×16")


def test_the_address_has_all_of_it(page: Page, browser: Browser, address: str) -> None:
    text = SPEC.replace("K", "7").replace("name: net", "name: nét ×")
    rewrite(page, text)
    status(page, "nét ×: 3×32×32 → 8×26×26")
    page.locator("#table .path", has_text="first").click()
    page.locator("#layer h2", has_text="first").wait_for()
    link = page.url
    assert "text=" in link and "tab=layer" in link and "layer=first" in link
    context = browser.new_context()
    other = context.new_page()
    arrived(other, link.partition("#")[0], link.partition("#")[2])
    assert other.locator(".cm-content").inner_text().strip().startswith("convcalc: 1")
    assert "nét ×" in other.locator("#status").inner_text()
    assert other.locator("#layer h2").inner_text() == "first"
    other.locator("#layer img").wait_for()
    context.close()


def packed(text: bytes) -> str:
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    return urlsafe_b64encode(compress.compress(text) + compress.flush()).decode().rstrip("=")


@pytest.mark.parametrize(
    "fragment",
    [
        "text=AAAA",
        "text=%%%",
        f"text={packed(b'0' * 10_000_000)}",
        "spec=../../index",
        "tab=none&window=1,2",
        "&&=&x",
        "",
    ],
)
def test_a_broken_address_opens_the_first_spec(page: Page, address: str, fragment: str) -> None:
    page.evaluate("(fragment) => { location.hash = fragment || '#'; }", fragment)
    status(page, "LeNet-5")


def test_names_are_texts(page: Page) -> None:
    rewrite(page, SPEC.replace("K", "3").replace("name: net", f"name: {json.dumps(HOSTILE)}"))
    status(page, "</script><img src=x onerror=")
    assert page.locator("img[src=x]").count() == 0
    page.locator("#tab-diagram").click()
    page.locator("#diagram svg.diagram-stage .box").first.wait_for()
    page.locator("#tab-layer").click()
    assert page.locator("img[src=x]").count() == 0
    page.locator("#tab-table").click()


def test_an_inversion_is_drawn(page: Page) -> None:
    page.locator("#tab-invert").click()
    page.locator("#inverted img").first.wait_for()
    page.locator("input[name=kernel]").fill("5")
    page.locator("#inverted pre", has_text="kernel 5").wait_for()
    drawn = page.locator("#inverted img").all()
    assert len(drawn) == 2
    assert all(
        page.evaluate("(image) => image.decode().then(() => image.naturalWidth)", img.element_handle()) > 100
        for img in drawn
    )
    page.locator("input[name=stride]").fill("0")
    page.locator("#inverted .wrong").wait_for()
    page.locator("input[name=stride]").fill("2")
    page.locator("input[name=size]").fill("1")
    page.locator("#inverted .wrong", has_text="kernel").wait_for()
    page.locator("input[name=size]").fill("7")


def test_keys_lead_everywhere(page: Page, address: str) -> None:
    page.evaluate("location.hash = 'spec=resnet&variant=resnet50'")
    status(page, "resnet50")
    page.locator("#tab-table").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-diagram"
    assert page.locator("#tab-diagram").get_attribute("aria-selected") == "true"
    page.locator("#diagram .box").first.wait_for()
    page.keyboard.press("Home")
    fold = page.locator("#table .fold").first
    count = page.locator("#table tbody tr:visible").count()
    fold.focus()
    page.keyboard.press("Enter")
    assert fold.get_attribute("aria-expanded") == "true"
    assert page.locator("#table tbody tr:visible").count() > count
    page.locator(".cm-content").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "editor"


def test_the_gallery_starts_another_spec(page: Page) -> None:
    page.locator("#gallery").select_option("vgg")
    status(page, "VGG")
    page.locator("#variant").select_option("vgg16")
    status(page, "vgg16")
    assert "138,357,544" in page.locator("#table").inner_text()
    assert "spec=vgg" in page.url and "variant=vgg16" in page.url


def test_colours_are_those_of_the_reader(page: Page) -> None:
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.emulate_media(color_scheme="light")
    assert colours == ["rgb(255, 255, 255)", "rgb(15, 20, 25)"]


@pytest.mark.parametrize("archive", ["packages.zip", "pyodide/python_stdlib.zip"])
def test_its_python_finds_all_modules_compiled(site: Path, archive: str) -> None:
    with zipfile.ZipFile(site / archive) as found:
        names = found.namelist()
    kept = [name for name in names if name.endswith(".py")]
    assert all(name.startswith("convcalc/export/copied/") for name in kept)
    assert len([name for name in names if name.endswith(".pyc")]) > 300


def test_the_site_is_of_the_size_that_is_said(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.is_file()]
    compressed = sum(len(zlib.compress(path.read_bytes(), 6)) for path in files)
    print(f"{sum(path.stat().st_size for path in files) / 2**20:.1f} MiB, {compressed / 2**20:.1f} MiB compressed")
    assert compressed < 11 * 2**20
