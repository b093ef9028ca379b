"""What processes and the workers of a cluster cost beside one process: seconds of processors for the same sweep.

    python -m benchmarks.sweep_workers 100000

All three do the same sweep of resnet's widths and depths in one run, of so many candidates, and their rows are
compared. The start of processes counts, since who sweeps pays for it; that of a cluster, which is there before
and after, is told beside it. So is what a cluster takes by the clock while it has nothing to do (it watches its
workers a hundred times a second), which is most of its overhead on a machine that others keep busy.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import perf_counter, sleep

import psutil

from convcalc.sweep.plan import Plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Row, Store

IDLE = 5.0
"""Seconds for which a cluster is watched that has nothing to do."""
SPEC = Path(__file__).parents[1] / "specs" / "resnet.yaml"


def spent() -> float:
    """Seconds of processors that this process has taken, its processes that have ended, and those that run."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    running = (child.cpu_times() for child in psutil.Process().children(recursive=True))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages) + sum(time.user + time.system for time in running)


def planned(candidates: int) -> Plan:
    """So many candidates that have little in common."""
    grid = ("width=8:512:8", *(f"depths[{stage}]=1:12" for stage in range(4)))
    return Plan("resnet", SPEC.read_text("utf-8"), grid=grid, random=candidates, seed=1, where=("macs<=4G",))


def rows_of(plan: Plan, jobs: int = 1, scheduler: str | None = None) -> list[Row]:
    """All rows of a sweep."""
    with Store.memory(plan) as store:
        sweep(plan, store=store, jobs=jobs, scheduler=scheduler)
        return list(store.rows())


def main() -> None:
    from distributed import LocalCluster

    plan = planned(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    rows_of(planned(200))
    found: dict[str, float] = {"candidates": plan.space.size}
    began = spent()
    serial = rows_of(plan)
    alone = found["serial_seconds"] = spent() - began
    began, at = spent(), perf_counter()
    assert rows_of(plan, jobs=2) == serial
    found["processes_wall_seconds"] = perf_counter() - at
    found["processes_overhead"] = (spent() - began) / alone - 1
    began = spent()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster:
        rows_of(planned(20), scheduler=cluster.scheduler_address)
        found["cluster_start_seconds"] = spent() - began
        began = spent()
        sleep(IDLE)
        idle = found["cluster_idle_seconds_a_second"] = (spent() - began) / IDLE
        began, at = spent(), perf_counter()
        assert rows_of(plan, scheduler=cluster.scheduler_address) == serial
        wall = found["cluster_wall_seconds"] = perf_counter() - at
        found["cluster_overhead"] = (spent() - began) / alone - 1
        found["cluster_overhead_beyond_idle"] = (spent() - began - idle * wall) / alone - 1
    print(json.dumps({key: round(value, 3) for key, value in found.items()}, indent=2))


if __name__ == "__main__":
    main()
