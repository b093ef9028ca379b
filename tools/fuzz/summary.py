"""What a run found: counts of each kind, the heaviest cases, failures with how to see them again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .oracles import MEBI, Failure
from .workers import Report

Mark = tuple[str, str]
"""The oracle and the place of a failure."""


@dataclass
class Tally:
    """What the cases of one kind gave."""

    kind: str
    seed: int
    cases: int = 0
    built: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    """(seconds of CPU, number)."""
    largest: tuple[int, int] = (0, 0)
    """(bytes, number)."""
    oracles: Counter[str] = field(default_factory=Counter)
    """Failed cases of each oracle."""
    marks: Counter[Mark] = field(default_factory=Counter)
    first: dict[Mark, tuple[int, Failure]] = field(default_factory=dict)
    """The lowest number with a failure."""
    seconds: float = 0.0
    """Of the wall clock."""

    def add(self, report: Report) -> None:
        """Count a case."""
        self.cases += 1
        self.built += report.built
        self.codes["none" if report.code is None else str(report.code)] += 1
        self.slowest = max(self.slowest, (report.seconds, report.number))
        self.largest = max(self.largest, (report.memory, report.number))
        for failure in report.failures:
            mark = (failure.oracle, failure.place)
            self.oracles[failure.oracle] += 1
            self.marks[mark] += 1
            if mark not in self.first or report.number < self.first[mark][0]:
                self.first[mark] = (report.number, failure)

    def cells(self) -> list[str]:
        """Its row of the table."""
        codes = " ".join([f"{code}:{count:,}" for code, count in sorted(self.codes.items())])
        return [
            self.kind,
            f"{self.cases:,}",
            f"{self.built:,}",
            f"{self.cases - self.built:,}",
            codes,
            f"{sum(self.oracles.values()):,}",
            f"{self.slowest[0]:.2f} s ({self.slowest[1]})",
            f"{self.largest[0] / MEBI:.0f} MiB ({self.largest[1]})",
            f"{self.seconds:.0f} s",
            f"{self.cases / self.seconds:,.0f}" if self.seconds else "",
        ]


HEADER = ["kind", "inputs", "built", "refused", "exit codes", "failures", "slowest", "largest", "time", "inputs/s"]


def table(tallies: list[Tally]) -> str:
    """A row for each kind, and below it the failures of each oracle."""
    rows = [HEADER, *(tally.cells() for tally in tallies)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=True)]).rstrip() for row in rows]
    counts = [f"{tally.kind}: {oracle} {count:,}" for tally in tallies for oracle, count in tally.oracles.most_common()]
    return "\n".join([*lines, *(["", "failures by oracle", *counts] if counts else [])])
