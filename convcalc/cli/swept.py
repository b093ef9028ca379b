"""What a sweep found, printed: on a terminal, for programs, as a page; and a row of a run as a spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from .output import write, write_file

if TYPE_CHECKING:
    from ..api.sweep import Sweep
    from ..render.document import Document

WHOLE = ("csv", "json")
"""Formats in which all rows stand where nobody says how many."""


class Look(NamedTuple):
    """How a sweep is shown."""

    format: str = "text"
    top: int | None = None
    """Rows that are shown; None where nobody says."""
    every: bool = False
    """Whether all are asked for."""
    plot: tuple[str, ...] = ()
    """The two columns of the scatter; none where none is drawn."""
    exact: bool = False
    page: str | None = None
    """The file of the page."""
    force: bool = False


def read_plot(text: str | None, format: str) -> tuple[str, ...]:
    """The two columns of `--plot`. Raises UsageError."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if len(names) != 2:
        raise UsageError("--plot takes two columns for a scatter", "for example --plot params,macs")
    if format != "text":
        raise UsageError("--plot draws for a terminal: it goes without --format")
    return names


def show(sweep: Sweep, look: Look) -> None:
    """Print what was found, and write its page. Raises UsageError."""
    if look.page is not None:
        write_file(sweep.page(), look.page, look.force, "entities")
        if look.page == "-":
            return
    from ..render import streams
    from ..render.sweep import sweep_data, sweep_document, sweep_rows

    text = look.format == "text"
    found = sweep.found(
        top=look.top,
        every=look.every or (look.top is None and look.format in WHOLE),
        plot=look.plot,
        timed=look.format == "json" or streams.line_width() is not None,
    )

    def document() -> Document:
        if look.format == "csv":
            return sweep_rows(found)
        return sweep_document(found, exact=look.exact or not text, plot=bool(look.plot))

    write(look.format, document, lambda: sweep_data(found))


def show_row(sweep: Sweep, number: int) -> None:
    """Print the spec of a row. Raises UsageError where there is none."""
    write_file(sweep.spec(number), None)
