"""The option `--format`, and where a command's answer goes: written in that format, or whole into a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from ..render import streams

if TYPE_CHECKING:
    from ..render.document import Document

ALIASES = {"rich": "text"}
VERSION = 1
"""Of every JSON contract: keys are only ever added."""


class Answer(NamedTuple):
    """What a command says: a document, and to programs plain data; made where a writer asks for it."""

    document: Callable[[], Document]
    data: Callable[[], Mapping[str, object]]


def _text(answer: Answer) -> None:
    from ..render.text import document_lines

    streams.write_lines(document_lines(answer.document(), streams.line_width()))


def _json(answer: Answer) -> None:
    streams.write_text(streams.json_text({"format": VERSION, **answer.data()}))


def _markdown(answer: Answer) -> None:
    from ..render.markup import markdown

    streams.write_page(markdown(answer.document()))


def _csv(answer: Answer) -> None:
    from ..render.markup import csv

    streams.write_text(csv(answer.document()))


def _latex(answer: Answer) -> None:
    from ..render.markup import latex

    streams.write_text(latex(answer.document()))


WRITERS: dict[str, Callable[[Answer], None]] = {
    "text": _text,
    "markdown": _markdown,
    "csv": _csv,
    "json": _json,
    "latex": _latex,
}
"""Every format of documents -> its writer. Those that only findings have stand in `render/findings.py`."""

FORMATS: dict[str, tuple[str, ...]] = {
    "table": tuple(WRITERS),
    "explain": ("text", "markdown", "latex", "json"),
    "invert": ("text", "json", "markdown"),
    "solve": ("text", "csv", "markdown", "json"),
    "check": ("text", "json", "github", "sarif", "junit", "markdown"),
    "diff": ("text", "markdown", "json", "github"),
    "sizes": ("text", "json", "markdown", "csv"),
    "specs": ("text", "markdown", "json"),
    "verify": ("text", "json"),
}
"""Command -> the formats that it offers, in the order of its help; `table` offers all."""


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
    """Print an answer in a format. Only what the format needs is made."""
    WRITERS[format](Answer(document, data))


def write_file(data: str | bytes, target: str | None) -> None:
    """Write to the file `target`, or to standard output for None and `-`. Bytes are never written to a terminal.

    A file is whole or not there.
    """
    if target is not None and target != "-":
        from pathlib import Path

        from ..files import replace

        replace(Path(target), data.encode() if isinstance(data, str) else data)
        return
    if isinstance(data, str):
        streams.write_text(data)
    else:
        streams.write_bytes(data)
