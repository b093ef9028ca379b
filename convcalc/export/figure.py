"""A network as a figure for a paper: solids as high as the resolution and as wide as the channels.

The picture is plain SVG 1.1 of polygons, lines and texts with attributes alone: no style sheet, no marker, no script,
so that browsers, Inkscape, CairoSVG, resvg and what makes PDF of it draw the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .drawing import px
from .figure_layout import DIM, NAME, Drawn, Figure, Line, Solid, Text, arranged

if TYPE_CHECKING:
    from ..network import Network
    from .figure_parts import Role

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
EDGE = "#333a42"
COLOURS: dict[Role, str] = {
    "input": "#f2f4f6",
    "convolution": "#f6d59b",
    "upsampling": "#9fcdea",
    "pooling": "#e58f86",
    "linear": "#c3b3e0",
    "join": "#b9dfae",
    "other": "#dfe3e7",
}
"""Role -> the colour of the front."""


def figure(network: Network) -> str:
    """The picture's text. Raises UsageError for more stages than a figure can show.

    >>> from convcalc import loads
    >>> picture = figure(loads("{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 3}}]}"))
    >>> picture.startswith("<svg"), ">3×3 conv</text>" in picture, ">4×6×6</text>" in picture
    (True, True, True)
    """
    return written(arranged(network))


def written(made: Figure) -> str:
    """A figure as SVG."""
    size = f"{px(made.width)} {px(made.height)}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{px(made.width)}" '
        f'height="{px(made.height)}" role="img" font-family="{FONT}">',
        f"<title>{escape(made.title)}</title>",
        f'<rect width="{px(made.width)}" height="{px(made.height)}" fill="#ffffff"/>',
        *(text for line in made.lines for text in _arrow(line)),
        *(text for each in made.parts for text in _solids(each)),
        *(
            f'<rect x="{px(x)}" y="{px(y - 9)}" width="12" height="10" fill="{COLOURS[role]}" stroke="{EDGE}" '
            'stroke-width="0.6"/>'
            for role, x, y in made.legend
        ),
        *(_text(text) for text in made.texts),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _text(text: Text) -> str:
    bold = ' font-weight="bold"' if text.size == NAME else ""
    whole = f"<title>{escape(text.whole)}</title>" if text.whole else ""
    return (
        f'<text x="{px(text.x)}" y="{px(text.y)}" font-size="{px(text.size)}" text-anchor="{text.anchor}" '
        f'fill="{text.colour}"{bold}>{whole}{escape(text.content)}</text>'
    )


def _arrow(line: Line) -> Iterator[str]:
    """A line with its head, which is a shape of its own: markers take no part in what some programs draw."""
    (bx, by), (x, y) = line.corners[-2:]
    length = max(sqrt((x - bx) ** 2 + (y - by) ** 2), 0.001)
    ux, uy = (x - bx) / length, (y - by) / length
    shaft = [*line.corners[:-1], (x - 5 * ux, y - 5 * uy)]
    points = " ".join(f"{px(a)},{px(b)}" for a, b in shaft)
    dashes = ' stroke-dasharray="4 3"' if line.dashed else ""
    yield f'<polyline points="{points}" fill="none" stroke="{DIM}" stroke-width="1"{dashes}/>'
    head = ((x, y), (x - 7 * ux - 3 * uy, y - 7 * uy + 3 * ux), (x - 7 * ux + 3 * uy, y - 7 * uy - 3 * ux))
    yield f'<polygon points="{" ".join(f"{px(a)},{px(b)}" for a, b in head)}" fill="{DIM}"/>'


def _solids(each: Drawn) -> Iterator[str]:
    """The solids of a part behind each other, their middles on one line."""
    left = each.place.left
    for solid in each.solids:
        back = (each.depth - solid.depth) / 2
        x, bottom = left + back, each.y + (solid.height + solid.depth) / 2
        yield from _faces(solid, x, bottom)
        left += solid.width


def _faces(solid: Solid, x: float, bottom: float) -> Iterator[str]:
    """The front, the top and the side of a solid, and the lines between its slices."""
    width, height, depth = solid.width, solid.height, solid.depth
    top, right, colour = bottom - height, x + width, COLOURS[solid.role]
    faces = (
        ([(x, bottom), (right, bottom), (right, top), (x, top)], colour),
        ([(x, top), (right, top), (right + depth, top - depth), (x + depth, top - depth)], _mixed(colour, 255, 0.35)),
        (
            [(right, bottom), (right + depth, bottom - depth), (right + depth, top - depth), (right, top)],
            _mixed(colour, 0, 0.18),
        ),
    )
    for points, fill in faces:
        text = " ".join(f"{px(a)},{px(b)}" for a, b in points)
        yield f'<polygon points="{text}" fill="{fill}" stroke="{EDGE}" stroke-width="0.6" stroke-linejoin="round"/>'
    if solid.slices > 1 and width / solid.slices >= 1.5:
        for number in range(1, solid.slices):
            at = x + width * number / solid.slices
            fold = f"{px(at)},{px(bottom)} {px(at)},{px(top)} {px(at + depth)},{px(top - depth)}"
            yield f'<polyline points="{fold}" fill="none" stroke="{EDGE}" stroke-width="0.4"/>'


def _mixed(colour: str, with_: int, share: float) -> str:
    """A colour so much nearer to a grey: 255 is white, 0 is black."""
    found = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + (with_ - part) * share):02x}" for part in found)
