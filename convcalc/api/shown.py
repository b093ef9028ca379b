"""Results that can be looked at: printed as the command prints them, in colour by rich, as tables by notebooks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

    from ..render.document import Document
    from ..render.streams import Lines

R = TypeVar("R")


class Shown:
    """A result with a look: `print(result)` is the command's text, rich and notebooks show the same document."""

    __slots__ = ()

    @abstractmethod
    def document(self, width: int | None) -> Document:
        """What the command says, for lines of so many columns; None where nobody limits them."""

    def __str__(self) -> str:
        from ..render.streams import line_width
        from ..render.text import document_lines, plain

        width = line_width()
        return plain(document_lines(self.document(width), width))

    def __rich__(self) -> OnConsole:
        return OnConsole(self)

    def _repr_html_(self) -> str:
        from ..render.html import html

        return html(self.document(None))


class OnConsole(NamedTuple):
    """A result on a console of rich, as wide as that is."""

    shown: Shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Lines]:
        from ..render.streams import Lines
        from ..render.text import document_lines

        yield Lines(document_lines(self.shown.document(options.max_width), options.max_width))


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "spec"), counted(2, "spec")
    ('1 spec', '2 specs')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def made(cls: type[R], found: Any) -> R:
    """A data class's instance as one of its subclass."""
    return cls(**{field.name: getattr(found, field.name) for field in fields(found)})
