"""The result of a check: as a document and as data, and as annotations of GitHub, SARIF and JUnit."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ..check.result import CheckResult
from ..codes import codes, page
from ..findings import Finding, said, severity
from ..terminal import printable
from ..version import __version__
from .document import Block, Code, Column, Document, Findings, Heading, Measure, Note, Notes, Paragraph, Table
from .escape import Notation
from .streams import json_text
from .text import finding_text


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


def check_document(result: CheckResult, quiet: bool = False) -> Document:
    """What has changed since a revision, findings with their lines, the summary; the findings alone if `quiet`."""
    blocks: list[Block] = [] if quiet else list(_changes(result))
    if result.findings:
        blocks.append(Findings(tuple(result.findings)))
    if not quiet:
        failing = any(finding.severity == "error" for finding in result.findings)
        blocks.append(Notes((Note(summary(result), "bold red" if failing else "bold"),)))
    return Document(tuple(blocks))


def check_comment(result: CheckResult) -> Document:
    """The result for a job's summary or a comment: the summary first, what has changed since a revision last."""
    blocks: list[Block] = [Heading("convcalc check", 3), Notes((Note(summary(result)),))]
    if result.findings:
        blocks.append(Findings(tuple(result.findings)))
    return Document((*blocks, *_changes(result, comment=True)))


def _changes(result: CheckResult, comment: bool = False) -> Iterable[Block]:
    """What the specs were at the revision that they are compared with, and what changed."""
    if result.growth is None:
        return ()
    from .diff import growth_blocks

    return growth_blocks(result.growth, comment)


def code_document(code: str) -> Document:
    """The manual page of a code, to be read on a terminal. Raises KeyError for a code without one."""
    found = page(code)
    blocks: list[Block] = [Heading(f"{code}: {found.title}", note=severity(code), note_style=STYLES[severity(code)])]
    if found.hint:
        blocks.append(Paragraph(f"Hint: {found.hint}"))
    for number, part in enumerate(re.split(r"^```(\w+)\n(.*?)^```$", found.text, flags=re.DOTALL | re.MULTILINE)):
        kind = number % 3
        if kind == 0:
            blocks += [Paragraph(" ".join(text.split())) for text in part.split("\n\n") if text.strip()]
        elif kind == 1:
            language = part
        else:
            blocks.append(Code(tuple(part.splitlines()), language, displayed=True))
    return Document(tuple(blocks), Measure(40, 100))


def codes_document() -> Document:
    """Every code and what it stands for."""
    rows = [(code, page(code).title) for code in codes()]
    styles = {(row, 0): STYLES[severity(code)] for row, (code, _) in enumerate(rows)}
    return Document((Table((Column("code"), Column("stands for")), rows, styles=styles),))


STYLES = {"error": "bold red", "warning": "bold magenta", "advice": "bold cyan"}
GITHUB_LEVELS = {"error": "error", "warning": "warning", "advice": "notice"}


def github(result: CheckResult) -> str:
    """One workflow command a line and finding: an annotation; no text of a spec can start another.

    Source: GitHub's "Workflow commands"; escaping as in actions/toolkit packages/core/src/command.ts.
    """
    return "".join(_workflow_command(finding) + "\n" for finding in result.findings)


def _workflow_command(finding: Finding) -> str:
    hint = f"\nhint: {printable(finding.hint)}" if finding.hint else ""
    properties = {
        "file": relative(finding.path),
        "line": str(finding.line),
        "col": str(finding.column),
        "endColumn": str(finding.column + finding.width),
        "title": f"convcalc {finding.code}",
    }
    given = ",".join(f"{name}={_github_property(printable(value))}" for name, value in properties.items())
    return f"::{GITHUB_LEVELS[finding.severity]} {given}::{_github_data(printable(said(finding)) + hint)}"


def relative(path: str) -> str:
    """A path as annotations name it: relative to the working folder where it is below it, with forward slashes.

    >>> relative("specs/a.yaml")
    'specs/a.yaml'
    """
    from pathlib import Path

    given = Path(path)
    if given.is_absolute() and given.is_relative_to(Path.cwd()):
        given = given.relative_to(Path.cwd())
    return given.as_posix()


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")


SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
SARIF_LEVELS = {"error": "error", "warning": "warning", "advice": "note"}


def sarif(result: CheckResult) -> str:
    """SARIF 2.1.0 (OASIS standard), for code scanning: one run with a rule a code and a result a finding."""
    known = codes()
    rules = [
        {
            "id": code,
            "shortDescription": {"text": page(code).title},
            "defaultConfiguration": {"level": SARIF_LEVELS[severity(code)]},
        }
        for code in known
    ]
    driver = {"name": "convcalc", "version": __version__, "semanticVersion": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(finding, known.index(finding.code)) for finding in result.findings],
    }
    return json_text({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _sarif_result(finding: Finding, index: int) -> dict[str, object]:
    hint = f"\nhint: {printable(finding.hint)}" if finding.hint else ""
    region: dict[str, object] = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endColumn": finding.column + finding.width,
    }
    if finding.excerpt:
        region["snippet"] = {"text": printable(finding.excerpt)}
    location = {"artifactLocation": {"uri": uri(finding.path)}, "region": region}
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": SARIF_LEVELS[finding.severity],
        "message": {"text": f"{printable(said(finding))}{hint}"},
        "locations": [{"physicalLocation": location}],
    }


def uri(path: str) -> str:
    """A path as a URI reference: relative to the root of the run, or absolute with its scheme.

    >>> uri("my specs/a.yaml")
    'my%20specs/a.yaml'
    """
    from pathlib import Path
    from urllib.parse import quote

    name = relative(path)
    return Path(name).as_uri() if Path(name).is_absolute() else quote(os.fsencode(name), safe="/")


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


def junit(result: CheckResult) -> str:
    """JUnit XML: one suite, a test case a file that passed, and one a finding.

    Each test case has one failure at most and all attributes that the common schemas (windyroad JUnit.xsd, the
    Jenkins xUnit plugin) ask for.
    """
    from datetime import UTC, datetime

    by_path: dict[str, list[Finding]] = {path: [] for path in result.paths}
    for finding in result.findings:
        by_path.setdefault(finding.path, []).append(finding)
    cases = [case for path, findings in by_path.items() for case in _junit_cases(path, findings, result.strict)]
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


def _junit_cases(path: str, findings: Sequence[Finding], strict: bool) -> list[str]:
    classname = xml_escaped(path)
    if not findings:
        return [f'    <testcase name="{classname}" classname="{classname}" time="0"/>']
    cases = []
    for finding in findings:
        name = xml_escaped(f"{path}:{finding.line}:{finding.column} {finding.code}")
        opening = f'    <testcase name="{name}" classname="{classname}" time="0"'
        if finding.severity == "error" or (strict and finding.severity == "warning"):
            message, text = xml_escaped(finding.message), xml_escaped(finding_text([finding]), lines=True)
            failure = f'<failure type="{finding.code}" message="{message}">{text}</failure>'
            cases.append(f"{opening}>\n      {failure}\n    </testcase>")
        else:
            cases.append(f"{opening}/>")
    return cases


def xml_escaped(text: str, lines: bool = False) -> str:
    """Text as XML character data or an attribute's value; what XML cannot hold is shown escaped.

    >>> xml_escaped('<a b="1">')
    '&lt;a b=&quot;1&quot;&gt;'
    """
    return "".join(_ENTITIES.get(c, c) for c in printable(text, kept="\n" if lines else ""))


WRITERS: dict[str, Callable[[CheckResult], str]] = {"github": github, "sarif": sarif, "junit": junit}
"""Format that only findings have -> its writer."""
NOTATIONS: dict[str, Notation] = {"github": "annotations", "sarif": "json", "junit": "entities"}
"""The same -> how its texts spell a character otherwise."""
