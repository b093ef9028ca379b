"""Drawings read back: which inputs each output reads, and by which weight, from the places of what is drawn alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SVG = "{http://www.w3.org/2000/svg}"
Place = tuple[int, int]
"""Column and row, in pixels."""


class Read(NamedTuple):
    """What a moving drawing shows."""

    outputs: set[Place]
    """The cells of the output, by row and column."""
    reads: dict[Place, dict[Place, int]]
    """Output -> each input that it reads, and the weight written at it (0 where none is)."""
    inputs: set[Place]
    unread: set[Place]
    """Inputs that are hatched."""
    filled: list[int]
    """Outputs that are filled at each step."""


def squares(data: str) -> Iterator[Place]:
    """The left upper corners of the squares of a path."""
    for x, y in re.findall(r"M(-?\d+) (-?\d+)h", data):
        yield int(x), int(y)


def of_class(root: Element, kind: str) -> list[Element]:
    return [element for element in root.iter() if element.get("class") == kind]


def cells(root: Element, kind: str) -> list[Place]:
    """All cells of a class, without those of the legend, which are rectangles."""
    return [place for path in of_class(root, kind) if path.tag == f"{SVG}path" for place in squares(path.get("d", ""))]


def _numbered(places: list[Place]) -> dict[Place, Place]:
    """Pixels -> (row, column), both counted from 0."""
    columns = {x: n for n, x in enumerate(sorted({x for x, _ in places}))}
    rows = {y: n for n, y in enumerate(sorted({y for _, y in places}))}
    return {(x, y): (rows[y], columns[x]) for x, y in places}


def _moves(element: Element, steps: int) -> list[Place]:
    """Where an element stands at each step: the first of its two values, and how long each is held."""
    motion = element.find(f"{SVG}animateTransform")
    if motion is None:
        return [(0, 0)] * steps
    values = [tuple(map(int, value.split())) for value in motion.attrib["values"].split(";")]
    times = [float(time) for time in motion.attrib["keyTimes"].split(";")]
    assert len(values) == len(times) == 2 * steps
    assert times[0] == 0 and times[-1] == 1 and times == sorted(times)
    assert values[::2] == values[1::2]
    return [(x, y) for x, y in values[::2]]


def _jumps(element: Element, attribute: str, steps: int) -> list[int]:
    for motion in element.findall(f"{SVG}animate"):
        if motion.get("attributeName") == attribute:
            return [int(value) for value in motion.attrib["values"].split(";")][:steps]
    return [int(element.attrib[attribute])] * steps


def framed(svg: str) -> list[set[Place]]:
    """The inputs within the frame of each step, of a drawing whose frame changes its size."""
    root = ElementTree.fromstring(svg)
    given = _numbered(cells(root, "input"))
    steps = len(cells(root, "pending"))
    (moving,) = of_class(root, "moving")
    frame = of_class(moving, "frame")[0]
    sides = zip(*(_jumps(frame, name, steps) for name in ("x", "y", "width", "height")), strict=True)
    return [
        {number for (left, top), number in given.items() if x <= left < x + wide and y <= top < y + high}
        for x, y, wide, high in sides
    ]


def read_back(svg: str) -> Read:
    """What a moving drawing shows, from its pixels."""
    root = ElementTree.fromstring(svg)
    made = _numbered(cells(root, "pending"))
    given = _numbered(cells(root, "input"))
    steps = len(made)
    (moving,) = of_class(root, "moving")
    (window,) = [group for group in moving.iter(f"{SVG}g") if group.get("id", "").endswith("-window")]
    (mover,) = [group for group in moving.iter(f"{SVG}g") if window in list(group)]
    (marker,) = of_class(moving, "marker")
    taps = list(squares(of_class(window, "tap")[0].attrib["d"]))
    side = int(marker.attrib["width"])
    numbers = [int(text.text or "") for text in of_class(window, "weight")] or [0] * len(taps)
    reads: dict[Place, dict[Place, int]] = {}
    start = int(marker.attrib["x"]), int(marker.attrib["y"])
    for (right, down), (x, y) in zip(_moves(mover, steps), _moves(marker, steps), strict=True):
        found = {}
        for (tap_x, tap_y), number in zip(taps, numbers, strict=True):
            place = given.get((tap_x + right, tap_y + down))
            if place is not None:
                found[place] = number
        reads[made[start[0] + x, start[1] + y]] = found
    rows, row = of_class(root, "done")
    heights, widths = _jumps(rows, "height", steps), _jumps(row, "width", steps)
    columns = 1 + max(column for _, column in made.values())
    filled = [h // side * columns + w // side for h, w in zip(heights, widths, strict=True)]
    unread = {given[place] for place in cells(root, "unread") if place in given}
    return Read(set(made.values()), reads, set(given.values()), unread, filled)
