"""Which findings are reported: codes or prefixes that are selected and ignored; the longer prefix decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..findings import CODES, Finding, UsageError

DEFAULT = ("CC0", "CC1", "CC2", "CC3", "CC7")
ADVICE = "CC4"


@dataclass(frozen=True, slots=True)
class Selection:
    """What is reported. Advice (CC4) is, where it is asked for or selected."""

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
        return any(self.shows(code) for code in CODES if code.startswith(family))

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
    selected = _codes(select, "--select") or DEFAULT
    if advice:
        selected = (*selected, ADVICE)
    return Selection(selected, _codes(ignore, "--ignore"))


def _codes(texts: Iterable[str], option: str) -> tuple[str, ...]:
    found = tuple(part.strip().upper() for text in texts for part in text.split(",") if part.strip())
    for prefix in found:
        if not any(code.startswith(prefix) for code in CODES):
            raise UsageError(
                f"{option}: no code starts with '{prefix[:40]}'",
                "docs/codes.md lists the codes; families are CC0 to CC4 and CC7",
            )
    return found
