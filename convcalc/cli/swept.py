"""What a sweep found, printed: on a terminal, for programs, as a page; and a row of a run as a spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from ..files import taken
from ..findings import UsageError
from ..sweep.faults import quoted
from .output import write, write_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..api.sweep import Sweep
    from ..render.document import Document
    from ..sweep.join import Join
    from ..sweep.plan import Plan

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
    exports: tuple[str, ...] = ()
    """The files of all rows."""
    force: bool = False


class Work(NamedTuple):
    """Who works out a sweep, and where it is kept."""

    output: str | None
    resume: bool
    force: bool
    jobs: int
    scheduler: str | None


def refuse_for_runs(run: str, given: Mapping[str, object]) -> None:
    """Raise UsageError for options that say what a run is made of: one that is kept has been made."""
    for name, value in given.items():
        if value not in (None, ()):
            message = f"--{name} is of a new sweep, and {quoted(run)} is a run that is kept"
            raise UsageError(message, "name its spec instead")


def refuse_taken(output: str | None, force: bool) -> None:
    """Raise UsageError where a new run would be written over something, or nowhere."""
    if output == "-":
        raise UsageError("a run is kept in a file, not on standard output", "for example -o run.sqlite")
    if output is not None and not force and taken(Path(output)):
        raise UsageError(f"{quoted(output)} exists already", "--resume goes on with it, --force overwrites it")


def carried_out(plan: Plan, join: Join | None, work: Work) -> Sweep:
    """A sweep, with a line of progress on a terminal. Ends the program where a signal ends the sweep."""
    from ..api.sweep import swept
    from ..render.progress import status
    from ..render.streams import write_error
    from ..render.sweep import progress_texts
    from ..sweep.running import Interrupted
    from ..sweep.view import name_of

    name = name_of(plan)
    try:
        with status() as says:
            return swept(plan, *work, lambda done: says(progress_texts(name, done)), join)
    except Interrupted as stop:
        write_error(stop.message, stop.hint)
        raise typer.Exit(stop.exit_code) from None


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


def refuse_unready(plan: Plan, look: Look) -> None:
    """Raise UsageError for what could not be shown or written at the end: asked before the work is done."""
    if look.plot:
        from ..sweep.view import refuse_unknown

        refuse_unknown(look.plot, plan)
    if look.exports:
        from ..sweep.export import format_of

        for path in look.exports:
            format_of(path)
    if look.page is not None:
        from ..page.environment import environment

        environment()


def show(sweep: Sweep, look: Look) -> None:
    """Print what was found, and write its page and its rows. Raises UsageError."""
    for path in look.exports:
        sweep.export(path, overwrite=look.force)
    if look.page is not None:
        write_file(sweep.page(), look.page, look.force, "entities")
        if look.page == "-":
            return
    from ..api.sweep import found_in, plan_of
    from ..render import streams
    from ..render.sweep import sweep_data, sweep_document, sweep_rows

    text = look.format == "text"
    unlimited = look.top is None and plan_of(sweep).top is None
    found = found_in(
        sweep,
        top=look.top,
        every=look.every or (unlimited and look.format in WHOLE),
        plot=look.plot,
        timed=look.format == "json" or streams.shown_at_once(),
    )

    def document() -> Document:
        if look.format == "csv":
            return sweep_rows(found)
        return sweep_document(found, exact=look.exact or not text, plot=bool(look.plot))

    write(look.format, document, lambda: sweep_data(found))


def show_row(sweep: Sweep, number: int) -> None:
    """Print the spec of a row. Raises UsageError where there is none."""
    write_file(sweep.spec(number), None)
