"""Problems on their way to becoming findings, and did-you-mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from ..findings import Finding, SpecError
from ..source import Marked, Source, Text

MAX_FINDINGS = 1000
MAX_CANDIDATES = 300

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
            if len(self.all) == MAX_FINDINGS:
                message, note = f"more than {MAX_FINDINGS:,} findings; the rest is not told", ""
                hint = "mend these first"
            self._seen.add(key)
            path = where if isinstance(where, str) else where()
            self.all.append(self.source.finding(code, message + note, at, hint=hint, where=path))
            if len(self.all) > MAX_FINDINGS:
                self.raise_any()

    def problem(self, problem: Problem, at: Marked | None, where: Where = "", note: str = "") -> None:
        """Add a problem at a node (its own, if it knows one), or at the characters that it points at."""
        at = problem.at or at
        self.add(problem.code, problem.message, inside(at, problem, self.source), problem.hint, where, note)

    def raise_any(self) -> None:
        """Raise a SpecError with everything found, in the order of the text, if there is anything."""
        if self.all:
            rest = self.all[MAX_FINDINGS:]
            found = sorted(self.all[:MAX_FINDINGS], key=lambda finding: (finding.line, finding.column))
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


def suggest(word: str, candidates: Iterable[str], otherwise: str | None = None) -> str | None:
    """A hint that names the candidate nearest to a misspelt word.

    >>> suggest("kernel", ["kernel_size", "stride"])
    "did you mean 'kernel_size'?"
    """
    known = tuple(dict.fromkeys(islice(candidates, MAX_CANDIDATES)))
    near = _nearest(word[:MAX_CANDIDATES], known)
    if near is not None:
        return f"did you mean '{near}'?"
    if otherwise is not None:
        return otherwise
    return f"known here: {shortened(sorted(known))}" if known else None


@lru_cache(maxsize=1024)
def _nearest(word: str, candidates: tuple[str, ...]) -> str | None:
    from difflib import get_close_matches

    small = word.lower()
    lower = {name.lower(): name for name in reversed(candidates)}
    near = get_close_matches(small, lower, n=3, cutoff=0.6)
    if not near:
        near = [name for name in lower if len(small) > 1 and (name.startswith(small) or small.startswith(name))]
    if not near:
        return None
    flat = near[0][:-2] + "2d"
    if near[0].endswith(("1d", "3d")) and near[0][-2:] not in small and flat in lower:
        return lower[flat]
    return lower[near[0]]


def shortened(names: list[str], limit: int = 20) -> str:
    """Names joined by commas, the rest counted.

    >>> shortened(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    if len(names) <= limit:
        return ", ".join(names)
    return ", ".join(names[:limit]) + f" and {len(names) - limit} more"
