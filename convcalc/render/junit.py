"""Findings as JUnit XML: a test case a file that passed, and one a finding.

Each test case has one failure at most and all attributes that the common schemas (windyroad JUnit.xsd, the
Jenkins xUnit plugin) ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ..findings import Finding
from .check import CheckResult
from .escape import printable
from .findings import finding_text

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


def junit(result: CheckResult) -> str:
    """The result as one test suite."""
    by_path: dict[str, list[Finding]] = {path: [] for path in result.paths}
    for finding in result.findings:
        by_path.setdefault(finding.path, []).append(finding)
    cases = [case for path, findings in by_path.items() for case in _cases(path, findings, result.strict)]
    failures = sum("<failure" in case for case in cases)
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    suite = f'<testsuite id="0" name="convcalc check" package="convcalc" timestamp="{stamp}" hostname="localhost"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            "<testsuites>",
            f'  {suite} {counts} time="0">',
            "    <properties/>",
            *cases,
            "    <system-out/>",
            "    <system-err/>",
            "  </testsuite>",
            "</testsuites>",
        ]
    )


def _cases(path: str, findings: Sequence[Finding], strict: bool) -> list[str]:
    classname = escaped(path)
    if not findings:
        return [f'    <testcase name="{classname}" classname="{classname}" time="0"/>']
    cases = []
    for finding in findings:
        name = escaped(f"{path}:{finding.line}:{finding.column} {finding.code}")
        opening = f'    <testcase name="{name}" classname="{classname}" time="0"'
        if finding.severity == "error" or (strict and finding.severity == "warning"):
            message, text = escaped(finding.message), escaped(finding_text([finding]), lines=True)
            failure = f'<failure type="{finding.code}" message="{message}">{text}</failure>'
            cases.append(f"{opening}>\n      {failure}\n    </testcase>")
        else:
            cases.append(f"{opening}/>")
    return cases


def escaped(text: str, lines: bool = False) -> str:
    """Text as XML character data or an attribute's value; what XML cannot hold is shown escaped.

    >>> escaped('<a b="1">')
    '&lt;a b=&quot;1&quot;&gt;'
    """
    clean = "\n".join(map(printable, text.split("\n"))) if lines else printable(text)
    clean = "".join(c if c not in "\ufffe\uffff" else "?" for c in clean)
    return "".join(_ENTITIES.get(c, c) for c in clean)
