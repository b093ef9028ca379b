"""Time a sweep: candidates a second and core, beside the `load` and `analyse` of each; a paper's design space; memory.

    python benchmarks/sweep.py [--candidates 2000] [--regnets 500] [--held 8000]

All times are of the processor, of one process, in one run. Candidates are those of grids, evaluated from nothing
remembered; some are held against `load` and `analyse` of their params afterwards. `--regnets` says how many models of
RegNetX within 1 % of 400 million MACs are drawn, and `--held` after how many candidates, no two of which are alike, the
resident memory is read.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from itertools import product
from pathlib import Path
from statistics import median

from convcalc import load
from convcalc.analysis.quantities import quantity
from convcalc.analysis.report import analyse
from convcalc.language.sources import read
from convcalc.sweep.candidates import Candidate, Refused
from convcalc.sweep.evaluation import Evaluator
from convcalc.sweep.plan import Plan
from convcalc.sweep.plan_file import PlanFile
from convcalc.units import counted

DEPTHS = ",".join([f"[{a},{b},{c},{d}]" for a, b, c, d in product((2, 3), (2, 4, 6), (3, 6, 9, 23), (2, 3))])
SPACES = {
    "resnet, bottleneck": ("resnet50", ("width=32:256:8", f"depths={DEPTHS}")),
    "resnet, basic": ("resnet18", (f"depths={DEPTHS}", "classes=10:200:10")),
}
"""What it is called -> the variant that it starts from, and its axes."""
ASKED = {
    "params, macs": ("params", "macs"),
    "and peak_memory, receptive_field": ("params", "macs", "peak_memory", "receptive_field"),
}
ROOT = Path(__file__).parent.parent
NEAR = ROOT / "specs" / "sweeps" / "regnetx_400mf.yaml"


def plan_of(variant: str, grid: tuple[str, ...], columns: tuple[str, ...]) -> Plan:
    """The plan of a grid over resnet."""
    source = read("resnet")
    return Plan(spec=source.path, text=source.text, variant=variant, grid=grid, columns=columns)


def one_by_one(variant: str, rounds: int = 15) -> float:
    """Seconds of the processor that `load` and `analyse` of one network take."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        analyse(load("resnet", variant=variant))
        seconds.append(time.process_time() - start)
    return median(seconds)


def check(plan: Plan, candidate: Candidate, found: object) -> None:
    """Raise an AssertionError unless the figures are those of the network itself."""
    figures = analyse(load("resnet", params=candidate.params, variant=candidate.variant, input=candidate.input))
    records = [quantity(each.quantity) for each in plan.asked]
    wanted = tuple([record.get(figures, figures.whole) for record in records if record is not None])
    assert found == wanted, (candidate, found, wanted)


def rate(plan: Plan, most: int) -> tuple[int, float]:
    """How many candidates were evaluated, and the seconds that each took, its making included."""
    evaluator = Evaluator(plan.document, plan.asked, plan.options)
    candidates = plan.space
    count = min(most, candidates.size)
    start = time.process_time()
    found = []
    for number in range(count):
        candidate = candidates.candidate(number)
        found.append(candidate if isinstance(candidate, Refused) else evaluator.values(candidate))
    seconds = time.process_time() - start
    for number in range(0, count, max(count // 10, 1)):
        candidate = candidates.candidate(number)
        if not isinstance(candidate, Refused):
            check(plan, candidate, found[number])
    return count, seconds / count


def resident() -> int:
    """Bytes of this process's memory that are in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def regnets(wanted: int) -> None:
    """Print how long it takes to draw so many RegNetX near 400 million MACs."""
    plan = PlanFile(read(str(NEAR))).plan({})
    evaluator = Evaluator(plan.document, plan.asked, plan.options)
    start = time.process_time()
    found = tried = 0
    while found < wanted and tried < plan.space.size:
        candidate = plan.space.candidate(tried)
        tried += 1
        values = candidate if isinstance(candidate, Refused) else evaluator.values(candidate)
        found += not isinstance(values, Refused) and plan.fits(values)
    seconds = time.process_time() - start
    print(
        f"\nRegNetX at 400 million MACs, 1 % off at most: {counted(found, 'model')} of {tried:,} tried, {seconds:.1f} s"
    )


def held(count: int) -> None:
    """Print the memory after so many candidates that have nothing in common."""
    from random import Random

    source = read("regnet")
    plan = Plan(spec=source.path, text=source.text, columns=ASKED["and peak_memory, receptive_field"])
    evaluator, random = Evaluator(plan.document, plan.asked, plan.options), Random(0)
    before = resident()
    highest = before
    for number in range(count):
        widths = tuple(sorted(8 * random.randint(1, 120) for _ in range(4)))
        depths = tuple(random.randint(1, 12) for _ in range(4))
        params = {"widths": widths, "depths": depths, "group_width": 8, "excite": random.random() < 0.5}
        evaluator.values(Candidate(number, params, None, None, ()))
        if number % 100 == 0:
            highest = max(highest, resident())
    print(
        f"\nresident memory: {before / 1e6:.0f} MB before, {highest / 1e6:.0f} MB after {count:,} RegNets of all widths"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--regnets", type=int, default=500)
    parser.add_argument("--held", type=int, default=8000)
    options = parser.parse_args()
    heads = f"{'number':>7} {'us each':>8} {'a second':>9} {'load+analyse':>13} {'ratio':>6}"
    print(f"{'candidates of':<20} {'asked':<34} {heads}")
    for name, (variant, grid) in SPACES.items():
        alone = one_by_one(variant)
        for asked, columns in ASKED.items():
            count, seconds = rate(plan_of(variant, grid, columns), options.candidates)
            cells = f"{count:>7,} {seconds * 1e6:>8.0f} {1 / seconds:>9,.0f} {alone * 1e6:>10,.0f} us"
            print(f"{name:<20} {asked:<34} {cells} {alone / seconds:>5.1f}x")
    if options.regnets:
        regnets(options.regnets)
    if options.held and sys.platform == "linux":
        held(options.held)


if __name__ == "__main__":
    main()
