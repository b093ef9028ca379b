"""Numbers as they are typed: commas between axes, a colon between before and after, dots for a range."""

from __future__ import annotations

from ..findings import UsageError
from ..geometry.errors import LIMIT


def number(option: str, text: str, expected: str = "a whole number") -> int:
    """One whole number, not negative.

    >>> number("--s", "2")
    2
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        raise UsageError(f"{option}: expected {expected}, not {text!r}")
    if len(digits) > 20 or int(digits) > LIMIT:
        raise UsageError(f"{option}: {digits[:24]} is above 2^63 - 1")
    return int(digits)


def per_axis(option: str, text: str) -> list[int]:
    """One number, or one an axis.

    >>> per_axis("--k", "3,5")
    [3, 5]
    """
    return [number(option, part, "a whole number, or one an axis (3 or 3,5)") for part in text.split(",")]


def paddings(option: str, text: str) -> list[int | tuple[int, int]]:
    """One padding, or one an axis; a colon separates before and after.

    >>> paddings("--p", "1,1:2")
    [1, (1, 2)]
    """
    expected = "a whole number (1), before:after (1:2), or one an axis (1,1:2)"
    if text.strip() in ("same", "valid", "same_lower"):
        raise UsageError(
            f"{option}: expected {expected}, not {text!r}", hint="`same` depends on the input: give its pads"
        )
    pads: list[int | tuple[int, int]] = []
    for part in text.split(","):
        sides = [number(option, side, expected) for side in part.split(":")]
        if len(sides) > 2:
            raise UsageError(f"{option}: expected {expected}, not {text!r}")
        pads.append(sides[0] if len(sides) == 1 else (sides[0], sides[1]))
    return pads


def span(option: str, text: str) -> range:
    """One number, or a range with both ends.

    >>> span("--k", "3"), span("--k", "3..7")
    (range(3, 4), range(3, 8))
    """
    expected = "a whole number (3) or a range (3..7)"
    ends = [number(option, end, expected) for end in text.split("..", 1)]
    if ends[-1] < ends[0]:
        raise UsageError(f"{option}: the range {text} is empty", hint=f"write {ends[-1]}..{ends[0]}")
    return range(ends[0], ends[-1] + 1)
