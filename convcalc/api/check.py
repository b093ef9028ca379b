"""`check`: specs judged as in CI: shapes, claims, printed tables, budgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..analysis.report import FORMAT
from ..check import result as results
from ..check.builds import Setting
from ..check.config import DEFAULT, config_of
from ..check.discover import find_specs
from ..check.run import Task, check_files
from ..check.selection import read_selection
from ..findings import SpecError, UsageError
from .shown import Shown, counted

if TYPE_CHECKING:
    from ..render.document import Document

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
TEXT = "<text>"


class CheckResult(Shown, results.CheckResult):
    """Findings of all specs, in order of path and place. Printed, it is what `convcalc check` prints.

    In a test: `result = convcalc.check("specs"); assert result.ok, result`.
    """

    __slots__ = ()

    def document(self, width: int | None) -> Document:
        """The findings, then what could not be read, then how many there are."""
        from ..render.document import Document, Note, Notes
        from ..render.findings import check_document

        errors = tuple(Note(f"error: {error}") for error in self.unreadable)
        blocks = check_document(self).blocks if self.paths else ()
        return Document((*([Notes(errors)] if errors else []), *blocks))

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `check`."""
        return {"format": FORMAT, **super().to_dict()}

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
) -> CheckResult:
    """The findings of specs: files, folders, globs, gallery names; of one spec's `text`; without either of this folder.

    `select` and `ignore` are codes or their beginnings (`["CC3", "CC201"]`), the longer one decides; `advice` adds
    advice; with `strict` warnings fail. `dtype` and `batch` are those of budgets and of claims that say none. `jobs`
    are processes; None: as many as are worthwhile. What a configuration file says holds as on the command line.
    What cannot be read is in the result; nothing is raised for what a file holds. Raises UsageError for a code that
    does not exist and for a configuration that is wrong.

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
    options = Options(select, ignore, advice, strict, Setting(dtype, batch))
    if text is not None:
        if paths is not None:
            raise UsageError("a text is checked alone: give paths or text")
        return checked([task(TEXT, options, text)], (), strict, jobs)
    named = [paths] if isinstance(paths, str | PathLike) else ["."] if paths is None else list(paths)
    if not named:
        raise UsageError("there is nothing to check", "give a path, or none at all for this folder")
    tasks, errors = tasks_of([fspath(path) for path in named], options)
    return checked(tasks, errors, strict, jobs)


def tasks_of(paths: Sequence[str], options: Options) -> tuple[list[Task], list[UsageError]]:
    """What is to be done for the specs that the paths mean, and the paths that mean nothing."""
    names, errors = find_specs(paths)
    return [task(name, options) for name in names], errors


def task(path: str, options: Options, text: str | None = None) -> Task:
    """What is to be done for one spec, or its text: the options, and what its configuration says."""
    inline = path in ("-", TEXT)
    place = Path.cwd() / "-" if inline else Path(path).absolute()
    known = inline or place.exists()
    config = config_of(place.parent.resolve()) if known else DEFAULT
    selection = read_selection(
        options.select or config.select, [*config.ignore, *options.ignore], options.advice or config.advice
    )
    budgets = config.budgets_of(place.parent.resolve() / place.name) if known else ()
    given = options.setting
    if given != Setting():
        budgets = tuple(budget._replace(setting=given.over(budget.setting)) for budget in budgets)
    return Task(path, selection, budgets, options.strict or config.strict, given.over(config.setting), text)


def checked(
    tasks: Sequence[Task],
    errors: Sequence[UsageError] = (),
    strict: bool = False,
    jobs: int | None = None,
    starts: Callable[[str, int], None] | None = None,
) -> CheckResult:
    """The tasks done; `errors` are of paths that gave none. `starts` is told of each file, and that it is one."""
    done = []
    results = check_files(tasks, jobs)
    for task in tasks:
        if starts is not None:
            starts(task.path, 1)
        done.append(next(results))
    readable = [found for found in done if found.unreadable is None]
    findings = sorted((f for r in readable for f in r.findings), key=lambda f: (f.path, f.line, f.column, f.code))
    return CheckResult(
        tuple(sorted({found.path for found in readable})),
        tuple(findings),
        strict,
        any(found.failed for found in readable),
        sum(found.hidden for found in readable),
        (*errors, *(found.unreadable for found in done if found.unreadable is not None)),
    )
