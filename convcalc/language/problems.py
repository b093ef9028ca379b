"""Problems on their way to becoming findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..findings import Finding, SpecError
from ..limits import FINDINGS
from ..marked import Marked, Source, Text

Where: TypeAlias = "str | Callable[[], str]"
"""The path of a layer, or how to find it out: paths are only needed once something is wrong."""


class Problem(Exception):
    """What is wrong with a piece of text, before its place is known.

    `offset` counts characters from the start of the text, where the problem is inside an expression; `at`
    is its place, once known.
    """

    at: Marked | None = None

    def __init__(self, code: str, message: str, hint: str | None = None, offset: int = 0, width: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.offset = offset
        self.width = width


class TooMuch(Problem):
    """A limit of the whole file is reached: nothing more is read of it."""


class Findings:
    """Collects findings about one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.all: list[Finding] = []
        self._seen: set[tuple[str, int, int, str]] = set()

    def fresh(self) -> Findings:
        """An empty collection about the same source."""
        return Findings(self.source)

    def add(
        self, code: str, message: str, at: Marked | None, hint: str | None = None, where: Where = "", note: str = ""
    ) -> None:
        """Add a finding at a node of the document; one that only differs in its note is not repeated.

        Raises SpecError with everything found when it is too much to be told.
        """
        line, column = (at.line, at.column) if at is not None else (1, 1)
        key = (code, line, column, message)
        if key not in self._seen:
            if len(self.all) == FINDINGS:
                message, note = f"more than {FINDINGS:,} findings; the rest is not told", ""
                hint = "mend these first"
            self._seen.add(key)
            path = where if isinstance(where, str) else where()
            self.all.append(self.source.finding(code, message + note, at, hint=hint, where=path))
            if len(self.all) > FINDINGS:
                self.raise_any()

    def problem(self, problem: Problem, at: Marked | None, where: Where = "", note: str = "") -> None:
        """Add a problem at a node (its own, if it knows one), or at the characters that it points at.

        Raises SpecError with everything found where it is the end of the reading.
        """
        at = problem.at or at
        self.add(problem.code, problem.message, inside(at, problem, self.source), problem.hint, where, note)
        if isinstance(problem, TooMuch):
            self.raise_any()

    def raise_any(self) -> None:
        """Raise a SpecError with everything found, in the order of the text, if there is anything."""
        if self.all:
            rest = self.all[FINDINGS:]
            found = sorted(self.all[:FINDINGS], key=lambda finding: (finding.line, finding.column))
            raise SpecError([*found, *rest])


def inside(at: Marked | None, problem: Problem, source: Source) -> Marked | None:
    """The place of a problem inside a scalar that stands on one line as it is written."""
    if not problem.width or not isinstance(at, Text):
        return at
    column = at.column + problem.offset + (0 if at.plain else 1)
    shown = source.line(at.line)[column - 1 : column - 1 + problem.width]
    if shown != at.text[problem.offset : problem.offset + problem.width]:
        return at
    return Text(shown, True, at.line, column, problem.width)
