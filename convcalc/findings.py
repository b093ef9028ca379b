"""Findings: what is wrong, where, how severe it is, and how to mend it. `codes` says what each code stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from .limits import EXCERPT_CHARACTERS, MESSAGE_CHARACTERS

Severity = Literal["error", "warning", "advice"]

SEVERITIES: dict[str, Severity] = {
    "CC307": "warning",
    "CC4": "advice",
    **dict.fromkeys(("CC701", "CC702", "CC703", "CC704"), "warning"),
}
"""Severity of the codes, and of the families of codes, that are not errors."""


def severity(code: str) -> Severity:
    """How severe findings of a code are: errors fail, warnings fail under `--strict`, advice is shown on demand.

    >>> severity("CC201"), severity("CC307"), severity("CC401")
    ('error', 'warning', 'advice')
    """
    return SEVERITIES.get(code) or SEVERITIES.get(code[:3], "error")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. Lines and columns count from 1; `where` is the path of the layer."""

    code: str
    message: str
    path: str = "<text>"
    line: int = 1
    column: int = 1
    where: str = ""
    hint: str | None = None
    excerpt: str = ""
    """The line of the source that it points at."""
    width: int = 1
    """Characters that the caret underlines."""
    cut: int = 0
    """Characters of the line before the excerpt: a long line is shown around the column alone."""

    def __post_init__(self) -> None:
        for name, text in (("message", self.message), ("hint", self.hint)):
            if text is not None and len(text) > MESSAGE_CHARACTERS:
                object.__setattr__(self, name, text[: MESSAGE_CHARACTERS - 1] + "…")
        if len(self.excerpt) > EXCERPT_CHARACTERS:
            before = max(0, min(self.column - EXCERPT_CHARACTERS // 2, len(self.excerpt) - EXCERPT_CHARACTERS))
            object.__setattr__(self, "excerpt", self.excerpt[before : before + EXCERPT_CHARACTERS])
            object.__setattr__(self, "cut", self.cut + before)

    @property
    def severity(self) -> Severity:
        """Errors fail, warnings fail under `--strict`, advice is shown on demand."""
        return severity(self.code)

    def at_path(self, path: str) -> Finding:
        """The same finding in another file."""
        return replace(self, path=path)

    def to_dict(self) -> dict[str, object]:
        """The finding in the JSON contract of `check`."""
        return {
            "code": self.code,
            "severity": self.severity,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "where": self.where,
            "message": self.message,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.path}:{self.line}:{self.column}: {self.severity} {self.code} {where}{self.message}"


class SpecError(ValueError):
    """A spec that is wrong; `findings` holds every finding, each with its place."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class UsageError(Exception):
    """The call is wrong rather than the content: a missing file, an unreadable one, a bad option. Exit code 2."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
