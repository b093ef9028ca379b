"""Reads again whenever a file of the last reading has changed.

Files are looked at, not listened to: the state of a few dozen files every quarter of a second takes no time that one
could measure, and it is the same on every system, on network drives and in containers, and for an editor that puts a
new file in the place of the old one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from .board import Board
from .reading import Read, Reading

PAUSE = 0.25
"""Seconds between two looks."""
SETTLED = 0.08
"""Seconds in which nothing may change before it is read: an editor writes in steps, somebody saves several files."""
LONGEST_SETTLING = 2.0
"""Seconds after which it is read in spite of files that change all the time."""

MOST_RESTARTS = 5
"""How often a reading is begun anew because files change; the next goes on to its end."""

Stamp = tuple[int, int, int] | None
"""Time of change, size and inode; None where nothing is."""


def stamp(path: str) -> Stamp:
    """What tells a state of a file from others."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def stamps(paths: Iterable[str]) -> dict[str, Stamp]:
    """The states of files."""
    return {path: stamp(path) for path in paths}


class Watch:
    """Keeps a board up to what the program makes of some arguments.

    `named` are the files of the call: they are watched whether or not the program came to read them.
    """

    def __init__(self, arguments: Sequence[str], named: Iterable[str], board: Board) -> None:
        self.arguments = arguments
        self.named = frozenset(os.path.abspath(path) for path in named)  # noqa: PTH100
        self.board = board
        self.known: Mapping[str, Stamp] = stamps(self.named)

    def read(self) -> Read:
        """Read, anew where something changes meanwhile, and show what came of it."""
        restarts = 0
        while True:
            self._settle()
            self.board.begin()
            before = dict(self.known)
            began = time.time_ns()
            with Reading(self.arguments) as reading:
                while not reading.finished(PAUSE):
                    if restarts < MOST_RESTARTS and stamps(before) != before:
                        restarts += 1
                        break
                else:
                    found = reading.result()
                    self._take_down(found, before, began)
                    if found.page is None:
                        self.board.fail(found.said)
                    else:
                        self.board.show(found.page, found.said)
                    return found
            self.known = stamps(before)

    def _take_down(self, found: Read, before: Mapping[str, Stamp], began: int) -> None:
        """Which files are watched from now on, in the state in which they were read.

        What was met first in this reading and has changed since it began counts as changed. Where something is wrong,
        the folders are watched too: a file that is missing may come.
        """
        files = self.named | found.files
        self.known = {}
        for path in files | ({str(Path(path).parent) for path in files} if found.code else set()):
            state = before[path] if path in before else stamp(path)
            late = path not in before and state is not None and state[0] >= began and path in files
            self.known[path] = None if late else state

    def changed(self) -> bool:
        """Whether a file is otherwise than it was read."""
        return stamps(self.known) != self.known

    def _settle(self) -> None:
        """Wait until nothing changes; take down the state of the files."""
        until = time.monotonic() + LONGEST_SETTLING
        self.known = stamps(self.known)
        while time.monotonic() < until:
            time.sleep(SETTLED)
            now = stamps(self.known)
            if now == self.known:
                return
            self.known = now

    def follow(self, stopped: Callable[[float], bool]) -> None:
        """Read again at each change until `stopped`, which waits for so many seconds, says so."""
        while not stopped(PAUSE):
            if self.changed():
                self.read()
