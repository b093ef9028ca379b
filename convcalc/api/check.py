"""`check`: specs judged as in CI: shapes, claims, printed tables, budgets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..check import result as results
from ..check.builds import Setting
from ..check.config import DEFAULT, config_of
from ..check.discover import find_specs
from ..check.run import Task, check_files
from ..check.selection import read_selection
from ..findings import Finding, SpecError, UsageError
from ..readers import AS_IT_IS, Asked, Shapes
from ..units import counted
from ..version import FORMAT
from .shown import Shown

if TYPE_CHECKING:
    from ..analysis.diff import Threshold
    from ..render.document import Document
    from .growth import Growth

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
TEXT = "<text>"


class CheckResult(Shown, results.CheckResult):
    """Findings of all specs, in order of path and place. Printed, it is what `convcalc check` prints.

    In a test: `result = convcalc.check("specs"); assert result.ok, result`.

    >>> import convcalc
    >>> result = convcalc.check(text="{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 9}, name: conv}]}")
    >>> result
    <CheckResult failed: 1 finding in 1 spec>
    >>> result.ok, [finding.code for finding in result.findings]
    (False, ['CC201'])
    """

    __slots__ = ()

    growth: Growth | None

    def _document(self, width: int | None) -> Document:
        from ..render.document import Document, Note, Notes
        from ..render.findings import check_document

        errors = tuple(Note(f"error: {error}") for error in self.unreadable)
        blocks = check_document(self).blocks if self.paths else ()
        return Document((*([Notes(errors)] if errors else []), *blocks))

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `check`."""
        return {"format": FORMAT, **super().to_dict(), **(self.growth.to_dict() if self.growth is not None else {})}

    def raise_any(self) -> None:
        """Raise what keeps it from being ok: UsageError for what cannot be read, SpecError with the findings."""
        for error in self.unreadable:
            raise error
        if self.failed:
            raise SpecError(self.findings)

    def __repr__(self) -> str:
        unread = f", {len(self.unreadable)} unreadable" if self.unreadable else ""
        counts = f"{counted(len(self.findings), 'finding')} in {counted(len(self.paths), 'spec')}"
        return f"<CheckResult {'ok' if self.ok else 'failed'}: {counts}{unread}>"


class Options(NamedTuple):
    """How specs are checked; each spec's configuration file says what is not said here."""

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    advice: bool = False
    strict: bool = False
    setting: Setting = Setting()
    base: str | None = None
    """A revision of git that the specs are compared with."""
    limits: Sequence[Threshold] = ()
    """How much they may have grown since."""
    asked: Asked = AS_IT_IS
    """How models are read."""


class Work(NamedTuple):
    """What the paths mean: what is to be checked, and what is known before."""

    tasks: list[Task]
    errors: list[UsageError]
    """Of paths that mean nothing."""
    passed_over: Sequence[str] = ()
    growth: Growth | None = None
    grown: Sequence[Finding] = ()
    """What has grown by more than is allowed: no comment and no configuration of the specs hides it."""


def check(
    paths: Paths | None = None,
    *,
    text: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    advice: bool = False,
    strict: bool = False,
    dtype: str | None = None,
    batch: int | None = None,
    jobs: int | None = None,
    base: str | None = None,
    fail_over: Mapping[str, object] | Sequence[str] = (),
    input: Shapes | Sequence[Sequence[int]] | None = None,
    arguments: Mapping[str, object] | None = None,
    device: str | None = None,
) -> CheckResult:
    """The findings of specs: files, folders, globs, gallery names; of one spec's `text`; without either of this folder.

    `select` and `ignore` are codes or their beginnings (`["CC3", "CC201"]`), the longer one decides; `advice` adds
    advice; with `strict` warnings fail. `dtype` and `batch` are those of budgets and of claims that say none. `jobs`
    are processes; None: as many as are worthwhile. What a configuration file says holds as on the command line.

    `base` is a revision of git around this folder ("origin/main"): `growth` is what has changed since, and `fail_over`
    limits it: {"params": "1%", "macs": "10M"}, or ["params=1%"]; more is a finding (CC601) and fails.

    `input`, `arguments` and `device` are how models are read, as `load` takes them: files whose sizes are open, and
    models in code, which run where they are named.

    What cannot be read is in the result; nothing is raised for what a file holds. Raises UsageError for a code that
    does not exist, for a configuration that is wrong, and for a base that git does not know.

    >>> check("googlenet")
    <CheckResult ok: 0 findings in 1 spec>
    >>> print(check(text="{convcalc: 1, input: [3, 5, 5], layers: [{conv2d: {out: 8, k: 7}}]}"))
    <text>:1:43: error CC201 conv2d: kernel of 7 is larger than the input of 5
      1 | {convcalc: 1, input: [3, 5, 5], layers: [{conv2d: {out: 8, k: 7}}]}
        |                                           ^^^^^^
      hint: the input is 2 too small: pad it, or use a smaller kernel or dilation
    <BLANKLINE>
    Found 1 error in 1 of 1 spec.
    """
    limits = limits_of(fail_over)
    asked = Asked(input, arguments, device)
    options = Options(select, ignore, advice, strict, Setting(dtype, batch), base, limits, asked)
    if text is not None:
        if paths is not None:
            raise UsageError("a text is checked alone: give paths or text")
        if base is not None or fail_over:
            raise UsageError("a text has nothing to be compared with", "base and fail_over go with paths")
        return checked(Work([task(TEXT, options, text)], []), strict, jobs)
    named = [paths] if isinstance(paths, str | PathLike) else ["."] if paths is None else list(paths)
    if not named:
        raise UsageError("there is nothing to check", "give a path, or none at all for this folder")
    return checked(work_of([fspath(path) for path in named], options), strict, jobs)


def limits_of(fail_over: Mapping[str, object] | Sequence[str]) -> Sequence[Threshold]:
    """The limits of growth that a call gives. Raises UsageError."""
    if not fail_over:
        return ()
    from ..analysis.diff import read_limits

    return read_limits(fail_over)


def work_of(paths: Sequence[str], options: Options) -> Work:
    """What is to be done for the specs that the paths mean. Raises UsageError."""
    if options.limits and options.base is None:
        raise UsageError("--fail-over needs --base", "for example --base origin/main")
    names, errors, passed_over = find_specs(paths)
    growth, grown = None, []
    if options.base is not None:
        from ..render.diff import growth_findings
        from .growth import compare

        growth = compare(options.base, names)
        grown = [finding for spec in growth.compared for finding in growth_findings(spec.difference, options.limits)]
    tasks = [task(name, options) for name in names]
    if options.asked != AS_IT_IS and not any(task.is_model for task in tasks):
        raise UsageError(
            "--input, --arg and --device of check go with models",
            "a spec says what it reads; table takes another input",
        )
    return Work(tasks, errors, passed_over, growth, grown)


def task(path: str, options: Options, text: str | None = None) -> Task:
    """What is to be done for one spec, or its text: the options, and what its configuration says."""
    inline = path in ("-", TEXT)
    place = Path.cwd() / "-" if inline else Path(path).absolute()
    known = inline or os.path.exists(place)  # noqa: PTH110  (a path that is too long, or none, is not there)
    config = config_of(place.parent.resolve()) if known else DEFAULT
    selection = read_selection(
        options.select or config.select, [*config.ignore, *options.ignore], options.advice or config.advice
    )
    budgets = config.budgets_of(place.parent.resolve() / place.name) if known else ()
    given = options.setting
    if given != Setting():
        budgets = tuple(budget._replace(setting=given.over(budget.setting)) for budget in budgets)
    return Task(
        path, selection, budgets, options.strict or config.strict, given.over(config.setting), text, options.asked
    )


def checked(
    work: Work,
    strict: bool = False,
    jobs: int | None = None,
    starts: Callable[[str, int], None] | None = None,
) -> CheckResult:
    """The work done. `starts` is told of each file, and that it is one."""
    done = []
    results = check_files(work.tasks, jobs)
    for task in work.tasks:
        if starts is not None:
            starts(task.path, 1)
        done.append(next(results))
    readable = [result for result in done if result.unreadable is None]
    found = [*work.grown, *(finding for result in readable for finding in result.findings)]
    findings = sorted(found, key=lambda f: (f.path, f.line, f.column, f.code))
    return CheckResult(
        tuple(sorted({result.path for result in readable})),
        tuple(findings),
        strict,
        bool(work.grown) or any(result.failed for result in readable),
        sum(result.hidden for result in readable),
        (*work.errors, *(result.unreadable for result in done if result.unreadable is not None)),
        tuple(work.passed_over),
        work.growth,
    )
