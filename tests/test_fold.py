"""fold: the transpose of unfold, held against the definition, and refused with its numbers where it is impossible."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc import SpecError, loads
from convcalc.geometry import GeometryError, IndivisibleShuffle, KernelTooLarge, RankMismatch
from convcalc.layers.registry import build
from convcalc.reference import DoesNotFit, backward, forward

Pair = tuple[int, int]


def by_definition(x: Any, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Any:
    """Every number of every column added where its tap of its window lies; what lies in the padding is dropped."""
    batch, channels = x.shape[0], x.shape[1] // (kernel[0] * kernel[1])
    starts = [
        range(-p, n + p - d * (k - 1), s) for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    ]
    y = np.zeros((batch, channels, *size))
    for column, (top, left) in enumerate(product(*starts)):
        for tap, (row, place) in enumerate(product(range(kernel[0]), range(kernel[1]))):
            h, w = top + row * dilation[0], left + place * dilation[1]
            if 0 <= h < size[0] and 0 <= w < size[1]:
                y[:, :, h, w] += x[:, tap :: kernel[0] * kernel[1], column]
    return y


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Pair]:
    """Fields of an unfold and the space that it takes."""

    def pair(low: int, high: int) -> Pair:
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    kernel, stride, padding, dilation, room = pair(1, 3), pair(1, 3), pair(0, 2), pair(1, 2), pair(0, 4)
    fits = [max(d * (k - 1) + 1 - 2 * p, 1) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    size = (fits[0] + room[0], fits[1] + room[1])
    return {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "output_size": size}


@given(windows(), st.integers(1, 3), st.integers(0, 99))
def test_it_is_the_transpose_of_unfold(fields: dict[str, Pair], channels: int, seed: int) -> None:
    """<unfold(x), y> = <x, fold(y)>, and each is the other's gradient, exactly on whole numbers."""
    size = fields["output_size"]
    fold = build("fold", fields)
    unfold = build("unfold", {name: value for name, value in fields.items() if name != "output_size"})
    rng = np.random.default_rng(seed)
    x = rng.integers(-5, 6, (2, channels, *size)).astype(float)
    columns = forward(unfold, x)
    y = rng.integers(-5, 6, columns.shape).astype(float)
    folded = forward(fold, y)
    assert (columns * y).sum() == (x * folded).sum()
    assert folded.shape[1:] == fold.output_shape((columns.shape[1:],)) == x.shape[1:]
    np.testing.assert_array_equal(backward(unfold, x, None, y)[0][0], folded)
    np.testing.assert_array_equal(backward(fold, y, None, x)[0][0], columns)
    by_hand = by_definition(y, size, *(fields[n] for n in ("kernel_size", "stride", "padding", "dilation")))
    np.testing.assert_array_equal(folded, by_hand)


def test_overlaps_are_summed() -> None:
    """fold(unfold(ones)) counts the windows over each number, the divisor of torch.nn.Fold's documentation."""
    ones = np.ones((1, 1, 3, 3))
    counts = forward(build("fold", {"output_size": 3, "k": 2}), forward(build("unfold", {"k": 2}), ones))
    assert counts[0, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_the_example_of_its_documentation() -> None:
    fold = build("fold", {"output_size": [4, 5], "kernel_size": [2, 2]})
    assert fold.output_shape(((3 * 2 * 2, 12),)) == (3, 4, 5)


@pytest.mark.parametrize(
    ("fields", "shape", "error", "message"),
    [
        ({"output_size": 4, "k": 2}, (6, 9), IndivisibleShuffle, "4, the kernel's taps, which do not divide 6"),
        ({"output_size": 4, "k": 2}, (8, 10), GeometryError, "10 columns for 3 * 3 = 9 windows"),
        ({"output_size": 4, "k": 2}, (8, 3, 3), RankMismatch, "with 3 axes"),
        ({"output_size": 2, "k": 3}, (9, 1), KernelTooLarge, "kernel of 3 is larger than the input of 2"),
    ],
)
def test_what_is_impossible_says_its_numbers(
    fields: dict[str, Any], shape: tuple[int, ...], error: type[GeometryError], message: str
) -> None:
    with pytest.raises(error, match=message.replace("*", r"\*")):
        build("fold", fields).output_shape((shape,))


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DoesNotFit):
        forward(build("fold", {"output_size": 4, "k": 2}), np.ones((1, 8, 10)))


def test_a_spec_folds_what_it_unfolds() -> None:
    def network(size: int) -> str:
        fold = f"{{fold: {{output_size: {size}, k: 3, p: 1}}}}"
        return f"{{convcalc: 1, input: [3, 8, 8], layers: [{{unfold: {{k: 3, p: 1}}}}, {fold}]}}"

    assert loads(network(8)).nodes[-1].shape == (3, 8, 8)
    with pytest.raises(SpecError, match="64 columns for 9"):
        loads(network(9))
