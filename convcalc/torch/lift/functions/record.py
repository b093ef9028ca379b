"""What is known of a function of PyTorch, as one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from ..builder import Builder
from ..values import Value

Made = Value | list[Value | None]
Rule = Callable[[Builder], Made]


@dataclass(frozen=True, slots=True)
class Function:
    """One function under all its names: `torch.conv2d`, `torch.nn.functional.conv2d` and `aten.conv2d` are `conv2d`."""

    names: str
    """Separated by spaces; without the module, the dunders and the underscore of what works in place."""
    signature: str
    """Its parameters with their defaults, as `arguments.parameters` reads them."""
    rule: Rule
    """Makes layers of a call. Raises `Unsupported` for what the language cannot say."""
    _: KW_ONLY
    views: bool = False
    """Whether it moves no number, so that a view of a parameter is a parameter still."""
