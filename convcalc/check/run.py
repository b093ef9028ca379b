"""Files, checked: read, built, their claims judged, their advice given; several processes share many files."""

import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..findings import SHOWN_BY, Finding, SpecError, UsageError, debugging, unforeseen
from ..language import loads, read
from ..language.declaration import declares
from ..language.events import parse
from ..limits import FINDINGS
from ..marked import Map, Source
from ..network import unknown_costs
from ..readers import AS_IT_IS, Asked, code_of, read_model, read_row, reader_of
from .builds import PLAIN, Builds, DoesNotBuild, Setting
from .claims import check_budgets, check_expectations, check_published
from .config import Budget
from .result import UNFORESEEN
from .selection import Comments, Selection

EVERYTHING = Selection()
_SECTION = re.compile(r"^(?:layers|input):", re.MULTILINE)
WORTHWHILE = 16
"""Files for each process from which a pool pays for its start."""


class Task(NamedTuple):
    """A file to check and what to report of it."""

    path: str
    selection: Selection = EVERYTHING
    budgets: tuple[Budget, ...] = ()
    strict: bool = False
    setting: Setting = PLAIN
    """The dtype and batch size of budgets and claims that say none of their own."""
    text: str | None = None
    """What is checked in place of the file."""
    asked: Asked = AS_IT_IS
    """How it is read where it is a model."""

    @property
    def is_model(self) -> bool:
        """Whether it is a model's file, or a model in code."""
        return self.text is None and (reader_of(self.path) is not None or code_of(self.path) is not None)


class Checked(NamedTuple):
    """What came of it: findings that are reported, or why the file could not be read at all."""

    task: Task
    path: str
    findings: tuple[Finding, ...] = ()
    hidden: int = 0
    """Findings that are not reported, because they are not selected."""
    unreadable: UsageError | None = None

    @property
    def failed(self) -> bool:
        """Whether its findings fail the check: errors, and warnings where it is strict."""
        failing = ("error", "warning") if self.task.strict else ("error",)
        return any(finding.severity in failing for finding in self.findings)


def check_files(tasks: Sequence[Task], jobs: int | None = None) -> Iterator[Checked]:
    """Each file checked, in the order of the tasks; `jobs` None: as many processes as are worthwhile."""
    processes = min(_processors(), len(tasks) // WORTHWHILE) if jobs is None else min(jobs, len(tasks))
    if processes < 2 or any(task.path == "-" for task in tasks):
        yield from map(check_file, tasks)
        return
    yield from _in_processes(tasks, processes)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_processes(tasks: Sequence[Task], processes: int) -> Iterator[Checked]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children, get_all_start_methods, get_context

    from ..analysis import published  # noqa: F401  (forked processes share what is imported here)
    from . import rules  # noqa: F401

    # A forked process starts in a millisecond with everything imported; this program has one thread.
    method = "fork" if "fork" in get_all_start_methods() else "spawn"
    chunk = max(1, len(tasks) // (processes * 8))
    others = active_children()
    with ProcessPoolExecutor(processes, mp_context=get_context(method), initializer=_begin) as pool:
        try:
            yield from pool.map(check_file, tasks, chunksize=chunk)
        except BrokenProcessPool:
            raise UsageError("a process of the check was ended from outside", "try --jobs 1") from None
        except BaseException:  # leaving the pool waits for all that was handed to it
            for process in active_children():
                if process not in others:
                    process.kill()
            raise


def _begin() -> None:
    """What a process of the check does first: it ends with the one that began it, and by nothing that ends that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import connection, parent_process

    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def check_file(task: Task) -> Checked:
    """Check one file, `-` or gallery name; never raises for what the file holds.

    An error of this program itself is a finding of the file, which nothing hides; a debugging caller gets it raised.
    """
    try:
        return _check_file(task)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        if debugging():
            raise
        return Checked(task, task.path, (Finding(UNFORESEEN, unforeseen(error), task.path, hint=SHOWN_BY),))


def _check_file(task: Task) -> Checked:
    try:
        if task.is_model:
            return _checked(task, task.path, check_model(task))
        source = _source(task)
        undeclared = [] if task.path == "-" or task.text is not None else _undeclared(source)
    except SpecError as error:
        return _checked(task, error.findings[0].path, error.findings)
    except UsageError as error:
        return Checked(task, task.path, unreadable=error)
    return _checked(task, source.path, undeclared + check_source(source, task.selection, task.budgets, task.setting))


def _source(task: Task) -> Source:
    """The text that a task is about. Raises UsageError, SpecError."""
    if task.text is not None:
        return Source(task.text, task.path)
    return read_row(task.path) or read(task.path)


def _undeclared(source: Source) -> list[Finding]:
    """The finding about a file that does not say `convcalc: 1`, if it does not. Raises UsageError for no spec."""
    if declares(source):
        return []
    if not _SECTION.search(source.text):
        try:
            root = parse(source)
        except SpecError:
            root = None
        keys = root.entries if isinstance(root, Map) else {}
        if not {"layers", "input"} & keys.keys():
            raise UsageError(f"'{source.path}' is no spec", _spec_hint(source.path))
    return [source.finding("CC104", "a spec needs 'convcalc'", None, hint="start with 'convcalc: 1'")]


def _spec_hint(path: str) -> str:
    """What a file would be that is checked."""
    if path.endswith(".py"):
        from ..torch.spec import choice

        return f"a model in code is named: {choice(path)}"
    return "a spec is a YAML file with 'convcalc: 1' at its top"


def _checked(task: Task, path: str, findings: Sequence[Finding]) -> Checked:
    unique = {(f.line, f.column, f.code, f.message, f.where): f for f in findings}
    ordered = [unique[key] for key in sorted(unique)]
    shown = task.selection.shown(ordered)
    return Checked(task, path, tuple(shown), len(ordered) - len(shown))


def check_source(
    source: Source, selection: Selection, budgets: Sequence[Budget] = (), setting: Setting = PLAIN
) -> list[Finding]:
    """Every finding of a text that no comment suppresses, in no particular order."""
    comments = Comments(source)
    try:
        network = loads(source.text, path=source.path)
    except SpecError as error:
        return comments.keep(error.findings)
    builds = Builds(network, general=setting)
    findings = [*_variants(builds), *unknown_costs(network)]
    try:
        builds.report()
        findings += _claims(builds, selection, comments)
        findings += check_budgets(builds, budgets)
    except (SpecError, DoesNotBuild) as error:
        findings += error.findings
    if selection.wants("CC4") or comments.name("CC4"):
        from .rules import advise

        findings += advise(network)
    kept = comments.keep(findings)
    return [*kept, *comments.unused()] if comments else kept


def check_model(task: Task) -> list[Finding]:
    """Every finding of a model: what its reader warns of, its budgets, and advice.

    Raises UsageError where the file cannot be read and SpecError where it is no network.
    """
    network = read_model(task.path, _asked(task))
    assert network is not None
    findings: list[Finding] = list(network.notes)
    findings += unknown_costs(network)
    findings += check_budgets(Builds(network, general=task.setting), task.budgets)
    if task.selection.wants("CC4"):
        from .rules import advise

        findings += advise(network)
    return findings


def _asked(task: Task) -> Asked:
    """How the model of a task is read; the only input of a file stands alone."""
    if code_of(task.path) is not None:
        return task.asked
    given = task.asked.input
    alone = not isinstance(given, Mapping) and given is not None and len(given) == 1 and isinstance(given[0], Sequence)
    return task.asked._replace(input=given[0] if alone else given)  # type: ignore[index, arg-type]


def _claims(builds: Builds, selection: Selection, comments: Comments) -> list[Finding]:
    if not (selection.wants("CC3") or comments):
        return []
    unmet, findings = check_expectations(builds)
    findings += [claim.finding for claim in unmet]
    return findings + check_published(builds)


def _variants(builds: Builds) -> list[Finding]:
    """What keeps a variant of the spec from being built."""
    findings: list[Finding] = []
    for variant in builds.origin.variants:
        try:
            builds.build((variant, None, None))
        except SpecError as error:
            builds.reported.add((variant, None, None))
            findings += [_in_variant(finding, variant) for finding in error.findings]
        if len(findings) > FINDINGS:
            break
    return findings


def _in_variant(finding: Finding, variant: str) -> Finding:
    return replace(finding, message=f"{finding.message} (variant {variant})")
