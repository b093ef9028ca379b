"""The plan of a microcontroller's arena as an SVG picture: operators to the right, addresses upwards."""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape

from ..findings import UsageError
from .drawing import px
from .python_code import plain

MOST_RECTANGLES = 5_000
"""Buffers of a picture: what it can show is far less."""
WIDTH, HEIGHT, MARGIN, BESIDE = 960.0, 360.0, 16.0, 6.0
"""Of the plot; around all of it; between it and the numbers beside it."""
WIDEST, NARROWEST = 48.0, 2.0
"""Of an operator."""
ABOVE, BELOW = 46.0, 30.0
"""Room for the texts above the plot and below it."""
LETTER, LINE = 6.2, 14.0
"""Width of a letter, and the least height of a rectangle with a text in it."""
TICKS = 4
BELOW_THE_PLOT = "operators to the right; line: bytes alive; band: the operator at which most is alive"
STYLE = """\
text { font: 11px sans-serif; fill: #1f2328; }
.name { font-size: 13px; font-weight: bold; }
.tick { text-anchor: end; }
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
    said: str
    """In a line below it."""
    rectangles: list[Rectangle]
    alive: list[int]
    size: int
    """Bytes of the arena."""


class Plot(NamedTuple):
    """Where operators and addresses stand."""

    left: float
    step: float
    """Of an operator."""
    size: int

    def x(self, operator: int) -> float:
        """The left side of an operator."""
        return self.left + operator * self.step

    def y(self, address: int) -> float:
        """The height of an address."""
        return ABOVE + HEIGHT * (1 - address / max(self.size, 1))


def svg(picture: Picture) -> str:
    """The picture's text, complete with its style. Raises UsageError for more buffers than a picture shows.

    >>> buffers = [Rectangle("a", "given", 0, 1, 0, 48), Rectangle("b", "", 1, 1, 48, 16)]
    >>> drawn = svg(Picture("N", "64 B planned", buffers, [48, 64], 64))
    >>> drawn.startswith("<svg"), drawn.count("<rect"), "<title>b: 16 B at 48, operators 1 to 1</title>" in drawn
    (True, 4, True)
    """
    if len(picture.rectangles) > MOST_RECTANGLES:
        raise UsageError(f"too many buffers for a picture: {len(picture.rectangles):,}", "convcalc arena lists them")
    steps = len(picture.alive)
    left = MARGIN + LETTER * len(f"{picture.size:,}") + BESIDE
    plot = Plot(left, min(max(WIDTH / steps, NARROWEST), WIDEST), picture.size)
    title, said = plain(picture.title), plain(picture.said)
    written = LETTER * max(1.3 * len(title), len(said), len(BELOW_THE_PLOT))
    width, height = left + max(plot.step * steps, written) + MARGIN, ABOVE + HEIGHT + BELOW
    peak = picture.alive.index(max(picture.alive))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {px(width)} {px(height)}" '
        f'width="{px(width)}" height="{px(height)}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="paper" width="{px(width)}" height="{px(height)}"/>',
        f'<text class="name" x="{px(left)}" y="18">{escape(title)}</text>',
        f'<text x="{px(left)}" y="34">{escape(said)}</text>',
        f'<rect class="peak" x="{px(plot.x(peak))}" y="{px(ABOVE)}" width="{px(plot.step)}" height="{px(HEIGHT)}"/>',
        *_grid(plot, steps),
        *[line for rectangle in picture.rectangles for line in _rectangle(plot, rectangle)],
        _alive(plot, picture.alive),
        f'<text x="{px(left)}" y="{px(ABOVE + HEIGHT + 18)}">{BELOW_THE_PLOT}</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _grid(plot: Plot, steps: int) -> list[str]:
    """Lines at parts of the arena, with their addresses."""
    lines = []
    for tick in range(TICKS + 1):
        address = plot.size * tick // TICKS
        y = plot.y(address)
        lines.append(f'<path class="grid" d="M{px(plot.left)} {px(y)}h{px(steps * plot.step)}"/>')
        lines.append(f'<text class="tick" x="{px(plot.left - BESIDE)}" y="{px(y + 4)}">{address:,}</text>')
    return lines


def _rectangle(plot: Plot, rectangle: Rectangle) -> list[str]:
    """A buffer, its name in it where there is room; the rest of it is said to whoever points at it."""
    label, role, first, last, offset, size = rectangle
    x, width = plot.x(first), (last - first + 1) * plot.step
    top, bottom = plot.y(offset + size), plot.y(offset)
    kind = f'class="{role}" ' if role else ""
    said = escape(f"{plain(label)}: {size:,} B at {offset:,}, operators {first} to {last}")
    place = f'x="{px(x)}" y="{px(top)}" width="{px(width)}" height="{px(bottom - top)}"'
    lines = [f"<rect {kind}{place}><title>{said}</title></rect>"]
    short = plain(label).rpartition(".")[2]
    if bottom - top >= LINE and width >= len(short) * LETTER:
        spot = f'x="{px(x + width / 2)}" y="{px((top + bottom) / 2 + 3.5)}"'
        lines.append(f'<text class="inside" {spot}>{escape(short)}</text>')
    return lines


def _alive(plot: Plot, alive: list[int]) -> str:
    """The bytes that are alive, as a staircase: what lies above it and below the highest buffer is a gap."""
    steps = [f"M{px(plot.left)} {px(plot.y(0))}"]
    steps += [f"V{px(plot.y(size))}H{px(plot.x(operator + 1))}" for operator, size in enumerate(alive)]
    return f'<path class="alive" d="{"".join(steps)}"/>'
