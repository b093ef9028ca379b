"""What runs and how far it is: one line on a terminal's standard error, erased at the end.

Nothing is shown of what takes less than a second, in a pipe, on a dumb terminal and in CI.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import NamedTuple, TextIO

from .streams import watched_terminal

PATIENCE = 1.0
"""Seconds that pass before anything is shown."""
INTERVAL = 0.25
"""Seconds between two looks at the clock."""
SHORTEST_SHOWN = 0.05
"""Seconds that a line stands at least."""
KNOWN_SHARE, KNOWN_SECONDS = 0.05, 2.0
"""What has to be done, and how long it has to have taken, before anything is said of the time left."""
SHORTEST_NAME = 12
"""Columns below which a name is left out rather than shortened."""

Starts = Callable[[str, int], None]
"""Called when a part starts: its name, and how much work it is expected to be."""


class Plan(NamedTuple):
    """What there is to do: how many parts, what one is called, and their work together."""

    parts: int
    part: str
    work: int


class Progress:
    """The line of one piece of work. `columns` gives the width of the terminal, `clock` seconds."""

    def __init__(
        self,
        doing: str,
        plan: Plan | None,
        stream: TextIO,
        columns: Callable[[], int],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        from ..terminal import printable

        self.doing = printable(doing)
        self.plan = plan
        self.stream = stream
        self.columns = columns
        self.clock = clock
        self.began = self.entered = clock()
        self.number = self.done = self.current = 0
        self.name = ""
        self.shown = ""
        """The line that stands on the terminal."""
        self.drawn_at = self.began

    def starts(self, name: str, work: int) -> None:
        """A part starts, and the one before it is done."""
        from ..terminal import printable

        self.number += 1
        self.name = printable(name)
        self.done += self.current
        self.current = work
        self.entered = self.clock()
        self.draw()

    def draw(self) -> None:
        """Show where the work is, once it has taken its time."""
        now = self.clock()
        if now - self.began < PATIENCE or now - self.drawn_at < SHORTEST_SHOWN:
            return
        from ..terminal import width

        line = self.line(self.columns() - 1)
        if line != self.shown:
            self._send(f"\r{line}{' ' * (width(self.shown) - width(line))}")
            self.shown, self.drawn_at = line, now

    def erase(self) -> None:
        """Leave the terminal as it was."""
        if self.shown:
            from ..terminal import width

            self._send(f"\r{' ' * width(self.shown)}\r")
            self.shown = ""

    def _send(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()

    def line(self, room: int) -> str:
        """The line in so many columns: what has no room is left out, a long name loses its beginning."""
        if self.plan is None or not self.number:
            seconds = f", {int(self.clock() - self.began)} s"
            return _fitting(self.doing, room - len(seconds)) + seconds if room > SHORTEST_NAME else ""
        start = f"{self.doing}: {self.plan.part} {min(self.number, self.plan.parts)} of {self.plan.parts}"
        share = f", {100 * self.done // max(self.plan.work, 1)} %"
        left = self.seconds_left()
        ends = [share, ""] if left is None else [f"{share}, about {duration(left)} left", share, ""]
        end = next((text for text in ends if len(start) + len(text) + SHORTEST_NAME + 2 <= room), "")
        space = room - len(start) - len(end) - 2
        name = f", {_fitting(self.name, space)}" if self.name and space >= SHORTEST_NAME else ""
        return f"{start}{name}{end}"[: max(room, 0)]

    def seconds_left(self) -> float | None:
        """The seconds that the rest will take at the rate so far; None while too little is known to say."""
        assert self.plan is not None
        took = self.entered - self.began
        if took < KNOWN_SECONDS or self.done < KNOWN_SHARE * self.plan.work or self.number < 3:
            return None
        left = (self.plan.work - self.done) * took / self.done - (self.clock() - self.entered)
        return left if left > 0 else None


class Status(Progress):
    """A line that whoever works writes anew: where it is too long, a shorter one."""

    def __init__(self, stream: TextIO, columns: Callable[[], int], clock: Callable[[], float] = monotonic) -> None:
        super().__init__("", None, stream, columns, clock)
        self.texts: Sequence[str] = ()

    def says(self, texts: Sequence[str]) -> None:
        """Show a text, the first of these that fits."""
        self.texts = texts
        if not self.shown or self.clock() - self.drawn_at >= INTERVAL:
            self.draw()

    def line(self, room: int) -> str:
        """The line in so many columns."""
        return next((text for text in self.texts if len(text) <= room), "")


@contextmanager
def status() -> Iterator[Callable[[Sequence[str]], None]]:
    """Show what the block says of its own progress: it calls what it is given with texts, the longest first.

    There is no thread, so that the block may fork.
    """
    terminal = watched_terminal()
    if terminal is None:
        yield _unheard
        return
    shown = Status(terminal, partial(_columns, terminal))
    try:
        yield shown.says
    finally:
        shown.erase()


def _fitting(text: str, room: int) -> str:
    """A text, or as much of its end as has room."""
    from ..terminal import width

    if width(text) <= room:
        return text
    end = text[max(len(text) - room + 3, 0) :]
    while end and width(end) > room - 3:
        end = end[1:]
    return f"...{end}"


def duration(seconds: float) -> str:
    """A time in the unit that a person would use.

    >>> duration(4.2), duration(170), duration(4000)
    ('5 s', '3 min', '1 h 7 min')
    """
    if seconds < 60:
        return f"{int(seconds) + 1} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _columns(terminal: TextIO) -> int:
    """The width of a terminal; 80 where it does not say."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


@contextmanager
def progress(doing: str, plan: Callable[[], Plan] | None = None, *, ticks: bool = True) -> Iterator[Starts]:
    """Show the progress of what the block does; it calls what it is given when a part starts.

    Without a plan the seconds are counted. With `ticks` the line goes on while a part runs, by a thread; without, it
    changes where a part starts, and the block may fork.
    """
    terminal = watched_terminal()
    if terminal is None:
        yield _unseen
        return
    shown = Progress(doing, None if plan is None else plan(), terminal, partial(_columns, terminal))
    if not ticks:
        try:
            yield shown.starts
        finally:
            shown.erase()
        return
    from threading import Event, Lock, Thread

    ended, one_writer = Event(), Lock()

    def tick() -> None:
        while not ended.wait(INTERVAL):
            with one_writer:
                if not ended.is_set():
                    shown.draw()

    def starts(name: str, work: int) -> None:
        with one_writer:
            shown.starts(name, work)

    thread = Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield starts
    finally:
        ended.set()
        thread.join()
        shown.erase()


def _unseen(name: str, work: int) -> None:
    """Nobody is told."""


def _unheard(texts: Sequence[str]) -> None:
    """Nobody is told."""
