"""What is shown at the moment; those who look wait here for what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Condition


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client is told."""

    name: str = ""
    """What is watched."""
    number: int = 0
    """Goes up with every change."""
    page: int = 0
    """The number at which the page that is shown was made: the last good one."""
    said: str = ""
    """What the program said of the last reading: findings of a wrong spec, warnings of a right one."""
    failed: bool = False
    """Whether the last reading gave no page, so that the page is older than the file."""
    reading: bool = False

    def to_dict(self) -> dict[str, object]:
        """What a client gets."""
        return {name: getattr(self, name) for name in self.__slots__}


class Board:
    """The state of what is shown, which one thread changes and others wait for."""

    def __init__(self, name: str) -> None:
        self._changed = Condition()
        self._shown = Shown(name)
        self._page = b""
        self._closed = False

    def begin(self) -> None:
        """A reading has begun."""
        self._put(reading=True)

    def show(self, page: bytes, said: str) -> None:
        """A reading has given a page."""
        with self._changed:
            self._page = page
            self._put(page=self._shown.number + 1, said=said, failed=False, reading=False)

    def fail(self, said: str) -> None:
        """A reading has given none; the last page stays."""
        self._put(said=said, failed=True, reading=False)

    def close(self) -> None:
        """Let go of all who wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, **changes: object) -> None:
        with self._changed:
            self._shown = replace(self._shown, number=self._shown.number + 1, **changes)  # type: ignore[arg-type]
            self._changed.notify_all()

    @property
    def page(self) -> bytes:
        """The last good page; empty before there is one."""
        with self._changed:
            return self._page

    def after(self, number: int, seconds: float) -> Shown:
        """What is shown, as soon as it is another than at this number, or when the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._shown.number != number or self._closed, seconds)
            return self._shown
