"""Where lines go: colours on a terminal, plain text in a pipe or under NO_COLOR."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .grid import Line

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


def line_width() -> int | None:
    """Columns to fit into: the terminal's, or those of COLUMNS; None in a pipe without it."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return max(shutil.get_terminal_size().columns, 20)
    return None


def coloured() -> bool:
    """Whether standard output takes colours: a terminal, NO_COLOR not set, TERM not dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Lines:
    """Lines as a rich renderable: one segment a piece, nothing measured or wrapped again."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment
        from rich.style import Style

        end = Segment.line()
        styles: dict[str, Style | None] = {"": None}
        for line in self.lines:
            for text, style in line:
                if style not in styles:
                    styles[style] = Style.parse(style)
                yield Segment(text, styles[style])
            yield end


def json_text(data: object) -> str:
    """Data as JSON; characters that standard output cannot encode are escaped."""
    import json

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return json.dumps(data, indent=2, ensure_ascii=not encoding.lower().startswith("utf"))


def write_lines(lines: Iterable[Line]) -> None:
    """Print lines to standard output, through rich where it takes colours."""
    if coloured():
        from rich.console import Console

        Console(soft_wrap=True).print(Lines(lines), end="")
        return
    write = sys.stdout.write
    for line in lines:
        write("".join([text for text, _ in line]) + "\n")


def write_text(text: str) -> None:
    """Print a finished text to standard output, with one newline at its end."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
