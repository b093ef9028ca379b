"""A drawing as an SVG picture: boxes in rows, arrows between them, the shapes on the arrows."""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape

from .drawing import Drawing, shape_text
from .placing import ROW_GAP, Placing, place

HEIGHT, LETTER, MARGIN = 40.0, 7.2, 16.0
STYLE = """\
text { font: 12px sans-serif; text-anchor: middle; fill: #1f2328; }
.name { font-weight: bold; }
.shape { font-size: 10px; fill: #57606a; paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
rect { stroke: #57606a; fill: #ffffff; }
.input, .output { fill: #ddf4ff; }
.block { fill: #fff8c5; }
path { fill: none; stroke: #57606a; marker-end: url(#tip); }"""


def svg(drawing: Drawing) -> str:
    """The picture's text, complete with its style.

    >>> from .drawing import Arrow, Box
    >>> picture = svg(Drawing("N", [Box("a", "input", "input"), Box("b", "relu", "layer")], [Arrow(0, 1, (3, 8, 8))]))
    >>> picture.startswith("<svg"), "3×8×8</text>" in picture
    (True, True)
    """
    widths = [max(_columns(box.name), _columns(box.detail), 6) * LETTER + 16 for box in drawing.boxes]
    placed = place(drawing, widths)
    width = placed.width + 2 * MARGIN
    height = _top(len(placed.rows) - 1) + HEIGHT + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" '
        f'width="{_n(width)}" height="{_n(height)}" role="img">',
        f"<title>{escape(drawing.title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill: #57606a; stroke: none; marker-end: none"/></marker></defs>',
        f'<rect width="{_n(width)}" height="{_n(height)}" style="stroke: none"/>',
        *_arrows(drawing, placed),
        *_boxes(drawing, placed),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _arrows(drawing: Drawing, placed: Placing) -> list[str]:
    lines, texts = [], []
    written: dict[tuple[int, str], list[float]] = {}
    for arrow, way in zip(drawing.arrows, placed.ways, strict=True):
        spots = [placed.places[number] for number in way]
        x, y = spots[0].x + MARGIN, _top(spots[0].row) + HEIGHT
        steps = [f"M{_n(x)} {_n(y)}"]
        for spot in spots[1:]:
            to_x, to_y = spot.x + MARGIN, _top(spot.row)
            middle = (y + to_y) / 2
            steps.append(f"C{_n(x)} {_n(middle)} {_n(to_x)} {_n(middle)} {_n(to_x)} {_n(to_y)}")
            if spot is not spots[-1]:
                steps.append(f"V{_n(to_y + HEIGHT)}")
            x, y = to_x, to_y + HEIGHT
        lines.append(f'<path d="{"".join(steps)}"/>')
        first, second = spots[0], spots[1]
        label_x = (first.x + second.x) / 2 + MARGIN
        label_y = (_top(first.row) + HEIGHT + _top(second.row)) / 2 + 3
        text = shape_text(arrow.shape)
        beside = written.setdefault((arrow.source, text), [])
        if any(abs(x - label_x) < len(text) * LETTER for x in beside):
            continue
        beside.append(label_x)
        texts.append(f'<text class="shape" x="{_n(label_x)}" y="{_n(label_y)}">{text}</text>')
    return lines + texts


def _boxes(drawing: Drawing, placed: Placing) -> list[str]:
    lines = []
    for box, spot in zip(drawing.boxes, placed.places, strict=False):
        x, y = spot.x + MARGIN, _top(spot.row)
        round_ = HEIGHT / 2 if box.role in ("input", "output") else 4
        lines += [
            f'<rect class="{box.role}" x="{_n(x - spot.width / 2)}" y="{_n(y)}" width="{_n(spot.width)}" '
            f'height="{_n(HEIGHT)}" rx="{_n(round_)}"/>',
            f'<text class="name" x="{_n(x)}" y="{_n(y + 17)}">{escape(box.name)}</text>',
            f'<text x="{_n(x)}" y="{_n(y + 32)}">{escape(box.detail)}</text>',
        ]
    return lines


def _top(row: int) -> float:
    return MARGIN + row * (HEIGHT + ROW_GAP)


def _n(number: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{number:.1f}".removesuffix(".0")


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
