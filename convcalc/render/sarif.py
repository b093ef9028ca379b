"""Findings as SARIF 2.1.0 (OASIS standard), for code scanning."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from .. import __version__
from ..codes import codes, page
from ..findings import Finding, severity
from .escape import printable
from .github import relative
from .terminal import json_text

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "advice": "note"}


def sarif(findings: Iterable[Finding]) -> str:
    """One run with a rule a code and a result a finding."""
    known = codes()
    rules = [
        {
            "id": code,
            "shortDescription": {"text": page(code).title},
            "defaultConfiguration": {"level": LEVELS[severity(code)]},
        }
        for code in known
    ]
    driver = {"name": "convcalc", "version": __version__, "semanticVersion": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, known.index(finding.code)) for finding in findings],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding, index: int) -> dict[str, object]:
    where = f"{finding.where}: " if finding.where else ""
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
        "level": LEVELS[finding.severity],
        "message": {"text": f"{printable(where + finding.message)}{hint}"},
        "locations": [{"physicalLocation": location}],
    }


def uri(path: str) -> str:
    """A path as a URI reference: relative to the root of the run, or absolute with its scheme.

    >>> uri("my specs/a.yaml")
    'my%20specs/a.yaml'
    """
    name = relative(path)
    quoted = quote(name.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{quoted}" if name.startswith("/") else quoted
