"""`python -m convcalc` and the `convcalc` program."""

from __future__ import annotations

import gc
import os

YOUNG, MIDDLE, OLD = 100_000, 50, 100
"""When the cyclic collector looks: most of what a command makes, modules above all, lives to its end."""

WITHOUT_PLUGINS = ("PYDANTIC_DISABLE_PLUGINS", "__all__")
"""Else pydantic reads the metadata of every installed package: as long as a command takes, where there are many."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    os.environ.setdefault(*WITHOUT_PLUGINS)
    from .cli.app import main as run

    try:
        run()
    finally:
        gc.freeze()  # the process ends: nothing is left to be looked for in what it holds


if __name__ == "__main__":
    main()
