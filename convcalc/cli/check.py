"""`convcalc check`: findings with their places; the exit code is for CI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import SpecError, UsageError
from .options import Dtype
from .output import format_option, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..check.run import Checked, Task
    from ..render.findings import CheckResult


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
    from ..check.discover import find_specs
    from ..check.run import check_files
    from ..render.findings import CheckResult

    names, errors, passed_over = find_specs(paths or ["."])
    tasks = [_task(name, select or [], ignore or [], advice, strict, (dtype, batch)) for name in names]
    if update:
        _update(tasks, errors, quiet)
    checked = list(check_files(tasks, jobs))
    errors += [result.unreadable for result in checked if result.unreadable is not None]
    readable = [result for result in checked if result.unreadable is None]
    findings = sorted((f for r in readable for f in r.findings), key=lambda f: (f.path, f.line, f.column, f.code))
    result = CheckResult(sorted({r.path for r in readable}), findings, strict)
    if readable:
        _print(result, format, quiet)
    _notes(readable, errors, quiet)
    if errors:
        raise typer.Exit(2)
    if any(r.failed for r in readable):
        raise typer.Exit(1)


def _task(
    path: str, select: list[str], ignore: list[str], advice: bool, strict: bool, given: tuple[str | None, int | None]
) -> Task:
    from ..check.builds import Setting
    from ..check.config import DEFAULT, config_of
    from ..check.run import Task
    from ..check.selection import read_selection

    place = Path(path).absolute() if path != "-" else Path.cwd() / "-"
    known = place.exists() or path == "-"
    config = config_of(place.parent.resolve()) if known else DEFAULT
    selection = read_selection(select or config.select, [*config.ignore, *ignore], advice or config.advice)
    budgets = config.budgets_of(place.parent.resolve() / place.name) if known else ()
    if given != (None, None):
        budgets = tuple(budget._replace(setting=Setting(*given).over(budget.setting)) for budget in budgets)
    return Task(path, selection, budgets, strict or config.strict, Setting(*given).over(config.setting))


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
    from ..render.findings import WRITERS, check_comment, check_data, check_document
    from ..render.streams import write_text

    if format in WRITERS:
        write_text(WRITERS[format](result))
    elif format == "markdown":
        write(format, lambda: check_comment(result), lambda: check_data(result))
    else:
        write(format, lambda: check_document(result, quiet), lambda: check_data(result))


def _notes(readable: Sequence[Checked], errors: Sequence[UsageError], quiet: bool) -> None:
    """What belongs to no finding: paths that cannot be checked, findings that are not selected."""
    from ..render.streams import say, write_error

    for error in errors:
        write_error(error.message, error.hint)
    if quiet:
        return
    hidden = sum(result.hidden for result in readable)
    if hidden:
        say(f"{hidden} finding{'s' * (hidden != 1)} not selected")


def _explain(code: str) -> None:
    from ..codes import codes, markdown
    from ..render.streams import coloured, write_text

    if code.upper() not in codes():
        raise UsageError(f"there is no code '{code[:40]}'", f"codes: {', '.join(codes())}")
    if coloured():
        from ..render.findings import code_document

        write("text", lambda: code_document(code.upper()), dict)
    else:
        write_text(markdown(code.upper()))
