"""What a run of many candidates takes: bytes a candidate and quantity, resident memory, seconds to write and to read.

    python -m benchmarks.sweep_store 1000000 [run.sqlite]

The figures are made up, of the sizes that params, MACs and bytes have; everything else is what a sweep does.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path
from time import process_time

from convcalc.sweep.chunks import Chunk
from convcalc.sweep.export import export
from convcalc.sweep.plan import Plan
from convcalc.sweep.store import Store

SPEC = """\
convcalc: 1
input: [3, 32, 32]
params: {width: 8, kernel: 3, depth: 1}
layers: [{conv2d: {out_channels: width, kernel_size: kernel}, repeat: depth}]
"""
COLUMNS = ("params", "macs", "peak_memory", "depth")
CHUNK = 10_000


def planned(candidates: int) -> Plan:
    """A plan of about so many candidates, with four quantities."""
    widths = -(-candidates // 100)
    grid = (f"width=1:{widths}", "kernel=1:10", "depth=1:10")
    return Plan("net.yaml", SPEC, grid=grid, columns=COLUMNS, where=("macs<=600M",), pareto=("params,macs",))


def chunk(plan: Plan, start: int, stop: int, draw: random.Random) -> Chunk:
    """A chunk with made-up figures; one candidate of fifty does not build."""
    count = stop - start
    candidates = [plan.space.candidate(number) for number in range(start, stop)]
    values = [list(column) for column in zip(*(candidate.values for candidate in candidates), strict=True)]
    refused = [(place, "CC201", f"kernel of 17 is larger than the input of {place}") for place in range(0, count, 50)]
    sizes = (10**8, 10**10, 10**7, 60)
    figures = [[None if place % 50 == 0 else draw.randrange(size) for place in range(count)] for size in sizes]
    fits = [place % 50 != 0 and draw.random() < 0.3 for place in range(count)]
    return Chunk(start, stop, list(range(start, stop)), values, figures, fits, refused)  # type: ignore[arg-type]


def resident() -> int:
    """The most memory that this process has had, in bytes."""
    text = Path("/proc/self/status").read_text("utf-8")
    return 1024 * int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1])


def measured(candidates: int, path: Path) -> dict[str, float]:
    """Write a run of so many candidates and read it; what it took."""
    plan, draw = planned(candidates), random.Random(1)
    size = plan.space.size
    seconds = 0.0
    with Store.create(str(path), plan) as store:
        starts = list(range(0, size, CHUNK))
        for place in range(0, len(starts) - 1, 2):
            # As chunks of several workers come: not in order.
            starts[place : place + 2] = reversed(starts[place : place + 2])
        for start in starts:
            made = chunk(plan, start, min(start + CHUNK, size), draw)
            began = process_time()
            store.add(made)
            seconds += process_time() - began
    found: dict[str, float] = {"candidates": size, "write_seconds": seconds}
    with Store.open(str(path)) as store:
        for what, read in (
            ("all_rows", lambda: sum(1 for _ in store.rows())),
            ("best_20", lambda: list(store.rows(sort=store.plan.objectives, top=20, fitting=True))),
            ("front", lambda: store.front(store.plan.objectives)),
            ("summary", store.summary),
            ("csv", lambda: export(store, str(path.with_suffix(".csv")), overwrite=True)),
            ("parquet", lambda: export(store, str(path.with_suffix(".parquet")), overwrite=True)),
        ):
            began = process_time()
            read()
            found[f"{what}_seconds"] = process_time() - began
    found["bytes_a_candidate_and_quantity"] = path.stat().st_size / size / len(COLUMNS)
    found["resident_mib"] = resident() / 2**20
    return {key: round(value, 2) for key, value in found.items()}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(folder) / "run.sqlite"
        print(json.dumps(measured(count, path), indent=2))


if __name__ == "__main__":
    main()
