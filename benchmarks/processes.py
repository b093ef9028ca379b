"""Whole processes beside `python -c pass`: wall time, CPU, peak memory, instructions.

    python benchmarks/processes.py [--rounds 9] [--python PATH]

Runs interleave round-robin, so that a noisy machine is noisy for all; ratios are medians of per-round
ratios. With valgrind at hand, instruction counts (repeatable to a percent or two) stand beside them.
Measure an installed wheel: an editable install may compile its modules at every start.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = {
    "pass": ["-c", "pass"],
    "import convcalc": ["-c", "import convcalc"],
    "--help": ["-m", "convcalc", "--help"],
    "table googlenet.yaml": ["-m", "convcalc", "table", "googlenet.yaml"],
    "invert --k 3 --s 2 --p 1": ["-m", "convcalc", "invert", "--k", "3", "--s", "2", "--p", "1"],
    "check googlenet.yaml": ["-m", "convcalc", "check", "googlenet.yaml"],
    "verify googlenet.yaml --quick": ["-m", "convcalc", "verify", "googlenet.yaml", "--quick"],
}
REACH = {
    "--help": 20,
    "table googlenet.yaml": 30,
    "invert --k 3 --s 2 --p 1": 20,
    "check googlenet.yaml": 28,
    "verify googlenet.yaml --quick": 60,
}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--no-instructions", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        commands = {name: a for name, a in COMMANDS.items() if available(options.python, a, folder)}
        samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, arguments in commands.items():
                samples[name].append(run(options.python, arguments, folder))
        counts = {
            name: None if options.no_instructions else instructions(options.python, arguments, folder)
            for name, arguments in commands.items()
        }
    base = samples["pass"]
    print(f"{'command':32} {'wall ms':>8} {'x pass':>7} {'cpu x':>7} {'instr x':>8} {'peak MiB':>9} {'reach':>6}")
    for name, rows in samples.items():
        wall = statistics.median(row[0] for row in rows) * 1000
        ratio = statistics.median(row[0] / b[0] for row, b in zip(rows, base, strict=True))
        cpu = statistics.median(row[1] / max(b[1], 1e-9) for row, b in zip(rows, base, strict=True))
        count, one = counts[name], counts["pass"]
        instr = f"{count / one:8.1f}" if count and one else " " * 8
        peak = max(row[2] for row in rows)
        reach = f"{REACH[name]:>6}" if name in REACH else " " * 6
        print(f"{name:32} {wall:8.0f} {ratio:7.1f} {cpu:7.1f} {instr} {peak:9.1f} {reach}")


if __name__ == "__main__":
    main()
