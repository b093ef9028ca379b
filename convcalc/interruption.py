"""Signals that end a program unwind it as Ctrl-C does: files are whole, and the processes that it began end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

ENDING = ("SIGTERM", "SIGHUP")
"""What a system, `timeout` or a terminal that is closed sends."""


def exit_code(error: KeyboardInterrupt) -> int:
    """The exit code of a process that a signal ends: 128 and the signal's number, Ctrl-C's where it tells none.

    >>> exit_code(KeyboardInterrupt()), exit_code(KeyboardInterrupt(15))
    (130, 143)
    """
    number = next((each for each in error.args if isinstance(each, int)), signal.SIGINT)
    return 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt of their number, where this thread may say so and nobody else has."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    replaced: list[int] = []
    try:
        for name in ENDING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                with suppress(ValueError):  # another thread than the main one
                    signal.signal(number, interrupt)
                    replaced.append(number)
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)
