"""Drawings of networks: boxes of stages or layers and arrows with shapes, as Mermaid, in DOT and as an SVG picture."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple
from xml.sax.saxutils import escape

from ..findings import UsageError
from .python_code import plain

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape
    from ..network import Group, Network

Role = Literal["input", "layer", "block", "output"]

DOT_SHAPES = {"input": "ellipse", "output": "ellipse", "layer": "box", "block": "box3d"}
"""Role -> the shape of its box in DOT."""
HEIGHT, LETTER, SMALL_LETTER, MARGIN = 40.0, 7.2, 6.2, 16.0
ROW_GAP, GAP, THREAD = 44.0, 24.0, 12.0
"""Between rows, between boxes of a row, and the width of an arrow's gap in a row that it passes."""
BESIDE = 5.0
"""Between a line and the text beside it."""
MOST_THREADS = 200_000
"""Rows that arrows may pass, all together: what a drawing can show is far less."""
STYLE = """\
text { font: 12px sans-serif; text-anchor: middle; fill: #1f2328; }
.name { font-weight: bold; }
.shape { font-size: 10px; text-anchor: start; fill: #57606a; }
.above { text-anchor: middle; }
rect { stroke: #57606a; fill: #ffffff; }
.input, .output { fill: #ddf4ff; }
.block { fill: #fff8c5; }
path { fill: none; stroke: #57606a; marker-end: url(#tip); }"""


class Box(NamedTuple):
    """A stage, a layer, an input or an output."""

    name: str
    detail: str
    """The layer's kind and window, or the block's name."""
    role: Role


class Arrow(NamedTuple):
    """From box to box (by number), with the shape that passes."""

    source: int
    target: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes in the order of execution, so that arrows lead from lower to higher numbers."""

    title: str
    boxes: list[Box]
    arrows: list[Arrow]


def shape_text(shape: Shape) -> str:
    """A shape as it stands at an arrow.

    >>> shape_text((64, 56, 56))
    '64×56×56'
    """
    return "×".join(map(str, shape)) or "[]"


def drawing(network: Network, by: Literal["stage", "layer"] = "stage") -> Drawing:
    """The network's stages or layers as boxes, its outputs named at the end."""
    nodes = network.nodes
    box_of = [-1] * len(nodes)
    boxes: list[Box] = []
    for index, node in enumerate(nodes):
        if node.layer is None:
            box_of[index] = len(boxes)
            boxes.append(Box(plain(node.name), "input", "input"))
    if by == "layer":
        for index, node in enumerate(nodes):
            if node.layer is not None:
                box_of[index] = len(boxes)
                boxes.append(Box(plain(node.name), kind_and_window(node.layer), "layer"))
    else:
        for name, members, _ in network.stages():
            group = network.groups.get(name)
            for index in members:
                box_of[index] = len(boxes)
            layer = nodes[members[0]].layer
            if group is None or len(members) == 1:
                boxes.append(Box(plain(name), kind_and_window(layer), "layer"))
            else:
                boxes.append(Box(plain(name), plain(content(network, group)), "block"))
    arrows = {
        (box_of[source], box_of[index], source): Arrow(box_of[source], box_of[index], nodes[source].shape)
        for index, node in enumerate(nodes)
        for source in node.inputs
        if box_of[source] != box_of[index]
    }
    found = list(arrows.values())
    for output in network.outputs:
        found.append(Arrow(box_of[output.node], len(boxes), nodes[output.node].shape))
        boxes.append(Box(plain(output.name), "output", "output"))
    return Drawing(plain(network.name), boxes, found)


def content(network: Network, group: Group) -> str:
    """What a stage is made of: its block, how many layers, or what is repeated."""
    if not group.is_repeat:
        return f"{group.stop - group.start} layers" if group.kind == "layers" else group.kind
    first = network.nodes[group.start]
    number = first.name[len(group.path) + 1 :].partition(".")[0]
    each = network.groups.get(f"{group.path}.{number}")
    return f"{group.repeats} × {kind_and_window(first.layer) if each is None else content(network, each)}"


def kind_and_window(layer: Layer | None) -> str:
    """The kind, with kernel and stride where it has them: `conv2d 7×7/2`."""
    assert layer is not None, "an input is no stage"
    patch = layer.patch
    if patch is None:
        return plain(layer.kind)
    stride = set(patch.stride)
    step = f"/{stride.pop()}" if len(stride) == 1 else f"/{'×'.join(map(str, patch.stride))}"
    return f"{layer.kind} {'×'.join(map(str, patch.kernel_size))}{'' if step == '/1' else step}"


def mermaid(drawing: Drawing) -> str:
    """The text of a flowchart, top down; put it between ```mermaid and ```.

    >>> print(mermaid(Drawing("N", [Box("a", "input", "input"), Box("b", "relu", "layer")], [Arrow(0, 1, (3,))])))
    flowchart TD
        n0(["a<br>input"])
        n1["b<br>relu"]
        n0 -->|"3"| n1
    <BLANKLINE>
    """
    lines = ["flowchart TD"]
    for number, box in enumerate(drawing.boxes):
        opening, closing = {"input": ("([", "])"), "output": ("([", "])"), "block": ("[[", "]]")}.get(
            box.role, ("[", "]")
        )
        lines.append(f'    n{number}{opening}"{_mermaid_text(box.name)}<br>{_mermaid_text(box.detail)}"{closing}')
    lines += [f'    n{a.source} -->|"{shape_text(a.shape)}"| n{a.target}' for a in drawing.arrows]
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """Text inside quotes: what Mermaid or the HTML it makes would read is written as its entity's number."""
    return "".join(f"#{ord(c)};" if c in "#&<>\"'`|\\;[](){}%*_~\n" and c != "_" else c for c in text)


def dot(drawing: Drawing) -> str:
    """The text of a digraph, top down.

    >>> print(dot(Drawing("N", [Box("a", "input", "input"), Box("b", "relu", "layer")], [Arrow(0, 1, (3,))])))
    digraph "N" {
        node [fontname="sans-serif", shape=box]
        edge [fontname="sans-serif", fontsize=10]
        n0 [label="a\\ninput", shape=ellipse]
        n1 [label="b\\nrelu", shape=box]
        n0 -> n1 [label="3"]
    }
    <BLANKLINE>
    """
    lines = [
        f'digraph "{_dot_text(drawing.title)}" {{',
        '    node [fontname="sans-serif", shape=box]',
        '    edge [fontname="sans-serif", fontsize=10]',
    ]
    for number, box in enumerate(drawing.boxes):
        label = f"{_dot_text(box.name)}\\n{_dot_text(box.detail)}"
        lines.append(f'    n{number} [label="{label}", shape={DOT_SHAPES[box.role]}]')
    lines += [f'    n{a.source} -> n{a.target} [label="{shape_text(a.shape)}"]' for a in drawing.arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_text(text: str) -> str:
    """Text inside quotes: a backslash would begin one of DOT's escapes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def svg(drawing: Drawing) -> str:
    """The picture's text, complete with its style.

    >>> picture = svg(Drawing("N", [Box("a", "input", "input"), Box("b", "relu", "layer")], [Arrow(0, 1, (3, 8, 8))]))
    >>> picture.startswith("<svg"), "3×8×8</text>" in picture
    (True, True)
    """
    widths = [max(_columns(box.name), _columns(box.detail), 6) * LETTER + 16 for box in drawing.boxes]
    skips = nested_skips(drawing)
    if skips:
        places = place_as_u(drawing, widths, skips)
        extent, rows = max(spot.x + spot.width / 2 for spot in places), max(spot.row for spot in places) + 1
        arrows, reach = _u_arrows(drawing, places)
    else:
        placed = place(drawing, widths)
        places, extent, rows = placed.places, placed.width, len(placed.rows)
        arrows, reach = _arrows(drawing, placed)
    width = max(extent + 2 * MARGIN, reach + MARGIN)
    height = _top(rows - 1) + HEIGHT + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {px(width)} {px(height)}" '
        f'width="{px(width)}" height="{px(height)}" role="img">',
        f"<title>{escape(drawing.title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill: #57606a; stroke: none; marker-end: none"/></marker></defs>',
        f'<rect width="{px(width)}" height="{px(height)}" style="stroke: none"/>',
        *arrows,
        *_boxes(drawing, places),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _arrows(drawing: Drawing, placed: Placing) -> tuple[list[str], float]:
    """(the arrows and their texts, where the last text ends)."""
    lines, texts, reach = [], [], 0.0
    written: dict[tuple[int, str], list[float]] = {}
    for arrow, way in zip(drawing.arrows, placed.ways, strict=True):
        spots = [placed.places[number] for number in way]
        x, y = spots[0].x + MARGIN, _top(spots[0].row) + HEIGHT
        steps = [f"M{px(x)} {px(y)}"]
        for spot in spots[1:]:
            to_x, to_y = spot.x + MARGIN, _top(spot.row)
            middle = (y + to_y) / 2
            steps.append(f"C{px(x)} {px(middle)} {px(to_x)} {px(middle)} {px(to_x)} {px(to_y)}")
            if spot is not spots[-1]:
                steps.append(f"V{px(to_y + HEIGHT)}")
            x, y = to_x, to_y + HEIGHT
        lines.append(f'<path d="{"".join(steps)}"/>')
        first, second = spots[0], spots[1]
        label_x = (first.x + second.x) / 2 + MARGIN + BESIDE
        label_y = (_top(first.row) + HEIGHT + _top(second.row)) / 2 + 3
        text = shape_text(arrow.shape)
        beside = written.setdefault((arrow.source, text), [])
        if any(abs(x - label_x) < len(text) * LETTER for x in beside):
            continue
        beside.append(label_x)
        reach = max(reach, label_x + len(text) * SMALL_LETTER)
        texts.append(f'<text class="shape" x="{px(label_x)}" y="{px(label_y)}">{text}</text>')
    return lines + texts, reach


def _boxes(drawing: Drawing, places: list[Place]) -> list[str]:
    lines = []
    for box, spot in zip(drawing.boxes, places, strict=False):
        x, y = spot.x + MARGIN, _top(spot.row)
        round_ = HEIGHT / 2 if box.role in ("input", "output") else 4
        lines += [
            f'<rect class="{box.role}" x="{px(x - spot.width / 2)}" y="{px(y)}" width="{px(spot.width)}" '
            f'height="{px(HEIGHT)}" rx="{px(round_)}"/>',
            f'<text class="name" x="{px(x)}" y="{px(y + 17)}">{escape(box.name)}</text>',
            f'<text x="{px(x)}" y="{px(y + 32)}">{escape(box.detail)}</text>',
        ]
    return lines


def _top(row: int) -> float:
    return MARGIN + row * (HEIGHT + ROW_GAP)


def px(number: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{number:.1f}".removesuffix(".0")


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@dataclass(slots=True)
class Place:
    """A box or an arrow's gap: its row, its width, and the centre that it gets."""

    row: int
    width: float
    x: float = 0.0


@dataclass(slots=True)
class Placing:
    """The places of all boxes, then of the gaps; the way of each arrow through them, both ends included."""

    places: list[Place]
    ways: list[list[int]]
    rows: list[list[int]]
    width: float


def place(drawing: Drawing, widths: list[float]) -> Placing:
    """Rows by the longest path; within a row everything as near to what feeds it as room allows.

    Raises UsageError where arrows pass more rows than a drawing can show.
    """
    rows_of = [0] * len(drawing.boxes)
    for arrow in sorted(drawing.arrows, key=lambda arrow: arrow.target):
        rows_of[arrow.target] = max(rows_of[arrow.target], rows_of[arrow.source] + 1)
    passed = sum(rows_of[a.target] - rows_of[a.source] - 1 for a in drawing.arrows)
    if passed > MOST_THREADS:
        raise UsageError("too many long arrows for a picture", "--by stage draws one box a stage")
    places = [Place(row, width) for row, width in zip(rows_of, widths, strict=True)]
    ways: list[list[int]] = []
    for arrow in drawing.arrows:
        way = [arrow.source]
        for row in range(rows_of[arrow.source] + 1, rows_of[arrow.target]):
            way.append(len(places))
            places.append(Place(row, THREAD))
        ways.append([*way, arrow.target])
    rows: list[list[int]] = [[] for _ in range(max(rows_of, default=0) + 1)]
    for number, spot in enumerate(places):
        rows[spot.row].append(number)
    _spread(places, ways, rows)
    left = min((spot.x - spot.width / 2 for spot in places), default=0.0)
    for spot in places:
        spot.x -= left
    return Placing(places, ways, rows, max((spot.x + spot.width / 2 for spot in places), default=0.0))


def _spread(places: list[Place], ways: list[list[int]], rows: list[list[int]]) -> None:
    """Down, up and down again: each row beside the centres of its neighbours."""
    above: list[list[int]] = [[] for _ in places]
    below: list[list[int]] = [[] for _ in places]
    for way in ways:
        for upper, lower in pairwise(way):
            above[lower].append(upper)
            below[upper].append(lower)
    for row in rows:
        _arrange(places, row, above)
    for _ in range(2):
        for row in reversed(rows):
            _arrange(places, row, below)
        for row in rows:
            _arrange(places, row, above)


def _arrange(places: list[Place], row: list[int], neighbours: list[list[int]]) -> None:
    """Order a row by where its neighbours stand, push apart what overlaps, and centre what was pushed."""
    wanted = {
        number: sum(places[n].x for n in neighbours[number]) / len(neighbours[number])
        if neighbours[number]
        else places[number].x
        for number in row
    }
    row.sort(key=lambda number: wanted[number])
    edge = float("-inf")
    for number in row:
        spot = places[number]
        spot.x = max(wanted[number], edge + spot.width / 2)
        edge = spot.x + spot.width / 2 + GAP
    shift = sum(places[number].x - wanted[number] for number in row) / len(row)
    for number in row:
        places[number].x -= shift


def nested_skips(drawing: Drawing) -> list[tuple[int, int]]:
    """The connections from an encoder to its decoder, outermost first; empty where the network is no U.

    It is one where the boxes are a chain, and at least two more arrows stand inside one another.

    >>> chain = [Arrow(n, n + 1, (1,)) for n in range(6)]
    >>> nested_skips(Drawing("U", [Box("b", "k", "layer")] * 7, [*chain, Arrow(1, 5, (1,)), Arrow(2, 4, (1,))]))
    [(1, 5), (2, 4)]
    """
    pairs = {(arrow.source, arrow.target) for arrow in drawing.arrows}
    chain = {(number, number + 1) for number in range(len(drawing.boxes) - 1)}
    skips = sorted(pairs - chain)
    nested = all(inner[0] > outer[0] and inner[1] < outer[1] for outer, inner in pairwise(skips))
    return skips if chain <= pairs and len(skips) > 1 and nested else []


def rows_of_u(count: int, skips: list[tuple[int, int]]) -> tuple[list[int], int]:
    """(the rows of boxes in a chain whose `nested_skips` these are, the box at the bottom).

    The encoder goes down on the left, the decoder up on the right; both ends of a skip stand in one row.

    >>> rows_of_u(7, [(1, 5), (2, 4)])
    ([0, 1, 2, 3, 2, 1, 0], 3)
    """
    top, last = skips[0]
    row = {number: number for number in range(top + 1)}
    row |= {number: top - (number - last) for number in range(last, count)}
    for (start, end), (inner_start, inner_end) in pairwise(skips):
        base, steps = row[start], max(inner_start - start, end - inner_end)
        row |= {start + step: base + step for step in range(1, inner_start - start)}
        row |= {end - step: base + step for step in range(1, end - inner_end)}
        row[inner_start] = row[inner_end] = base + steps
    start, end = skips[-1]
    middle = start + (end - start - 1) // 2 + 1
    row |= {number: row[start] + number - start for number in range(start + 1, middle + 1)}
    row |= {number: row[start] + end - number for number in range(middle + 1, end)}
    above = min(row.values())
    return [row[number] - above for number in range(count)], middle


def place_as_u(drawing: Drawing, widths: list[float], skips: list[tuple[int, int]]) -> list[Place]:
    """The places of the boxes of `rows_of_u`, the bottom one between the two sides."""
    rows, middle = rows_of_u(len(drawing.boxes), skips)
    left, right = max(widths[:middle]), max(widths[middle + 1 :])
    label = max(len(shape_text(arrow.shape)) for arrow in drawing.arrows) * SMALL_LETTER
    between = max(label, widths[middle]) + 2 * GAP
    return [
        Place(
            rows[number],
            width,
            left / 2 if number < middle else left + between / 2 if number == middle else left + between + right / 2,
        )
        for number, width in enumerate(widths)
    ]


def _u_arrows(drawing: Drawing, places: list[Place]) -> tuple[list[str], float]:
    """The same of straight lines: down, up, across, and around the corners at the bottom."""
    lines, texts, reach = [], [], 0.0
    for arrow in drawing.arrows:
        source, target = places[arrow.source], places[arrow.target]
        x, to_x = source.x + MARGIN, target.x + MARGIN
        y, to_y = _top(source.row), _top(target.row)
        text = shape_text(arrow.shape)
        if source.row == target.row:
            begin, end, level = x + source.width / 2, to_x - target.width / 2, y + HEIGHT / 2
            lines.append(f'<path d="M{px(begin)} {px(level)}H{px(end)}"/>')
            spot = f'class="shape above" x="{px((begin + end) / 2)}" y="{px(level - BESIDE)}"'
        else:
            down = target.row > source.row
            begin, end = (y + HEIGHT, to_y) if down else (y, to_y + HEIGHT)
            beside = x
            if x == to_x:
                lines.append(f'<path d="M{px(x)} {px(begin)}V{px(end)}"/>')
            elif down:
                end = to_y + HEIGHT / 2
                lines.append(f'<path d="M{px(x)} {px(begin)}V{px(end)}H{px(to_x - target.width / 2)}"/>')
            else:
                begin, beside = y + HEIGHT / 2, to_x
                lines.append(f'<path d="M{px(x + source.width / 2)} {px(begin)}H{px(to_x)}V{px(end)}"/>')
            spot = f'class="shape" x="{px(beside + BESIDE)}" y="{px((begin + end) / 2 + 3)}"'
            reach = max(reach, beside + BESIDE + len(text) * SMALL_LETTER)
        texts.append(f"<text {spot}>{text}</text>")
    return lines + texts, reach
