"""Run in a process of its own: the program on some arguments, and a record of the files that it read.

Python tells a hook of every file that is opened, wherever in the program or in a model's code that is, so that parts,
params, configuration and imported code need no lists of their own. What Python and its packages consist of is left out.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
import sysconfig
from importlib.util import source_from_cache
from pathlib import Path

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/]|[\\/]python\d+\.zip$")
_SYSTEM = ("/dev/", "/proc/", "/sys/")
MOST_FILES = 2000
"""Files that are taken down; those of a project read by a model in code are far fewer."""


class Record:
    """The files that were opened to be read, those that do not exist among them, and none that was written."""

    def __init__(self) -> None:
        own = Path(__file__).resolve().parent.parent
        places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        self.passed_over = (*(f"{place}{os.sep}" for place in (*places, str(own)) if place), *_SYSTEM)
        self.read: dict[str, None] = {}
        self.written: set[str] = set()

    def opened(self, event: str, arguments: tuple[object, ...]) -> None:
        """What Python tells of what it does."""
        if event != "open":
            return
        name, mode, flags = arguments
        if isinstance(name, (str, bytes)):
            writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
            self.add(os.fsdecode(name), writes or (isinstance(flags, int) and bool(flags & _WRITES)))

    def add(self, name: str, written: bool = False) -> None:
        """Take down a file, a module's cached code under the name of its source."""
        path = os.path.abspath(name)  # noqa: PTH100  (an instance of Path for each of thousands of files is slow)
        if path.startswith(self.passed_over) or _INSTALLED.search(path):
            return
        if path.endswith(".pyc"):
            try:
                path = source_from_cache(path)
            except ValueError:
                return
        if written:
            self.written.add(path)
        elif len(self.read) < MOST_FILES:
            self.read[path] = None

    def files(self) -> list[str]:
        """What was read, and the sources of what was imported."""
        for module in list(sys.modules.values()):
            source = getattr(module, "__file__", None)
            if isinstance(source, str) and Path(source).is_file():
                self.add(source)
        return [path for path in self.read if path not in self.written and not Path(path).is_dir()]


def main() -> None:
    """Run `convcalc` on the arguments behind the first, which names the file of the record."""
    where, *arguments = sys.argv[1:]
    record = Record()
    sys.addaudithook(record.opened)
    sys.argv = ["convcalc", *arguments]
    try:
        runpy.run_module("convcalc", run_name="__main__")
    finally:
        files = record.files()
        Path(where).write_text(json.dumps(files), "utf-8")
