"""Which findings are reported: by the codes that are selected and ignored, and by the comments of the spec."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..codes import codes
from ..findings import Finding, UsageError
from ..marked import Source, Text

DEFAULT = ("CC0", "CC1", "CC2", "CC3", "CC7")
ADVICE = "CC4"

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*convcalc:\s*ignore(?![\w-])(?:\[([^\]\n]*)\])?", re.MULTILINE)
_CODE = re.compile(r"CC\d{0,3}")


class Selection(NamedTuple):
    """Codes or prefixes of codes; the longer prefix decides. Advice (CC4) is reported where it is asked for."""

    select: tuple[str, ...] = DEFAULT
    ignore: tuple[str, ...] = ()

    def shows(self, code: str) -> bool:
        """Whether findings of this code are reported.

        >>> selection = Selection(ignore=("CC3",), select=("CC0", "CC301"))
        >>> [code for code in ("CC001", "CC301", "CC302") if selection.shows(code)]
        ['CC001', 'CC301']
        """
        return _longest(self.select, code) > _longest(self.ignore, code)

    def wants(self, family: str) -> bool:
        """Whether any code of a family (`CC4`) is reported."""
        return any(self.shows(code) for code in codes() if code.startswith(family))

    def shown(self, findings: Iterable[Finding]) -> list[Finding]:
        """Those of the findings that are reported."""
        return [finding for finding in findings if self.shows(finding.code)]


def _longest(prefixes: tuple[str, ...], code: str) -> int:
    return max([len(prefix) for prefix in prefixes if code.startswith(prefix)], default=0)


def read_selection(select: Iterable[str], ignore: Iterable[str], advice: bool = False) -> Selection:
    """The selection of codes and prefixes; without any selected: everything but advice. Raises UsageError.

    >>> read_selection([], ["CC302,CC303"]).ignore
    ('CC302', 'CC303')
    """
    selected = read_codes(select, "--select") or DEFAULT
    if advice:
        selected = (*selected, ADVICE)
    return Selection(selected, read_codes(ignore, "--ignore"))


LISTS = "convcalc check --explain help lists the codes"


def _listed(prefix: str) -> str:
    """What to write in place of what no code starts with: a number alone, or a word."""
    return f"did you mean 'CC{prefix}'?" if f"CC{prefix}" in codes() else LISTS


def read_codes(texts: Iterable[str], named: str) -> tuple[str, ...]:
    """Codes and prefixes between commas. Raises UsageError that says where they are `named`.

    >>> read_codes(["cc3, CC201"], "--select")
    ('CC3', 'CC201')
    """
    found = tuple(part.strip().upper() for text in texts for part in text.split(",") if part.strip())
    for prefix in found:
        if not any(code.startswith(prefix) for code in codes()):
            raise UsageError(
                f"{named}: no code starts with '{prefix[:40]}'",
                _listed(prefix),
            )
    return found


class Comments:
    """`# convcalc: ignore[CC301]`: the comments of a text that suppress findings of their line, and their use."""

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
                known = _CODE.fullmatch(prefix) and any(code.startswith(prefix) for code in codes())
                what = f"there is no {prefix} on this line" if prefix != "CC" else "there is nothing to ignore here"
                message = what if known else f"'{prefix[:20]}' is no code"
                hint = "remove it from the comment" if known else LISTS
                findings.append(self.source.finding("CC307", message, at, hint=hint))
        return findings
