"""Sizes against brute force: the windows are laid out position by position and counted."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcalc.geometry import (
    EmptyOutput,
    GeometryError,
    InvalidWindow,
    KernelTooLarge,
    OutputPaddingOutOfRange,
    check_window,
    conv_output,
    conv_transpose_output,
    effective_taps,
    input_sizes,
    leftover,
    resolve_crop,
    resolve_padding,
    same_crop,
    same_output,
    same_padding,
    unread_inputs,
)

SIZE, KERNEL, STRIDE, PAD, DILATION = (
    st.integers(1, 30),
    st.integers(1, 7),
    st.integers(1, 5),
    st.integers(0, 6),
    st.integers(1, 4),
)
property_test = settings(max_examples=200)


def layout(i: int, k: int, s: int, pl: int, pr: int, d: int) -> list[list[int]]:
    """The input positions (padding: below 0 or from i) that each window reads."""
    windows, start = [], -pl
    while start + d * (k - 1) < i + pr:
        windows.append([start + t * d for t in range(k)])
        start += s
    return windows


@property_test
@given(SIZE, KERNEL, STRIDE, PAD, PAD, DILATION)
def test_convolution(i: int, k: int, s: int, pl: int, pr: int, d: int) -> None:
    windows = layout(i, k, s, pl, pr, d)
    if not windows:
        for function in (conv_output, leftover, unread_inputs):
            with pytest.raises(KernelTooLarge):
                function(i, k, s, pl, pr, d)
        return
    end = windows[-1][-1]
    assert conv_output(i, k, s, pl, pr, d) == len(windows)
    assert leftover(i, k, s, pl, pr, d) == i + pr - 1 - end
    assert unread_inputs(i, k, s, pl, pr, d) == min(max(i - 1 - end, 0), i)
    real = sum(0 <= position < i for window in windows for position in window)
    assert effective_taps(i, len(windows), k, s, pl, d) == real


@property_test
@given(SIZE, KERNEL, STRIDE, PAD, PAD, DILATION)
def test_input_sizes_are_all_that_give_the_output(o: int, k: int, s: int, pl: int, pr: int, d: int) -> None:
    found = input_sizes(o, k, s, pl, pr, d)
    candidates = range(1, (o + 1) * s + d * k + 1)
    assert list(found) == [i for i in candidates if len(layout(i, k, s, pl, pr, d)) == o]


@property_test
@given(SIZE, KERNEL, STRIDE, DILATION, st.booleans())
def test_same_padding(i: int, k: int, s: int, d: int, lower: bool) -> None:
    before, after = same_padding(i, k, s, d, lower)
    assert conv_output(i, k, s, before, after, d) == same_output(i, s) == len(range(0, i, s))
    assert after - before in ((-1, 0) if lower else (0, 1))
    if before + after:
        less = layout(i, k, s, 0, before + after - 1, d)
        assert len(less) < same_output(i, s)


@property_test
@given(SIZE, KERNEL, STRIDE, PAD, PAD, DILATION, PAD)
def test_transposed_convolution(i: int, k: int, s: int, pl: int, pr: int, d: int, op: int) -> None:
    if op >= max(s, d):
        with pytest.raises(OutputPaddingOutOfRange):
            conv_transpose_output(i, k, s, pl, pr, d, op)
        return
    written = {j * s + t * d for j in range(i) for t in range(k)}
    extent = max(written) + 1
    kept = extent - pl - pr + op
    if kept < 1:
        with pytest.raises(EmptyOutput):
            conv_transpose_output(i, k, s, pl, pr, d, op)
        return
    assert conv_transpose_output(i, k, s, pl, pr, d, op) == kept
    # The adjoint view: a convolution with the same numbers maps the output back to the input.
    if op < s:
        assert len(layout(kept, k, s, pl, pr, d)) == i


@property_test
@given(SIZE, KERNEL, STRIDE, DILATION, st.booleans())
def test_same_and_valid_crops(i: int, k: int, s: int, d: int, lower: bool) -> None:
    before, after = same_crop(k, s, d, lower)
    assert conv_transpose_output(i, k, s, before, after, d) == i * s
    extent = d * (k - 1) + 1
    valid = resolve_crop("valid", k, s, d)
    assert conv_transpose_output(i, k, s, *valid, d) == (i - 1) * s + max(extent, s)
    assert resolve_crop("same_lower" if lower else "same", k, s, d) == (before, after)
    assert resolve_crop((1, 2), k, s, d) == (1, 2)


@pytest.mark.parametrize(
    ("mode", "size", "k", "s", "d", "pads"),
    [
        ("same", 6, 3, 2, 1, (0, 1)),
        ("same", 7, 2, 3, 1, (0, 1)),
        ("same", 224, 7, 2, 1, (2, 3)),
        ("same", 5, 4, 1, 1, (1, 2)),
        ("same_lower", 5, 4, 1, 1, (2, 1)),
        ("same", 9, 3, 1, 2, (2, 2)),
        ("valid", 9, 3, 1, 2, (0, 0)),
        ((1, 0), 9, 3, 1, 2, (1, 0)),
    ],
)
def test_padding_modes(mode: object, size: int, k: int, s: int, d: int, pads: tuple[int, int]) -> None:
    assert resolve_padding(mode, size, k, s, d) == pads  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("numbers", "output", "over"),
    [((224, 7, 2, 3, 3), 112, 1), ((224, 11, 4, 2, 2), 55, 1), ((5, 3, 1, 1, 2), 6, 0), ((5, 3, 1, 0, 1), 4, 0)],
)
def test_known_convolutions(numbers: tuple[int, ...], output: int, over: int) -> None:
    assert conv_output(*numbers) == output
    assert leftover(*numbers) == over


@pytest.mark.parametrize(("k", "s"), [(6, 1), (6, 2), (7, 1), (7, 2), (7, 3), (100, 1000)])
def test_a_kernel_larger_than_the_input_is_an_error_at_every_stride(k: int, s: int) -> None:
    """ONNX inference and Caffe give 1 for kernel 6, stride 2 on 5 because C++ truncates −1/2 to 0."""
    with pytest.raises(KernelTooLarge) as caught:
        conv_output(5, k, s)
    assert caught.value.code == "CC201"
    assert caught.value.numbers == {"size": 5, "before": 0, "after": 0, "kernel_size": k, "dilation": 1}
    assert f"{k - 5} too small" in (caught.value.hint or "")


def test_errors_carry_their_numbers() -> None:
    with pytest.raises(KernelTooLarge, match=r"kernel of 9 \(5 dilated by 2\) is larger than the input of 4 \+ 1 \+ 2"):
        conv_output(4, 5, 1, 1, 2, 2)
    with pytest.raises(OutputPaddingOutOfRange) as bound:
        conv_transpose_output(4, 3, 2, output_padding=2)
    assert bound.value.numbers == {"output_padding": 2, "stride": 2, "dilation": 1}
    with pytest.raises(EmptyOutput) as empty:
        conv_transpose_output(1, 3, 2, 2, 2)
    assert empty.value.numbers["size"] == 1
    assert isinstance(empty.value, GeometryError) and isinstance(empty.value, ValueError)


@given(st.sampled_from(["kernel_size", "stride", "dilation", "before", "after"]), st.integers(-5, 3))
@settings(max_examples=60)
def test_check_window(name: str, value: int) -> None:
    numbers = {"kernel_size": 1, "stride": 1, "dilation": 1, "before": 0, "after": 0, name: value}
    least = 0 if name in ("before", "after") else 1
    if value >= least:
        check_window(**numbers)
        return
    with pytest.raises(InvalidWindow) as caught:
        check_window(**numbers)
    assert list(caught.value.numbers.values()) == [value]


@property_test
@given(SIZE, KERNEL, STRIDE, PAD, DILATION)
def test_taps_of_the_transposed_convolution_are_the_same(i: int, k: int, s: int, p: int, d: int) -> None:
    """The table of the forward convolution, read from the other side: pairs (input, tap) that land inside."""
    o = i
    extent = (o - 1) * s + d * (k - 1) + 1 - 2 * p
    assume(extent >= 1)
    landing = sum(0 <= q * s + t * d - p < extent for q in range(o) for t in range(k))
    assert effective_taps(extent, o, k, s, p, d) == landing
