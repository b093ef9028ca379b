"""Results that can be looked at: printed as the command prints them, in colour by rich, as tables by notebooks."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from ..hints import installing

if TYPE_CHECKING:
    from ..render.document import Document
    from ..render.rich_lines import Fitted

R = TypeVar("R")


class Shown:
    """A result with a look: `print(result)` is the command's text, rich and notebooks show the same document."""

    __slots__ = ()

    @abstractmethod
    def _document(self, width: int | None) -> Document:
        """What the command says, for lines of so many columns; None where nobody limits them."""

    def __str__(self) -> str:
        from ..render.lines import plain
        from ..render.streams import line_width
        from ..render.text import document_lines

        width = line_width()
        return plain(document_lines(self._document(width), width))

    def __rich__(self) -> Fitted:
        from ..render.rich_lines import Fitted
        from ..render.text import document_lines

        return Fitted(lambda width: document_lines(self._document(width), width))

    def _repr_html_(self) -> str:
        from ..render.html import html

        return html(self._document(None))


def made(cls: type[R], found: Any, **more: Any) -> R:
    """A data class's instance as one of its subclass; `more` are fields that the subclass adds, or has otherwise."""
    return cls(**{field.name: getattr(found, field.name) for field in fields(found)} | more)


def frames() -> Any:
    """pandas, which makes data frames of results. Raises ImportError that says how it is installed."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"to_frame needs pandas: {installing('pandas')}", name="pandas") from error
    return pandas
