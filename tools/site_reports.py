"""Reports on the documentation's site: the pages that `convcalc report` writes, to click through.

A hook of MkDocs (`mkdocs.yml`). The pages are made when the site is. A picture of one (`tools/screenshot.py`) leads to
it, and has its dark version beside it where the site is dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import convcalc

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

REPORTS: dict[str, Callable[[], str]] = {
    "resnet50": lambda: convcalc.report(convcalc.load("resnet", variant="resnet50")),
    "googlenet": lambda: convcalc.report("googlenet"),
    "unet": lambda: convcalc.report("unet"),
    "mobilenet_v2_int8": lambda: convcalc.report(
        convcalc.analyse(convcalc.load("mobilenet_v2", input=[3, 96, 96]), dtype="int8")
    ),
    "se_resnet_against_resnet": lambda: convcalc.report("se_resnet", against="resnet"),
}
"""The name of each page, and the page."""
PICTURES = {
    "report": "resnet50.html#diagram",
    "report_memory": "mobilenet_v2_int8.html#memory",
    "report_published": "googlenet.html#published",
    "report_field": "unet.html#field",
    "report_change": "se_resnet_against_resnet.html#diagram",
}
"""The name of each picture in docs/pictures/, and what it shows."""
_PICTURE = re.compile(r"!\[([^\]]*)\]\(pictures/(\w+)\.png\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages are added."""
    from mkdocs.structure.files import File  # which pages there are is known where MkDocs is not, too

    for name, made in REPORTS.items():
        files.append(File.generated(config, f"reports/{name}.html", content=made()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Pictures of reports lead to them."""
    return _PICTURE.sub(_live, markdown)


def _live(found: re.Match[str]) -> str:
    """A picture in light and dark, as a link to the page that it shows."""
    said, name = found[1], found[2]
    if name not in PICTURES:
        return found[0]
    pictures = " ".join(
        f"![{said}](pictures/{name}{end}.png#only-{scheme}){{ loading=lazy }}"
        for end, scheme in (("", "light"), ("_dark", "dark"))
    )
    return f'[{pictures}](reports/{PICTURES[name]} "Open the page"){{ .figure }}'
