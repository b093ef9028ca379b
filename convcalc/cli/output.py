"""The options `--format` and `--output`, and where a command's answer goes: printed, or whole into a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ..findings import UsageError
from ..render import streams
from ..version import FORMAT

if TYPE_CHECKING:
    from pathlib import Path

    from ..render.document import Document
    from ..render.escape import Notation

ALIASES = {"rich": "text"}
OutputOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write here instead of to standard output.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")]


class Answer(NamedTuple):
    """What a command says: a document, and to programs plain data; made where a writer asks for it."""

    document: Callable[[], Document]
    data: Callable[[], Mapping[str, object]]


def _text(answer: Answer) -> None:
    from ..render.text import document_lines

    streams.write_lines(document_lines(answer.document(), streams.line_width()))


def _json(answer: Answer) -> None:
    streams.write_json({"format": FORMAT, **answer.data()})


def _markdown(answer: Answer) -> None:
    from ..render.markup import markdown

    streams.write_page(markdown(answer.document()), "entities")


def _csv(answer: Answer) -> None:
    from ..render.markup import csv

    streams.write_text(csv(answer.document()))


def _latex(answer: Answer) -> None:
    from ..render.markup import latex

    streams.write_text(latex(answer.document()), "latex")


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
    "explain": ("text", "markdown", "json", "latex"),
    "arena": ("text", "markdown", "csv", "json"),
    "invert": ("text", "markdown", "json"),
    "solve": ("text", "markdown", "csv", "json"),
    "check": ("text", "markdown", "json", "github", "sarif", "junit"),
    "diff": ("text", "markdown", "json", "github"),
    "sizes": ("text", "markdown", "csv", "json"),
    "sweep": ("text", "markdown", "csv", "json"),
    "specs": ("text", "markdown", "json"),
    "verify": ("text", "json"),
    "forensics": ("text", "markdown", "json"),
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

    return typer.Option("--format", "-f", parser=read, metavar=f"<{'|'.join(offered)}>", help=help)


def write(format: str, document: Callable[[], Document], data: Callable[[], Mapping[str, object]]) -> None:
    """Print an answer in a format. Only what the format needs is made."""
    WRITERS[format](Answer(document, data))


def refuse_existing(output: str | None, force: bool) -> None:
    """Raise UsageError where `--output` names what is not overwritten: asked before the work is done."""
    if output is None or output == "-":
        return
    from ..files import taken
    from ..language.names import shown

    target = _file(output, "--output", "-o net.py")
    if force or not taken(target):
        return
    _refuse_link(target, "--force writes the file behind it")
    raise UsageError(f"{shown(output)} exists already", "--force overwrites it")


def refuse_linked(output: str, option: str, example: str) -> None:
    """Raise UsageError where an option that overwrites names no file, or a link: others may have laid that."""
    if output == "-":
        return
    from ..files import taken

    target = _file(output, option, example)
    if taken(target):
        _refuse_link(target, "name the file itself")


def _file(output: str, option: str, example: str) -> Path:
    """The file that an option names. Raises UsageError for what is the name of none."""
    from pathlib import Path

    from ..language.names import shown

    if not output or "\0" in output or output.endswith(("/", os.sep)):
        raise UsageError(f"{option} takes a file, not {shown(output)}", f"for example {example}; - is standard output")
    return Path(output)


def _refuse_link(target: Path, hint: str) -> None:
    from ..language.names import shown

    if target.is_symlink():
        behind = shown(os.fspath(target.readlink()))
        raise UsageError(f"{shown(os.fspath(target))} is a symbolic link to {behind}", hint)


def write_file(
    data: str | Iterable[bytes], output: str | None, force: bool = False, notation: Notation = "text"
) -> None:
    """Write to the file of `--output`, or to standard output for None and `-`. Bytes, which come in pieces, never go to
    a terminal.

    `notation` says how a text on standard output spells what a CI would obey; a file gets the text as it is.
    A file is whole or not there, and one that exists is overwritten by `--force` alone. Raises UsageError.
    """
    if output is None or output == "-":
        if isinstance(data, str):
            streams.write_text(data, notation)
        else:
            streams.write_bytes(data)
        return
    from pathlib import Path

    from ..files import sentence
    from ..files import write as write_whole
    from ..language.names import shown

    refuse_existing(output, force)
    try:
        write_whole(Path(output), data.encode() if isinstance(data, str) else data, overwrite=force)
    except FileExistsError:
        raise UsageError(f"{shown(output)} exists already", "--force overwrites it") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(sentence(error, "write", shown(output))) from None
