"""Mutation testing: do the tests notice a small fault in what convcalc computes?

python -m tools.mutation                           every mutant of every module that is held to it
python -m tools.mutation --sample 40 --seed 1      forty of each module, chosen by chance
python -m tools.mutation --module convcalc/geometry/window.py

Each mutant is a fork in which the tests that run the changed lines are run, quickest first, until one fails. Results
are kept, so that a run that was broken off goes on, and only what survived meets changed tests again. Exit code 1
where fewer than 95 % of a module's mutants are killed, those aside that equivalent.toml lists with a reason.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from collections import Counter
from pathlib import Path

from tools.mutation.covering import covering, digest
from tools.mutation.mutants import Key, Mutant, mutants, sample
from tools.mutation.running import Result, States, kept, progress, run

ROOT = Path(__file__).resolve().parent.parent.parent
EQUIVALENT = Path(__file__).resolve().parent / "equivalent.toml"
HELD = (
    "convcalc/geometry/*.py",
    "convcalc/layers/*.py",
    "convcalc/reference/*.py",
    "convcalc/language/expressions.py",
    "convcalc/language/functions.py",
    "convcalc/language/values.py",
    "convcalc/language/params.py",
    "convcalc/language/items.py",
    "convcalc/language/published.py",
    "convcalc/analysis/published.py",
    "convcalc/units.py",
    "convcalc/analysis/phases.py",
    "convcalc/analysis/receptive_field.py",
    "convcalc/analysis/seen.py",
    "convcalc/analysis/cost.py",
    "convcalc/analysis/memory.py",
    "convcalc/analysis/traffic.py",
    "convcalc/analysis/fusion.py",
    "convcalc/analysis/training.py",
)
"""The modules that are held to it: what computes, what reads fields and amounts, and what compares printed cells."""
TESTS = ("tests/test_*.py", "convcalc/**/*.py")
"""What may kill: the tests, and the examples of docstrings."""
PRELOADED = ("numpy", "pydantic", "yaml", "hypothesis", "onnx", "rich", "typer", "jsonschema", "coverage")
"""Imported once, before the first fork; of these alone no mutant is ever made."""

Equivalents = dict[tuple[str, str, str, str], str]
"""(module, scope, before, after) -> why no test can tell the mutant from the module; two empty lines stand for all
mutants of the scope."""


def equivalents(path: Path) -> Equivalents:
    """The mutants that are known to be equivalent."""
    entries_of = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    return {
        (module, entry["scope"], entry.get("before", ""), entry.get("after", "")): entry["reason"]
        for module, entries in entries_of.items()
        for entry in entries
    }


def listed(mutant: Mutant, known: Equivalents) -> bool:
    """Whether a mutant is on the list, by itself or with all of its scope."""
    return mutant.key[:4] in known or (mutant.module, mutant.scope, "", "") in known


def states_of(root: Path, modules: list[str]) -> dict[str, States]:
    """Digests of each module, alone and with the tests."""
    tests = digest(root, root.glob("tests/*.py"))
    return {module: States(own := digest(root, [root / module]), own + tests) for module in modules}


def summary(
    chosen: list[Mutant], made: Counter[str], results: dict[Key, Result], known: Equivalents
) -> tuple[str, float]:
    """A table with a row for each module, and the lowest share that is killed."""
    outcomes = ("killed", "timed out", "survived", "not covered")
    head = ("module", "made", "run", *outcomes, "equivalent", "%")
    rows: list[tuple[str, ...]] = []
    lowest = 100.0
    for module in made:
        counts: Counter[str] = Counter()
        for mutant in chosen:
            if mutant.module == module and (result := results.get(mutant.key)):
                alive = result.outcome in ("survived", "not covered")
                counts["equivalent" if alive and listed(mutant, known) else result.outcome] += 1
        judged = sum(counts[outcome] for outcome in outcomes)
        share = 100 * (counts["killed"] + counts["timed out"]) / judged if judged else 100.0
        lowest = min(lowest, share)
        numbers = (made[module], counts.total(), *(counts[outcome] for outcome in outcomes), counts["equivalent"])
        rows.append((module, *map(str, numbers), f"{share:.1f}"))
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = ["  ".join(f"{cell:{'>' if n else '<'}{widths[n]}}" for n, cell in enumerate(row)) for row in (head, *rows)]
    return "\n".join(lines), lowest


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__.partition("\n")[0])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "convcalc-mutation"
    parser.add_argument("--module", action="append", help="a module, or a pattern of modules (may be repeated)")
    parser.add_argument("--sample", type=int, help="so many mutants of each module, chosen by chance")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=1, help="forks at one time")
    parser.add_argument("--budget", type=float, default=60.0, help="CPU seconds of tests for one mutant")
    parser.add_argument("--at-least", type=float, default=95.0, help="per cent that have to be killed")
    parser.add_argument("--report", action="store_true", help="run nothing: say what is known")
    parser.add_argument("--survivors", action="store_true", help="list those that survived")
    parser.add_argument("--results", type=Path, default=cache, help="the folder of what is kept")
    parser.add_argument("--tests", action="append", help="files of tests that may kill, a pattern (default: all)")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of modules and tests")
    parser.add_argument("--equivalent", type=Path, default=EQUIVALENT, help="the list of equivalent mutants")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    found = {path for pattern in options.module or HELD for path in root.glob(pattern)}
    modules = sorted(str(path.relative_to(root)) for path in found)
    if not modules:
        parser.error("no such module")
    every = {module: mutants(root, module) for module in modules}
    chosen = [mutant for module in modules for mutant in sample(every[module], options.sample, options.seed)]
    states, known = states_of(root, modules), equivalents(options.equivalent)
    lines = options.results / "results.jsonl"
    results = kept(lines, states)
    if not options.report:
        todo = [mutant for mutant in chosen if mutant.key not in results]
        if todo:
            _preload(root)
            held = sorted({*modules, *(str(p.relative_to(root)) for pattern in HELD for p in root.glob(pattern))})
            tests = covering(root, held, options.tests or TESTS, options.results / "covering.json")
            done = run(root, todo, tests, states, lines, jobs=options.jobs, budget=options.budget)
            for number, result in enumerate(done, start=1):
                results[result.key] = result
                progress(number, len(todo), result)
            print(file=sys.stderr)
    if options.survivors:
        _list(chosen, results, known)
    table, lowest = summary(chosen, Counter({module: len(every[module]) for module in modules}), results, known)
    print(table)
    return int(lowest < options.at_least)


def _list(chosen: list[Mutant], results: dict[Key, Result], known: Equivalents) -> None:
    for mutant in chosen:
        result = results.get(mutant.key)
        if result and result.outcome in ("survived", "not covered") and not listed(mutant, known):
            more = f", {result.left_out} left out" if result.left_out else ""
            print(f"{mutant.module}:{mutant.lines[0]} {mutant.scope} ({result.outcome}, {result.tests} tests{more})")
            print(f"  - {mutant.before}\n  + {mutant.after}")


def _preload(root: Path) -> None:
    """Import what every fork needs, and nothing that has mutants."""
    import importlib

    sys.path.insert(0, str(root))
    os.chdir(root)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except ImportError:
            if name == "coverage":
                raise


if __name__ == "__main__":
    sys.exit(main())
