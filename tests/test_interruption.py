"""A program that a signal ends unwinds: it leaves no half file, no process and no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import active_children
from pathlib import Path
from select import select

import pytest

from convcalc import __main__ as program
from convcalc.check.run import Checked, Task, check_files
from convcalc.interruption import exit_code, interruptible

ENDING = [signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    """Signals as a program meets them, and afterwards as they were."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_is_an_interruption_of_its_number(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt) as caught, interruptible():
        os.kill(os.getpid(), number)
    assert exit_code(caught.value) == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_others_have_said_of_a_signal_stays() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    with interruptible():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_another_thread_says_nothing_of_signals() -> None:
    found: list[object] = []

    def look() -> None:
        with interruptible():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
@pytest.mark.parametrize("called", ["build_program", "main"])
def test_the_program_ends_by_a_code(called: str, number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a command, and before it: while it is imported, which is as long as many calls take."""

    def interrupted() -> None:
        os.kill(os.getpid(), number)

    monkeypatch.setattr(f"convcalc.cli.app.{called}", interrupted)
    monkeypatch.setattr("convcalc.render.streams.discard_output", lambda: None)
    monkeypatch.setattr("sys.argv", ["convcalc", "table", "resnet"])
    with pytest.raises(SystemExit) as stop:
        program.main()
    assert stop.value.code == 128 + number
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL  # a later one ends Python's own end without a word


def test_a_check_that_is_interrupted_waits_for_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        pytest.skip("processes that are no forks know nothing of this test")

    def slow(task: Task) -> Checked:
        if task.path != "0":
            time.sleep(0.3)
            (tmp_path / task.path).touch()
        return Checked(task, task.path, ())

    monkeypatch.setattr(import_module("convcalc.check.run"), "_check_file", slow)
    checks = check_files([Task(str(number)) for number in range(6)], jobs=2)
    assert next(iter(checks)).path == "0"
    with pytest.raises(KeyboardInterrupt):
        checks.throw(KeyboardInterrupt())  # type: ignore[attr-defined]
    assert not active_children() and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_processes_of_a_check_end_with_it(tmp_path: Path) -> None:
    """Also where it is killed, and can tell them nothing."""
    code = (
        "import os, sys, time; from importlib import import_module; run = import_module('convcalc.check.run')\n"
        "def hang(task):\n    print(os.getpid(), flush=True)\n    time.sleep(60)\n"
        "run._check_file = hang\nlist(run.check_files([run.Task('a'), run.Task('b')], jobs=2))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [int(process.stdout.readline()) for _ in range(2)]
        process.kill()
        ended, _, _ = select([process.stdout], [], [], 30)  # nobody is left who could print
        for worker in workers if not ended else ():
            os.kill(worker, signal.SIGKILL)
    assert ended
