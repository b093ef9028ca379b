"""Networks drawn as Mermaid, DOT and SVG."""

from __future__ import annotations

import json
import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import load, loads
from convcalc.export.drawing import (
    MOST_THREADS,
    Arrow,
    Box,
    Drawing,
    dot,
    drawing,
    mermaid,
    nested_skips,
    place,
    place_as_u,
    svg,
)
from convcalc.export.python_code import plain
from convcalc.findings import UsageError

HOSTILE = [
    '"',
    "'",
    "\\",
    "a]b",
    "a)b",
    "<b>&amp;",
    "|x|",
    "`",
    "#35;",
    "--> z",
    "]]>",
    "\x1b[1m",
    "%%{init}%%",
    "a\nb",
    "層",
]


def boxes(*names: str) -> Drawing:
    found = [Box(name, "kind", "layer") for name in names]
    return Drawing("title", found, [Arrow(n, n + 1, (3, 8, 8)) for n in range(len(found) - 1)])


def test_a_stage_is_a_box() -> None:
    graph = drawing(load("googlenet"))
    names = [box.name for box in graph.boxes]
    assert names[:4] == ["input", "conv1", "pool1", "norm1"] and names[-2:] == ["head", "head"]
    assert graph.boxes[2].detail == "max_pool2d 3×3/2"
    assert graph.boxes[names.index("inception_3a")] == Box("inception_3a", "inception", "block")
    assert Arrow(0, 1, (3, 224, 224)) in graph.arrows


def test_a_layer_is_a_box() -> None:
    network = load("googlenet")
    graph = drawing(network, "layer")
    assert len(graph.boxes) == len(network.nodes) + len(network.outputs)
    assert len(graph.arrows) == sum(len(node.inputs) for node in network.nodes) + len(network.outputs)


@pytest.mark.parametrize("by", ["stage", "layer"])
@pytest.mark.parametrize("name", ["googlenet", "unet", "densenet"])
def test_a_picture_has_every_box_and_arrow(name: str, by: str) -> None:
    graph = drawing(load(name), by)  # type: ignore[arg-type]
    root = ElementTree.fromstring(svg(graph))
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}rect")) == len(graph.boxes) + 1
    assert len(root.findall(f"{space}path")) == len(graph.arrows)
    assert [text.text for text in root.findall(f"{space}text[@class='name']")] == [box.name for box in graph.boxes]
    assert len(re.findall(r"^    n\d+ -->", mermaid(graph), re.M)) == len(graph.arrows)
    assert len(re.findall(r"^    n\d+ -> n\d+ \[", dot(graph), re.M)) == len(graph.arrows)


@pytest.mark.parametrize("name", HOSTILE)
def test_texts_are_escaped(name: str) -> None:
    graph = boxes(plain(name), "b")
    shown = [e.text for e in ElementTree.fromstring(svg(graph)).iter() if e.get("class") == "name"]
    assert shown == [plain(name), "b"]
    (line,) = [line for line in mermaid(graph).splitlines() if line.startswith("    n0[")]
    inside = line.removeprefix('    n0["').removesuffix('<br>kind"]')
    assert re.fullmatch(r"(#\d+;|[^\"<>&`|\\\[\]()#%'])*", inside), inside
    assert re.search(r'^    n0 \[label="(\\.|[^"\\\n])*", shape=box\]$', dot(graph), re.M)


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    count = draw(st.integers(2, 25))
    found = [Box(f"b{n}", "x" * draw(st.integers(0, 30)), "layer") for n in range(count)]
    pairs = st.sampled_from(list(combinations(range(count), 2)))
    arrows = draw(st.lists(pairs, max_size=40, unique=True))
    return Drawing("d", found, [Arrow(a, b, (1,)) for a, b in arrows])


class TestPlacing:
    """Arrows lead down, and nothing overlaps in a row."""

    @settings(max_examples=60)
    @given(drawings())
    def test_rows(self, graph: Drawing) -> None:
        widths = [40.0 + len(box.detail) for box in graph.boxes]
        placed = place(graph, widths)
        for arrow, way in zip(graph.arrows, placed.ways, strict=True):
            rows = [placed.places[number].row for number in way]
            assert (way[0], way[-1]) == (arrow.source, arrow.target)
            assert rows == list(range(rows[0], rows[-1] + 1)) and len(rows) > 1
        for row in placed.rows:
            spots = sorted((placed.places[number] for number in row), key=lambda spot: spot.x)
            for left, right in pairwise(spots):
                assert left.x + left.width / 2 <= right.x - right.width / 2 + 1e-6
            assert not spots or spots[0].x - spots[0].width / 2 >= -1e-6
            assert not spots or spots[-1].x + spots[-1].width / 2 <= placed.width + 1e-6


def test_a_picture_of_too_many_long_arrows_is_refused() -> None:
    count = 700
    assert count * count / 2 > MOST_THREADS
    chain = [*[Arrow(n, n + 1, (1,)) for n in range(count - 1)], *[Arrow(n, count, (1,)) for n in range(count)]]
    with pytest.raises(UsageError, match="too many long arrows"):
        svg(Drawing("d", [Box("b", "k", "layer")] * (count + 1), chain))


def test_a_long_chain_is_drawn() -> None:
    network = loads(json.dumps({"convcalc": 1, "input": [4], "layers": [{"relu": {}, "repeat": 5000, "name": "r"}]}))
    assert svg(drawing(network, "layer")).count("<rect ") == 5003


def texts(graph: Drawing) -> list[ElementTree.Element]:
    return [e for e in ElementTree.fromstring(svg(graph)).iter() if "shape" in e.get("class", "").split()]


@pytest.mark.parametrize("name", ["googlenet", "unet"])
def test_labels_are_plain_text_beside_their_lines(name: str) -> None:
    """No stroke around the letters, which renderers without paint-order draw over them, and no text on a path."""
    picture = svg(drawing(load(name)))
    assert "paint-order" not in picture and "textPath" not in picture
    assert len(re.findall(r"stroke-width", picture)) == 0
    assert texts(drawing(load(name)))


def test_a_u_net_is_drawn_as_a_u() -> None:
    graph = drawing(load("unet"))
    names = [box.name for box in graph.boxes]
    widths = [100.0] * len(names)
    skips = nested_skips(graph)
    assert [(names[start], names[end]) for start, end in skips] == [(f"down{n}", f"up{n}") for n in range(4)]
    spots = dict(zip(names, place_as_u(graph, widths, skips), strict=True))
    for n in range(4):
        assert spots[f"down{n}"].row == spots[f"up{n}"].row and spots[f"down{n}"].x < spots[f"up{n}"].x
        assert spots[f"down{n}"].x < spots["bottom"].x < spots[f"up{n}"].x
    rows = [spots[name].row for name in names]
    lowest = names.index("bottom")
    assert spots["pool3"].x < spots["bottom"].x
    assert rows[:lowest] == sorted(rows[:lowest]) and rows[lowest + 1 :] == sorted(rows[lowest + 1 :], reverse=True)
    assert rows[lowest] == max(rows) and min(rows) == 0
    assert len({(spot.row, spot.x) for spot in spots.values()}) == len(set(names))


@pytest.mark.parametrize("name", ["resnet", "googlenet", "vgg", "densenet"])
def test_other_networks_are_no_u(name: str) -> None:
    assert nested_skips(drawing(load(name))) == []


@settings(max_examples=60)
@given(st.integers(2, 4), st.lists(st.integers(1, 3), min_size=10, max_size=10), st.integers(1, 4))
def test_every_u_has_its_boxes_apart(count: int, gaps: list[int], middle: int) -> None:
    """Uneven arms: a different number of boxes between the skips on both sides, at the bottom and at both ends."""
    starts, ends = [gaps[0]], [gaps[1]]
    for n in range(1, count):
        starts.append(starts[-1] + gaps[2 * n])
        ends.append(ends[-1] + gaps[2 * n + 1])
    size = starts[-1] + middle + 1 + ends[-1] + 1
    skips = [(start, size - 1 - end) for start, end in zip(starts, ends, strict=True)]
    found = [Box(f"b{n}", "k", "layer") for n in range(size)]
    chain = [Arrow(n, n + 1, (3, 8, 8)) for n in range(size - 1)]
    graph = Drawing("u", found, [*chain, *(Arrow(start, end, (4,)) for start, end in skips)])
    assert nested_skips(graph) == skips
    places = place_as_u(graph, [50.0] * size, skips)
    assert len({(spot.row, spot.x) for spot in places}) == size and min(spot.row for spot in places) == 0
    assert all(places[start].row == places[end].row for start, end in skips)
    assert svg(graph).count("<path d=") == len(graph.arrows) + 1
