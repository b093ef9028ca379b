"""What a layer is in a framework's own words: calls that build a module, and expressions over tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..layers.base import Shape, Shapes

REQUIRED: Any = object()
"""The default of an argument that has none."""


class Refused(Exception):
    """A layer that the target has no equal of; the text is the reason."""


class Argument(NamedTuple):
    """One argument. It is left out of the text where it equals its default, and positional if it says so."""

    name: str
    value: object
    default: object = REQUIRED
    positional: bool = False


def keywords(**values: object) -> tuple[Argument, ...]:
    """Arguments that are always written, with their names."""
    return tuple(Argument(name, value) for name, value in values.items())


def positional(**values: object) -> tuple[Argument, ...]:
    """Arguments that are always written, without their names."""
    return tuple(Argument(name, value, positional=True) for name, value in values.items())


def optional(name: str, value: object, default: object) -> Argument:
    """An argument that is written where it is not the default."""
    return Argument(name, value, default)


class Code(str):
    """A value that is written as it is."""


class Call(NamedTuple):
    """A module: `function(arguments)`, applied to one tensor."""

    function: str
    arguments: tuple[Argument, ...] = ()


class Inline(NamedTuple):
    """An expression: `{0}`, `{1}` … stand for its inputs, `{name}` for its arguments."""

    template: str
    arguments: tuple[Argument, ...] = ()


Step = Call | Inline
Mapper = Callable[[Any, "Shapes", "Shape"], Sequence[Step]]
"""(layer, input shapes, output shape) -> the steps, each applied to the one before it. Raises `Refused`."""


def literal(value: object) -> str:
    """A value as Python writes it; tuples of equal numbers stay tuples.

    >>> literal((3, 3)), literal(0.1), literal(float("-inf")), literal("a'b")
    ('(3, 3)', '0.1', 'float("-inf")', '"a\\'b"')
    """
    if isinstance(value, float) and isinf(value):
        return f'float("{value}")'
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        text = repr(value)
        return text if '"' in value else f'"{text[1:-1]}"' if text[0] == "'" else text
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


def scalar(values: Sequence[Any]) -> Any:
    """One value where all axes agree, else the tuple.

    >>> scalar((3, 3)), scalar((3, 5))
    (3, (3, 5))
    """
    return values[0] if len(set(values)) == 1 else tuple(values)
