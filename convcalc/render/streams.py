"""Standard output and standard error: all that a command writes to them goes through here.

Whether they take colours, and whether long output goes through a pager, is decided here alone: by what `choose` was
told, else by the environment, else by what the streams are. Finished texts of programs (JSON, CSV, files) are never
coloured. In CI a log is read for commands as well: whoever writes a text says how it may be spelled otherwise, and what
a CI would obey is spelled so. A stream that is an ordinary file is no log: it gets every text as it is.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING, Literal, TextIO

from ..findings import Finding, UsageError

if TYPE_CHECKING:
    from .escape import Notation
    from .lines import Line

When = Literal["auto", "always", "never"]

_color: When = "auto"
_paged = True


def choose(color: When = "auto", paged: bool = True) -> None:
    """What this call asks for: colours, and whether long output may go through a pager."""
    global _color, _paged
    _color, _paged = color, paged


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


def coloured(stream: TextIO | None = None) -> bool:
    """Whether a stream (standard output, where none is given) takes colours.

    The first that says something decides: --color, NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, a dumb terminal or
    CLICOLOR=0; else terminals do.
    """
    if _color != "auto":
        return _color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if _switched_on("FORCE_COLOR") or _switched_on("CLICOLOR_FORCE"):
        return True
    if os.environ.get("TERM") == "dumb" or os.environ.get("CLICOLOR") == "0":
        return False
    return (stream or sys.stdout).isatty() and _shows_colours()


def on_terminal() -> bool:
    """Whether a person reads standard output as it comes."""
    return sys.stdout.isatty()


def _switched_on(name: str) -> bool:
    """Whether a variable of the environment is set to something other than 0 and false."""
    return os.environ.get(name, "").lower() not in ("", "0", "false")


def _shows_colours() -> bool:
    """Whether terminals of this system know colours: the old console of Windows does not."""
    return sys.platform != "win32" or bool(os.environ.get("WT_SESSION") or os.environ.get("TERM"))


CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "magenta": "35", "cyan": "36"}
"""Word of a style -> its code of ECMA-48. Each is legible on light and on dark: white, black and yellow are not."""
PLAIN = "\x1b[0m"


def styled(text: str, style: str) -> str:
    """A text with the codes of its style around it; nothing around the empty text.

    >>> styled("error", "bold red"), styled("x", "")
    ('\\x1b[1;31merror\\x1b[0m', 'x')
    """
    if not style or not text:
        return text
    return f"\x1b[{';'.join([CODES[word] for word in style.split()])}m{text}{PLAIN}"


SERVICES = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")
"""Variables that services set which run jobs; what a job prints is read for commands."""


def _is_log(stream: TextIO) -> bool:
    """Whether a CI reads the stream for commands."""
    if not any(map(_switched_on, SERVICES)):
        return False
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return True


def _sender(stream: TextIO, notation: Notation) -> Callable[[str], str]:
    """What makes of a finished text the one that the stream gets: a CI that reads it finds no command in it."""
    if not _is_log(stream):
        return str
    from .escape import unobeyed

    return partial(unobeyed, notation=notation)


def _written(lines: Iterable[Line], stream: TextIO) -> Iterator[str]:
    """Lines as text, each with its newline; controls in them are shown, and a CI finds no command in them."""
    from ..terminal import printable

    colours, sent = coloured(stream), _sender(stream, "text")
    for line in lines:
        pieces = [(printable(text), style) for text, style in line]
        yield sent("".join([styled(text, style) if colours else text for text, style in pieces]).rstrip(" ") + "\n")


def write_lines(lines: Iterable[Line]) -> None:
    """Print lines to standard output, in colour where it takes them; more than the screen holds go to the pager."""
    _write_paged(_written(lines, sys.stdout))


def write_page(text: str, notation: Notation = "text") -> None:
    """Print a finished text for a person: as `write_text`, through the pager where it is long."""
    if text:
        _write_paged(line + "\n" for line in _sender(sys.stdout, notation)(text).removesuffix("\n").split("\n"))


def _write_paged(lines: Iterator[str]) -> None:
    command = _pager()
    if command:
        first = list(islice(lines, shutil.get_terminal_size().lines))
        if len(first) == shutil.get_terminal_size().lines:
            text = "".join([*first, *lines])
            sys.stdout.flush()
            if _page(command, text):
                return
            first = [text]
        sys.stdout.write("".join(first))
    for line in lines:
        sys.stdout.write(line)


PAGER_OPTIONS = {"LESS": "FRX", "LV": "-c"}
"""Environment of a pager, where the user has not set it: colours are kept, and what fits the screen is only printed."""


def _pager() -> list[str]:
    """The words of the pager's command: CONVCALC_PAGER, PAGER, else less; none where output is not paged."""
    if not _paged or not on_terminal() or os.environ.get("TERM") == "dumb" or _switched_on("CI"):
        return []
    asked = os.environ.get("CONVCALC_PAGER", os.environ.get("PAGER"))
    if asked is None:
        return ["less"] if shutil.which("less") else []
    import shlex

    try:
        words = shlex.split(asked, posix=os.name != "nt")
    except ValueError:
        return []
    return [] if words == ["cat"] else words


def _page(command: list[str], text: str) -> bool:
    """Show a text through the pager; False where that does not run. Whoever quits it early has read enough."""
    import subprocess

    try:
        pager = subprocess.Popen(command, stdin=subprocess.PIPE, env={**PAGER_OPTIONS, **os.environ})
    except OSError:
        return False
    with _undisturbed():
        try:
            pager.communicate(text.encode(sys.stdout.encoding or "utf-8", sys.stdout.errors or "strict"))
        except BrokenPipeError:
            pager.wait()
    return pager.returncode == 0


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C is the pager's: it stops a search there, not this process."""
    import signal

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def write_text(text: str, notation: Notation = "text") -> None:
    """Print a finished text to standard output, with one newline at its end; nothing for the empty text."""
    text = _sender(sys.stdout, notation)(text)
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def write_bytes(pieces: Iterable[bytes]) -> None:
    """Print bytes to standard output, piece by piece. Raises UsageError on a terminal."""
    if sys.stdout.isatty():
        raise UsageError("this is no text for a terminal", "-o FILE writes it to a file")
    sys.stdout.buffer.writelines(pieces)


def json_text(data: Mapping[str, object]) -> str:
    """Data as JSON; characters that standard output cannot encode, and those that nobody sees, are escaped."""
    return "".join(_json_pieces(data))


def write_json(data: Mapping[str, object]) -> None:
    """Print data as JSON as it comes: iterators in it are arrays."""
    sent = _sender(sys.stdout, "json")
    for piece in _json_pieces(data):
        sys.stdout.write(sent(piece))
    sys.stdout.write("\n")


def _json_pieces(data: Mapping[str, object]) -> Iterator[str]:
    from .json_text import json_pieces

    return json_pieces(data, ascii=not (sys.stdout.encoding or "utf-8").lower().startswith("utf"))


def write_error(message: str, hint: str | None = None, excerpt: Iterable[str] = ()) -> None:
    """Say on standard error what went wrong, in which words of the call, and what to do about it."""
    _complain([[("error:", "bold red"), (f" {message}", "")]])
    _complain([[(f"  {line}", "" if line.strip(" ^") else "bold red")] for line in excerpt])
    if hint:
        _complain([[("  hint:", "bold"), (f" {hint}", "")]])


def write_findings(findings: Iterable[Finding]) -> None:
    """Print findings to standard error."""
    from .text import finding_lines

    _complain(line for finding in findings for line in finding_lines(finding))


def say(text: str) -> None:
    """Print a line to standard error; controls in it are shown, not sent."""
    _complain([[(text, "")]])


def _complain(lines: Iterable[Line]) -> None:
    """Print lines to standard error, in colour where it takes them.

    Where that is full or closed nobody is left to tell, and the exit code still speaks.
    """
    try:
        for line in _written(lines, sys.stderr):
            sys.stderr.write(line)
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def shown_at_once() -> bool:
    """Whether standard output is a terminal: somebody reads what is printed now, and no other program."""
    return sys.stdout.isatty()


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
