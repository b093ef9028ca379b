"""One reading: the program in a process of its own makes a page, so that changed code is read and a hang ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Self

from ..files import NotRegular, read_regular

_CHILD = "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); from convcalc.serve.recorded import main; main()"
"""The child finds modules where this process does, and none in the working folder but by it."""


PAGE_BYTES = 64 * 2**20
"""The most of a page that is shown."""
SAID_BYTES = 2**18
"""The most of what a reading says that is shown."""


class Read(NamedTuple):
    """What a reading gave."""

    code: int
    """The program's exit code: 0 with a page, 1 where the content is wrong, 2 where the call is."""
    said: str
    """What it said on standard error: findings with places, carets and hints, and warnings of a page that was made."""
    page: bytes | None
    files: frozenset[str]
    """The files that it read, or tried to; the same again give the same page."""


class Reading:
    """A running reading; what comes of it, or its end before that."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._folder = TemporaryDirectory(prefix="convcalc-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self._page, self._record, self._said = folder / "page.html", folder / "files.json", folder / "said.txt"
        command = [
            sys.executable,
            "-P",
            "-B",
            "-c",
            _CHILD,
            json.dumps(sys.path),
            str(self._record),
            "--color",
            "never",
        ]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*command, *arguments, "--output", str(self._page)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process and those that it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError, PermissionError):  # no groups on Windows; it is over
            self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def finished(self, seconds: float) -> bool:
        """Whether it ends within so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def result(self) -> Read:
        """What a reading that has finished gave."""
        code = self._process.wait()
        said = (_content(self._said, SAID_BYTES) or b"").decode("utf-8", "replace")
        page = _content(self._page, PAGE_BYTES) if code == 0 else None
        files = json.loads(_content(self._record, PAGE_BYTES) or b"[]")
        if code == 0 and page is None:
            code, said = 1, f"error: the page has more than {PAGE_BYTES // 2**20} MiB\n"
        elif code < 0:
            said += f"error: the reading ended by signal {-code}\n"
        return Read(code, said, page, frozenset(files))


def _content(path: Path, most: int) -> bytes | None:
    """A file's bytes; None where there is no file, or more than that."""
    try:
        data = read_regular(str(path), most)
    except (OSError, NotRegular):
        return None
    return data if len(data) <= most else None
