"""Standard output and standard error: all that a command writes to them goes through here.

Colours stand on a terminal, plain text in a pipe or under NO_COLOR.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from ..findings import Finding, UsageError

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from .text import Line


def prepare() -> None:
    """Streams that take any text: closed ones swallow it, those without Unicode get ASCII for our own signs."""
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            from codecs import register_error

            from .escape import spell_in_ascii

            register_error("convcalc", spell_in_ascii)
            stream.reconfigure(errors="convcalc")
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def line_width() -> int | None:
    """Columns to fit into: the terminal's, or those of COLUMNS; None in a pipe without it."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return max(shutil.get_terminal_size().columns, 20)
    return None


PIPED_LINES = 40
"""Lines of a screen where nobody says how many there are."""


def screen_lines() -> int:
    """Lines of the screen: the terminal's, or those of LINES."""
    if sys.stdout.isatty() or os.environ.get("LINES", "").isdigit():
        return max(shutil.get_terminal_size().lines, 10)
    return PIPED_LINES


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
    """Print a finished text to standard output, with one newline at its end; nothing for the empty text."""
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def write_bytes(data: bytes) -> None:
    """Print bytes to standard output. Raises UsageError on a terminal."""
    if sys.stdout.isatty():
        raise UsageError("this is no text for a terminal", "-o FILE writes it to a file")
    sys.stdout.buffer.write(data)


def json_text(data: object) -> str:
    """Data as JSON; characters that standard output cannot encode are escaped."""
    import json

    encoding = sys.stdout.encoding or "utf-8"
    return json.dumps(data, indent=2, ensure_ascii=not encoding.lower().startswith("utf"))


def write_error(message: str, hint: str | None = None) -> None:
    """Say on standard error what went wrong, and what to do about it."""
    say(f"error: {message}")
    if hint:
        say(f"  hint: {hint}")


def write_findings(findings: Iterable[Finding]) -> None:
    """Print findings to standard error."""
    from .text import finding_text

    _complain(finding_text(findings))


def say(text: str) -> None:
    """Print a line to standard error; controls in it are shown, not sent."""
    from .escape import printable

    _complain(printable(text))


def _complain(text: str) -> None:
    """Print to standard error. Where that is full or closed nobody is left to tell, and the exit code still speaks."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def watched_terminal() -> TextIO | None:
    """Standard error, where somebody sees how a line changes: a terminal that can go back in it, and no CI."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI"):
        return sys.stderr
    return None


def flush() -> None:
    """Send what standard output still holds."""
    sys.stdout.flush()


def discard_output() -> None:
    """Whoever read standard output is gone: what is buffered is not tried again at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
