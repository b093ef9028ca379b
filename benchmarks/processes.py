"""Whole processes beside `python -c pass`: wall time, CPU, peak memory, instructions.

    python benchmarks/processes.py [--rounds 9] [--python PATH]
    python benchmarks/processes.py --python PATH --write MACHINE   and records it for README: "2 cores of ..."

Runs interleave round-robin, so that a noisy machine is noisy for all; ratios are medians of per-round
ratios. With valgrind at hand, instruction counts (repeatable to a percent or two) stand beside them.
Measure an installed wheel: an editable install may compile its modules at every start.

`reach` is held against the wall time on an idle machine, which is what somebody waits. Instructions are the measure to
compare two versions by, on any machine under any load; their multiple is higher, since valgrind counts nothing of the
system's work, which is a larger share of `python -c pass` than of a command. The record is what README says.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

COMMANDS = {
    "pass": ["-c", "pass"],
    "import convcalc": ["-c", "import convcalc"],
    "--help": ["-m", "convcalc", "--help"],
    "table googlenet.yaml": ["-m", "convcalc", "table", "googlenet.yaml"],
    "invert --k 3 --s 2 --p 1": ["-m", "convcalc", "invert", "--k", "3", "--s", "2", "--p", "1"],
    "check googlenet.yaml": ["-m", "convcalc", "check", "googlenet.yaml"],
    "verify googlenet.yaml --quick": ["-m", "convcalc", "verify", "googlenet.yaml", "--quick"],
    "report googlenet.yaml -o report.html": ["-m", "convcalc", "report", "googlenet.yaml", "-o", os.devnull],
    "table layers.yaml": ["-m", "convcalc", "table", "layers.yaml"],
    "table repeated.yaml": ["-m", "convcalc", "table", "repeated.yaml"],
}
REACH = {
    "--help": 8,
    "table googlenet.yaml": 20,
    "invert --k 3 --s 2 --p 1": 15,
    "check googlenet.yaml": 20,
    "verify googlenet.yaml --quick": 35,
}
"""The most that a command may take, in the wall time of `python -c pass`."""
HEAD = "convcalc: 1\ninput: [16, 64, 64]\nlayers:\n"
SPECS = {
    "layers.yaml": HEAD + "  - {conv2d: {out: 16, k: 3, p: 1}}\n  - relu\n" * 5_000,
    "repeated.yaml": HEAD + "  - {layers: [{conv2d: {out: 16, k: 3, p: 1}}, relu], repeat: 50000, name: stack}\n",
}
"""Networks of 10,000 layers that are written out, and of 100,000."""
RECORD = Path(__file__).parent.parent / "tests" / "oracle" / "processes.json"


def run(python: str, arguments: list[str], folder: str) -> tuple[float, float, float]:
    """(wall seconds, CPU seconds, peak MiB) of one process."""
    with Path(os.devnull).open("w") as sink:
        start = time.perf_counter()
        process = subprocess.Popen([python, *arguments], stdout=sink, stderr=sink, cwd=folder, env=environment())
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed with status {status}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def instructions(python: str, arguments: list[str], folder: str) -> int | None:
    """Instructions of one process by callgrind; None without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", python, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment())
    for line in done.stderr.splitlines():
        if "Collected" in line:
            return int(line.split()[-1])
    return None


def environment() -> dict[str, str]:
    """The process's environment: one BLAS thread, hashing fixed, no colours."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "NO_COLOR": "1"}


def available(python: str, arguments: list[str], folder: str) -> bool:
    """Whether this version has the command."""
    done = subprocess.run([python, *arguments], capture_output=True, cwd=folder, env=environment())
    return done.returncode == 0


class Row(NamedTuple):
    """What a command takes; ratios are to `python -c pass`."""

    seconds: float
    ratio: float
    cpu_ratio: float
    instructions_ratio: float | None
    mebibytes: float

    def __str__(self) -> str:
        instructions = "" if self.instructions_ratio is None else f"{self.instructions_ratio:.1f}"
        cells = f"{1000 * self.seconds:8.0f} {self.ratio:7.1f} {self.cpu_ratio:7.1f} {instructions:>8}"
        return f"{cells} {self.mebibytes:9.1f}"


def measured(python: str, rounds: int, counted: bool) -> dict[str, Row]:
    """Each command that this version has."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in SPECS.items():
            (Path(folder) / name).write_text(text, "utf-8")
        commands = {name: a for name, a in COMMANDS.items() if available(python, a, folder)}
        samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, arguments in commands.items():
                samples[name].append(run(python, arguments, folder))
        compared = {name: a for name, a in commands.items() if counted and name in ("pass", *REACH)}
        counts = {name: instructions(python, a, folder) for name, a in compared.items()}
    base, one = samples["pass"], counts.get("pass")
    return {
        name: Row(
            statistics.median(row[0] for row in rows),
            statistics.median(row[0] / b[0] for row, b in zip(rows, base, strict=True)),
            statistics.median(row[1] / max(b[1], 1e-9) for row, b in zip(rows, base, strict=True)),
            count / one if (count := counts.get(name)) and one else None,
            max(row[2] for row in rows),
        )
        for name, rows in samples.items()
    }


def record(rows: dict[str, Row], python: str, machine: str) -> str:
    """A run as README's table and the tests read it."""
    code = "import platform; print(platform.python_implementation(), platform.python_version())"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    commands = {
        name: {
            "seconds": round(row.seconds, 4),
            "multiple": round(row.ratio, 1),
            "instructions": None if row.instructions_ratio is None else round(row.instructions_ratio, 1),
            "mebibytes": round(row.mebibytes, 1),
        }
        for name, row in rows.items()
    }
    return json.dumps({"machine": machine, "python": said, "commands": commands}, indent=1) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--write", metavar="MACHINE", help="record the run for README: the name of the machine, idle")
    options = parser.parse_args()
    rows = measured(options.python, options.rounds, not options.no_instructions)
    print(f"{'command':38} {'wall ms':>8} {'x pass':>7} {'cpu x':>7} {'instr x':>8} {'peak MiB':>9} {'reach':>6}")
    for name, row in rows.items():
        print(f"{name:38} {row} {REACH.get(name, ''):>6}")
    if options.write is not None:
        RECORD.write_text(record(rows, options.python, options.write), "utf-8")


if __name__ == "__main__":
    main()
