"""A function run in a fork of this process, with its result as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any

FAILED = "!"
"""Stands before the traceback of a function that did not return."""


class Fork:
    """A process that runs one function; it is a group of its own, so that it ends with all that it started."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.begun = time.monotonic()
        self.signal: int | None = None
        """The signal that ended it."""
        self._written = b""
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        self.pid = os.fork()
        if self.pid == 0:
            self._be_the_child(run, writing)
        os.close(writing)

    @staticmethod
    def _be_the_child(run: Callable[[], object], writing: int) -> None:
        os.setpgid(0, 0)
        try:
            answer = json.dumps(run())
        except BaseException:
            answer = FAILED + traceback.format_exc()
        with os.fdopen(writing, "wb") as stream:
            stream.write(answer.encode())
        os._exit(0)

    def ended(self) -> bool:
        """Whether it has ended."""
        self._read()
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return False
        if os.WIFSIGNALED(status):
            self.signal = os.WTERMSIG(status)
        self._read()
        os.close(self._reading)
        return True

    def end(self) -> None:
        """End it and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self, seconds: float) -> Any:
        """What it answers; None where it does not within so many seconds."""
        while not self.ended():
            if time.monotonic() - self.begun > seconds:
                self.end()
            time.sleep(0.01)
        return self.answer

    @property
    def answer(self) -> Any:
        """What the function returned; None where the process was ended. Raises RuntimeError for what it raised."""
        text = self._written.decode()
        if text.startswith(FAILED):
            raise RuntimeError(text.removeprefix(FAILED))
        return json.loads(text) if text else None

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._reading, 1 << 16)
            except BlockingIOError:
                return
            if not part:
                return
            self._written += part
