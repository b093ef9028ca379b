"""What the documentation's site has beside docs/: pages of the root, and docstrings whose examples are examples.

A hook of MkDocs and an extension of its reader of docstrings (`mkdocs.yml`); `mkdocs build` makes the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from griffe import Extension, Object
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
BESIDE = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""Files of the root -> their pages."""
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)")
_EXAMPLE = re.compile(r"(?:^ *>>> .*\n?(?:^ *(?!>>> )\S.*\n?)*)+", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages of the root are added."""
    for name, page in BESIDE.items():
        text = (ROOT / name).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links lead to pages of the site, or are the text that they have."""
    pages = {file.src_uri: file for file in files}
    return _LINK.sub(lambda found: _linked(found, pages), markdown)


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
