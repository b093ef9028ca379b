"""What positions read and see, and the bounds where patterns are too long to tabulate, against every position."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from convcalc import loads
from convcalc.analysis import seen as seen_module
from convcalc.analysis.seen import Reads, Seen, reads, seen_from, taps
from convcalc.findings import UsageError
from convcalc.geometry import IDENTITY, AdaptiveWindow, Resize, TransposedWindow, Window

SIZES = [(2, 7), (4, 2), (5, 3), (7, 10), (10, 7), (3, 9), (9, 3), (8, 8), (4, 31), (31, 4)]
MODES: list[dict[str, Any]] = [
    {"mode": mode, **corners}
    for mode in ("nearest", "nearest-exact", "linear", "cubic")
    for corners in ({}, {"align_corners": True})
    if mode in ("linear", "cubic") or not corners
]


def untabulated(axis_map: Any) -> Reads:
    """What is known of a map whose pattern is too long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen_module, "LARGEST_PERIOD", 0)
        found: Reads = reads.__wrapped__(axis_map)
    return found


@pytest.mark.parametrize("fields", MODES, ids=str)
@pytest.mark.parametrize(("size", "output"), SIZES)
def test_bounds_of_a_resize_hold_all_that_it_reads_and_little_more(
    size: int, output: int, fields: dict[str, Any]
) -> None:
    """Weights reach one input to either side of a place, cubic ones two; one more is for places between inputs."""
    reach = 3 if fields["mode"] == "cubic" else 2
    resize = Resize(size, output, **fields)
    bounds, exact = untabulated(resize), reads(resize)
    assert (bounds.ratio, bounds.shift, bounds.fixed) == (exact.ratio, exact.shift, exact.fixed) and not bounds.taps
    assert exact.first == min(taps(resize, q)[0] - q * exact.ratio for q in range(4 * output))
    assert exact.last == max(taps(resize, q)[-1] - q * exact.ratio for q in range(4 * output))
    assert exact.first - reach - exact.ratio <= bounds.first <= exact.first
    assert exact.last <= bounds.last <= exact.last + reach + exact.ratio


@pytest.mark.parametrize(("size", "output"), [pair for pair in SIZES if pair[0] != pair[1]])
def test_bounds_of_an_adaptive_window_hold_all_that_it_reads(size: int, output: int) -> None:
    window = AdaptiveWindow(size, output)
    bounds = untabulated(window)
    for q in range(output):
        read = taps(window, q)
        assert bounds.first + q * bounds.ratio <= read[0] and read[-1] <= bounds.last + q * bounds.ratio


@pytest.mark.parametrize(("size", "output"), SIZES)
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_taps_of_interpolation_stand_round_their_place(size: int, output: int, mode: str) -> None:
    """Half-pixel centres: position q lies at (q + 1/2)·i/o − 1/2; on an input it is that one alone."""
    resize = Resize(size, output, mode)
    for q in range(output):
        place = Fraction(2 * q + 1, 2) * size / output - Fraction(1, 2)
        reach = 1 if mode == "linear" else 2
        near = [i for i in range(-4, size + 4) if abs(i - place) < reach]
        assert list(taps(resize, q)) == ([int(place)] if place.denominator == 1 else near)


def test_one_position_stretched_is_read_by_all() -> None:
    for mode in ("nearest", "linear", "cubic"):
        assert reads(Resize(1, 5, mode))[1:] == (0, 0, ((0,),), 0, True)
    assert reads(Resize(4, 1, "linear", True)) == Reads(0, 0, 0, ((0,),), 0, True)


def test_gaps_of_a_dilated_window_are_none_of_its_taps() -> None:
    assert list(taps(Window(3, 2, 2, 2, 4), 1)) == [0, 4, 8]
    assert reads(Window(3, 2, 2, 2, 4))[:3] == (2, -2, 6)
    assert reads(IDENTITY) == Reads(1, 0, 0, (range(1),), 1, False)


def test_patterns_are_tabulated_up_to_a_period() -> None:
    for stride, period in ((4095, 4095), (4096, 4096), (4097, 0)):
        assert reads(TransposedWindow(2, stride)).period == period


SIDE_BY_SIDE = (
    "{convcalc: 1, input: [1, 12], layers: [{slice: {dim: 1, stop: 5}, name: head},"
    " {conv1d: {out: 1, k: 3}, from: input, name: wide}, {concat: {dim: 1}, from: [head, wide, head], name: both},"
    " {max_pool1d: {k: 2, s: 1}, name: pool}]}"
)


@pytest.mark.parametrize(
    ("position", "seen"),
    [
        (0, (0, 1)),
        (3, (3, 4)),
        (4, (0, 1, 2, 4)),
        (5, (0, 1, 2, 3)),
        (13, (8, 9, 10, 11)),
        (14, (0, 9, 10, 11)),
        (15, (0, 1)),
        (18, (3, 4)),
    ],
)
def test_what_is_laid_end_to_end_is_seen_part_by_part(position: int, seen: tuple[int, ...]) -> None:
    """Five positions of one path, ten of a second behind them, the five again; windows of two pass over the seams."""
    network = loads(SIDE_BY_SIDE)
    (found,) = seen_from(network, 4, (position,))
    assert found == Seen("input", (seen,))
    assert found.intervals == ((seen[0], seen[-1]),) and found.pixels == len(seen)


def test_what_is_followed_leaves_out_what_does_not_lead_there() -> None:
    """Another input, and a layer that is not read."""
    network = loads(
        "{convcalc: 1, input: {a: [1, 9], b: [1, 9]}, layers: [{conv1d: {out: 1, k: 3}, from: b, name: other},"
        " {conv1d: {out: 1, k: 3, s: 2}, from: a, name: read}, {conv1d: {out: 1, k: 2}, name: last}],"
        " outputs: [last, other]}"
    )
    index = [node.name for node in network.nodes].index("last")
    assert seen_from(network, index, (2,)) == [Seen("a", ((4, 5, 6, 7, 8),))]


@pytest.mark.parametrize("position", [(-1,), (10,), (), (0, 0)])
def test_a_position_that_is_none_is_refused(position: tuple[int, ...]) -> None:
    network = loads("{convcalc: 1, input: [1, 12], layers: [{conv1d: {out: 1, k: 3}, name: c}]}")
    assert seen_from(network, 1, (9,)) == [Seen("input", ((9, 10, 11),))]
    with pytest.raises(ValueError, match="is no position of"):
        seen_from(network, 1, position)


@pytest.mark.parametrize(("fields", "position"), [("[[3, 0]]", 0), ("[[0, 5]]", 5), ("[[0, 5]]", 6), ("[[4, 4]]", 0)])
def test_padding_alone_is_nothing_seen(fields: str, position: int) -> None:
    layer = f"{{conv1d: {{out: 1, k: 2, p: {fields}}}, name: c}}"
    network = loads(f"{{convcalc: 1, input: [1, 4], layers: [{layer}]}}")
    (found,) = seen_from(network, 1, (position,))
    assert (found.axes, found.intervals, found.pixels) == (((),), (None,), 0)


def test_what_is_seen_of_several_inputs_comes_in_their_order() -> None:
    """One position that is added everywhere is seen from everywhere."""
    network = loads(
        "{convcalc: 1, input: {wide: [1, 8], one: [1, 1]}, layers: [{add: {}, from: [one, wide], name: sum}]}"
    )
    assert seen_from(network, 2, (5,)) == [Seen("wide", ((5,),)), Seen("one", ((0,),))]


def test_the_longest_axis_has_the_limit() -> None:
    for shape in ("[1, 2, 1000001]", "[1, 1000001, 2]"):
        network = loads(f"{{convcalc: 1, input: {shape}, layers: [{{global_avg_pool: {{}}, name: p}}]}}")
        with pytest.raises(UsageError, match="up to 1,000,000 positions of an axis; here are 1,000,001"):
            seen_from(network, 1, (0, 0))
