"""`convcalc check`: findings with their places; the exit code is for CI."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import UNFORESEEN_EXIT, SpecError, UsageError
from .options import (
    ArgOption,
    Dtype,
    FailOverOption,
    ModelInputOption,
    RunOption,
    read_arguments,
    read_inputs,
    read_run,
)
from .output import format_option, refuse_linked, write, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..api.check import CheckResult
    from ..check.run import Task


def command(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Files, folders, globs, gallery names, -, models in code, which run (default: this folder).",
        ),
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
    input: ModelInputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    report: Annotated[
        list[str] | None,
        typer.Option(
            "--report",
            metavar="FORMAT=FILE",
            help="Write the result to a file too, over an older one; repeatable.",
        ),
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="CODE", help="Print the page of a code and stop; 'help' lists them."),
    ] = None,
) -> None:
    if explain is not None:
        _explain(explain)
        return
    from ..api.check import Options, checked, limits_of, work_of
    from ..check.builds import Setting
    from ..readers import Asked

    reports = [_report(text) for text in report or ()]
    limits = limits_of(fail_over or ())
    asked = Asked(read_inputs(input), read_arguments(arg) or None, read_run(device))
    options = Options(select or (), ignore or (), advice, strict, Setting(dtype, batch), base, limits, asked)
    work = work_of(paths or ["."], options)
    _refuse_checked(reports, work.tasks)
    if update:
        _update(work.tasks, work.errors, quiet)
    from ..render.progress import Plan, progress

    files = len(work.tasks)
    with progress("check", lambda: Plan(files, "file", files), ticks=False) as starts:
        result = checked(work, strict, jobs, starts)
    if result.paths:
        _print(result, format, quiet)
    for name, target in reports:
        text = _text(result, name)
        write_file(text if text.endswith("\n") or not text else text + "\n", target, force=True)
    _notes(result, quiet)
    if result.broken:
        raise typer.Exit(UNFORESEEN_EXIT)
    if result.unreadable:
        raise typer.Exit(2)
    if result.failed:
        raise typer.Exit(1)


def _update(tasks: "Sequence[Task]", errors: list[UsageError], quiet: bool) -> None:
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
    refuse_linked(target, "--report", f"--report {name}=check.{name}")
    return name, target


def _refuse_checked(reports: "Sequence[tuple[str, str]]", tasks: "Sequence[Task]") -> None:
    """Raise UsageError where a report would be written over what it is about."""
    from ..files import real_path
    from ..language.names import shown

    targets = {real_path(target): target for _, target in reports if target != "-"}
    for target in (targets.get(real_path(task.path)) for task in tasks if targets and task.text is None):
        if target is not None:
            raise UsageError(f"--report: {shown(target)} is one of the files that are checked", "name another file")


def _text(result: "CheckResult", format: str) -> str:
    """The result in a format of `--report`."""
    from ..render.findings import WRITERS, check_comment

    if format in WRITERS:
        return WRITERS[format](result)
    if format == "markdown":
        from ..render.markup import markdown

        return markdown(check_comment(result))
    from ..render.streams import json_text

    return json_text(result.to_dict())


def _print(result: "CheckResult", format: str, quiet: bool) -> None:
    from ..render.findings import NOTATIONS, WRITERS, check_comment, check_document
    from ..render.streams import write_text

    if format in WRITERS:
        write_text(WRITERS[format](result), NOTATIONS[format])
    elif format == "markdown":
        write(format, lambda: check_comment(result), result.to_dict)
    else:
        write(format, lambda: check_document(result, quiet), result.to_dict)


MOST_NOTES = 20
"""Lines about what is not read or not compared; the rest is counted."""


def _notes(result: "CheckResult", quiet: bool) -> None:
    """What belongs to no finding: paths that cannot be checked, files that are not read, findings not selected."""
    from ..render.streams import say, write_error

    for error in result.unreadable:
        write_error(error.message, error.hint)
    if quiet:
        return
    _some([f"passed over: {notice}" for notice in result.passed_over], "passed over")
    _some(result.growth.notices if result.growth is not None else (), "not compared")
    if result.hidden:
        say(f"{result.hidden} finding{'s' * (result.hidden != 1)} not selected")


def _some(notices: "Sequence[str]", what: str) -> None:
    """The first of these lines, and how many files more are `what` they say."""
    from ..render.streams import say

    for notice in notices[:MOST_NOTES]:
        say(notice)
    if len(notices) > MOST_NOTES:
        say(f"{len(notices) - MOST_NOTES:,} more files are {what}")


def _explain(code: str) -> None:
    from ..codes import codes, markdown
    from ..render.streams import coloured, on_terminal, write_text

    if code == "help":
        from ..render.findings import codes_document

        write("text", codes_document, dict)
        return
    if code.upper() not in codes():
        near = [known for known in codes() if known.startswith(code.upper()[:3]) or known == f"CC{code}"]
        hint = "a finding says its code, for example CC201; convcalc check --explain help lists them"
        raise UsageError(
            f"there is no code '{code[:40]}'",
            f"there {'is' if len(near) == 1 else 'are'} {', '.join(near)}" if near else hint,
        )
    if on_terminal() or coloured():
        from ..render.findings import code_document

        write("text", lambda: code_document(code.upper()), dict)
    else:
        write_text(markdown(code.upper()))
