"""Findings as a person reads them: place, message, the line with a caret, and a hint."""

from __future__ import annotations

from collections.abc import Iterable

from ..findings import Finding
from .escape import printable, width
from .grid import Line

LONGEST = 100
"""Characters of a source line that are shown."""

_STYLES = {"error": "bold red", "warning": "bold yellow", "advice": "bold cyan"}


def finding_lines(finding: Finding) -> list[Line]:
    """One finding as lines of (text, style) pieces."""
    where = f"{printable(finding.where)}: " if finding.where else ""
    lines: list[Line] = [
        [
            (f"{printable(finding.path)}:{finding.line}:{finding.column}: ", "bold"),
            (finding.severity, _STYLES[finding.severity]),
            (f" {finding.code} {where}{printable(finding.message)}", ""),
        ]
    ]
    if finding.excerpt.strip():
        text, before, underlined = _window(finding)
        number = str(finding.line)
        margin = " " * len(number)
        lines.append([(f"  {number} | ", "dim"), (text, "")])
        lines.append([(f"  {margin} | ", "dim"), (" " * before, ""), ("^" * underlined, _STYLES[finding.severity])])
    if finding.hint:
        lines.append([("  hint: ", "bold"), (printable(finding.hint), "")])
    return lines


def _window(finding: Finding) -> tuple[str, int, int]:
    """The part of the line around the column, the columns before the caret, and the caret's length."""
    excerpt, start = finding.excerpt.rstrip(), min(finding.column - 1, len(finding.excerpt))
    first = 0
    if len(excerpt) > LONGEST:
        first = max(0, min(start - LONGEST // 3, len(excerpt) - LONGEST))
    shown = excerpt[first : first + LONGEST]
    head, lead = shown[: start - first], "…" if first else ""
    tail = "…" if first + LONGEST < len(excerpt) else ""
    marked = shown[start - first : start - first + finding.width]
    text = lead + printable(shown) + tail
    return text, width(lead + printable(head)), max(width(printable(marked)), 1)


def finding_text(findings: Iterable[Finding]) -> str:
    """Findings as plain text."""
    return "\n".join("".join(piece for piece, _ in line) for f in findings for line in finding_lines(f))
