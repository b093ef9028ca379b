"""Lines as renderables of rich, for the programs of others: convcalc's own output needs no rich."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from .lines import Line


class Lines:
    """Lines as they are: one segment a piece, nothing measured or wrapped again."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        end = Segment.line()
        styles: dict[str, Style | None] = {"": None}
        for line in self.lines:
            for text, style in line:
                if style not in styles:
                    styles[style] = Style.parse(style)
                yield Segment(text, styles[style])
            yield end


class Fitted:
    """Lines that are made for the width of the console that shows them."""

    def __init__(self, lines: Callable[[int], Iterable[Line]]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Lines(self.lines(options.max_width))
