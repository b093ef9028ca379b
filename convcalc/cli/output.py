"""The option `--format`, and where a command's answer goes: written in that format, or whole into a file.

A command's answer is a document, and for JSON plain data. Formats are named here alone; their writers stand in
`render/markup.py`, those of findings in `render/findings.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ..render.document import Document

FORMATS: dict[str, tuple[str, ...]] = {
    "table": ("text", "markdown", "csv", "json", "latex"),
    "explain": ("text", "markdown", "latex", "json"),
    "invert": ("text", "json", "markdown"),
    "solve": ("text", "csv", "markdown", "json"),
    "check": ("text", "json", "github", "sarif", "junit", "markdown"),
    "diff": ("text", "markdown", "json"),
    "sizes": ("text", "json", "markdown", "csv"),
    "specs": ("text", "markdown", "json"),
    "verify": ("text", "json"),
}
"""Command -> the formats that it offers, in the order of its help."""
ALIASES = {"rich": "text"}
VERSION = 1
"""Of every JSON contract: keys are only ever added."""


def format_option(command: str, help: str = "How to print.") -> Any:
    """The option `--format` of a command: its formats, and a refusal that lists them."""
    offered = FORMATS[command]

    def read(text: str) -> str:
        name = ALIASES.get(text, text)
        if name not in offered:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(map(repr, offered))}.")
        return name

    return typer.Option("--format", parser=read, metavar=f"<{'|'.join(offered)}>", help=help)


def write(format: str, document: Callable[[], Document], data: Callable[[], Mapping[str, object]]) -> None:
    """Print an answer in a format: its document, or its data as JSON. Only the one that is asked for is made."""
    from ..render import streams

    if format == "json":
        streams.write_text(streams.json_text({"format": VERSION, **data()}))
    elif format == "text":
        from ..render.text import document_lines

        streams.write_lines(document_lines(document(), streams.line_width()))
    else:
        from ..render.markup import WRITERS

        streams.write_text(WRITERS[format](document()))


def write_file(data: str | bytes, target: str | None) -> None:
    """Write to the file `target`, or to standard output for None and `-`. Bytes are never written to a terminal.

    A file is whole or not there.
    """
    if target is not None and target != "-":
        from pathlib import Path

        from ..files import replace

        replace(Path(target), data.encode() if isinstance(data, str) else data)
        return
    from ..render import streams

    if isinstance(data, str):
        streams.write_text(data)
    else:
        streams.write_bytes(data)
