"""A report's page as a program reads it: its elements, its tables, its data."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "input", "img", "br"}
OPTIONAL = {"li", "tr", "td", "th", "thead", "tbody", "tfoot", "p", "option", "html"}
"""Elements whose end may be left out."""


class Page(HTMLParser):
    """The elements of a page with their attributes, its texts by element, and the rows of its tables by their ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self.tables: dict[str, list[list[str]]] = {}
        self.visible: list[str] = []
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self._table = ""
        self.feed(text)
        self.close()
        self.unclosed += [tag for tag in self._open if tag not in OPTIONAL]

    @property
    def data(self) -> dict[str, Any]:
        """What its scripts read."""
        text = next(
            text
            for text, (_, attributes) in zip(
                self.raw["script"], [e for e in self.elements if e[0] == "script"], strict=True
            )
            if attributes.get("id") == "convcalc-data"
        )
        found: dict[str, Any] = json.loads(text)
        return found

    @property
    def scripts(self) -> list[str]:
        """The scripts that run."""
        every = zip(self.raw["script"], [e for e in self.elements if e[0] == "script"], strict=True)
        return [text for text, (_, attributes) in every if "type" not in attributes]

    def ids(self) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get("id")) is not None]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in self.raw and not (tag == "title" and "svg" in self._open):
            self.raw[tag].append("")
        if tag == "table":
            self._table = dict(attrs).get("id") or f"table {len(self.tables)}"
            self.tables[self._table] = []
        if tag == "tr":
            self.tables[self._table].append([])
        if tag in ("td", "th"):
            self.tables[self._table][-1].append("")
            while self._open[-1] in ("td", "th"):
                self._open.pop()
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open[-1] != tag and self._open[-1] in OPTIONAL:
            self._open.pop()
        if not self._open or self._open.pop() != tag:
            self.unclosed.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        inner = self._open[-1] if self._open else ""
        if inner in self.raw and not (inner == "title" and "svg" in self._open):
            self.raw[inner][-1] += data
            return
        self.visible.append(data)
        if "table" in self._open and self.tables[self._table] and self.tables[self._table][-1]:
            cells = self.tables[self._table][-1]
            cells[-1] += data.replace("\n", "")


def said(data: dict[str, Any], path: str) -> list[tuple[str, list[list[str]]]]:
    """The sections of the page of a path: heading, and the texts of each step."""
    page = next(page for page in data["pages"] if page[0] == path)
    texts = data["texts"]
    return [
        (
            texts[data["sections"][number][0]],
            [
                [texts[part] if part >= 0 else "" for part in data["steps"][step]]
                for step in data["sections"][number][1]
            ],
        )
        for number in page[4]
    ]
