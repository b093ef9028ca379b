"""What the documentation's site has beside docs/: pages of the root, the playground where one is built, and docstrings
whose examples are examples.

A hook of MkDocs and an extension of its reader of docstrings (`mkdocs.yml`); `mkdocs build` makes the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from griffe import Extension, Object
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
BESIDE = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""Files of the root -> their pages."""
PLAYGROUND = "playground.md"
OPENED = "playground/open/"
"""Where the playground stands on the site."""
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)")
_EXAMPLE = re.compile(r"(?:^ *>>> .*\n?(?:^ *(?!>>> )\S.*\n?)*)+", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages of the root and the playground are added."""
    for name, page in BESIDE.items():
        text = (ROOT / name).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, page, content=text))
    for path in _playground(config):
        place = path.relative_to(config.extra["playground"]).as_posix()
        files.append(File.generated(config, f"{OPENED}{place}", abs_src_path=str(path.resolve())))
    return files


def _playground(config: MkDocsConfig) -> list[Path]:
    """The files of the playground that goes out with the site. Raises PluginError where the folder holds none."""
    folder = config.extra["playground"]
    if not folder:
        return []
    if not (Path(folder) / "playground.js").exists():
        raise PluginError(f"there is no playground in {folder}: python -m tools.playground --out {folder}")
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links lead to pages of the site, or are the text that they have; the playground is opened where there is one."""
    pages = {file.src_uri: file for file in files}
    text = _LINK.sub(lambda found: _linked(found, pages), markdown)
    if config.extra["playground"]:
        text = text.replace(f"[The playground]({PLAYGROUND})", f"[The playground]({OPENED}index.html)")
        if page.file.src_uri == PLAYGROUND:
            text = text.replace("\n## ", f"\n**[Open it]({OPENED}index.html)**\n\n## ", 1)
    return text


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """The theme's search, a dialog, has a name for who hears the page."""
    return output.replace('class="md-search"', 'class="md-search" aria-label="Search"', 1)


def _linked(found: re.Match[str], pages: dict[str, File]) -> str:
    """A link with the title of its page where its text is the name of a file; of what is no page the text alone."""
    text, target, anchor = found[1], found[2], found[3] or ""
    target = BESIDE.get(target.removeprefix("../"), target)
    page = pages.get(target)
    if page is not None and page.is_documentation_page():
        title = page.content_string.removeprefix("# ").partition("\n")[0]
        return f"[{title if text.endswith('.md') else text}]({target}{anchor})"
    in_repository = target and ":" not in target and page is None and (ROOT / target).exists()
    return text if in_repository else found[0]


def fenced(text: str) -> str:
    """A docstring with its examples in fences, so that `>>>` is no quotation.

    >>> print(fenced("Sums.\\n\\n>>> 1 + 1\\n2\\n"))
    Sums.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    <BLANKLINE>
    """
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)


class Examples(Extension):
    """Puts the examples of docstrings into fences."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Of every module, class, function and attribute that has one."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
