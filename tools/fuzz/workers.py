"""Processes that run cases. One that dies or hangs is replaced, and the case that ended it is a failure."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import resource
import signal
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

from .case import Case
from .generators import Kind
from .oracles import Failure, judge
from .run import ready, scratch

LIFE = 20_000
"""Cases after which a process is replaced, so that what it keeps does not count against the next ones."""
PATIENCE = 20.0
"""Seconds of CPU without an answer after which a process hangs."""
ASLEEP = 5
"""Times as many seconds of the clock after which it hangs too: it waits for what does not come."""
MEMORY = 4 << 30
"""Bytes of addresses that a process may have; more is an error in it, not the end of the machine."""
START = 120.0
"""Seconds in which a process must be ready."""
GRACE = 10.0
"""Seconds in which a process that is told to stop writes where it was."""


def cpu_seconds(process: int) -> float | None:
    """The CPU time that a process has taken; None where the system does not say."""
    try:
        said = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


class Work(NamedTuple):
    """Numbers of cases to run under a seed."""

    seed: int
    numbers: range


class Report(NamedTuple):
    """What one case gave."""

    number: int
    code: int | None = None
    built: bool = False
    seconds: float = 0.0
    memory: int = 0
    failures: tuple[Failure, ...] = ()


def serve(connection: Connection, kind: Kind, log: str) -> None:
    """The life of a worker: it says that it is ready, then runs cases until it is told to stop; its death is logged."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Path(log).open("w") as file, scratch() as folder, ready():
        faulthandler.enable(file)
        warm(kind, Path(folder))
        connection.send(None)
        with contextlib.suppress(EOFError, BrokenPipeError):
            while (request := connection.recv()) is not None:
                numbers = request.numbers if isinstance(request, Work) else (0,)
                for number in numbers:
                    case = kind.case(request.seed, number) if isinstance(request, Work) else request
                    outcome = kind.program(case, Path(folder))
                    failures = tuple(judge(case, outcome))
                    connection.send(
                        Report(number, outcome.code, outcome.built, outcome.seconds, outcome.memory, failures)
                    )
        faulthandler.disable()


WARM = b"convcalc: 1\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 8, k: 3}}, relu]\nexpect: {params: 1}\n"


def warm(kind: Kind, folder: Path) -> None:
    """Import what the commands need, so that no case pays for it."""
    commands: tuple[tuple[str, ...], ...]
    commands = (("check", "-", "--advice"), ("table", "-"), ("verify", "-"), ("sizes", "-"), ("diff", "-", "lenet5"))
    commands += (("report", "-", "-o", "-"), ("arena", "-"), ("draw", "-"), ("forensics", "-"))
    for arguments in (*commands, *(("export", "-", "--to", target) for target in ("torch", "keras", "svg", "onnx"))):
        kind.program(Case(arguments, WARM), folder)


class Worker:
    """A process, and what it is doing."""

    def __init__(self, kind: Kind) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        descriptor, name = tempfile.mkstemp(prefix="fuzz-", suffix=".log")
        os.close(descriptor)
        self.log = Path(name)
        self.process = context.Process(target=serve, args=(theirs, kind, name))
        self.process.start()
        self.ready = False
        theirs.close()
        self.heard()

    def heard(self) -> None:
        """It has said something."""
        self.since = time.monotonic()
        self.spent: float | None = None

    def hangs(self, patience: float) -> bool:
        """Whether it has been silent for longer than this: in CPU seconds, since the machine may have more to do."""
        silent, patience = time.monotonic() - self.since, patience if self.ready else START
        if silent < 1 or self.process.pid is None:
            return False
        spent = cpu_seconds(self.process.pid)
        if self.spent is None:
            self.spent = spent
        return silent > ASLEEP * patience or (silent if spent is None else spent - (self.spent or 0.0)) > patience

    def answer(self) -> Report | None:
        """The next report; None where it only says that it is ready. Raises EOFError or OSError where it has ended."""
        report = self.connection.recv()
        self.heard()
        if report is None:
            self.ready = True
            return None
        assert isinstance(report, Report)
        return report

    def abort(self) -> None:
        """Let it write where it is, and end it."""
        if self.process.pid is not None and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGABRT)
        self.process.join(GRACE)
        self.process.kill()

    def close(self) -> None:
        """Let it end."""
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self.process.join(GRACE)
        self.process.kill()
        self.process.join()
        self.connection.close()
        self.log.unlink(missing_ok=True)

    def death(self, hung: bool) -> Failure:
        """How and where it ended."""
        self.process.join(GRACE)
        code = self.process.exitcode
        said = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        frames = re.findall(r'File "[^"\n]*?/convcalc/([^"\n]*)", line \d+ in (\S+)', said)
        how = "hang" if hung else f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit {code}"
        where = " ".join(frames[0]) if frames else ""
        return Failure("hang" if hung else "death", f"{how} in {where}".removesuffix(" in "), said[-3000:])


class _Lane:
    """A worker and the numbers that it has yet to answer."""

    def __init__(self, kind: Kind, work: Work) -> None:
        self.kind, self.work = kind, work
        self.hung = False
        self.start()

    def start(self) -> None:
        """A new process for the numbers that are left."""
        self.worker = Worker(self.kind)
        self.asked = len(self.work.numbers[:LIFE])
        self.worker.connection.send(Work(self.work.seed, self.work.numbers[:LIFE]))
        self.hung = False

    def answer(self) -> Report | None:
        """What has come of the first number that is left; None where the process has only become ready."""
        number = self.work.numbers[0]
        try:
            report = self.worker.answer()
            if report is None:
                return None
            self.asked -= 1
        except (EOFError, OSError):
            if not self.worker.ready:
                raise RuntimeError(f"a worker does not start: {self.worker.death(self.hung)}") from None
            report = Report(number, failures=(self.worker.death(self.hung),))
            self.asked = 0
        self.work = Work(self.work.seed, self.work.numbers[1:])
        if not self.asked:
            self.worker.close()
            if self.work.numbers:
                self.start()
        return report


def reports(kind: Kind, work: Work, jobs: int = 1, patience: float = PATIENCE) -> Iterator[Report]:
    """What each case gives, in the order in which they end; the seed and the number decide alone what a case is."""
    lanes = [_Lane(kind, Work(work.seed, work.numbers[first::jobs])) for first in range(jobs) if work.numbers[first:]]
    try:
        while lanes:
            by_connection = {lane.worker.connection: lane for lane in lanes}
            for connection in wait(list(by_connection), 1.0):
                assert isinstance(connection, Connection)
                report = by_connection[connection].answer()
                if report is not None:
                    yield report
            for lane in lanes:
                if lane.work.numbers and not lane.hung and lane.worker.hangs(patience):
                    lane.hung = True
                    lane.worker.abort()
            lanes = [lane for lane in lanes if lane.work.numbers]
    finally:
        for lane in lanes:
            lane.worker.process.kill()
            lane.worker.close()


class Prober:
    """One worker that is asked about one case after another."""

    def __init__(self, kind: Kind, patience: float = PATIENCE) -> None:
        self.kind, self.patience = kind, patience
        self.worker: Worker | None = None

    def report(self, case: Case) -> Report:
        """What the case gives."""
        self.worker = worker = self.worker or Worker(self.kind)
        hung = False
        try:
            worker.connection.send(case)
            worker.heard()
            while not worker.hangs(self.patience):
                report = worker.answer() if worker.connection.poll(1.0) else None
                if report is not None:
                    return report
            hung = True
            worker.abort()
        except (EOFError, OSError):
            pass
        failure = self.worker.death(hung)
        self.close()
        return Report(0, failures=(failure,))

    def close(self) -> None:
        """End the worker."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None
