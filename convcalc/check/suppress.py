"""`# convcalc: ignore[CC301]`: comments that suppress the findings of their line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..findings import CODES, Finding
from ..marked import Source, Text

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*convcalc:\s*ignore(?![\w-])(?:\[([^\]\n]*)\])?", re.MULTILINE)
_CODE = re.compile(r"CC\d{0,3}")


class Comments:
    """The ignore comments of a text, and which of them were of use."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: dict[int, tuple[int, int, tuple[str, ...]]] = {}
        """Line -> column, width, prefixes."""
        self.used: set[tuple[int, str]] = set()
        if _COMMENT.search(source.text) is None:
            return
        for number, line in enumerate(source.text.splitlines(), start=1):
            match = _COMMENT.search(line)
            if match is not None:
                listed = match[1] if match[1] is not None else "CC"
                prefixes = tuple(part.strip() for part in listed.split(","))
                self.found[number] = (match.start() + 1, len(match[0]), prefixes)

    def __bool__(self) -> bool:
        return bool(self.found)

    def name(self, family: str) -> bool:
        """Whether a comment names codes of a family (`CC4`)."""
        return any(prefix.startswith(family) for _, _, prefixes in self.found.values() for prefix in prefixes)

    def keep(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that no comment suppresses."""
        kept = []
        for finding in findings:
            prefixes = self.found[finding.line][2] if finding.line in self.found else ()
            matching = [prefix for prefix in prefixes if _CODE.fullmatch(prefix) and finding.code.startswith(prefix)]
            self.used.update((finding.line, prefix) for prefix in matching)
            if not matching:
                kept.append(finding)
        return kept

    def unused(self) -> list[Finding]:
        """CC307 for each code that is ignored on a line where it is not found."""
        findings = []
        for line, (column, width, prefixes) in self.found.items():
            at = Text("", True, line, column, width)
            for prefix in prefixes:
                if (line, prefix) in self.used:
                    continue
                known = _CODE.fullmatch(prefix) and any(code.startswith(prefix) for code in CODES)
                what = f"there is no {prefix} on this line" if prefix != "CC" else "there is nothing to ignore here"
                message = what if known else f"'{prefix[:20]}' is no code"
                hint = (
                    "remove it from the comment" if known else "docs/codes.md lists the codes; families are CC0 to CC4"
                )
                findings.append(self.source.finding("CC307", message, at, hint=hint))
        return findings
