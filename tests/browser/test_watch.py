"""`convcalc watch` in a browser: errors above the last report, the next one at the same place, nothing from others."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
HEAD = 'convcalc: 1\nname: "<b>net</b>"\ninput: [3, 32, 32]\n'
SPEC = HEAD + "layers:\n  - {conv2d: {out: 8, k: K}, name: first}\n  - relu\n"
SECONDS = 120


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A spec and the address that shows it."""
    path = tmp_path / "net.yaml"
    path.write_text(SPEC.replace("K", "3"))
    command = [sys.executable, "-m", "convcalc", "watch", "net.yaml", "--no-open"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield path, process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


def test_an_error_is_shown_above_the_last_report(browser: Browser, watched: tuple[Path, str]) -> None:
    path, address = watched
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(1000 * SECONDS)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    report = page.frame_locator("iframe:not(.coming)")
    assert report.locator("h1").inner_text().startswith("<b>net</b>")
    report.locator("#tabs a", has_text="Memory").click()
    path.write_text(SPEC.replace("K", "35"))
    page.locator("#said.failed").wait_for()
    assert "net.yaml:5:6: error CC201 first: kernel of 35" in page.locator("#lines").inner_text()
    assert page.locator("#lines .caret").inner_text().strip().endswith("^^^^^^")
    assert page.locator("#stale").is_visible()
    assert report.locator("#memory").is_visible(), "the last report stays"
    path.write_text(SPEC.replace("K", "5").replace("net<", "mended<"))
    report.locator("h1", has_text="mended").wait_for()
    assert not page.locator("#said").is_visible()
    assert report.locator("#memory").is_visible(), "the next report opens at the same place"
    assert [url for url in requests if not url.startswith((address, "blob:", "data:"))] == []
    assert messages == []
    context.close()
