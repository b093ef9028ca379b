"""A document as marked data: every node knows where it stands, and findings are placed at nodes."""

from __future__ import annotations

from typing import NoReturn

from .findings import Finding, SpecError


class Marked:
    """A node of the document; `line` and `column` count from 1."""

    __slots__ = ("column", "line", "size")
    line: int
    column: int
    size: int
    """Nodes below and with it, aliases expanded."""


class Text(Marked):
    """A scalar as it is written; `plain` when it is not quoted."""

    __slots__ = ("plain", "text", "width")

    def __init__(self, text: str, plain: bool, line: int, column: int, width: int) -> None:
        self.text = text
        self.plain = plain
        self.line = line
        self.column = column
        self.width = width
        self.size = 1

    @property
    def empty(self) -> bool:
        """Whether it says nothing: an empty scalar, `~` or `null`, not quoted."""
        return self.plain and self.text in ("", "~", "null")


class List(Marked):
    """A sequence."""

    __slots__ = ("flow", "items")

    def __init__(self, line: int, column: int, flow: bool = False) -> None:
        self.items: list[Marked] = []
        self.flow = flow
        self.line = line
        self.column = column
        self.size = 1


class Map(Marked):
    """A mapping; `keys` holds the key's own node under the key's text."""

    __slots__ = ("entries", "flow", "keys")

    def __init__(self, line: int, column: int, flow: bool = False) -> None:
        self.entries: dict[str, Marked] = {}
        self.keys: dict[str, Text] = {}
        self.flow = flow
        self.line = line
        self.column = column
        self.size = 1


class Source:
    """A text and where it is from; it makes findings that carry their place and their line."""

    def __init__(self, text: str, path: str = "<text>") -> None:
        self.path = path
        self.text = text
        self._lines: list[str] | None = None

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its end; empty beyond the text."""
        if self._lines is None:
            self._lines = self.text.splitlines()
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def finding(
        self, code: str, message: str, at: Marked | None = None, *, hint: str | None = None, where: str = ""
    ) -> Finding:
        """A finding placed at a node (the first line without one)."""
        from .codes import hint as hint_of_code

        line, column = (at.line, at.column) if at is not None else (1, 1)
        width = at.width if isinstance(at, Text) else 1
        return Finding(
            code, message, self.path, line, column, where, hint or hint_of_code(code), self.line(line), max(width, 1)
        )

    def fail(self, code: str, message: str, at: Marked | None = None, *, hint: str | None = None) -> NoReturn:
        """Raise a SpecError with one finding placed at a node."""
        raise SpecError([self.finding(code, message, at, hint=hint)])
