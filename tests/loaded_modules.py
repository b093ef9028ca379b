"""Which modules a command has loaded when it ends."""

from __future__ import annotations

import os
import subprocess
import sys

RUN = """
import sys
from convcalc.__main__ import main
sys.argv = ["convcalc", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert end.code in (0, None), end.code
print("\\n".join(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(*arguments: str, path: str = "") -> set[str]:
    """The modules that a command has loaded when it ends; those of the folder `path` come first."""
    environment = {**os.environ, "PYTHONPATH": path} if path else None
    command = [sys.executable, "-c", RUN, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return set(done.stderr.splitlines())


def unwanted(modules: set[str], *names: str) -> set[str]:
    """Loaded modules that are one of the names or lie below one."""
    return {module for module in modules for name in names if module == name or module.startswith(f"{name}.")}
