"""The cells that are drawn, read back from the SVG, against `invert` and against the NumPy reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from convcalc import draw, invert
from convcalc.analysis.drawn import drawn_axis, drawn_layer, window_axes
from convcalc.api.draw import Drawing
from convcalc.geometry import effective_kernel
from convcalc.layers.base import Layer
from convcalc.layers.registry import build
from convcalc.reference import forward
from convcalc.reference.identity import matrix, scattered

from .drawn_pictures import SVG, Read, framed, read_back

Window = tuple[int, int, int, int]
WINDOWS: list[Window] = [(k, s, d, p) for k, s, d in product(range(1, 8), range(1, 5), range(1, 4)) for p in range(k)]
"""Every k ≤ 7, s ≤ 4, d ≤ 3 and p < k."""
Weights = NDArray[np.float64]


def convolution(size: int, window: Window, after: int | None = None) -> Weights:
    """[outputs, inputs]: the weight by which an output reads an input, of the weights 1, 2, 3, …; by unit vectors."""
    k, s, d, p = window
    return matrix(size, np.arange(1.0, k + 1), s, p, p if after is None else after, d)


def transposed(size: int, output: int, window: Window) -> Weights:
    """The same of a transposed convolution, which writes each of its inputs through the kernel."""
    k, s, d, p = window
    columns = [scattered(unit, np.arange(1.0, k + 1), s, p, output, d) for unit in np.eye(size)]
    return np.stack(columns, axis=1)


def read_of(weights: Weights) -> dict[tuple[int, int], dict[tuple[int, int], int]]:
    """What each output of one axis reads, as a drawing shows it."""
    return {(0, q): {(0, i): int(weight) for i, weight in enumerate(row) if weight} for q, row in enumerate(weights)}


def crossed(down: Weights, across: Weights) -> dict[tuple[int, int], set[tuple[int, int]]]:
    """The inputs that each output of two axes reads."""
    return {
        (r, c): {(int(y), int(x)) for y in np.flatnonzero(down[r]) for x in np.flatnonzero(across[c])}
        for r in range(len(down))
        for c in range(len(across))
    }


def judge(found: Read, weights: Weights) -> None:
    """A drawing of one axis has the cells of the reference, their weights, and hatches what nobody reads."""
    outputs, inputs = weights.shape
    assert found.outputs == {(0, q) for q in range(outputs)}
    assert found.inputs == {(0, i) for i in range(inputs)}
    assert found.filled == list(range(1, outputs + 1))
    unread = {(0, i) for i in range(inputs) if not weights[:, i].any()}
    assert found.unread == unread
    numbered = all(number for read in found.reads.values() for number in read.values())
    wanted = read_of(weights)
    assert (
        found.reads == wanted
        if numbered
        else {q: set(r) for q, r in found.reads.items()} == {q: set(r) for q, r in wanted.items()}
    )


def sizes(window: Window) -> Iterator[int]:
    """Sizes of every remainder, from the smallest that is drawn without being asked for."""
    k, s, d, p = window
    first = max(1, 2 * s + effective_kernel(k, d) - 2 * p)
    yield from range(first, first + s)


class TestOneAxis:
    @pytest.mark.parametrize("k", range(1, 8))
    def test_a_convolution_reads_what_the_reference_reads_and_has_the_outputs_of_invert(self, k: int) -> None:
        for window in (window for window in WINDOWS if window[0] == k):
            _, s, d, p = window
            for size in sizes(window):
                found = read_back(draw(kernel=k, stride=s, padding=p, dilation=d, size=size, dims=1).svg)
                judge(found, convolution(size, window))
                (row,) = invert(k, s, p, d, [size]).sizes[0]
                assert len(found.outputs) == row.conv_output

    @pytest.mark.parametrize("k", range(1, 8))
    @pytest.mark.slow
    def test_a_transposed_one_writes_what_the_reference_writes_and_gives_back_the_size_of_invert(self, k: int) -> None:
        for window in (window for window in WINDOWS if window[0] == k):
            _, s, d, p = window
            for size in sizes(window):
                (row,) = invert(k, s, p, d, [size]).sizes[0]
                drawing = draw(
                    kernel=k,
                    stride=s,
                    padding=p,
                    dilation=d,
                    size=row.conv_output,
                    transposed=True,
                    output_padding=row.output_padding,
                    dims=1,
                )
                found = read_back(drawing.svg)
                judge(found, transposed(row.conv_output, size, window))
                assert len(found.outputs) == row.restored == size
                counts = drawing.drawn.axes[0].counts
                assert counts == tuple(len(found.reads[0, q]) for q in range(size))

    def test_padding_may_differ_before_and_after(self) -> None:
        for k, s, before, after in product((2, 3, 5), (1, 2, 3), range(3), range(3)):
            size = 9
            found = read_back(draw(kernel=k, stride=s, padding=(before, after), size=size, dims=1).svg)
            judge(found, convolution(size, (k, s, 1, before), after))


class TestTwoAxes:
    @pytest.mark.slow
    @pytest.mark.parametrize("k", range(1, 8))
    def test_each_window_beside_another_one(self, k: int) -> None:
        for number, window in enumerate(WINDOWS):
            if window[0] == k:
                self.judge_pair(window, WINDOWS[number * 37 % len(WINDOWS)])

    @pytest.mark.parametrize("number", range(0, len(WINDOWS), 29))
    def test_some_windows_beside_others(self, number: int) -> None:
        self.judge_pair(WINDOWS[number], WINDOWS[number * 37 % len(WINDOWS)])

    @staticmethod
    def judge_pair(down: Window, across: Window) -> None:
        k, s, d, p = map(list, zip(down, across, strict=True))
        plain = draw(kernel=k, stride=s, padding=p, dilation=d)
        a, b = plain.drawn.axes
        found = read_back(plain.svg)
        assert not plain.drawn.excerpt
        wanted = crossed(convolution(a.size, down), convolution(b.size, across))
        assert {place: set(read) for place, read in found.reads.items()} == wanted
        assert found.outputs == set(wanted)
        other = draw(kernel=k, stride=s, padding=p, dilation=d, transposed=True)
        a, b = other.drawn.axes
        found = read_back(other.svg)
        wanted = crossed(transposed(a.size, a.output, down), transposed(b.size, b.output, across))
        assert {place: set(read) for place, read in found.reads.items()} == wanted

    def test_the_layer_of_the_reference_gives_the_same_for_an_image(self) -> None:
        fields = {
            "out_channels": 1,
            "kernel_size": [3, 2],
            "stride": [2, 1],
            "padding": [[1, 0], [0, 1]],
            "bias": False,
        }
        layer = build("conv2d", {**fields, "dilation": [1, 2]})
        found = read_back(
            draw(kernel=[3, 2], stride=[2, 1], padding=[(1, 0), (0, 1)], dilation=[1, 2], size=[6, 5]).svg
        )
        units = np.eye(30).reshape(30, 1, 6, 5)
        weight = np.arange(1.0, 7).reshape(1, 1, 3, 2)
        images = np.asarray(forward(layer, (units,), {"weight": weight}))[:, 0]
        for row, column in product(range(images.shape[1]), range(images.shape[2])):
            wanted = {(n // 5, n % 5): int(images[n, row, column]) for n in range(30) if images[n, row, column]}
            assert found.reads[row, column] == wanted


SPACE = (5, 7)
"""Of the layers below, of which each axis has another pattern."""


def read_by(layer: Layer, channels: int) -> dict[tuple[int, int], set[tuple[int, int]]]:
    """Which inputs each output of a layer reads, by unit images, in any channel."""
    places = list(np.ndindex(*SPACE))
    units = np.zeros((len(places), channels, *SPACE))
    for number, place in enumerate(places):
        units[(number, slice(None), *place)] = 1
    images = np.abs(np.asarray(forward(layer, (units,), {}))).sum(axis=1)
    found: dict[tuple[int, int], set[tuple[int, int]]] = {
        (r, c): set() for r, c in np.ndindex(images.shape[1], images.shape[2])
    }
    for number, row, column in np.argwhere(images > 1e-12).tolist():
        found[row, column].add(places[number])
    return found


SCALES = (2, 3, [1, 4], [1.5, 0.5], [0.75, 2.0])
SIZES = ([5, 7], [10, 14], [9, 13], [3, 20], [1, 2], [11, 1])
RESIZED: list[dict[str, object]] = [
    {**by, "mode": mode, **corners}
    for by in ([{"scale_factor": scale} for scale in SCALES] + [{"size": size} for size in SIZES])
    for mode in ("nearest", "nearest-exact", "area", "bilinear", "bicubic")
    for corners in ([{}, {"align_corners": True}] if mode in ("bilinear", "bicubic") else [{}])
]
OTHERS: list[tuple[str, dict[str, object], int]] = [
    ("pixel_shuffle", {"upscale_factor": 2}, 8),
    ("pixel_shuffle", {"upscale_factor": 3}, 9),
    ("pad", {"padding": [[2, 0], [1, 3]]}, 1),
    ("pad", {"padding": -1}, 1),
    ("crop", {"cropping": [[1, 0], [2, 1]]}, 1),
    ("adaptive_avg_pool2d", {"output_size": [3, 4]}, 1),
    ("adaptive_avg_pool2d", {"output_size": [8, 1]}, 1),
    ("global_avg_pool", {}, 1),
    ("lp_pool2d", {"kernel_size": [2, 3], "stride": 2, "norm_type": 2}, 1),
]


@pytest.mark.parametrize(
    ("kind", "fields", "channels"),
    [*(("upsample", fields, 1) for fields in RESIZED), *OTHERS],
    ids=lambda value: str(value).replace(" ", "") if isinstance(value, dict) else None,
)
def test_maps_read_what_the_reference_reads(kind: str, fields: dict[str, object], channels: int) -> None:
    layer = build(kind, fields)
    inputs = ((channels, *SPACE),)
    drawn = drawn_layer("", layer, inputs, layer.output_shape(inputs))
    assert drawn is not None and not drawn.excerpt and not drawn.weighted
    wanted = read_by(layer, channels)
    down, across = drawn.axes
    found = {
        (r, c): set(product(down.inputs_of(r), across.inputs_of(c)))
        for r in range(down.output)
        for c in range(across.output)
    }
    assert found == wanted
    svg = Drawing(drawn).svg
    if down.rigid and across.rigid:
        shown = read_back(svg)
        assert {output: set(read) for output, read in shown.reads.items()} == wanted
        assert shown.unread == set(np.ndindex(*SPACE)) - {place for read in wanted.values() for place in read}
    else:
        assert framed(svg) == list(wanted.values())


@pytest.mark.parametrize("size", [40, 100])
@pytest.mark.parametrize("fields", [{"scale_factor": 2}, {"scale_factor": 1.5}, {"size": [80, 80]}, {"size": [20, 20]}])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_an_excerpt_of_a_resized_input_has_its_pattern(size: int, fields: dict[str, object], mode: str) -> None:
    layer = build("upsample", {**fields, "mode": mode})
    inputs = ((1, size, size),)
    output = layer.output_shape(inputs)
    drawn = drawn_layer("", layer, inputs, output, most_steps=36)
    assert drawn is not None
    (axis, _), (whole, _) = drawn.axes, window_axes(layer, inputs, output)
    for q in range(axis.output):
        first = tuple(i for i in drawn_axis(*whole).inputs_of(q))
        if axis.size - 1 not in axis.inputs_of(q):
            assert axis.inputs_of(q) == first
        if 0 not in axis.inputs_of(q):
            behind = drawn_axis(*whole).inputs_of(whole.output - axis.output + q)
            assert axis.inputs_of(q) == tuple(i - (whole.size - axis.size) for i in behind)


def test_columns_stand_where_their_windows_do() -> None:
    fields: dict[str, object] = {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0], "dilation": [1, 2]}
    unfold, fold = build("unfold", fields), build("fold", {**fields, "output_size": list(SPACE)})
    image = ((1, *SPACE),)
    columns = (unfold.output_shape(image),)
    there = drawn_layer("", unfold, image, columns[0])
    back = drawn_layer("", fold, columns, fold.output_shape(columns))
    assert there is not None and back is not None and there.what == "unfold" and back.what == "fold"
    units = np.eye(35).reshape(35, 1, *SPACE)
    read = np.asarray(forward(unfold, (units,), {})).sum(axis=1)
    down, across = there.axes
    for number, (row, column) in enumerate(np.ndindex(down.output, across.output)):
        inside = set(product(down.inputs_of(row), across.inputs_of(column)))
        assert {divmod(place, SPACE[1]) for place in np.flatnonzero(read[:, number]).tolist()} == inside
    ones = np.asarray(forward(fold, (np.ones((1, *columns[0])),), {}))[0, 0]
    counts = [axis.counts for axis in back.axes]
    assert counts[0] is not None and counts[1] is not None
    assert np.array_equal(ones, np.outer(counts[0], counts[1]))


def test_a_long_row_has_all_its_cells() -> None:
    drawing = draw(kernel=2, dilation=512, dims=1)
    (axis,) = drawing.drawn.axes
    assert (axis.size, len(axis.cells), axis.inputs_of(1)) == (515, 515, (1, 513))
    root = ElementTree.fromstring(drawing.svg)
    wide = [
        sum(int(run) for run in re.findall(r"h(\d+)v", path.get("d", "")))
        for path in root.iter(f"{SVG}path")
        if path.get("class") == "input"
    ]
    assert wide == [2 * 515] and int(root.attrib["width"]) < 1200
    lines = str(drawing).splitlines()
    assert max(map(len, lines[5:])) <= 76 and "".join(lines[5:]).count("[") == 2 + 1 + 1


def test_a_window_in_the_wrong_place_is_seen() -> None:
    svg = draw(kernel=3, stride=2, padding=1, size=7, dims=1).svg
    judge(read_back(svg), convolution(7, (3, 2, 1, 1)))
    wrong = svg.replace('values="0 0;0 0;60 0;60 0', 'values="0 0;0 0;90 0;90 0', 1)
    assert wrong != svg
    with pytest.raises(AssertionError):
        judge(read_back(wrong), convolution(7, (3, 2, 1, 1)))
