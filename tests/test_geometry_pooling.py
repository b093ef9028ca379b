"""Pools: the dialects of rounding up, the overhang, and adaptive windows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.geometry import (
    EmptyOutput,
    adaptive_step,
    adaptive_taps,
    adaptive_window,
    conv_output,
    fitted_after,
    overhang,
    pool_output,
)

property_test = settings(max_examples=200)


def starts(i: int, k: int, s: int, pl: int, pr: int, d: int, up: bool) -> list[int]:
    """Where windows start: floor keeps those that fit, rounding up adds one where the last leaves a rest."""
    last = i + pr - d * (k - 1) - 1
    found = list(range(-pl, last + 1, s))
    if up and (not found or found[-1] != last):
        following = found[-1] + s if found else -pl
        if following - last < s:
            found.append(following)
    return found


POOLS = (
    st.integers(1, 30),
    st.integers(1, 7),
    st.integers(1, 5),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 3),
)


@property_test
@given(*POOLS)
def test_rounding(i: int, k: int, s: int, pl: int, pr: int, d: int) -> None:
    down, up = (starts(i, k, s, pl, pr, d, round_up) for round_up in (False, True))
    inside = [start for start in up if start < i]
    wanted = {
        "floor": len(down),
        "ceil": len(inside) if len(up) - len(inside) <= 1 else len(up) - 1,
        "ceil_keep": len(up),
        "ceil_caffe": (len(inside) if len(up) - len(inside) <= 1 else len(up) - 1) if pl or pr else len(up),
    }
    for rounding, output in wanted.items():
        if output < 1:
            with pytest.raises(EmptyOutput):
                pool_output(i, k, s, pl, pr, d, rounding)  # type: ignore[arg-type]
        else:
            assert pool_output(i, k, s, pl, pr, d, rounding) == output  # type: ignore[arg-type]


@property_test
@given(*POOLS)
def test_overhang(i: int, k: int, s: int, pl: int, pr: int, d: int) -> None:
    try:
        output = pool_output(i, k, s, pl, pr, d, "ceil")
    except EmptyOutput:
        return
    last_read = -pl + (output - 1) * s + d * (k - 1)
    assert overhang(i, k, s, pl, pr, d, output) == max(last_read - (i + pr - 1), 0)


@pytest.mark.parametrize(
    ("size", "rounding", "padding", "output"),
    [
        (112, "ceil", 0, 56),
        (112, "floor", 1, 56),
        (112, "floor", 0, 55),
        (112, "ceil", 1, 57),
        (56, "ceil", 0, 28),
        (28, "ceil", 0, 14),
        (14, "ceil", 0, 7),
        (55, "floor", 0, 27),
        (27, "floor", 0, 13),
        (13, "floor", 0, 6),
    ],
)
def test_the_3_by_3_pool_of_stride_2(size: int, rounding: str, padding: int, output: int) -> None:
    assert pool_output(size, 3, 2, padding, padding, rounding=rounding) == output  # type: ignore[arg-type]


def test_frameworks_differ_only_where_a_window_starts_outside() -> None:
    assert pool_output(6, 1, 2, rounding="ceil") == 3
    assert pool_output(6, 1, 2, rounding="ceil_caffe") == 4
    assert pool_output(6, 1, 2, rounding="ceil_keep") == 4
    assert pool_output(6, 1, 2, rounding="ceil_caffe", padded=True) == 3
    assert (pool_output(7, 7, 1), pool_output(14, 5, 3)) == (1, 4)


def test_a_window_larger_than_the_input_by_less_than_the_stride() -> None:
    """PyTorch gives one output in ceil mode; a window larger by the stride or more is refused."""
    assert pool_output(2, 3, 2, rounding="ceil") == 1
    with pytest.raises(EmptyOutput) as caught:
        pool_output(1, 3, 2, rounding="ceil")
    assert caught.value.numbers["kernel_size"] == 3
    with pytest.raises(EmptyOutput):
        pool_output(2, 3, 2)


@property_test
@given(st.integers(1, 60), st.integers(1, 60))
def test_adaptive_windows(size: int, output: int) -> None:
    windows = [adaptive_window(size, output, j) for j in range(output)]
    assert windows[0][0] == 0
    assert windows[-1][1] == size
    assert all(start < stop for start, stop in windows)
    read = [position for start, stop in windows for position in range(start, stop)]
    assert set(read) == set(range(size))
    assert adaptive_taps(size, output) == len(read)
    if size % output == 0:
        assert {stop - start for start, stop in windows} == {size // output}


def test_adaptive_taps_of_large_outputs_cost_nothing() -> None:
    assert adaptive_taps(2**40, 2**40 - 1) == 2**41 - 2


@property_test
@given(*POOLS)
def test_fitted_padding_rounds_down_to_the_same_number_and_changes_least(
    i: int, k: int, s: int, pl: int, pr: int, d: int
) -> None:
    for rounding in ("floor", "ceil", "ceil_caffe", "ceil_keep"):
        try:
            output = pool_output(i, k, s, pl, pr, d, rounding)  # type: ignore[arg-type]
        except EmptyOutput:
            continue
        fitted = fitted_after(i, k, s, pl, pr, d, output)
        assert conv_output(i, k, s, pl, fitted, d) == output
        between = range(min(pr, fitted), max(pr, fitted))
        nearer = [after for after in between if after != fitted and i + pl + after > d * (k - 1)]
        assert all(conv_output(i, k, s, pl, after, d) != output for after in nearer)


@property_test
@given(st.integers(1, 40), st.integers(1, 40))
def test_equal_adaptive_windows_are_a_pool(size: int, output: int) -> None:
    step, windows = adaptive_step(size, output), [adaptive_window(size, output, j) for j in range(output)]
    pooled = None if step is None else [(j * step, (j + 1) * step) for j in range(output)]
    assert (windows == pooled) == (size % output == 0)
