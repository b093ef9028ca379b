"""Runs the program at a terminal of its own."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time

from tests.command import Done

LONGEST = 60.0
"""Seconds."""


def at_terminal(*arguments: str, keys: bytes = b"", rows: int = 24, columns: int = 80, **environment: str) -> Done:
    """The program at a terminal of this size; `keys` are typed when it first writes. All it shows is its output."""
    import fcntl
    import pty
    import struct
    import termios

    control, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "COLUMNS", "LINES", "TERM")}
    process = subprocess.Popen(
        [sys.executable, "-m", "convcalc", *arguments],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**kept, "TERM": "xterm-256color", **environment},
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if not select.select([control], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(control, 65536)
        except OSError:  # the last process at the terminal has ended
            break
        if not part:
            break
        if not shown and keys:
            os.write(control, keys)
        shown += part
    if time.monotonic() >= end:
        process.kill()
    code = process.wait(LONGEST)
    os.close(control)
    return Done(code, shown.decode().replace("\r\n", "\n"), "")
