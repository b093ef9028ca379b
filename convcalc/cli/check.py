"""`convcalc check`: findings with their places; the exit code is for CI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import UNFORESEEN_EXIT, SpecError, UsageError
from .options import Dtype
from .output import format_option, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..api.check import CheckResult
    from ..check.run import Task


def command(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Files, folders, globs, gallery names, - (default: this folder)."),
    ] = None,
    format: Annotated[str, format_option("check")] = "text",
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="CODES", help="Report these alone: CC3,CC201; repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODES", help="Do not report these; the longer code decides."),
    ] = None,
    advice: Annotated[bool, typer.Option("--advice", help="Give advice too (CC4); it never fails.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print findings alone, no summary.")] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, max=256, help="Processes. Default: as many as are worthwhile.")
    ] = None,
    dtype: Annotated[
        Dtype | None, typer.Option("--dtype", help="Of budgets, and of claims that say none; default float32.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Of budgets, and of claims that say none; default 1.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the present values into the expect sections, then check.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="CODE", help="Print the manual page of a code, and stop.")
    ] = None,
) -> None:
    if explain is not None:
        _explain(explain)
        return
    from ..api.check import Options, checked, tasks_of
    from ..check.builds import Setting

    options = Options(select or (), ignore or (), advice, strict, Setting(dtype, batch))
    tasks, errors = tasks_of(paths or ["."], options)
    if update:
        _update(tasks, errors, quiet)
    from ..render.progress import Plan, progress

    with progress("check", lambda: Plan(len(tasks), "file", len(tasks)), ticks=False) as starts:
        result = checked(tasks, errors, strict, jobs, starts)
    if result.paths:
        _print(result, format, quiet)
    _notes(result, quiet)
    if result.broken:
        raise typer.Exit(UNFORESEEN_EXIT)
    if result.unreadable:
        raise typer.Exit(2)
    if result.failed:
        raise typer.Exit(1)


def _update(tasks: Sequence[Task], errors: list[UsageError], quiet: bool) -> None:
    from ..check.update import update_file
    from ..render.streams import say

    for task in tasks:
        try:
            changed = update_file(task.path, task.setting)
        except UsageError as error:
            errors.append(error)
        except SpecError:
            continue  # the check that follows reports why
        else:
            if changed and not quiet:
                say(f"{task.path}: {changed} value{'s' * (changed != 1)} written")


def _print(result: CheckResult, format: str, quiet: bool) -> None:
    from ..render.findings import NOTATIONS, WRITERS, check_comment, check_document
    from ..render.streams import write_text

    if format in WRITERS:
        write_text(WRITERS[format](result), NOTATIONS[format])
    elif format == "markdown":
        write(format, lambda: check_comment(result), result.to_dict)
    else:
        write(format, lambda: check_document(result, quiet), result.to_dict)


def _notes(result: CheckResult, quiet: bool) -> None:
    """What belongs to no finding: paths that cannot be checked, findings that are not selected."""
    from ..render.streams import say, write_error

    for error in result.unreadable:
        write_error(error.message, error.hint)
    if result.hidden and not quiet:
        say(f"{result.hidden} finding{'s' * (result.hidden != 1)} not selected")


def _explain(code: str) -> None:
    from ..codes import codes, markdown
    from ..render.streams import coloured, on_terminal, write_text

    if code.upper() not in codes():
        raise UsageError(f"there is no code '{code[:40]}'", f"codes: {', '.join(codes())}")
    if on_terminal() or coloured():
        from ..render.findings import code_document

        write("text", lambda: code_document(code.upper()), dict)
    else:
        write_text(markdown(code.upper()))
