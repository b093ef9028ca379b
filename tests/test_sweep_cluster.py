"""Sweeps by the workers of a Dask scheduler of this machine: the same rows, whoever dies."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from convcalc.findings import UsageError
from convcalc.sweep import cluster
from convcalc.sweep.running import Progress, sweep
from convcalc.sweep.store import Store

from .sweep_plans import large_plan, large_rows, rows_of, small_plan

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("address", ["", "127.0.0.1:8786", "tcp://", "tcp://host", "tcp://a b:1", "dask-scheduler"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="--scheduler takes the address of a scheduler") as caught:
        rows_of(small_plan(), scheduler=address)
    assert caught.value.hint == "for example --scheduler tcp://127.0.0.1:8786"


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs Dask, which is not installed") as caught:
        rows_of(small_plan(), scheduler="tcp://127.0.0.1:8786")
    assert caught.value.hint == 'pip install "convcalc[cluster]"'


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with pytest.raises(UsageError, match=r"no scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        rows_of(small_plan(), scheduler="tcp://127.0.0.1:9")


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """Two worker processes of this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as found:
        yield found


def worker_processes(local: Any) -> list[int]:
    return [nanny.pid for nanny in local.workers.values()]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
class TestLocalCluster:
    """What needs workers."""

    def test_a_cluster_gives_the_same_rows(self, local: Any) -> None:
        assert rows_of(large_plan(), scheduler=local.scheduler_address) == large_rows()

    def test_so_many_that_fit_are_the_same(self, local: Any) -> None:
        plan = small_plan(near=("macs=500K,80%",), random=7, seed=4)
        assert rows_of(plan, scheduler=local.scheduler_address) == rows_of(plan)

    def test_a_worker_that_is_killed_is_survived(self, local: Any) -> None:
        plan, killed = large_plan(), list[int]()

        def kill(progress: Progress) -> None:
            if progress.tried > 300 and not killed:
                killed.append(worker_processes(local)[0])
                os.kill(killed[-1], signal.SIGKILL)

        assert rows_of(plan, scheduler=local.scheduler_address, progress=kill) == large_rows()
        assert killed

    def test_what_is_wrong_in_a_worker_is_said(self, local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster, "__version__", "9.9")
        with pytest.raises(UsageError, match=r"a worker has convcalc .*, and this is convcalc 9\.9"):
            rows_of(small_plan(), scheduler=local.scheduler_address)

    def test_a_coordinator_that_is_killed_is_gone_on_with(self, local: Any, tmp_path: Path) -> None:
        path, plan = tmp_path / "run.sqlite", large_plan()
        command = [sys.executable, "-c", COORDINATOR, str(path), str(ROOT), local.scheduler_address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            done = next(tried for line in process.stdout if (tried := int(line)) > 200)
            process.kill()
        with Store.resume(str(path), plan) as store:
            assert done <= store.tried < plan.space.size
            sweep(plan, store=store, scheduler=local.scheduler_address)
            assert list(store.rows()) == large_rows()

    def test_a_scheduler_that_goes_away_ends_the_run_with_a_sentence(self, tmp_path: Path) -> None:
        distributed = pytest.importorskip("distributed")
        path, plan = str(tmp_path / "run.sqlite"), large_plan()
        local = distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        )

        def leave(progress: Progress) -> None:
            if progress.tried > 100:
                local.close()

        with Store.create(path, plan) as store:
            with pytest.raises(UsageError, match="no longer answers") as caught:
                sweep(plan, store=store, scheduler=local.scheduler_address, progress=leave)
            assert caught.value.hint == "--resume goes on"
        with Store.resume(path, plan) as store:
            assert store.tried > 100


@pytest.mark.slow
def test_the_example_of_the_manual_runs(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    page = (ROOT / "docs" / "sweep_cluster.md").read_text("utf-8")
    example = re.search(r"<<'PYTHON'\n(import convcalc\nfrom distributed.*?)^PYTHON$", page, re.DOTALL | re.MULTILINE)
    assert example is not None
    (tmp_path / "swept.py").write_text(example[1], "utf-8")
    command = [sys.executable, "swept.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert "100" in done.stdout


COORDINATOR = """
import sys
sys.path.append(sys.argv[2])
from tests.sweep_plans import large_plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Store

if __name__ == "__main__":
    plan = large_plan()
    with Store.create(sys.argv[1], plan) as store:
        sweep(plan, store=store, scheduler=sys.argv[3], progress=lambda progress: print(progress.tried, flush=True))
"""
