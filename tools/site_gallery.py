"""The gallery on the documentation's site: a page for each architecture, with its figure, its table and its spec.

A hook of MkDocs (`mkdocs.yml`). The pages are made when the site is, from the specs alone.
"""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import convcalc
from convcalc.analysis.gallery import SpecEntry, read_index
from convcalc.analysis.report import analyse
from convcalc.language.sources import gallery_path
from convcalc.render.escape import markdown as escaped
from convcalc.render.first_screen import first_screen
from convcalc.render.lines import plain
from convcalc.render.streams import screen_lines
from convcalc.render.text import document_lines

SHOWN = ("lenet5", "vgg", "googlenet", "resnet", "mobilenet_v2", "unet", "dcgan_generator", "vit")
"""Whose figures the page of the gallery begins with."""
WIDTH = 84
"""Columns of a table that a page has room for."""
INDEX = "gallery.md"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """A page and a picture for each architecture."""
    for entry in read_index():
        name = entry["name"]
        figure = convcalc.export(name, "svg", style="figure")
        files.append(File.generated(config, f"gallery/{name}.md", content=page_of(entry)))
        files.append(File.generated(config, f"gallery/{name}.svg", content=figure))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The list of the gallery leads to the pages, and has some figures above it."""
    if page.file.src_uri != INDEX:
        return markdown
    titles = {entry["name"]: entry["title"] for entry in read_index()}
    for name in titles:
        markdown = markdown.replace(f"\n| {name} |", f"\n| [{name}](gallery/{name}.md) |")
    figures = "\n".join(
        f"[![](gallery/{name}.svg) {escaped(titles[name])}](gallery/{name}.md){{ .figure }}" for name in SHOWN
    )
    head, _, rest = markdown.partition("\n## ")
    return f"{head}\n{figures}\n\n## {rest}"


def page_of(entry: SpecEntry) -> str:
    """The page of an architecture: what it is, its figure, its table, its variants and its spec."""
    name = entry["name"]
    screen = first_screen(analyse(convcalc.load(name)), WIDTH, screen_lines())
    table = plain(document_lines(screen, WIDTH)).rstrip()
    parts = [
        f"# {escaped(entry['title'])}",
        escaped(entry["source"] or ""),
        f"![{escaped(entry['title'])} as solids by resolution and channels]({name}.svg)",
        _said(entry),
        f"## Its layers\n\n```console\n$ convcalc table {name}\n{table}\n```",
        f"## Its spec\n\n`convcalc specs {name} > mine.yaml` is a copy to start from.\n\n```yaml\n{_text(name)}```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _said(entry: SpecEntry) -> str:
    """What the tables of its paper give, and which variants there are."""
    name, variants = entry["name"], entry["variants"]
    lines = []
    if entry["cells"]:
        lines.append(
            f"{entry['reproduced']} of {entry['cells']} cells that its paper prints follow from the architecture: "
            f"`convcalc table {name} --published` shows them ([published tables](../published.md))."
        )
    if variants:
        named = ", ".join(f"`{variant}`" for variant in variants)
        lines.append(f"Variants: {named}. `convcalc table {name} --variants` shows them beside each other.")
    return "\n\n".join(lines)


def _text(name: str) -> str:
    return (gallery_path() / f"{name}.yaml").read_text("utf-8")
