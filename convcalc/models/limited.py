"""Programs that run apart, under limits of memory and time: packages in C that trust what they read.

Run as a program, this file sets the limits, where the system has such, and becomes the program that it is given.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from runpy import run_path


def command(program: Path, most_bytes: int, seconds: int) -> list[str]:
    """The command line of a program, a file of Python, that may take so much memory and time of a processor."""
    # -P: the folder that is worked in holds untrusted files, and nothing is imported from it.
    return [sys.executable, "-P", __file__, str(program), str(most_bytes), str(seconds)]


def surroundings() -> Mapping[str, str]:
    """The environment of such a program: one thread, whose memory is all that it takes."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def ended(code: int, most_bytes: int) -> str:
    """Why such a program ended, as far as its exit code tells.

    >>> ended(1, 1 << 30), ended(7, 1 << 30), ended(-9, 1 << 30), ended(-99, 1 << 30)
    ('it takes more than 1024 MiB', 'exit code 7', 'it ends with SIGKILL', 'it ends with signal 99')
    """
    if code > 0:
        return f"it takes more than {most_bytes >> 20} MiB" if code == 1 else f"exit code {code}"
    try:
        return f"it ends with {signal.Signals(-code).name}"
    except ValueError:
        return f"it ends with signal {-code}"


def limit(most_bytes: int, seconds: int) -> None:
    """Take no more memory and time than this, where the system has such limits."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _, given, memory, time = sys.argv
    limit(int(memory), int(time))
    run_path(given, run_name="__main__")
