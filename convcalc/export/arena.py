"""The plan of a microcontroller's arena as an SVG picture: operators to the right, addresses upwards."""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape

from ..findings import UsageError
from .python_code import plain

MOST_RECTANGLES = 5_000
"""Buffers of a picture: what it can show is far less."""
WIDTH, HEIGHT, LEFT, MARGIN = 960.0, 360.0, 76.0, 16.0
"""Of the plot, of the numbers beside it, and around both."""
WIDEST, NARROWEST = 48.0, 2.0
"""Of an operator."""
TITLE, AXIS = 28.0, 30.0
"""Room above the plot and below it."""
LETTER, LINE = 6.2, 14.0
"""Width of a letter, and the least height of a rectangle with a text in it."""
TICKS = 4
STYLE = """\
text { font: 11px sans-serif; fill: #1f2328; }
.name { font-size: 13px; font-weight: bold; }
.tick { fill: #57606a; text-anchor: end; }
.axis { fill: #57606a; }
.inside { font-size: 10px; text-anchor: middle; }
rect { stroke: #57606a; stroke-width: 0.5; fill: #ddf4ff; }
.between { fill: #fff8c5; }
.given { fill: #dafbe1; }
.paper, .peak { stroke: none; fill: #ffffff; }
.peak { fill: #ffebe9; }
.grid { stroke: #d0d7de; }
.alive { fill: none; stroke: #cf222e; stroke-width: 1.5; }"""


class Rectangle(NamedTuple):
    """A buffer: what it holds, from which operator to which, and where it lies."""

    label: str
    role: str
    """`given` for an input of the network, `between` for what passes inside of a layer, else empty."""
    first: int
    last: int
    offset: int
    size: int


class Picture(NamedTuple):
    """The buffers of an arena, and what is alive while each operator runs, from 0 on."""

    title: str
    rectangles: list[Rectangle]
    alive: list[int]
    size: int
    """Bytes of the arena."""


def svg(picture: Picture) -> str:
    """The picture's text, complete with its style. Raises UsageError for more buffers than a picture shows.

    >>> buffers = [Rectangle("a", "given", 0, 1, 0, 48), Rectangle("b", "", 1, 1, 48, 16)]
    >>> drawn = svg(Picture("N", buffers, [48, 64], 64))
    >>> drawn.startswith("<svg"), drawn.count("<rect"), "<title>b: 16 B at 48, operators 1 to 1</title>" in drawn
    (True, 4, True)
    """
    if len(picture.rectangles) > MOST_RECTANGLES:
        raise UsageError(f"too many buffers for a picture: {len(picture.rectangles):,}", "convcalc arena lists them")
    steps = len(picture.alive)
    step = min(max(WIDTH / steps, NARROWEST), WIDEST)
    width, height = LEFT + step * steps + 2 * MARGIN, TITLE + HEIGHT + AXIS + MARGIN
    peak = picture.alive.index(max(picture.alive))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" '
        f'width="{_n(width)}" height="{_n(height)}" role="img">',
        f"<title>{escape(picture.title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="paper" width="{_n(width)}" height="{_n(height)}"/>',
        f'<text class="name" x="{_n(LEFT)}" y="18">{escape(picture.title)}</text>',
        f'<rect class="peak" x="{_n(_x(peak, step))}" y="{_n(TITLE)}" width="{_n(step)}" height="{_n(HEIGHT)}"/>',
        *_grid(picture.size, step * steps),
        *[line for rectangle in picture.rectangles for line in _rectangle(rectangle, picture.size, step)],
        _alive(picture, step),
        f'<text class="axis" x="{_n(LEFT)}" y="{_n(TITLE + HEIGHT + 18)}">operators 0 to {steps - 1}; '
        "the line: bytes alive; the band: the peak</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _grid(size: int, width: float) -> list[str]:
    lines = []
    for tick in range(TICKS + 1):
        bytes = size * tick // TICKS
        y = _n(_y(bytes, size))
        lines.append(f'<path class="grid" d="M{_n(LEFT)} {y}h{_n(width)}"/>')
        lines.append(f'<text class="tick" x="{_n(LEFT - 6)}" y="{y}">{bytes:,}</text>')
    return lines


def _rectangle(rectangle: Rectangle, size: int, step: float) -> list[str]:
    label, role, first, last, offset, bytes = rectangle
    x, width = _x(first, step), (last - first + 1) * step
    top, bottom = _y(offset + bytes, size), _y(offset, size)
    said = escape(f"{plain(label)}: {bytes:,} B at {offset:,}, operators {first} to {last}")
    lines = [
        f'<rect{f" class={chr(34)}{role}{chr(34)}" if role else ""} x="{_n(x)}" y="{_n(top)}" width="{_n(width)}" '
        f'height="{_n(bottom - top)}"><title>{said}</title></rect>'
    ]
    short = plain(label).rpartition(".")[2]
    if bottom - top >= LINE and width >= len(short) * LETTER:
        middle = (top + bottom) / 2 + 3.5
        lines.append(f'<text class="inside" x="{_n(x + width / 2)}" y="{_n(middle)}">{escape(short)}</text>')
    return lines


def _alive(picture: Picture, step: float) -> str:
    """The bytes that are alive, as a staircase: what lies above it and below the highest buffer is a gap."""
    steps = [f"M{_n(LEFT)} {_n(_y(0, picture.size))}"]
    for operator, bytes in enumerate(picture.alive):
        steps.append(f"V{_n(_y(bytes, picture.size))}H{_n(_x(operator + 1, step))}")
    return f'<path class="alive" d="{"".join(steps)}"/>'


def _x(operator: int, step: float) -> float:
    return LEFT + operator * step


def _y(bytes: int, size: int) -> float:
    return TITLE + HEIGHT * (1 - bytes / max(size, 1))


def _n(number: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{number:.1f}".removesuffix(".0")
