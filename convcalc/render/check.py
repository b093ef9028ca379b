"""The result of a check as text, Markdown and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..findings import Finding
from .escape import markdown
from .findings import finding_lines
from .grid import Line
from .terminal import json_text


class CheckResult(NamedTuple):
    """Findings of all files, in order, and how many files were checked."""

    paths: Sequence[str]
    findings: Sequence[Finding]
    strict: bool = False


def summary(result: CheckResult) -> str:
    """The result in one line.

    >>> summary(CheckResult(["a.yaml", "b.yaml"], []))
    'All 2 specs passed.'
    """
    files = len(result.paths)
    specs = f"{files} {'spec' if files == 1 else 'specs'}"
    if not result.findings:
        return f"All {specs} passed." if files != 1 else "The spec passed."
    counts = Counter(finding.severity for finding in result.findings)
    parts = [_count(counts[name], name) for name in ("error", "warning") if counts[name]]
    if counts["advice"]:
        parts.append(_count(counts["advice"], "piece") + " of advice")
    wrong = len({finding.path for finding in result.findings})
    return f"Found {', '.join(parts)} in {wrong} of {specs}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def check_lines(result: CheckResult, quiet: bool = False) -> Iterable[Line]:
    """Findings with their lines, a caret and hints, then the summary unless `quiet`."""
    for finding in result.findings:
        yield from finding_lines(finding)
    if not quiet:
        if result.findings:
            yield []
        failing = any(finding.severity == "error" for finding in result.findings)
        yield [(summary(result), "bold red" if failing else "bold")]


def check_json(result: CheckResult) -> str:
    """The JSON contract of `check`."""
    findings = [finding.to_dict() for finding in result.findings]
    data = {"format": 1, "files": len(result.paths), "findings": findings}
    return json_text(data)


def check_markdown(result: CheckResult) -> str:
    """The result as Markdown for a job's summary: one row a finding; nobody is mentioned."""
    lines = ["### convcalc check", "", markdown(summary(result))]
    if result.findings:
        lines += ["", "| place | code | finding |", "|:--|:--|:--|"]
    for finding in result.findings:
        place = markdown(f"{finding.path}:{finding.line}:{finding.column}")
        where = f"{finding.where}: " if finding.where else ""
        hint = f"<br>{markdown(finding.hint)}" if finding.hint else ""
        lines.append(f"| {place} | {finding.code} | {markdown(where + finding.message)}{hint} |")
    return "\n".join(lines).replace("@", "&#64;") + "\n"
