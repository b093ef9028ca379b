"""`convcalc check`: findings with their places; the exit code is for CI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import SpecError, UsageError
from .options import Dtype, FailOverOption, read_limits
from .output import VERSION, format_option, write, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..analysis.diff import Threshold
    from ..check.growth import Growth
    from ..check.run import Checked, Task
    from ..findings import Finding
    from ..render.document import Document
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
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="REV", help="Compare the specs with this revision of git: origin/main."),
    ] = None,
    fail_over: FailOverOption = None,
    report: Annotated[
        list[str] | None,
        typer.Option("--report", metavar="FORMAT=FILE", help="Write the result into a file as well; repeatable."),
    ] = None,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="CODE", help="Print the manual page of a code, and stop.")
    ] = None,
) -> None:
    if explain is not None:
        _explain(explain)
        return
    from ..check.discover import find_specs
    from ..render.findings import CheckResult

    reports = [_report(text) for text in report or ()]
    limits = read_limits(fail_over)
    if limits and base is None:
        raise UsageError("--fail-over needs --base", "for example --base origin/main")
    names, errors, passed_over = find_specs(paths or ["."])
    growth = None if base is None else _growth(base, names)
    tasks = [_task(name, select or [], ignore or [], advice, strict, (dtype, batch)) for name in names]
    if update:
        _update(tasks, errors, quiet)
    checked = _checked(tasks, jobs)
    errors += [result.unreadable for result in checked if result.unreadable is not None]
    readable = [result for result in checked if result.unreadable is None]
    grown = _grown(growth, limits)
    found = [*grown, *(finding for result in readable for finding in result.findings)]
    findings = sorted(found, key=lambda f: (f.path, f.line, f.column, f.code))
    result = CheckResult(sorted({r.path for r in readable}), findings, strict)
    if readable:
        _print(result, growth, format, quiet)
    for name, target in reports:
        text = _text(result, growth, name)
        write_file(text if text.endswith("\n") or not text else text + "\n", target, force=True)
    _notes(readable, errors, passed_over, growth, quiet)
    if errors:
        raise typer.Exit(2)
    if grown or any(r.failed for r in readable):
        raise typer.Exit(1)


def _growth(base: str, names: list[str]) -> Growth:
    from ..check.growth import compare

    return compare(base, names)


def _grown(growth: Growth | None, limits: list[tuple[Threshold, str]]) -> list[Finding]:
    """What has grown by more than is allowed: no comment and no configuration of the specs hides it."""
    if growth is None or not limits:
        return []
    from ..render.diff import growth_findings

    return [finding for spec in growth.compared for finding in growth_findings(spec.difference, limits)]


def _checked(tasks: Sequence[Task], jobs: int | None) -> list[Checked]:
    """Every file checked; a terminal sees which one of how many."""
    from ..check.run import check_files
    from ..render.progress import Plan, progress

    checked = []
    with progress("check", lambda: Plan(len(tasks), "file", len(tasks)), ticks=False) as starts:
        results = check_files(tasks, jobs)
        for task in tasks:
            starts(task.path, 1)
            checked.append(next(results))
    return checked


def _task(
    path: str, select: list[str], ignore: list[str], advice: bool, strict: bool, given: tuple[str | None, int | None]
) -> Task:
    from ..check.builds import Setting
    from ..check.config import DEFAULT, config_of
    from ..check.run import Task
    from ..check.selection import read_selection

    place = Path(path).absolute() if path != "-" else Path.cwd() / "-"
    known = os.path.exists(place) or path == "-"  # noqa: PTH110  (a path that is too long, or none, is not there)
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


REPORTS = ("json", "github", "sarif", "junit", "markdown")


def _report(text: str) -> tuple[str, str]:
    """The format and the file of one `--report`. Raises UsageError."""
    name, _, target = text.partition("=")
    if name not in REPORTS or not target:
        raise UsageError(f"--report takes FORMAT=FILE, not '{text}'", f"FORMAT is one of {', '.join(REPORTS)}")
    return name, target


def _document(result: CheckResult, growth: Growth | None, quiet: bool = False, comment: bool = False) -> Document:
    """The result, and what the changed specs were before it; `comment` says it in sentences, the result first."""
    from ..render.diff import growth_blocks
    from ..render.document import Document
    from ..render.findings import check_comment, check_document

    checked = check_comment(result) if comment else check_document(result, quiet)
    changes = growth_blocks(growth, comment) if growth is not None and not quiet else ()
    return Document((*checked.blocks, *changes) if comment else (*changes, *checked.blocks), comment=comment)


def _data(result: CheckResult, growth: Growth | None) -> dict[str, object]:
    from ..render.diff import growth_data
    from ..render.findings import check_data

    return check_data(result) if growth is None else {**check_data(result), **growth_data(growth)}


def _text(result: CheckResult, growth: Growth | None, format: str) -> str:
    """The result in a format of `--report`."""
    from ..render.findings import WRITERS

    if format in WRITERS:
        return WRITERS[format](result)
    if format == "markdown":
        from ..render.markup import markdown

        return markdown(_document(result, growth, comment=True))
    from ..render.streams import json_text

    return json_text({"format": VERSION, **_data(result, growth)})


def _print(result: CheckResult, growth: Growth | None, format: str, quiet: bool) -> None:
    from ..render.findings import WRITERS
    from ..render.streams import write_text

    if format in WRITERS:
        write_text(WRITERS[format](result))
    else:
        comment = format == "markdown"
        write(format, lambda: _document(result, growth, quiet and not comment, comment), lambda: _data(result, growth))


MOST_NOTES = 20
"""Lines about what is not read or not compared; the rest is counted."""


def _notes(
    readable: Sequence[Checked],
    errors: Sequence[UsageError],
    passed_over: Sequence[str],
    growth: Growth | None,
    quiet: bool,
) -> None:
    """What belongs to no finding: paths that cannot be checked, files that are not read, findings not selected."""
    from ..render.streams import say, write_error

    for error in errors:
        write_error(error.message, error.hint)
    if quiet:
        return
    for kind, notices in (("passed over", passed_over), ("compared", growth.notices if growth is not None else ())):
        for notice in notices[:MOST_NOTES]:
            say(f"{kind}: {notice}" if kind == "passed over" else notice)
        if len(notices) > MOST_NOTES:
            rest = len(notices) - MOST_NOTES
            say(f"{rest:,} more files are {'passed over' if kind == 'passed over' else 'not compared'}")
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
