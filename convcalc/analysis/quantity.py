"""What a quantity is: its record, and its values: integers, exact fractions, words, and shapes with named parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Literal, NamedTuple

from .figures import Figures, Subject


class Shaped(NamedTuple):
    """A value with named parts: a shape or a window, formatted by `{name}` placeholders."""

    default: str
    """The format used where none is declared."""
    parts: dict[str, object]
    raw: object

    def written(self, format: str | None = None) -> str:
        """The value as text: each `{name}` of the format replaced by its part; unknown names stay.

        >>> shaped((64, 112, 112)).written("{h}x{w}")
        '112x112'
        """
        return _PLACEHOLDER.sub(lambda m: str(self.parts.get(m[1], m[0])), format or self.default)


_PLACEHOLDER = re.compile(r"\{(\w+)\}")

Value = int | str | Fraction | Shaped | None
Getter = Callable[[Figures, Subject], Value]
"""How a quantity is read."""
Total = Literal["sum", "largest", "own"]
"""How a network's figure follows from its layers': their sum, the largest, or in a way of its own."""


def plain_figure(value: object) -> object:
    """A value as JSON has it: integers, words, lists of sizes, exact fractions as "p/q"."""
    if type(value) is int:
        return value
    if isinstance(value, Shaped):
        return plain_figure(value.raw)
    if isinstance(value, tuple):
        return [plain_figure(part) for part in value]
    return str(value) if isinstance(value, Fraction) else value


class Quantity(NamedTuple):
    """Everything that is known of one thing that can be asked of a layer, a group or a network."""

    name: str
    unit: str
    meaning: str
    """In one line."""
    get: Getter
    total: Total | None = None
    """None: it says something of one layer or group, and tables have no total of it."""
    aliases: tuple[str, ...] = ()
    """Other names under which it may be asked for: those of papers, and that of its total."""
    needs: Literal["--device"] | None = None
    """The option without which it has no value."""
    compared: Literal["network", "stages"] | None = None
    """Whether `diff` compares it: of the network alone, or of each stage too."""
    words: bool = False
    """Whether its values are words, which a narrow terminal may cut."""
    note: str = ""
    """What else its numbers mean, printed where it is shown."""
    remarks: Callable[[Figures], list[str]] | None = None
    """What is said of this network where it is shown."""
    held: bool = False
    """Whether it counts what layers hold, so that weights that several have count at one of them."""
    follows: Literal["layers", "parts"] | None = None
    """How it follows where a network is put together of parts that are known (`sweep.summaries`).

    `layers`: a layer's follows from it and the shapes around it alone, and a part's is their sum, or the largest.
    `parts`: it is read from shapes, depth, liveness and receptive fields where the parts meet. None: the whole network
    has to be looked at.
    """
    asked: str = ""
    """The name under which it was asked for, where it is an alias."""

    @property
    def heading(self) -> str:
        """The name under which it is shown: the one that was asked for."""
        return self.asked or self.name

    @property
    def described(self) -> str:
        """Its meaning and its other names."""
        return f"{self.meaning}; also {', '.join(self.aliases)}" if self.aliases else self.meaning


def number(value: Value) -> int | Fraction | None:
    """The number that a value is; None for a word, a shape or none.

    >>> number(decimal(Fraction(16, 3))), number(7), number(shaped((3, 8, 8))), number("conv2d")
    (Fraction(16, 3), 7, None, None)
    """
    raw = value.raw if isinstance(value, Shaped) else value
    return raw if isinstance(raw, (int, Fraction)) else None


SPACE_LETTERS = {1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}


def shaped(shape: tuple[int, ...] | None) -> Shaped | None:
    """A shape [channels, *space] with its parts by letter; absent axes are 1.

    >>> shaped((64, 112, 112)).written(), shaped(()).written()
    ('112×112×64', '[]')
    """
    if shape is None:
        return None
    if not shape:
        return Shaped("[]", dict.fromkeys("cdhwln", 1), ())
    channels, space = shape[0], shape[1:]
    parts: dict[str, object] = {"c": channels, "d": 1, "h": 1, "w": 1, "l": 1, "n": prod(shape)}
    letters = SPACE_LETTERS.get(len(space), ())
    parts.update(zip(letters, space, strict=False))
    default = "×".join(f"{{{letter}}}" for letter in (*(letters or ("h", "w")), "c"))
    return Shaped(default, parts, shape)


def per_axis(values: tuple[object, ...] | None) -> Shaped | None:
    """One value an axis, printed with × between; parts are the letters of the space axes.

    >>> per_axis((3, 3)).written()
    '3×3'
    """
    if values is None:
        return None
    letters = SPACE_LETTERS.get(len(values), ())
    text = "×".join("-" if value is None else str(value) for value in values)
    parts: dict[str, object] = dict(zip(letters, values, strict=False))
    parts["all"] = text
    return Shaped("{all}", parts, values)


def decimal(value: Fraction | None, places: int = 2) -> Shaped | None:
    """A fraction that is printed as a decimal, rounded half up; it stays exact underneath.

    >>> decimal(Fraction(2, 3)).written(), decimal(Fraction(5)).written()
    ('0.67', '5.00')
    """
    if value is None:
        return None
    whole, rest = divmod((value.numerator * 2 * 10**places + value.denominator) // (2 * value.denominator), 10**places)
    return Shaped("{all}", {"all": f"{whole}.{rest:0{places}d}"}, value)
