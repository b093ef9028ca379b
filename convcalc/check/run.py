"""One file, checked: read, built, its claims judged, its advice given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..findings import Finding, SpecError, UsageError
from ..language import loads, read
from ..marked import Source
from .budgets import Budget, check_budgets
from .builds import Builds
from .selection import Selection
from .suppress import Comments

EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Task:
    """A file to check and what to report of it."""

    path: str
    selection: Selection = EVERYTHING
    budgets: tuple[Budget, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
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


def check_file(task: Task) -> Checked:
    """Check one file, `-` or gallery name; never raises for what the file holds."""
    try:
        if task.path.lower().endswith(".onnx"):
            return _checked(task, task.path, check_onnx(task))
        source = read(task.path)
    except SpecError as error:
        return _checked(task, error.findings[0].path, error.findings)
    except UsageError as error:
        return Checked(task, task.path, unreadable=error)
    return _checked(task, source.path, check_source(source, task.selection, task.budgets))


def _checked(task: Task, path: str, findings: Sequence[Finding]) -> Checked:
    unique = {(f.line, f.column, f.code, f.message, f.where): f for f in findings}
    ordered = [unique[key] for key in sorted(unique)]
    shown = task.selection.shown(ordered)
    return Checked(task, path, tuple(shown), len(ordered) - len(shown))


def check_source(source: Source, selection: Selection, budgets: Sequence[Budget] = ()) -> list[Finding]:
    """Every finding of a text that no comment suppresses, in no particular order."""
    comments = Comments(source)
    try:
        network = loads(source.text, path=source.path)
    except SpecError as error:
        return comments.keep(error.findings)
    builds = Builds(network)
    findings = _variants(builds)
    try:
        builds.report()
        findings += _claims(builds, selection, comments)
        findings += check_budgets(builds, budgets)
    except SpecError as error:
        findings += error.findings
    if selection.wants("CC4") or comments.name("CC4"):
        from .rules import advise

        findings += advise(network)
    kept = comments.keep(findings)
    return [*kept, *comments.unused()] if comments else kept


def check_onnx(task: Task) -> list[Finding]:
    """Every finding of an ONNX file: what the import warns of, its budgets, and advice.

    Raises UsageError where the file cannot be read and SpecError where it is no network.
    """
    from ..onnx import load_onnx

    network = load_onnx(task.path)
    findings: list[Finding] = list(network.notes)
    findings += check_budgets(Builds(network), task.budgets)
    if task.selection.wants("CC4"):
        from .rules import advise

        findings += advise(network)
    return findings


def _claims(builds: Builds, selection: Selection, comments: Comments) -> list[Finding]:
    if not (selection.wants("CC3") or comments):
        return []
    from .expect import check_expectations

    unmet, findings = check_expectations(builds)
    findings += [claim.finding for claim in unmet]
    if builds.origin.section("published") is not None:
        from .published_claims import check_published

        findings += check_published(builds)
    return findings


def _variants(builds: Builds) -> list[Finding]:
    """What keeps a variant of the spec from being built."""
    findings: list[Finding] = []
    for variant in builds.origin.variants:
        try:
            builds.build((variant, None, None))
        except SpecError as error:
            builds.reported.add((variant, None, None))
            findings += [_in_variant(finding, variant) for finding in error.findings]
    return findings


def _in_variant(finding: Finding, variant: str) -> Finding:
    from dataclasses import replace

    return replace(finding, message=f"{finding.message} (variant {variant})")
