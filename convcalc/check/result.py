"""What came of a check: the findings of all specs, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..findings import Finding, UsageError

if TYPE_CHECKING:
    from .growth import Growth

UNFORESEEN = "CC801"
"""Code of an error of this program itself."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Findings of all specs, in order of path and place."""

    paths: Sequence[str]
    """The specs that were checked."""
    findings: Sequence[Finding]
    """Those that are selected and that no comment suppresses, and growth above its limits."""
    strict: bool = False
    """Whether warnings fail too."""
    failed: bool = False
    """Whether findings fail the check: errors, warnings where it is strict, growth above its limits."""
    hidden: int = 0
    """Findings that are not selected."""
    unreadable: Sequence[UsageError] = ()
    """Why paths that were named could not be checked."""
    passed_over: Sequence[str] = ()
    """Files below the paths that may be specs and are not read, each with the reason."""
    growth: Growth | None = None
    """What has changed since the revision that the specs are compared with; None where there is none."""

    @property
    def ok(self) -> bool:
        """Whether everything was read and nothing fails."""
        return not self.failed and not self.unreadable

    @property
    def broken(self) -> bool:
        """Whether an error of this program itself kept a file from being checked."""
        return any(finding.code == UNFORESEEN for finding in self.findings)

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `check`."""
        return {"files": len(self.paths), "findings": [finding.to_dict() for finding in self.findings]}
