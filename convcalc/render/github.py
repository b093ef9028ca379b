"""Findings as workflow commands of GitHub Actions: annotations on the lines of a pull request.

Source: GitHub's "Workflow commands"; escaping as in actions/toolkit packages/core/src/command.ts.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..findings import Finding
from .escape import printable

LEVELS = {"error": "error", "warning": "warning", "advice": "notice"}


def github_commands(findings: Iterable[Finding]) -> str:
    """One workflow command a line and finding; no text of a spec can start another."""
    return "".join(_command(finding) + "\n" for finding in findings)


def _command(finding: Finding) -> str:
    where = f"{finding.where}: " if finding.where else ""
    hint = f"\nhint: {printable(finding.hint)}" if finding.hint else ""
    properties = {
        "file": relative(finding.path),
        "line": str(finding.line),
        "col": str(finding.column),
        "endColumn": str(finding.column + finding.width),
        "title": f"convcalc {finding.code}",
    }
    given = ",".join(f"{name}={_property(printable(value))}" for name, value in properties.items())
    return f"::{LEVELS[finding.severity]} {given}::{_data(printable(where + finding.message) + hint)}"


def relative(path: str) -> str:
    """A path as annotations name it: relative to the working folder where it is below it, with forward slashes.

    >>> relative("specs/a.yaml")
    'specs/a.yaml'
    """
    given = Path(path)
    if given.is_absolute() and given.is_relative_to(Path.cwd()):
        given = given.relative_to(Path.cwd())
    return given.as_posix()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
