"""A program on one case, inside this process: what it says, what it raises, how much time and memory it takes."""

from __future__ import annotations

import functools
import gc
import io
import itertools
import os
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from convcalc.__main__ import MIDDLE, OLD, YOUNG
from convcalc.cli import app
from convcalc.findings import DEBUG, SpecError, UsageError
from convcalc.language import loads
from tests.command import process

from .case import Case
from .programs import PROGRAMS

CI = {"CI": "true", "GITHUB_ACTIONS": "true"}
"""The environment of a CI."""
KIBI = 1024
_RESET = Path("/proc/self/clear_refs")
"""Writing 5 to it resets the kernel's record of the most memory held; only Linux has it."""
_folders = itertools.count()


class Outcome(NamedTuple):
    """What the program did with a case."""

    code: int | None
    """Its exit code; None where it raised."""
    stdout: bytes
    stderr: bytes
    raised: BaseException | None = None
    """What left the program other than through an exit code."""
    warned: tuple[str, ...] = ()
    """Warnings of Python, which a user would see on standard error."""
    seconds: float = 0.0
    """Of CPU time."""
    memory: int = 0
    """The most bytes that it held beyond what the process held before."""
    built: bool = False
    """Whether the spec that it is about builds; where it is about none, whether the program succeeded."""
    layers: int = 0
    """Of the spec that it is about."""
    touched: tuple[str, ...] = ()
    """Files of its folder that it made, changed or removed."""


@contextmanager
def ready() -> Iterator[None]:
    """A process that runs many cases: what does not depend on the case is made once, warnings are seen.

    A command line is read by typer's objects, whose making takes five times as long as a small spec.
    """
    program = app.build_program()
    made = functools.cache(program.command)
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    with (
        mock.patch.object(app, "build_program", return_value=program),
        mock.patch.object(program, "command", made),
        mock.patch.object(app, "_report", _raise),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("always")
        yield


def _raise(error: Exception) -> None:
    """What the program would only tell of: its place counts."""
    raise error


def run(case: Case, folder: Path) -> Outcome:
    """The program on the case, in a new folder below the given one; inside `ready`."""
    place = folder / str(next(_folders)) if case.files else folder / "empty"
    back = Path.cwd()
    place.mkdir(exist_ok=True)
    try:
        for name, content in case.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        os.chdir(place)
        with _environment(case.ci):
            outcome = _run(case)
        return outcome._replace(touched=_touched(case, place))
    finally:
        os.chdir(back)
        if case.files or any(place.iterdir()):
            shutil.rmtree(place, ignore_errors=True)


def _touched(case: Case, place: Path) -> tuple[str, ...]:
    """The files that are not as the case had them."""
    found = {path.relative_to(place).as_posix(): path for path in place.rglob("*") if not path.is_dir()}
    others = found.keys() ^ case.files.keys()
    changed = (name for name in found.keys() & case.files.keys() if found[name].read_bytes() != case.files[name])
    return tuple(sorted({*others, *changed}))


@contextmanager
def _environment(ci: bool) -> Iterator[None]:
    """The variables of a CI, or none of them; errors of the program are raised."""
    names = (*CI, DEBUG)
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ.update({DEBUG: "1", **(CI if ci else {})})
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for the folders of cases: in memory where the machine offers it, since each case makes files."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory if memory.is_dir() else None)


def _run(case: Case) -> Outcome:
    text = case.text
    layers, raised = (None, None) if text is None else _builds(text)
    said: list[str] = []
    written, complained = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(stream, "utf-8", newline="\n") for stream in (written, complained))
    code: int | None = None

    def warn(message: Warning | str, category: type[Warning], *where: object) -> None:
        said.append(f"{category.__name__}: {message}")

    held, started = _begin()
    with mock.patch.object(warnings, "showwarning", warn):
        try:
            with process(case.arguments, case.data), redirect_stdout(out), redirect_stderr(err):
                PROGRAMS[case.program]()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raised = error
    seconds, memory = time.process_time() - started, _peak() - held
    for stream in (out, err):
        stream.flush()
    built = code == 0 if text is None else layers is not None
    stdout, stderr = written.getvalue(), complained.getvalue()
    return Outcome(code, stdout, stderr, raised, tuple(said), seconds, memory, built, layers or 0)


def _builds(text: bytes) -> tuple[int | None, BaseException | None]:
    """The layers of a spec, None for one that does not build; and what else its reading raised."""
    try:
        return len(loads(text.decode("utf-8-sig"))), None
    except (SpecError, UsageError, UnicodeDecodeError, MemoryError):
        return None, None
    except Exception as error:
        return None, error


def _begin() -> tuple[int, float]:
    """(bytes that the process holds, CPU seconds that it has taken), from here on."""
    with suppress(OSError):  # where it cannot be, only what exceeds the peak of the whole life is seen
        _RESET.write_text("5")
    return _peak(), time.process_time()


def _peak() -> int:
    """The most bytes that the process has held since the record was reset."""
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kept if sys.platform == "darwin" else kept * KIBI
