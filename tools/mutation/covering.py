"""Which tests run which lines: recorded once by coverage.py, file by file, and kept until the texts change."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.mutation import in_process
from tools.mutation.forks import Fork
from tools.mutation.mutants import Mutant

TOOL = Path(__file__).parent
"""What records: where it changes, all is recorded again."""
LONGEST = 15.0
"""Seconds of CPU: tests that take more are not run on mutants."""
AT_LEAST, TIMES = 3.0, 10.0
"""A test may take so many seconds of CPU, or so many times what it takes without a fault."""


class Covering(NamedTuple):
    """Tests by what they run."""

    seconds: dict[str, dict[str, float]]
    """File of tests -> each test that passes and its CPU time."""
    collecting: dict[str, float]
    """File of tests -> the CPU time to read it."""
    slowest: dict[str, float]
    """File of tests -> the CPU time of its slowest test, which may be that of what several tests share."""
    lines: dict[str, dict[int, set[tuple[str, str]]]]
    """Module -> line -> (file of tests, test)."""
    importing: dict[str, dict[int, set[str]]]
    """Module -> line -> the files of tests that run it as they are read."""

    def allowed(self, test_file: str, test: str) -> float:
        """The CPU seconds after which a test on a mutant is taken for endless."""
        return max(AT_LEAST, TIMES * self.seconds[test_file][test]) + 2 * self.slowest[test_file]

    def at_import(self, mutant: Mutant) -> bool:
        """Whether an import alone runs what is changed: a line of the module, or a function that nothing else calls."""
        if mutant.at_import:
            return True
        tested, imported = self.lines.get(mutant.module, {}), self.importing.get(mutant.module, {})
        return not any(tested.get(line) for line in mutant.lines) and any(map(imported.get, mutant.lines))

    def of(self, mutant: Mutant) -> dict[str, list[str]]:
        """File of tests -> those that run what is changed, quickest first.

        What an import runs, all that follows may use without a line of the module: it meets all tests of the files that
        use the module, behind those that run a line of it; of the files that import it, where there is nothing to run.
        """
        lines, imported = self.lines.get(mutant.module, {}), self.importing.get(mutant.module, {})
        by_import = self.at_import(mutant)
        using: dict[str, set[str]] = {}
        for line in lines.keys() - imported.keys() if by_import else mutant.lines:
            for test_file, test in lines.get(line, ()):
                using.setdefault(test_file, set()).add(test)
        if by_import and not using:
            using = {test_file: set() for line in sorted(imported) for test_file in sorted(imported[line])}
        found: dict[str, list[str]] = {}
        for test_file in sorted(using):
            first, seconds = using[test_file], self.seconds[test_file]
            tests = seconds if by_import else first
            found[test_file] = sorted(tests, key=lambda test: (test not in first, seconds[test], test))
        return found


def digest(root: Path, paths: Iterable[Path]) -> str:
    """What a set of files below the root holds, in sixteen digits; the same in each copy of it."""
    state = hashlib.sha256()
    for path in sorted(paths):
        state.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()[:16]


def test_files(root: Path, patterns: Sequence[str]) -> list[str]:
    """The files of tests that have such a name, and the modules that have examples in their docstrings."""
    named = {path for pattern in patterns for path in root.glob(pattern)}
    with_examples = {path for path in named if path.name.startswith("test_") or ">>> " in path.read_text("utf-8")}
    ignored = root / "convcalc" / "export" / "copied"
    return sorted(str(path.relative_to(root)) for path in with_examples if ignored not in path.parents)


def covering(root: Path, modules: Sequence[str], patterns: Sequence[str], kept: Path) -> Covering:
    """The tests by lines of the modules; from the file where it is kept as far as nothing has changed."""
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    shared = digest(root, (root / module for module in modules))
    shared += digest(root, (path for path in root.glob("tests/*.py") if not path.name.startswith("test_")))
    shared += digest(TOOL, TOOL.glob("*.py"))
    files = test_files(root, patterns)
    for number, name in enumerate(files):
        stamp = shared + digest(root, [root / name])
        if known.get(name, {}).get("stamp") != stamp:
            print(f"\r{number + 1} of {len(files)} files of tests: {name:60}", end="", file=sys.stderr, flush=True)
            known[name] = {"stamp": stamp, **_recorded(root, name, modules)}
            _write(kept, json.dumps(known))
    result = Covering({}, {}, {}, {}, {})
    for name in files:
        _add(result, name, known[name])
    return result


def _recorded(root: Path, name: str, modules: Sequence[str]) -> dict[str, object]:
    def run() -> dict[str, object]:
        in_process.quiet()
        collecting, tests, beside = in_process.record(root, name, modules)
        return {"collecting": collecting, "tests": tests, "importing": beside}

    done = Fork(run).wait(1200)
    if done is None:
        raise RuntimeError(f"{name} did not end")
    found: dict[str, object] = done
    return found


def _add(result: Covering, name: str, entry: dict[str, object]) -> None:
    tests = entry["tests"]
    importing = entry["importing"]
    assert isinstance(tests, dict) and isinstance(importing, dict)
    result.seconds[name] = {test: seconds for test, (seconds, _) in tests.items() if seconds <= LONGEST}
    result.slowest[name] = max((seconds for seconds, _ in tests.values()), default=0.0)
    result.collecting[name] = float(str(entry["collecting"]))
    for module, numbers in importing.items():
        for line in numbers:
            result.importing.setdefault(module, {}).setdefault(line, set()).add(name)
    for test, (seconds, lines) in tests.items():
        if seconds <= LONGEST:
            for module, numbers in lines.items():
                by_line = result.lines.setdefault(module, {})
                for line in numbers:
                    by_line.setdefault(line, set()).add((name, test))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)
