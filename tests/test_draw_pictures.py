"""The cells that are drawn, read back from the SVG, against `invert` and against the NumPy reference."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from convcalc import draw, invert
from convcalc.geometry import effective_kernel
from convcalc.layers.registry import build
from convcalc.reference import forward
from convcalc.reference.identity import matrix, scattered

from .drawn_pictures import Read, read_back

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


def test_a_window_in_the_wrong_place_is_seen() -> None:
    svg = draw(kernel=3, stride=2, padding=1, size=7, dims=1).svg
    judge(read_back(svg), convolution(7, (3, 2, 1, 1)))
    wrong = svg.replace('values="0 0;0 0;60 0;60 0', 'values="0 0;0 0;90 0;90 0', 1)
    assert wrong != svg
    with pytest.raises(AssertionError):
        judge(read_back(wrong), convolution(7, (3, 2, 1, 1)))
