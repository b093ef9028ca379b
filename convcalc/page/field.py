"""The receptive field of a layer over the network's input, in real proportions: what a position sees, and its
neighbours; what lies outside of the input is padding."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ..network import sizes
from .svg import drawing, mark

if TYPE_CHECKING:
    from ..analysis.receptive_field import AxisField
    from ..analysis.report import Report

WIDE, HIGH = 620.0, 460.0
"""The most that a drawing takes."""
STRIP = 6.0
"""An input of one axis is drawn as a strip: its length for each unit of its height."""
HATCH = (
    '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path class="hatch" d="M0 0V7"/></pattern></defs>'
)


class Side(NamedTuple):
    """One axis of the input, as a position of a layer's output sees it."""

    name: str
    size: int
    """Of the input."""
    positions: int
    """Of the output along this axis."""
    position: int
    """The one that is drawn: that in the middle."""
    first: Fraction
    last: Fraction
    """What it sees."""
    extent: str
    jump: str
    start: str
    low: Fraction
    high: Fraction
    """The ends of all that is drawn: the input and what any position sees."""
    beside: tuple[tuple[Fraction, Fraction], ...]
    """What the neighbours see."""


class Field(NamedTuple):
    """A layer's field as the page shows it first."""

    layer: str
    shape: str
    input: str
    """The input that is seen, with its shape."""
    sides: list[Side]
    """Of all space axes."""
    picture: str


def field(report: Report) -> Field | None:
    """The field of the last layer whose field moves with the position; None where there is none."""
    found = report.receptive_fields
    for index in reversed(range(len(found.fields))):
        node, fields = report.node(index), found.fields[index]
        if node.layer is not None and fields and any(axis.jump is not None for axis in fields):
            break
    else:
        return None
    origin = report.node(found.origins[index])
    sides = [_side(axis, number, origin.shape, node.shape, len(fields)) for number, axis in enumerate(fields, start=1)]
    picture = _picture(f"What a position of {node.name} sees of {origin.name}", sides[-2:])
    return Field(node.name, sizes(node.shape), f"{origin.name} {sizes(origin.shape)}", sides, picture)


def _side(axis: AxisField, number: int, read: Sequence[int], made: Sequence[int], rank: int) -> Side:
    size, positions = read[number], 1 if axis.axis is None else made[axis.axis]
    middle = positions // 2
    seen = _seen(axis, middle)
    ends = [_seen(axis, q) for q in dict.fromkeys((0, positions - 1))]
    low = min(Fraction(0), *[first for first, _ in ends])
    high = max(Fraction(size), *[last + 1 for _, last in ends])
    beside = tuple([_seen(axis, q) for q in (middle - 1, middle + 1) if axis.jump is not None and 0 <= q < positions])
    letters = {1: "l", 2: "hw", 3: "dhw"}.get(rank, "")
    return Side(
        letters[number - 1] if letters else str(number),
        size,
        positions,
        middle,
        *seen,
        str(axis.size),
        "–" if axis.jump is None else str(axis.jump),
        str(axis.start),
        low,
        high,
        beside,
    )


def _seen(axis: AxisField, position: int) -> tuple[Fraction, Fraction]:
    """The first and last input that a position sees; an empty interval for one that sees nothing."""
    first, last = axis.at(position) or (axis.first, axis.first - 1)
    return Fraction(first), Fraction(last)


def _picture(name: str, sides: Sequence[Side]) -> str:
    """The input with its padding around it, the field in it, and the fields of the neighbours."""
    x = sides[-1]
    y = sides[0] if len(sides) > 1 else None
    width = float(x.high - x.low)
    tall = width / STRIP if y is None else float(y.high - y.low)
    scale = min(WIDE / width, HIGH / tall)

    def box(kind: str, across: tuple[Fraction, Fraction], down: tuple[Fraction, Fraction] | None) -> str:
        left, right = float(across[0] - x.low), float(across[1] - x.low) + 1
        top, foot = (0.0, tall) if y is None or down is None else (float(down[0] - y.low), float(down[1] - y.low) + 1)
        return mark(
            "rect",
            kind,
            x=left * scale,
            y=top * scale,
            width=(right - left) * scale,
            height=(foot - top) * scale,
        )

    seen_down = None if y is None else (y.first, y.last)
    whole_down = None if y is None else (Fraction(0), Fraction(y.size - 1))
    marks = [
        HATCH,
        mark("rect", "padding", x=0, y=0, width=width * scale, height=tall * scale),
        box("input", (Fraction(0), Fraction(x.size - 1)), whole_down),
    ]
    neighbours = [(beside, seen_down) for beside in x.beside]
    if y is not None:
        neighbours += [((x.first, x.last), beside) for beside in y.beside]
    marks += [box("beside", *neighbour) for neighbour in neighbours]
    marks.append(box("seen", (x.first, x.last), seen_down))
    within = [
        None if side is None else (max(side.first, Fraction(0)), min(side.last, Fraction(side.size - 1)))
        for side in (x, y)
    ]
    if within[0] is not None and all(ends is None or ends[0] <= ends[1] for ends in within):
        marks.append(box("within", within[0], within[1]))
    return drawing(name, width * scale, tall * scale, marks, "field", "field-picture")
