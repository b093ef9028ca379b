"""Findings: what is wrong, where, how severe it is, and how to mend it. `codes` says what each code stands for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .limits import EXCERPT_CHARACTERS, MESSAGE_CHARACTERS
from .terminal import printable, width

Severity = Literal["error", "warning", "advice"]

SEVERITIES: dict[str, Severity] = {
    "CC307": "warning",
    "CC4": "advice",
    **dict.fromkeys(("CC701", "CC703", "CC704", "CC708", "CC718"), "warning"),
    **dict.fromkeys(("CC709", "CC717"), "advice"),
    **dict.fromkeys(("CC723", "CC724", "CC725", "CC726", "CC729"), "warning"),
}
"""Severity of the codes, and of the families of codes, that are not errors."""


def severity(code: str) -> Severity:
    """How severe findings of a code are: errors fail, warnings fail under `--strict`, advice is shown on demand.

    >>> severity("CC201"), severity("CC307"), severity("CC401")
    ('error', 'warning', 'advice')
    """
    return SEVERITIES.get(code) or SEVERITIES.get(code[:3], "error")


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """One thing that is wrong. Lines and columns count from 1; `where` is the path of the layer.

    >>> import convcalc
    >>> spec = "{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 9}, name: conv}]}"
    >>> finding = convcalc.check(text=spec).findings[0]
    >>> finding.code, finding.line, finding.column, finding.where
    ('CC201', 1, 43, 'conv')
    """

    code: str
    """CC and three digits; `convcalc check --explain CODE` has its page."""
    message: str
    """What is wrong, in a line."""
    path: str = "<text>"
    """The file."""
    line: int = 1
    """From 1."""
    column: int = 1
    """From 1, in characters."""
    where: str = ""
    """The path of the layer; empty where it is of none."""
    hint: str | None = None
    """How to mend it, where there is something to say."""
    excerpt: str = ""
    """The line of the source that it points at."""
    width: int = 1
    """Characters that the caret underlines."""
    cut: int = 0
    """Characters of the line before the excerpt: a long line is shown around the column alone."""

    def __post_init__(self) -> None:
        for name, text in (("message", self.message), ("hint", self.hint)):
            if text is not None and len(text) > MESSAGE_CHARACTERS:
                object.__setattr__(self, name, clipped(text))
        if len(self.excerpt) > EXCERPT_CHARACTERS:
            before = max(0, min(self.column - EXCERPT_CHARACTERS // 2, len(self.excerpt) - EXCERPT_CHARACTERS))
            object.__setattr__(self, "excerpt", self.excerpt[before : before + EXCERPT_CHARACTERS])
            object.__setattr__(self, "cut", self.cut + before)

    @property
    def severity(self) -> Severity:
        """Errors fail, warnings fail under `--strict`, advice is shown on demand."""
        return severity(self.code)

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
        return f"{place(self)}: {self.severity} {self.code} {said(self)}"

    def __repr__(self) -> str:
        return f"<Finding {printable(str(self))}>"


def place(finding: Finding) -> str:
    """Where a finding is.

    >>> place(Finding("CC101", "unknown key", "a.yaml", 3, 5))
    'a.yaml:3:5'
    """
    return f"{finding.path}:{finding.line}:{finding.column}"


def said(finding: Finding) -> str:
    """What a finding says, behind the layer that it is about.

    >>> said(Finding("CC101", "unknown key", where="stem.conv"))
    'stem.conv: unknown key'
    """
    return f"{finding.where}: {finding.message}" if finding.where else finding.message


Role = Literal["place", "severity", "message", "margin", "source", "caret", "hint"]
"""What a piece of a printed finding is."""
LONGEST_EXCERPT = 100
"""Characters of a source line that are shown under a finding."""


def pieces(finding: Finding) -> Iterator[list[tuple[str, Role]]]:
    """The lines of a printed finding: place and message, the line of the source with a caret, and a hint.

    >>> found = Finding("CC101", "unknown key", "a.yaml", 3, 5, hint="did you mean 'k'?", excerpt="    kk: 3", width=2)
    >>> for line in pieces(found):
    ...     print("".join(text for text, _ in line))
    a.yaml:3:5: error CC101 unknown key
      3 |     kk: 3
        |     ^^
      hint: did you mean 'k'?
    """
    yield [
        (f"{printable(place(finding))}: ", "place"),
        (f"{finding.severity} {finding.code}", "severity"),
        (f" {printable(said(finding))}", "message"),
    ]
    if finding.excerpt.strip():
        text, before, underlined = _excerpt(finding)
        number = str(finding.line)
        margin = " " * len(number)
        yield [(f"  {number} | ", "margin"), (text, "source")]
        yield [(f"  {margin} | ", "margin"), (" " * before, "source"), ("^" * underlined, "caret")]
    if finding.hint:
        yield [("  hint: ", "hint"), (printable(finding.hint), "message")]


def _excerpt(finding: Finding) -> tuple[str, int, int]:
    """The part of the line around the column, the columns before the caret, and the caret's length."""
    excerpt, start = finding.excerpt.rstrip(), min(finding.column - 1 - finding.cut, len(finding.excerpt))
    first = 0
    if len(excerpt) > LONGEST_EXCERPT:
        first = max(0, min(start - LONGEST_EXCERPT // 3, len(excerpt) - LONGEST_EXCERPT))
    shown = excerpt[first : first + LONGEST_EXCERPT]
    head, lead = shown[: start - first], "…" if first or finding.cut else ""
    tail = "…" if first + LONGEST_EXCERPT < len(excerpt) else ""
    marked = shown[start - first : start - first + finding.width]
    text = lead + printable(shown) + tail
    return text, width(lead + printable(head)), max(width(printable(marked)), 1)


UNFORESEEN_EXIT = 3
"""Exit code of a call that met an error of this program itself."""
DEBUG = "CONVCALC_DEBUG"
"""Variable of the environment that, set to 1, shows where such an error is."""
SHOWN_BY = f"{DEBUG}=1 shows where"


def unforeseen(error: Exception) -> str:
    """One line about an error of this program itself.

    >>> unforeseen(KeyError("x"))
    "internal error: KeyError: 'x' (please report it)"
    """
    said = " ".join(str(error).split())[:MESSAGE_CHARACTERS]
    return f"internal error: {type(error).__name__}{': ' * bool(said)}{said} (please report it)"


def debugging() -> bool:
    """Whether the caller asked where errors of this program are."""
    return os.environ.get(DEBUG, "") not in ("", "0")


class SpecError(ValueError):
    """A spec that is wrong; `findings` holds every finding, each with its place.

    As text it is what the command prints: places, messages, the lines with carets, hints.

    >>> import convcalc
    >>> try:
    ...     convcalc.loads("{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 9}, name: conv}]}")
    ... except convcalc.SpecError as error:
    ...     error.findings[0].message
    'kernel of 9 is larger than the input of 8'
    """

    findings: tuple[Finding, ...]
    """In the order of the text."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        lines = [line for finding in self.findings for line in pieces(finding)]
        return "\n".join("".join(text for text, _ in line) for line in lines)


def clipped(text: str) -> str:
    """A message, or a hint, no longer than one may be."""
    return text if len(text) <= MESSAGE_CHARACTERS else text[: MESSAGE_CHARACTERS - 1] + "…"


class UsageError(Exception):
    """The call is wrong rather than the content: a missing file, an unreadable one, a bad option. Exit code 2.

    As text it is what the command prints; controls in names are shown.

    >>> print(UsageError("there is no file 'resnt'", "did you mean 'resnet'?"))
    there is no file 'resnt'
      hint: did you mean 'resnet'?
    """

    message: str
    """What is wrong, in a line."""
    hint: str | None
    """How to mend it, where there is something to say."""
    excerpt: tuple[str, ...]
    """What was typed, and a caret where it is wrong."""

    def __init__(self, message: str, hint: str | None = None, excerpt: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint, excerpt)
        self.message = clipped(message)
        self.hint = None if hint is None else clipped(hint)
        self.excerpt = excerpt

    def __str__(self) -> str:
        lines = [self.message, *(f"  {line}" for line in self.excerpt)]
        return printable("\n".join([*lines, f"  hint: {self.hint}"] if self.hint else lines), kept="\n")
