"""Where the parts of a figure stand: in rows from left to right, or as a U with its pairs beside each other.

A figure is as wide as a page's text, so that its texts are read at that width.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, sqrt
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from .drawing import Arrow, Box, Drawing, nested_skips, rows_of_u, shape_text
from .figure_parts import Extent, Lead, Part, Role, extent, parts
from .python_code import plain

if TYPE_CHECKING:
    from ..network import Network

MOST_PARTS = 400
"""Stages of a figure: what a page can show is far less."""
PAGE = 720.0
"""The width in which rows of solids stand, unless what may not be parted is wider."""
OVER = 1.15
"""How much wider they may be where that saves a row."""
MARGIN, GAP = 14.0, 16.0
"""Around everything; between two labels of a row."""
HIGHEST, LOWEST, WIDEST, THINNEST = 104.0, 7.0, 56.0, 5.0
"""Of a solid."""
FLAT = 9.0
"""The width of a solid without a space, whose height says how many numbers it has."""
SLANT = 0.22
"""How much of the height that the width of the space would have leads back."""
MOST_SLICES = 24
NAME, TEXT = 11.0, 9.5
"""Sizes of letters."""
LINE = 12.0
"""From a line of a label to the next."""
LONGEST = 22
"""Letters of a text, before it is cut."""
LEVEL = 19.0
"""Between lines that lead over boxes."""
LEAST = 22.0
"""Of an arrow."""
INK, DIM = "#1b1f24", "#4d5761"
NAMES: dict[Role, str] = {
    "convolution": "convolution",
    "upsampling": "upsampling",
    "pooling": "pooling",
    "linear": "linear, attention",
    "join": "join",
    "other": "other",
}
"""Role -> what the legend says."""


class Rectangle(NamedTuple):
    """A place in the picture."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Rectangle) -> bool:
        """Whether they have more than a border in common."""
        return (
            self.left < other.right - 0.01
            and other.left < self.right - 0.01
            and self.top < other.bottom - 0.01
            and other.top < self.bottom - 0.01
        )


class Text(NamedTuple):
    """A line of a label."""

    content: str
    x: float
    y: float
    size: float
    anchor: str
    colour: str = DIM
    whole: str = ""
    """What was cut."""

    @property
    def place(self) -> Rectangle:
        """Where it stands, generously."""
        width = text_width(self.content, self.size)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Rectangle(left, self.y - 0.8 * self.size, left + width, self.y + 0.25 * self.size)


class Line(NamedTuple):
    """An arrow by its corners; its head is at the end."""

    corners: list[tuple[float, float]]
    dashed: bool = False
    """Whether it stands for what only lends its size."""


class Solid(NamedTuple):
    """The measures of a drawn tensor."""

    width: float
    height: float
    depth: float
    role: Role
    slices: int


@dataclass(slots=True)
class Drawn:
    """A part with its solids, and where their common middle stands."""

    part: Part
    solids: list[Solid]
    x: float = 0.0
    y: float = 0.0
    row: int = 0

    @property
    def width(self) -> float:
        """From the front's left to the back's right."""
        end = reach = 0.0
        for solid in self.solids:
            reach = max(reach, end + (self.depth + solid.depth) / 2 + solid.width)
            end += solid.width
        return reach

    @property
    def depth(self) -> float:
        """Of the deepest."""
        return max(solid.depth for solid in self.solids)

    @property
    def height(self) -> float:
        """From the front's bottom to the back's top."""
        return max(solid.height + solid.depth for solid in self.solids)

    @property
    def place(self) -> Rectangle:
        """Where its solids stand."""
        half = self.width / 2, self.height / 2
        return Rectangle(self.x - half[0], self.y - half[1], self.x + half[0], self.y + half[1])


@dataclass(slots=True)
class Figure:
    """A figure whose parts have their places."""

    title: str
    parts: list[Drawn]
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    """Parts of an encoder and of its decoder that stand beside each other."""
    legend: list[tuple[Role, float, float]] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def arranged(network: Network) -> Figure:
    """The figure of a network: as a U where one is found, else in rows."""
    found, leads = parts(network)
    if len(found) > MOST_PARTS:
        raise UsageError(f"{len(found)} stages are too many for a figure", "--style graph draws them")
    drawn = [Drawn(part, solids) for part, solids in zip(found, measured(found), strict=True)]
    made = Figure(plain(network.name), drawn)
    boxes = [Box(part.name, part.detail, "block") for part in found]
    skips = nested_skips(Drawing("", boxes, [Arrow(*lead[:3]) for lead in leads]))
    if skips:
        _as_u(made, leads, skips)
    else:
        _in_rows(made, [lead for lead in leads if not lead.lends])
    _legend(made)
    _moved(made)
    return made


def measured(found: Sequence[Part]) -> list[list[Solid]]:
    """The solids of parts: heights and depths by the root of the resolution, widths by that of the channels.

    All are shares of the largest of the network. Where there is no space, the height goes by the numbers.
    """
    every = [[part.extent, *(extent(slab.shape) for slab in part.slabs)] for part in found]
    maps = [each for several in every for each in several if each.space]
    most = max((each.channels for each in maps), default=1)
    side = max((max(each.height, each.width) for each in maps), default=1)
    longest = max((own.channels for own, *_ in every if not own.space), default=1)

    def solid(each: Extent, role: Role, repeats: int) -> Solid:
        if not each.space:
            height = LOWEST + (0.7 * HIGHEST - LOWEST) * sqrt(each.channels / longest)
            return Solid(FLAT, height, 3.0, role, 1)
        height = LOWEST + (HIGHEST - LOWEST) * sqrt(each.height / side)
        depth = SLANT * (LOWEST + (HIGHEST - LOWEST) * sqrt(each.width / side))
        width = THINNEST + (WIDEST - THINNEST) * sqrt(each.channels / most)
        return Solid(width, height, depth, role, repeats if 1 < repeats <= MOST_SLICES else 1)

    made = []
    for part, (own, *after) in zip(found, every, strict=True):
        slabs = [
            solid(each._replace(space=True), slab.role, 1)._replace(width=THINNEST)
            for slab, each in zip(part.slabs, after, strict=True)
        ]
        made.append([solid(own, part.role, part.repeats), *slabs])
    return made


def _label(part: Part) -> list[tuple[str, float, str]]:
    """The lines of a part's label: (text, size, colour)."""
    lines = [(part.name, NAME, INK), (part.detail, TEXT, DIM), (shape_text(part.shape), TEXT, DIM)]
    return [line for line in lines if line[0]]


def cut(text: str) -> str:
    """A text with … where it is too long for a label.

    >>> cut("short"), len(cut("long" * 20))
    ('short', 22)
    """
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def text_width(text: str, size: float) -> float:
    """The width of a text in letters of a size, as wide as DejaVu Sans: it stands where the named fonts are not.

    >>> text_width("128×280×280", 10) > 10 * (9 * 0.636 + 2 * 0.838)
    True
    """
    letters = sum(2.0 if unicodedata.east_asian_width(c) in "WF" else 1.3 if c in "mwMW%@×" else 1.0 for c in text)
    return 0.65 * size * letters


def _written(lines: Iterable[tuple[str, float, str]], x: float, y: float, anchor: str) -> list[Text]:
    """A label whose first line stands on y."""
    return [
        Text(cut(text), x, y + number * LINE, size, anchor, colour, text if cut(text) != text else "")
        for number, (text, size, colour) in enumerate(lines)
    ]


def _label_width(part: Part) -> float:
    return max(text_width(cut(text), size) for text, size, _ in _label(part))


def _in_rows(made: Figure, leads: Sequence[Lead]) -> None:
    """The parts from left to right in as few rows as fit the page; what skips some leads over them."""
    drawn = made.parts
    slots = [max(each.width + LEAST, _label_width(each.part) + GAP) for each in drawn]
    starts = _row_starts(slots, leads)
    skips = [lead for lead in leads if lead.target != lead.source + 1]
    levels = _levels(skips)
    top = MARGIN
    for row, (start, stop) in enumerate(zip(starts, [*starts[1:], len(drawn)], strict=True)):
        members = range(start, stop)
        inside = [(skip, level) for skip, level in zip(skips, levels, strict=True) if start <= skip.source < stop]
        above = LEVEL * max((level + 1 for _, level in inside), default=0)
        high = max(drawn[number].height for number in members)
        middle = top + above + high / 2
        x = MARGIN + LEAST
        for number in members:
            each = drawn[number]
            each.row, each.x, each.y = row, x + slots[number] / 2, middle
            made.texts += _written(_label(each.part), each.x, middle + high / 2 + LINE + 2, "middle")
            x += slots[number]
        _over(made, [(skip, middle - high / 2 - LEVEL * (level + 0.45)) for skip, level in inside])
        top = middle + high / 2 + 3 * LINE + 30
    direct = {(lead.source, lead.target) for lead in leads}
    for number, (one, other) in enumerate(pairwise(drawn)):
        if (number, number + 1) not in direct:
            continue
        if one.row == other.row:
            made.lines.append(Line([(one.place.right + 1, one.y), (other.place.left - 1, other.y)]))
        else:
            turn, begin = one.place.right + 12, other.place.left - 16
            ends = [each for each in drawn if each.row == one.row]
            below = one.y + max(each.height for each in ends) / 2 + 3 * LINE + 14
            turn = max(turn, max(text.place.right for text in made.texts if text.y < below and text.y > one.y) + 6)
            corners = [(one.place.right + 1, one.y), (turn, one.y), (turn, below), (begin, below), (begin, other.y)]
            made.lines.append(Line([*corners, (other.place.left - 1, other.y)]))


def _row_starts(slots: Sequence[float], leads: Sequence[Lead]) -> list[int]:
    """The parts with which rows begin: where no skip leads over, in as few rows as there have to be, evenly filled."""
    farthest = [0] * len(slots)
    for lead in leads:
        if lead.target != lead.source + 1:
            farthest[lead.source] = max(farthest[lead.source], lead.target)
    breaks, reach = [], 0
    for number in range(len(slots)):
        if max(reach, 1) < number < len(slots) - 1:
            # The first or the last part alone in a row would look lost.
            breaks.append(number)
        reach = max(reach, farthest[number])

    def filled(limit: float) -> list[int]:
        starts = [0]
        for number in range(1, len(slots)):
            end = next((b for b in breaks if b > number), len(slots))
            if number in breaks and sum(slots[starts[-1] : end]) > limit:
                starts.append(number)
        return starts

    page = PAGE - 2 * MARGIN - LEAST
    fewest = min(filled(page), filled(OVER * page), key=len)
    limit = sum(slots) / len(fewest)
    while len(filled(limit)) > len(fewest):
        limit += 8.0
    return filled(limit)


def _levels(skips: Sequence[Lead]) -> list[int]:
    """For each skip how far above the row it leads, so that none of two that overlap lies on the other."""
    order = sorted(range(len(skips)), key=lambda i: (skips[i].target - skips[i].source, i))
    levels = [0] * len(skips)
    for place, i in enumerate(order):
        taken = {
            levels[j] for j in order[:place] if skips[j].source < skips[i].target and skips[i].source < skips[j].target
        }
        levels[i] = next(level for level in range(len(skips) + 1) if level not in taken)
    return levels


def _over(made: Figure, skips: Sequence[tuple[Lead, float]]) -> None:
    """Arrows over the parts between their ends, each at its height, and what passes, written where no arrow crosses."""
    spans = []
    for skip, level in skips:
        one, other = made.parts[skip.source], made.parts[skip.target]
        begin, end = one.x + min(one.width / 4, 8), other.x - min(other.width / 4, 8)
        spans.append((begin, end, level))
        made.lines.append(Line([(begin, one.place.top - 1), (begin, level), (end, level), (end, other.place.top - 1)]))
    for (skip, _), (begin, end, level) in zip(skips, spans, strict=True):
        crossing = [x for *ends, height in spans if height < level for x in ends]
        text = Text(cut(shape_text(skip.shape)), (begin + end) / 2, level - 3, TEXT, "middle")
        places = [text._replace(x=begin + (end - begin) * share / 8) for share in (4, 3, 5, 2, 6)]
        free = [each for each in places if not any(each.place.left - 2 < x < each.place.right + 2 for x in crossing)]
        made.texts.append(free[0] if free else text)


def _as_u(made: Figure, leads: Sequence[Lead], skips: list[tuple[int, int]]) -> None:
    """The encoder down the left, the decoder up the right, both ends of each skip in one row, labels outside."""
    drawn = made.parts
    rows, bottom = rows_of_u(len(drawn), skips)
    made.pairs = skips
    lent = {(lead.source, lead.target) for lead in leads if lead.lends}
    shapes = {(lead.source, lead.target): cut(shape_text(lead.shape)) for lead in leads}
    sides = (range(bottom), range(bottom + 1, len(drawn)))
    wide = [max((drawn[i].width for i in side), default=0.0) for side in sides]
    outside = [max((_label_width(drawn[i].part) for i in side), default=0.0) + 10 for side in sides]
    between = max(*(text_width(shapes[skip], TEXT) + 40 for skip in skips), drawn[bottom].width + 2 * LEAST + 20, 120.0)
    left = MARGIN + outside[0] + wide[0] / 2
    right = left + wide[0] / 2 + between + wide[1] / 2
    top = MARGIN
    for row in range(max(rows) + 1):
        members = [number for number in range(len(drawn)) if rows[number] == row]
        high = max(max(drawn[number].height for number in members), 3 * LINE)
        for number in members:
            each = drawn[number]
            each.row, each.y = row, top + high / 2
            each.x = left if number < bottom else right if number > bottom else (left + right) / 2
            lines = _label(each.part)
            if number == bottom:
                made.texts += _written(lines, each.x, each.place.bottom + LINE + 2, "middle")
            else:
                first = each.y - (len(lines) - 1) * LINE / 2 + 4
                outer = left - wide[0] / 2 - 10 if number < bottom else right + wide[1] / 2 + 10
                made.texts += _written(lines, outer, first, "end" if number < bottom else "start")
        top += high + 26
    for one, other in skips:
        begin, end = drawn[one], drawn[other]
        ends = [(begin.place.right + 3, begin.y), (end.place.left - 3, end.y)]
        made.lines.append(Line(ends, dashed=(one, other) in lent))
        middle = (begin.place.right + end.place.left) / 2
        made.texts.append(Text(shapes[one, other], middle, begin.y - 4, TEXT, "middle"))
    for number, (former, latter) in enumerate(pairwise(drawn)):
        (x, y), (to_x, to_y) = (former.x, former.y), (latter.x, latter.y)
        if number + 1 < bottom:
            corners = [(x, former.place.bottom + 2), (x, latter.place.top - 2)]
        elif number > bottom:
            corners = [(x, former.place.top - 2), (x, latter.place.bottom + 2)]
        elif number + 1 == bottom:
            corners = [(x, former.place.bottom + 2), (x, to_y), (latter.place.left - 3, to_y)]
        else:
            corners = [(former.place.right + 3, y), (to_x, y), (to_x, latter.place.bottom + 2)]
        made.lines.append(Line(corners))


def _legend(made: Figure) -> None:
    """The colours that stand in it, and dashes, below everything."""
    used = {solid.role for each in made.parts for solid in each.solids}
    left, _, right, bottom = _bounds(made)
    x, y = left, bottom + 22
    entries: list[tuple[Role | None, str]] = [(role, name) for role, name in NAMES.items() if role in used]
    if any(line.dashed for line in made.lines):
        entries.append((None, "lends its size"))
    for role, name in entries:
        room = 18 + text_width(name, TEXT) + 14
        if x > left and x + room > max(right, left + 300):
            x, y = left, y + 16
        if role is None:
            made.lines.append(Line([(x - 2, y - 4), (x + 14, y - 4)], dashed=True))
        else:
            made.legend.append((role, x, y))
        made.texts.append(Text(name, x + 18, y, TEXT, "start"))
        x += room


def _bounds(made: Figure) -> Rectangle:
    """Where anything stands."""
    places = [*(each.place for each in made.parts), *(text.place for text in made.texts)]
    places += [Rectangle(x, y, x, y) for line in made.lines for x, y in line.corners]
    places += [Rectangle(x, y - 9, x + 12, y) for _, x, y in made.legend]
    return Rectangle(
        min(place.left for place in places),
        min(place.top for place in places),
        max(place.right for place in places),
        max(place.bottom for place in places),
    )


def _moved(made: Figure) -> None:
    """Bring everything to the margins, and measure the picture."""
    bounds = _bounds(made)
    dx, dy = MARGIN - bounds.left, MARGIN - bounds.top
    for each in made.parts:
        each.x, each.y = each.x + dx, each.y + dy
    made.lines = [line._replace(corners=[(x + dx, y + dy) for x, y in line.corners]) for line in made.lines]
    made.texts = [text._replace(x=text.x + dx, y=text.y + dy) for text in made.texts]
    made.legend = [(role, x + dx, y + dy) for role, x, y in made.legend]
    made.width = ceil(bounds.right - bounds.left + 2 * MARGIN)
    made.height = ceil(bounds.bottom - bounds.top + 2 * MARGIN)
