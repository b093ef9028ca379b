"""`python -m convcalc` and the `convcalc` program."""

from __future__ import annotations

import gc
import os
import signal
import sys

from .interruption import exit_code, interruptible

YOUNG, MIDDLE, OLD = 100_000, 50, 100
"""When the cyclic collector looks: most of what a command makes, modules above all, lives to its end."""

WITHOUT_PLUGINS = ("PYDANTIC_DISABLE_PLUGINS", "__all__")
"""Else pydantic reads the metadata of every installed package: as long as a command takes, where there are many."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    os.environ.setdefault(*WITHOUT_PLUGINS)
    try:
        with interruptible():
            from .cli.app import main as run

            run()
    except KeyboardInterrupt as stop:  # while it was imported
        sys.exit(exit_code(stop))
    finally:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # what follows is Python's own end: no traceback of that
        gc.freeze()  # the process ends: nothing is left to be looked for in what it holds


if __name__ == "__main__":
    main()
