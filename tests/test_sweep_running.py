"""Sweeps carried out: the same rows whoever works them out, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from convcalc.findings import UsageError
from convcalc.sweep import processes
from convcalc.sweep.chunks import Unforeseen, Worker, answer, read_answer
from convcalc.sweep.pieces import FIRST, MOST, Pieces
from convcalc.sweep.running import Interrupted, Progress, sweep
from convcalc.sweep.store import Store
from convcalc.version import __version__

from .sweep_plans import large_plan, large_rows, rows_of, small_plan

ROOT = Path(__file__).parents[1]


def test_all_candidates_are_rows_whether_they_build_or_not() -> None:
    plan, seen = small_plan(), list[Progress]()
    rows = rows_of(plan, progress=seen.append)
    assert [row.number for row in rows] == list(range(50))
    assert {row.code for row in rows} == {None, "CC201"}
    assert all(row.message for row in rows if row.code) and not any(row.fits for row in rows if row.code)
    assert (seen[-1].tried, seen[-1].candidates, seen[-1].here, seen[-1].wanted) == (50, 50, 50, None)
    assert seen[-1].rate > 0 and 0 < seen[-1].share < 1


def test_a_chunk_is_the_same_wherever_it_is_worked_out() -> None:
    plan = small_plan(where=("macs<=200K",))
    here = Worker(plan).chunk(3, 17)
    chunk, seconds = read_answer(answer(json.dumps(plan.to_dict()), __version__, 3, 17))
    assert chunk == here and seconds > 0


def test_a_worker_of_another_version_is_refused() -> None:
    with pytest.raises(UsageError, match=rf"a worker has convcalc {__version__}, and this is convcalc 9\.9") as caught:
        read_answer(answer(json.dumps(small_plan().to_dict()), "9.9", 0, 1))
    assert caught.value.hint is not None and "convcalc[cluster]==9.9" in caught.value.hint


def test_what_goes_wrong_in_a_worker_is_said_and_not_raised_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no plan of a sweep"):
        read_answer(answer("{}", __version__, 0, 1))

    def full(self: Worker, start: int, stop: int) -> None:
        raise MemoryError

    def wrong(self: Worker, start: int, stop: int) -> None:
        raise ZeroDivisionError("x")

    plan = json.dumps(small_plan().to_dict())
    monkeypatch.setattr(Worker, "chunk", full)
    with pytest.raises(UsageError, match="not enough memory"):
        read_answer(answer(plan, __version__, 0, 1))
    monkeypatch.setattr(Worker, "chunk", wrong)
    with pytest.raises(Unforeseen, match=r"ZeroDivisionError: x .*in candidates 4 to 8"):
        read_answer(answer(plan, __version__, 4, 9))


def test_pieces_take_about_a_second() -> None:
    pieces = Pieces([(0, 10_000_000)])
    assert pieces.take(2) == (0, FIRST)
    lengths = []
    for _ in range(12):
        start, stop = pieces.take(2) or (0, 0)
        pieces.learn(stop - start, (stop - start) / 5000)
        lengths.append(stop - start)
    assert lengths == sorted(lengths) and lengths[-1] == 5000
    for _ in range(12):
        pieces.learn(50_000, 1e-3)
        start, stop = pieces.take(2) or (0, 0)
    assert stop - start == MOST
    pieces.learn(MOST, 50.0)
    start, stop = pieces.take(2) or (0, 0)
    assert stop - start == 1000


def test_pieces_get_shorter_towards_the_end_and_leave_nothing_out() -> None:
    pieces = Pieces([(0, 1000), (2000, 2100)])
    pieces.learn(FIRST, 1e-3)
    for _ in range(4):
        pieces.learn(5000, 1e-3)
    found = list(iter(lambda: pieces.take(4), None))
    assert [number for start, stop in found for number in range(start, stop)] == [*range(1000), *range(2000, 2100)]
    lengths = [stop - start for start, stop in found]
    assert lengths[0] == 275 and lengths[-1] <= FIRST


def test_so_many_that_fit_are_the_first_by_number() -> None:
    everything = rows_of(small_plan(where=("macs<=900K",), random=50, seed=4))
    plan = small_plan(near=("macs=500K,80%",), random=7, seed=4)
    every = rows_of(small_plan(random=50, seed=4, columns=("macs",)))
    near = [row.number for row in every if row.figures[0] is not None and 100_000 <= row.figures[0] <= 900_000]  # type: ignore[operator]
    rows = rows_of(plan)
    assert [row.number for row in rows if row.fits] == near[:7]
    refused = [row.number for row in every if row.code and row.number < near[6]]
    assert [row.number for row in rows if row.code] == refused
    assert len(rows) == 7 + len(refused) and len(everything) == 50


def test_chunks_beyond_the_last_that_is_wanted_say_nothing() -> None:
    plan = small_plan(near=("macs=500K,80%",), random=7, seed=4)
    worker, whole = Worker(plan), rows_of(plan)
    last = whole[-1].number
    with Store.memory(plan) as store:
        store.add(worker.chunk(40, 50))
        store.add(worker.chunk(20, 40))
        assert not store.finished()
        store.add(worker.chunk(0, 20))
        assert store.finished() and list(store.rows()) == whole
        summary = store.summary()
        assert summary.tried == last + 1 and summary.fitting == 7
        refused = sum(1 for row in whole if row.code)
        assert (summary.kept, summary.built) == (7 + refused, last + 1 - refused)


def test_a_regime_that_is_too_narrow_ends_with_all_tries() -> None:
    plan = small_plan(near=("macs=1,0",), random=2)
    with Store.memory(plan) as store:
        outcome = sweep(plan, store=store)
        assert (outcome.lacking, store.fitting, store.tried) == (2, 0, 50) and store.finished()


def test_processes_give_the_same_rows() -> None:
    plan = small_plan(where=("macs<=200K",))
    assert rows_of(plan, jobs=2) == rows_of(plan)


def children() -> list[int]:
    """The processes that this process has started and that run."""
    listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=False).stdout
    lines = [line.split(None, 2) for line in listed.splitlines()]
    return [int(pid) for pid, parent, command in lines if int(parent) == os.getpid() and "sweep.worker" in command]


@pytest.mark.slow
def test_a_process_that_is_killed_is_replaced_and_its_chunk_done_again() -> None:
    plan, killed = large_plan(), list[int]()

    def kill(progress: Progress) -> None:
        if progress.tried > 300 and len(killed) < 2:
            killed.append(children()[0])
            os.kill(killed[-1], signal.SIGKILL)

    assert rows_of(plan, jobs=2, progress=kill) == large_rows()
    assert len(killed) == 2 and not children()


def test_processes_that_keep_dying_end_the_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PROGRAM", "import os, sys; sys.stdin.readline(); sys.stdin.readline(); os._exit(7)")
    message = "3 processes were ended from outside at candidates (0 to 15|16 to 31)"
    with Store.memory(small_plan()) as store, pytest.raises(UsageError, match=message):
        sweep(small_plan(), store=store, jobs=2)
    assert not children()


def test_processes_that_do_not_start_end_the_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    message = "cannot start a process: no such file"
    with Store.memory(small_plan()) as store, pytest.raises(UsageError, match=message):
        sweep(small_plan(), store=store, jobs=2)


def test_what_is_wrong_with_the_program_in_a_process_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "from convcalc.sweep.chunks import Worker; Worker.chunk = lambda self, start, stop: 1 // 0; "
    program = processes.PROGRAM.replace("main()", f"{wrong}main()")
    monkeypatch.setattr(processes, "PROGRAM", program)
    with Store.memory(small_plan()) as store, pytest.raises(Unforeseen, match="ZeroDivisionError"):
        sweep(small_plan(), store=store, jobs=2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_and_says_how_to_go_on(number: signal.Signals, tmp_path: Path) -> None:
    plan, path = small_plan(), str(tmp_path / "run.sqlite")

    def stop(progress: Progress) -> None:
        os.kill(os.getpid(), number)
        time.sleep(1)

    as_in_a_terminal = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}[number]
    found = signal.signal(number, as_in_a_terminal)
    try:
        with Store.create(path, plan) as store, pytest.raises(Interrupted) as caught:
            sweep(plan, store=store, progress=stop)
        assert signal.getsignal(number) is as_in_a_terminal
    finally:
        signal.signal(number, found)
    assert caught.value.exit_code == 128 + number
    assert caught.value.message.startswith("stopped: 16 of 50 candidates are in ")
    assert caught.value.hint == "the same command with --resume goes on"
    with Store.resume(path, plan) as store:
        assert sweep(plan, store=store).here == 34
        assert list(store.rows()) == rows_of(plan)


def test_a_run_in_memory_that_is_ended_says_that_nothing_is_kept() -> None:
    plan = small_plan()

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with Store.memory(plan) as store, pytest.raises(Interrupted, match="stopped: nothing is kept") as caught:
        sweep(plan, store=store, progress=stop)
    assert caught.value.hint == "-o run.sqlite keeps what is done" and caught.value.exit_code == 130


COORDINATOR = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ^C however the tests were started
sys.path.append(sys.argv[2])
from tests.sweep_plans import large_plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Store

if __name__ == "__main__":
    plan = large_plan()
    with Store.create(sys.argv[1], plan) as store:
        sweep(plan, store=store, jobs=int(sys.argv[3]), progress=lambda progress: print(progress.tried, flush=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_coordinator_that_is_ended_is_gone_on_with(jobs: int, number: signal.Signals, tmp_path: Path) -> None:
    path, plan = tmp_path / "run.sqlite", large_plan()
    command = [sys.executable, "-c", COORDINATOR, str(path), str(ROOT), str(jobs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        done = next(tried for line in process.stdout if (tried := int(line)) > 200)
        workers = _workers_of(process.pid)
        process.send_signal(number)
        process.wait(timeout=60)
    for _ in range(100):
        if not any(Path(f"/proc/{worker}").exists() for worker in workers):
            break
        time.sleep(0.1)
    assert len(workers) == (jobs if jobs > 1 else 0) and not any(Path(f"/proc/{worker}").exists() for worker in workers)
    with Store.resume(str(path), plan) as store:
        assert done <= store.tried < plan.space.size
        sweep(plan, store=store, jobs=jobs)
        assert list(store.rows()) == large_rows()
    assert os.listdir(tmp_path) == ["run.sqlite"]  # noqa: PTH208


def _workers_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def test_processes_are_bounded() -> None:
    plan = small_plan(grid=("width=1:100000",))
    with Store.memory(plan) as store, pytest.raises(UsageError, match="6,250 processes are more than 256"):
        sweep(plan, store=store, jobs=10_000)
