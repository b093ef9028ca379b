"""A browser for the tests that look at pages: Chromium of the machine, driven by Playwright.

Without one these tests are skipped, and fail where `CONVCALC_BROWSER=required` says that there is one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS = 20


@dataclass
class Opened:
    """A page, and what it asked for and said since it was opened."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    """Of the console, and errors that nobody caught."""


Open = Callable[..., Opened]


def listened(page: Page, seconds: float) -> Opened:
    """A new page, whose requests and messages are kept, and which is waited for so long at the most."""
    found = Opened(page)
    page.set_default_timeout(1000 * seconds)
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("console", lambda message: found.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.messages.append(f"error: {error}"))
    return found


AXE = Path(__file__).resolve().parents[2] / "web" / "report" / "node_modules" / "axe-core" / "axe.min.js"


def find_hindrances(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds that hinders somebody, as it says it: `id`, and the `nodes` with their `html`."""
    if not AXE.exists():
        _missing("axe-core: cd web/report && npm ci")
    page.evaluate(AXE.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return found


def _missing(what: str) -> None:
    if os.environ.get("CONVCALC_BROWSER") == "required":
        pytest.fail(f"CONVCALC_BROWSER=required, but there is no {what}")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser that all tests share."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright")
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        _missing("Chromium")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def open_file(browser: Browser) -> Iterator[Open]:
    """Opens a file in a context of its own, without network; keywords are those of Playwright's `new_context`."""
    contexts = []

    def opened(path: Path, **options: object) -> Opened:
        context = browser.new_context(offline=True, **options)  # type: ignore[arg-type]
        contexts.append(context)
        found = listened(context.new_page(), SECONDS)
        found.page.goto(path.as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()
