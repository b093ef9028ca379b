"""The tool that plants faults: what it plants, and that it knows a fault that is noticed from one that is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutation.__main__ import EQUIVALENT, ROOT, equivalents
from tools.mutation.mutants import mutants_of, sample

MODULE = '''
"""A module whose tests know half of it."""

from functools import lru_cache

LARGEST = 9


class Room:
    doors: int = 2

    @property
    def seats(self) -> int:
        return self.doors * 4


@lru_cache
def smaller(a: int, b: int) -> int:
    """Which is the smaller one."""
    if a < b:
        return a
    return b


def bounded(value: int) -> int:
    while value > LARGEST:
        value -= 1
    return value


def unknown(x: int) -> int:
    return x + 1
'''

LATE = """
def twice(x):
    return 2 * x


def once(x):
    return x + 1


TABLE = {'two': twice(1), 'one': once(0)}
MOST = 7
"""

TESTS = """
import pytest
from rooms import Room, bounded, smaller


@pytest.mark.parametrize(("pair", "least"), [((1, 2), smaller(1, 2)), ((3, 2), 2)])
def test_smaller(pair, least):
    assert smaller(*pair) == least == min(pair)


def test_seats():
    assert Room().seats == 8


def test_bounded():
    assert bounded(12) == 9
"""


def afters(text: str) -> list[str]:
    return [mutant.after for mutant in mutants_of(text)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = a - b", ["x = a + b"]),
        ("x = (a + b) // c", ["x = (a - b) // c", "x = (a + b) / c"]),
        ("x = a ** 2", ["x = a * 2", "x = a ** 3", "x = a ** 1"]),
        ("x = a < b", ["x = a <= b", "x = a >= b"]),
        ("x = a is not b", ["x = a is b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = a if b else c", ["x = a if not (b) else c"]),
        ("x = a if b == c else d", ["x = a if b != c else d"]),
        ("x = not a", ["x = a"]),
        ("x = -a", ["x = a"]),
        ("x = True", ["x = False"]),
        ("x = max(a, b)", ["x = min(a, b)"]),
        ("x = f(a, b)", ["x = f(b, a)"]),
        ("x = a[0]", ["x = a[1]"]),
        ("x = zip(a, b, strict=True)", ["x = zip(b, a, strict=True)"]),
        ("x = a.astype(b, copy=False)", []),
        ("x = a.reshape(2, -1)", ["x = a.reshape(3, -1)", "x = a.reshape(1, -1)"]),
        ("x = np.result_type(a, 0.0)", []),
        ("x = np.maximum(a, b)", []),
        ("x = a[b:c]", ["x = a[:c]", "x = a[b:]"]),
        ("x = range(a)", ["x = range(a + 1)", "x = range(a - 1)"]),
        ("x += a", ["x -= a"]),
        ("x = [a for a in b if c]", ["x = [a for a in b if not (c)]"]),
        ("f(a)", ["pass"]),
        ("raise a", ["pass"]),
        ("x = f'{a + b} {1:>2}' + 'word'", []),
        ("x: Literal[1, 2]", []),
        ("assert a < b", []),
        ("'''A docstring of 2 words'''", []),
        ("from a import b", []),
        ("@cached(size=2)\ndef f(): ...", []),
        ("def __repr__(self): return 1 + 2", []),
    ],
)
def test_faults_are_small_and_none_is_in_a_text(line: str, expected: list[str]) -> None:
    assert afters(line) == expected


def test_a_mutant_is_known_by_what_it_says() -> None:
    before = mutants_of(MODULE)
    moved = mutants_of("\n\n" + MODULE)
    assert [mutant.key for mutant in before] == [mutant.key for mutant in moved]
    assert len({mutant.key for mutant in before}) == len(before)
    assert {mutant.scope for mutant in before} == {"", "Room", "Room.seats", "smaller", "bounded", "unknown"}
    assert {mutant.scope for mutant in before if mutant.at_import} == {"", "Room"}


def test_a_sample_is_the_same_for_a_seed() -> None:
    every = mutants_of(MODULE)
    assert sample(every, 5, seed=3) == sample(every, 5, seed=3) != sample(every, 5, seed=4)
    assert sample(every, None, seed=3) == every


@pytest.mark.slow
def test_it_knows_what_is_noticed(tmp_path: Path) -> None:
    """Killed: by a wrong value, by an endless loop, behind a cache, at import. Alive: what no test looks at."""
    pytest.importorskip("coverage")
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (tmp_path / "rooms.py").write_text(MODULE)
    (tmp_path / "tests" / "test_rooms.py").write_text(TESTS)
    (tmp_path / "equivalent.toml").write_text(
        '[["rooms.py"]]\nscope = "smaller"\nbefore = "if a < b:"\nafter = "if a <= b:"\nreason = "equal is equal"\n'
    )
    command = [sys.executable, "-m", "tools.mutation", "--root", str(tmp_path), "--module", "rooms.py"]
    command += ["--results", str(tmp_path / "results"), "--equivalent", str(tmp_path / "equivalent.toml")]

    def run(*more: str) -> tuple[int, str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([*command, *more], capture_output=True, text=True, env=environment, cwd=ROOT)
        assert not done.stderr.startswith("Traceback"), done.stderr
        return done.returncode, done.stdout

    code, said = run("--survivors")
    made = len(mutants_of(MODULE))
    assert code == 1
    listed = [line.strip() for line in said.splitlines() if line.startswith("  + ")]
    assert sorted(listed) == ["+ return None", "+ return x + 0", "+ return x + 2", "+ return x - 1"]
    cells = said.splitlines()[-1].split()
    assert cells[:3] == ["rooms.py", str(made), str(made)]
    killed, timed_out, survived, uncovered, equivalent = map(int, cells[3:8])
    assert (survived, uncovered, equivalent) == (0, 4, 1) and timed_out >= 1
    assert killed + timed_out == made - 5

    (tmp_path / "tests" / "test_more.py").write_text("import rooms\n\ndef test(): assert rooms.unknown(2) == 3\n")
    code, said = run()
    assert (code, said.split()[-1]) == (0, "100.0")
    lines = (tmp_path / "results" / "results.jsonl").read_text().splitlines()
    assert len(lines) == made + 5, "what was killed is not run again"
    assert run("--report") == (0, said)


@pytest.mark.slow
def test_a_module_that_is_imported_late_and_what_runs_at_import_are_changed_too(tmp_path: Path) -> None:
    pytest.importorskip("coverage")
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (tmp_path / "late.py").write_text(LATE)
    (tmp_path / "tests" / "test_late.py").write_text(
        "from importlib import import_module\n\n"
        "def test_table(): assert import_module('late').TABLE == {'two': 2, 'one': 1}\n\n"
        "def test_twice(): assert import_module('late').twice(5) == 10\n\n"
        "def test_most(): assert import_module('late').MOST == 7\n"
    )
    (tmp_path / "plain.py").write_text("class Plain:\n    most = 7\n")
    (tmp_path / "tests" / "test_import.py").write_text(
        "import sys\n\ndef test_plain():\n    sys.modules.pop('plain', None)\n    import plain\n"
    )
    (tmp_path / "tests" / "test_plain.py").write_text(
        "from plain import Plain\n\ndef test_most(): assert Plain.most == 7\n"
    )
    command = [sys.executable, "-m", "tools.mutation", "--root", str(tmp_path)]
    command += ["--module", "late.py", "--module", "plain.py"]
    command += ["--results", str(tmp_path / "results"), "--equivalent", str(tmp_path / "none.toml")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    for name, line in zip(("late.py", "plain.py"), done.stdout.splitlines()[-2:], strict=True):
        made = len(mutants_of((tmp_path / name).read_text()))
        assert line.split() == [name, *[str(made)] * 3, "0", "0", "0", "0", "100.0"]


def test_listed_equivalents_are_lines_of_today() -> None:
    for (module, scope, before, after), reason in equivalents(EQUIVALENT).items():
        text = " ".join((ROOT / module).read_text("utf-8").split())
        assert before in text, (module, scope, before)
        assert not scope or f"def {scope.rpartition('.')[2]}(" in text or f"class {scope}" in text, (module, scope)
        assert (before != after or before == after == "") and reason.strip()
