"""Which tests meet a mutant, in which order, and what becomes of it."""

from __future__ import annotations

import gc
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tools.mutation import in_process
from tools.mutation.covering import Covering
from tools.mutation.forks import Fork
from tools.mutation.mutants import Key, Mutant
from tools.mutation.swapping import functions_and_caches

Outcome = Literal["killed", "timed out", "survived", "not covered"]
WALL = 900.0
"""Seconds after which the fork of a mutant is ended, whatever it waits for."""
READING = 60.0
"""CPU seconds that reading a file of tests may take."""
AT_ONCE = 200
"""Mutants that go through the files of tests together."""


class Result(NamedTuple):
    """What became of a mutant."""

    module: str
    scope: str
    before: str
    after: str
    which: int
    outcome: Outcome
    by: str | None
    """The test that failed, or the file of tests."""
    tests: int
    """How many were run or were to be run."""
    left_out: int
    """How many run what is changed, for which there was no time."""
    state: str
    """A digest of the module, for what is killed; for the others, of the tests as well."""

    @property
    def key(self) -> Key:
        """That of its mutant."""
        return self.module, self.scope, self.before, self.after, self.which


class States(NamedTuple):
    """Digests by which a result of an earlier run still holds."""

    module: str
    module_and_tests: str

    def of(self, outcome: Outcome) -> str:
        """What was killed stays so while its module is the same; what survived may meet new tests."""
        return self.module if outcome in ("killed", "timed out") else self.module_and_tests


class Trial:
    """A mutant on its way through the files of tests."""

    def __init__(self, mutant: Mutant, tests: Covering, budget: float) -> None:
        self.mutant = mutant
        self.waiting = tests.of(mutant)
        """File of tests -> its tests that run what is changed."""
        self.budget = budget
        """CPU seconds that are left for it."""
        self.count = 0
        self.left_out = 0

    def take(self, test_file: str, tests: Covering) -> list[str]:
        """The tests of a file that it is to meet, in their order, as far as the budget goes."""
        taken: list[str] = []
        seconds = tests.seconds[test_file]
        for test in self.waiting.pop(test_file):
            if self.budget > 0:
                taken.append(test)
                self.budget -= seconds[test]
            else:
                self.left_out += 1
        self.count += len(taken)
        return taken

    def result(self, outcome: Outcome, by: str | None, states: Mapping[str, States]) -> Result:
        """What became of it."""
        state = states[self.mutant.module].of(outcome)
        return Result(*self.mutant.key, outcome, by, self.count, self.left_out, state)


def run(
    root: Path,
    todo: Sequence[Mutant],
    tests: Covering,
    states: Mapping[str, States],
    results: Path,
    *,
    jobs: int,
    budget: float,
) -> Iterator[Result]:
    """Run the mutants, write each result as a line of the file, and yield it."""
    results.parent.mkdir(parents=True, exist_ok=True)
    trials = [Trial(mutant, tests, budget) for mutant in todo]
    with results.open("a", encoding="utf-8") as stream:
        for trial, outcome, by in _outcomes(root, trials, tests, jobs, budget):
            result = trial.result(outcome, by, states)
            stream.write(json.dumps(result._asdict(), ensure_ascii=False) + "\n")
            stream.flush()
            yield result


def _outcomes(
    root: Path, trials: Sequence[Trial], tests: Covering, jobs: int, budget: float
) -> Iterator[tuple[Trial, Outcome, str | None]]:
    covered = [trial for trial in trials if trial.waiting]
    yield from ((trial, "not covered", None) for trial in trials if not trial.waiting)
    again = [trial for trial in covered if tests.at_import(trial.mutant)]
    swapped = [trial for trial in covered if not tests.at_import(trial.mutant)]
    for trial, outcome, by in _swapped(root, swapped, tests, jobs):
        if outcome == "survived":
            again.append(Trial(trial.mutant, tests, budget))  # Its function may have run at import alone.
        else:
            yield trial, outcome, by
    yield from _imported(root, again, tests, jobs)


def _parallel(
    jobs: int, tasks: Iterator[tuple[object, Callable[[], object]]], wall: float
) -> Iterator[tuple[object, Fork]]:
    """Forks that run the tasks, so many at a time, each with its name as it ends."""
    running: list[tuple[object, Fork]] = []
    more = True
    while more or running:
        while more and len(running) < jobs:
            following = next(tasks, None)
            if following is None:
                more = False
            else:
                running.append((following[0], Fork(following[1])))
        ended = [(name, fork) for name, fork in running if fork.ended()]
        running = [entry for entry in running if entry not in ended]
        yield from ended
        for _, fork in running:
            if time.monotonic() - fork.begun > wall:
                fork.end()
        if not ended:
            time.sleep(0.005)


def _imported(
    root: Path, trials: Sequence[Trial], tests: Covering, jobs: int
) -> Iterator[tuple[Trial, Outcome, str | None]]:
    """Mutants of what an import runs: each in a process that imports its module anew."""
    kills: Counter[tuple[str, ...]] = Counter()

    def tasks() -> Iterator[tuple[object, Callable[[], object]]]:
        for trial in trials:
            module, scope = trial.mutant.module, trial.mutant.scope

            def cost(test_file: str, trial: Trial = trial, module: str = module, scope: str = scope) -> float:
                seconds = sum(tests.seconds[test_file][test] for test in trial.waiting[test_file])
                earlier = 5 * kills[module, scope, test_file] + kills[module, test_file]
                return (tests.collecting[test_file] + seconds) / (1 + earlier)

            planned: dict[str, dict[str, float]] = {}
            for test_file in sorted(trial.waiting, key=cost):
                taken = trial.take(test_file, tests)
                if taken:
                    trial.budget -= tests.collecting[test_file]
                    planned[test_file] = {test: tests.allowed(test_file, test) for test in taken}
            yield trial, _import_task(root, trial.mutant, planned)

    for trial, fork in _parallel(jobs, tasks(), WALL):
        assert isinstance(trial, Trial)
        outcome, by = _judged(fork)
        if by is not None:
            test_file = by.partition("::")[0]
            kills[trial.mutant.module, test_file] += 1
            kills[trial.mutant.module, trial.mutant.scope, test_file] += 1
        yield trial, outcome, by


def _import_task(root: Path, mutant: Mutant, planned: Mapping[str, Mapping[str, float]]) -> Callable[[], object]:
    def task() -> str:
        in_process.quiet()
        in_process.install(root, mutant.module, mutant.text)
        return in_process.first_failure(root, planned, READING) or ""

    return task


def _judged(fork: Fork) -> tuple[Outcome, str | None]:
    if fork.signal == signal.SIGKILL:
        return "survived", None  # Ended by the clock: it may have waited for the machine.
    if fork.signal is not None:
        return ("timed out" if fork.signal == signal.SIGPROF else "killed"), None
    return ("killed", fork.answer) if fork.answer else ("survived", None)


def _swapped(
    root: Path, trials: Sequence[Trial], tests: Covering, jobs: int
) -> Iterator[tuple[Trial, Outcome, str | None]]:
    """Mutants of functions: a file of tests is read once, and meets those that are still alive."""
    texts = {trial.mutant.module: (root / trial.mutant.module).read_text("utf-8") for trial in trials}
    chances = Chances()
    for first in range(0, len(trials), AT_ONCE):
        alive = dict(enumerate(trials[first : first + AT_ONCE]))

        def tasks(alive: dict[int, Trial] = alive) -> Iterator[tuple[object, Callable[[], object]]]:
            while any(trial.waiting for trial in alive.values()):
                test_file = chances.best(alive.values(), tests)
                meeting = [number for number, trial in alive.items() if test_file in trial.waiting]
                work = [(number, alive[number].take(test_file, tests), alive[number].mutant) for number in meeting]
                allowed = {test: tests.allowed(test_file, test) for _, taken, _ in work for test in taken}
                if allowed:
                    yield test_file, _swap_task(root, test_file, work, texts, allowed)

        for test_file, fork in _parallel(jobs, tasks(), float("inf")):
            for number, outcome, by in fork.answer or ():
                if number in alive:
                    killed = outcome != "survived"
                    chances.count(alive[number].mutant.module, str(test_file), killed)
                    if killed:
                        yield alive.pop(number), outcome, by
        yield from ((trial, "survived", None) for trial in alive.values())


class Chances:
    """How often a file of tests has killed mutants of a module, and so which file comes next."""

    def __init__(self) -> None:
        self.met: Counter[tuple[str, str]] = Counter()
        self.killed: Counter[tuple[str, str]] = Counter()

    def count(self, module: str, test_file: str, killed: bool) -> None:
        """Learn from a mutant that has met a file."""
        self.met[module, test_file] += 1
        self.killed[module, test_file] += killed

    def best(self, trials: Iterable[Trial], tests: Covering) -> str:
        """The file that can be hoped to kill the most in a second."""
        hope: dict[str, float] = {}
        meeting: Counter[str] = Counter()
        for trial in trials:
            for test_file in trial.waiting:
                pair = trial.mutant.module, test_file
                hope[test_file] = hope.get(test_file, 0.0) + (1 + self.killed[pair]) / (2 + self.met[pair])
                meeting[test_file] += 1

        def in_a_second(test_file: str) -> float:
            seconds = tests.seconds[test_file].values()
            one = 0.1 + 2 * sum(seconds) / max(len(seconds), 1)
            return hope[test_file] / (1 + tests.collecting[test_file] + meeting[test_file] * one)

        return max(sorted(hope), key=in_a_second)


def _swap_task(
    root: Path,
    test_file: str,
    work: Sequence[tuple[int, list[str], Mutant]],
    texts: Mapping[str, str],
    allowed: Mapping[str, float],
) -> Callable[[], object]:
    def task() -> list[tuple[int, Outcome, str | None]]:
        in_process.quiet()
        found: list[tuple[int, Outcome, str | None]] = []

        def meet(items: Mapping[str, object], runner: in_process.Runner) -> None:
            functions, caches = functions_and_caches(frozenset(str(root / module) for module in texts))
            gc.freeze()
            codes = {
                module: compile(text, str(root / module), "exec", dont_inherit=True) for module, text in texts.items()
            }
            for number, names, mutant in work:
                chosen = [items[name] for name in names if name in items]

                def one(mutant: Mutant = mutant, chosen: list[object] = chosen) -> str:
                    in_process.put_in(root, mutant.module, mutant.text, codes[mutant.module], functions, caches)
                    return runner(chosen, allowed) or ""  # type: ignore[arg-type]

                fork = Fork(one)
                fork.wait(WALL)
                found.append((number, *_judged(fork)))

        in_process.collected(root, test_file, meet)
        return found

    return task


def kept(results: Path, states: Mapping[str, States]) -> dict[Key, Result]:
    """The results of earlier runs that still hold."""
    found: dict[Key, Result] = {}
    if results.exists():
        for line in results.read_text("utf-8").splitlines():
            result = Result(**json.loads(line))
            if result.module in states and result.state == states[result.module].of(result.outcome):
                found[result.key] = result
    return found


def progress(number: int, count: int, result: Result) -> None:
    """Say on standard error how far the run is, and what survives."""
    if result.outcome in ("survived", "not covered"):
        print(f"\r{result.outcome}: {result.module} {result.scope}", file=sys.stderr)
        print(f"  - {result.before}\n  + {result.after}", file=sys.stderr)
    print(f"\r{number} of {count}", end="", file=sys.stderr, flush=True)
