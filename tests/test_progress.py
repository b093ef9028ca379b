"""Progress: one line that comes after a second, says what is known, and is gone at the end."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from convcalc.render.progress import Plan, Progress, duration, progress
from convcalc.render.streams import watched_terminal


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def started(plan: Plan | None, columns: int = 80) -> tuple[Progress, io.StringIO, Clock]:
    stream, clock = io.StringIO(), Clock()
    return Progress("verify", plan, stream, lambda: columns, clock), stream, clock


def test_quick_work_is_silent() -> None:
    line, stream, clock = started(Plan(2, "layer", 10))
    line.starts("conv1", 5)
    clock.now = 0.9
    line.starts("conv2", 5)
    line.erase()
    assert stream.getvalue() == ""


def test_the_line_says_what_runs_and_is_erased() -> None:
    line, stream, clock = started(Plan(4, "layer", 100))
    line.starts("conv1", 10)
    clock.now = 1.5
    line.starts("conv2", 30)
    assert stream.getvalue() == "\rverify: layer 2 of 4, conv2, 10 %"
    clock.now = 4.0
    line.starts("fc", 40)
    shown = "verify: layer 3 of 4, fc, 40 %, about 7 s left"
    assert stream.getvalue().endswith(f"\r{shown}")
    line.erase()
    assert stream.getvalue().endswith(f"\r{' ' * len(shown)}\r")


def test_no_time_is_said_before_it_is_known() -> None:
    """The first layer of a large network is a small part of it: nothing is foretold from it."""
    line, _, clock = started(Plan(1000, "layer", 10**9))
    line.starts("conv1", 10)
    clock.now = 5.0
    line.starts("conv2", 10**8)
    assert line.seconds_left() is None and "left" not in line.line(80)
    clock.now = 25.0
    line.starts("conv3", 10**8)
    assert line.line(80) == "verify: layer 3 of 1000, conv3, 10 %, about 4 min left"


def test_time_that_is_over_is_not_said() -> None:
    line, _, clock = started(Plan(3, "layer", 100))
    for name, work in (("a", 45), ("b", 45), ("c", 10)):
        line.starts(name, work)
        clock.now += 5
    assert line.seconds_left() is None  # c was expected to take a second
    assert line.line(80) == "verify: layer 3 of 3, c, 90 %"


def test_a_line_that_stays_the_same_is_not_sent_again() -> None:
    line, stream, clock = started(Plan(2, "layer", 10))
    line.starts("conv1", 5)
    clock.now = 1.5
    line.draw()
    before = stream.getvalue()
    clock.now = 2.5
    line.draw()
    assert stream.getvalue() == before


@pytest.mark.parametrize("columns", [1, 5, 12, 20, 30, 40, 60, 80, 200])
@pytest.mark.parametrize("name", ["conv1", "encoder.stage3.block12.attention.projection.conv2d", "網" * 40, "\x1b[2J"])
def test_the_line_fits_the_terminal(columns: int, name: str) -> None:
    from convcalc.terminal import width

    for plan in (Plan(10, "layer", 100), None):
        line, stream, clock = started(plan, columns)
        for _ in range(4):
            clock.now += 2
            line.starts(name, 10)
        assert all(width(shown) < columns or not shown for shown in stream.getvalue().split("\r"))
        assert "\x1b" not in stream.getvalue()


def test_a_long_name_keeps_its_end() -> None:
    line, _, _ = started(Plan(10, "layer", 100))
    line.starts("encoder.stage3.block12.attention.projection.conv2d", 10)
    assert line.line(50) == "verify: layer 1 of 10, ...n.projection.conv2d, 0 %"


def test_without_a_plan_seconds_are_counted() -> None:
    line, stream, clock = started(None)
    clock.now = 3.2
    line.draw()
    assert stream.getvalue() == "\rverify, 3 s"


def test_controls_in_a_path_are_shown() -> None:
    stream, clock = io.StringIO(), Clock()
    line = Progress("reading \x1b[2J.yaml", None, stream, lambda: 80, clock)
    clock.now = 2
    line.draw()
    assert stream.getvalue() == "\rreading \\x1b[2J.yaml, 2 s"


def test_a_terminal_that_is_gone_ends_nothing() -> None:
    line, stream, clock = started(None)

    def gone(text: str) -> int:
        raise OSError(5, "Input/output error")

    stream.write = gone  # type: ignore[method-assign]
    clock.now = 2
    line.draw()
    line.erase()


def test_a_pipe_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert watched_terminal() is None
    with progress("verify", lambda: pytest.fail("nobody asks for the plan")) as starts:
        starts("conv1", 1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_where_nobody_looks(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert watched_terminal() is sys.stderr
    monkeypatch.setenv(name, value)
    assert watched_terminal() is None


def test_durations() -> None:
    assert [duration(seconds) for seconds in (0.2, 59.9, 61, 3599, 7200)] == [
        "1 s",
        "60 s",
        "1 min",
        "1 h 0 min",
        "2 h 0 min",
    ]


SLOW = """
import sys, time
from convcalc.render.progress import Plan, progress
with progress("verify", lambda: Plan(2, "layer", 2), ticks="ticks" in sys.argv) as starts:
    starts("first", 1)
    time.sleep(1.6)
    starts("second", 1)
print("answer")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
@pytest.mark.parametrize("mode", ["ticks", "calls"])
def test_on_a_terminal(mode: str, tmp_path: Path) -> None:
    import fcntl
    import termios

    reader, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"}
    command = [sys.executable, "-c", SLOW, mode]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, env=environment, timeout=60, check=True)
    os.write(terminal, b"end")
    os.close(terminal)
    shown = ""
    while not shown.endswith("end"):
        shown += os.read(reader, 1 << 16).decode()
    os.close(reader)
    assert done.stdout == b"answer\n"
    assert ("layer 1 of 2, first" in shown) is (mode == "ticks")
    assert "layer 2 of 2, second, 50 %" in shown
    assert shown.split("\r")[-2].strip() == "" and shown.endswith("\rend")
