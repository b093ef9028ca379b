"""The command line: runs kinds of cases, shrinks what fails, prints a table. Exit code 1 where something failed."""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .case import Case, read_case
from .generators import KINDS, Kind
from .shrink import SECONDS, shrink
from .summary import Mark, Tally, table
from .workers import PATIENCE, Prober, Work, reports

COUNT = 1000
"""Cases of each kind where nobody says how many."""
NEWS = 60.0
"""Seconds between two lines that say how far it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description="Run the program on what nobody wrote.")
    parser.add_argument(
        "kind", choices=[*KINDS, "all", "replay"], help="what to make; replay: run files that were kept"
    )
    parser.add_argument("files", nargs="*", type=Path, help="replay: the kept cases")
    parser.add_argument("--count", type=int, default=COUNT, help="cases of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other cases (default: %(default)s)")
    parser.add_argument("--number", type=int, help="the one case of this number")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds of CPU until a case hangs")
    parser.add_argument("--shrink", type=float, default=SECONDS, help="seconds to make a failing case smaller; 0: none")
    parser.add_argument("--out", type=Path, default=Path(".fuzz"), help="where failing cases go (default: %(default)s)")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that its processes end with it
    if given.kind == "replay":
        return replay(given.files, given.patience)
    numbers = range(given.count) if given.number is None else range(given.number, given.number + 1)
    kinds = list(KINDS.values()) if given.kind == "all" else [KINDS[given.kind]]
    tallies = []
    for kind in kinds:
        tallies.append(run_kind(kind, Work(given.seed, numbers), given.jobs, given.patience))
        keep(kind, tallies[-1], given.out, given.patience, given.shrink)
        if tallies[-1].cases < len(numbers):
            break
    print(table(tallies))
    return 1 if any(tally.marks or tally.cases < len(numbers) for tally in tallies) else 0


def run_kind(kind: Kind, work: Work, jobs: int, patience: float) -> Tally:
    """What the cases of a kind give, as far as it came where it is interrupted; says how far it is."""
    tally = Tally(kind.name, work.seed)
    started = said = time.monotonic()
    try:
        for report in reports(kind, work, jobs, patience):
            tally.add(report)
            if time.monotonic() - said > NEWS:
                said = time.monotonic()
                done = f"{kind.name}: {tally.cases:,} of {len(work.numbers):,}, {len(tally.marks)} kinds of failures"
                print(done, file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"{kind.name}: interrupted after {tally.cases:,} of {len(work.numbers):,}", file=sys.stderr)
    tally.seconds = time.monotonic() - started
    return tally


def keep(kind: Kind, tally: Tally, out: Path, patience: float, seconds: float) -> None:
    """Write the smallest case of each failure, and say how to see it again."""
    prober = Prober(kind, patience)
    try:
        for mark, (number, failure) in sorted(tally.first.items(), key=lambda entry: entry[1][0]):
            case = kind.case(tally.seed, number)
            if seconds > 0:
                case = shrink(case, partial(shows, prober, mark), seconds)
            path = out / f"{kind.name}-{hashlib.sha256(repr(mark).encode()).hexdigest()[:12]}.json"
            out.mkdir(parents=True, exist_ok=True)
            path.write_text(case.to_json(), encoding="utf-8")
            print(f"{kind.name}: {failure.oracle}: {failure.place} ({tally.marks[mark]:,} cases)")
            print("  " + failure.message.strip().replace("\n", "\n  "))
            print(f"  smallest: {path}, {case.size} bytes: {case.command()}")
            print(f"  the case itself: python -m tools.fuzz {kind.name} --seed {tally.seed} --number {number}\n")
    finally:
        prober.close()


def shows(prober: Prober, mark: Mark, case: Case) -> bool:
    """Whether a case has a failure."""
    return any((failure.oracle, failure.place) == mark for failure in prober.report(case).failures)


def replay(paths: Sequence[Path], patience: float) -> int:
    """Run kept cases, and say what does not hold for them."""
    prober = Prober(KINDS["specs"], patience)
    failed = 0
    try:
        for path in paths:
            failures = prober.report(read_case(path)).failures
            failed += bool(failures)
            for failure in failures:
                print(f"{path}: {failure.oracle}: {failure.place}\n  " + failure.message.strip().replace("\n", "\n  "))
    finally:
        prober.close()
    print(f"{len(paths)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
