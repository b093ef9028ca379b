"""Patterns of receptive fields: followed and united against every position, and given up where they get too long."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from convcalc import loads
from convcalc.analysis import receptive_field as module
from convcalc.analysis.phases import Phases, placed, straight, through, union
from convcalc.analysis.receptive_field import AxisField, joined, receptive_fields, source, spread
from convcalc.analysis.seen import Reads, reads, taps
from convcalc.geometry import AdaptiveWindow, AxisMap, Resize, TransposedWindow, Window

MAPS: list[AxisMap] = [
    Window(3, 1, 1, 1),
    Window(9, 2, 3, 3),
    Window(2, 3, 0, 0, 4),
    Window(12, 1, 5, 6),
    TransposedWindow(5, 2, 1, 1),
    TransposedWindow(1, 3),
    TransposedWindow(3, 2, 0, 0, 3),
    Resize(4, 6, "linear"),
    Resize(6, 4, "cubic"),
    AdaptiveWindow(10, 4),
]


def drawn(random: Random) -> Phases:
    """Any pattern: intervals that run back and forth, some positions that see nothing."""
    step = random.randrange(1, 12)
    intervals: list[tuple[int, int] | None] = []
    for q in range(random.randrange(1, 6)):
        first = q * step // 2 + random.randrange(-6, 7)
        intervals.append(None if random.random() < 0.2 else (first, first + random.randrange(12)))
    return placed(step, intervals)


def hull(parts: list[tuple[int, int] | None]) -> tuple[int, int] | None:
    seen = [part for part in parts if part is not None]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


@pytest.mark.parametrize("axis_map", MAPS, ids=str)
def test_a_pattern_behind_a_layer_is_the_hull_of_what_is_read(axis_map: AxisMap) -> None:
    random = Random(3)
    for _ in range(60):
        before = drawn(random)
        found = through(before, reads(axis_map))
        assert found is not None
        for q in range(-30, 60):
            assert found.at(q) == hull([before.at(i) for i in taps(axis_map, q)]), (before, q)


@pytest.mark.parametrize("axis_map", MAPS, ids=str)
def test_the_ends_of_a_pattern_pass_a_layer_each_on_its_own(axis_map: AxisMap) -> None:
    random = Random(6)
    for _ in range(20):
        before, (first, last) = drawn(random), (random.randrange(-9, 10), random.randrange(10, 30))
        found = through(before, reads(axis_map))
        assert found is not None
        assert through(before.moved(first, last), reads(axis_map)) == found.moved(first, last)


def test_what_a_layer_makes_of_a_pattern_is_remembered_wherever_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields that grow on their way down and up: one pattern behind all that goes up, one interval behind the rest."""
    unit = "{conv1d: {out: 1, k: 3, s: 2, p: 1}}, {conv_transpose1d: {out: 1, k: 4, s: 2, p: 1}}"
    network = loads(f"{{convcalc: 1, input: [1, 64], layers: [{{layers: [{unit}], repeat: 40}}]}}")
    calls: list[Phases] = []

    def counted(before: Phases, read: Reads) -> Phases | None:
        calls.append(before)
        return through(before, read)

    monkeypatch.setattr(module, "through", counted)
    module._behind.cache_clear()
    *_, below, found = receptive_fields(network).fields
    assert len(calls) == 2 and found is not None and below is not None
    assert found[0].at(8) == hull([below[0].at(3), below[0].at(4)]) == (-73, 87)


def test_a_union_is_the_hull_of_both() -> None:
    random = Random(4)
    for _ in range(300):
        one, other = drawn(random), drawn(random)
        jump = random.randrange(1, 9)
        one, other = (placed(jump * found.period, found.intervals) for found in (one, other))
        found = union(one, other)
        assert found is not None
        for q in range(-20, 20):
            assert found.at(q) == hull([one.at(q), other.at(q)])


def test_monotone_is_said_of_what_never_moves_back() -> None:
    """By its first and its last input, from each position to the next and from one period to the next."""
    random = Random(5)
    kinds = set()
    for _ in range(2000):
        found = drawn(random)
        seen = [found.at(q) for q in range(2 * found.period + 1)]
        pairs = list(pairwise(seen))
        wanted = all(a is not None and b is not None and a[0] <= b[0] and a[1] <= b[1] for a, b in pairs)
        assert found.pattern.monotone == wanted, found
        kinds.add(wanted)
    assert kinds == {False, True}
    assert straight(2, 5, 3) == placed(3, [(2, 5)])


def test_the_size_of_a_pattern_is_that_of_its_largest() -> None:
    assert placed(4, [(0, 3), None, (2, 9)]).size == 8
    assert placed(4, [None, None]).size == 0


@pytest.mark.parametrize(("positions", "size"), [(1, 0), (2, 0), (3, 1), (4, 1), (9, 3)])
def test_reading_all_positions_of_gaps_sees_what_they_see(positions: int, size: int) -> None:
    """Two positions that see nothing, then one that sees the next input, cut behind `positions` of them."""
    gaps = AxisField(1, -1, 0, 1, 1, placed(1, [None, None, (0, 0)]))
    found = spread(gaps, positions, 20)
    assert (found.size, found.first, found.last) == (size, 0, size - 1)
    assert found.axis is None and found.jump is None and found.phases is None


def test_reading_all_positions_stays_inside_the_input() -> None:
    field = AxisField(1, -3, 4, 2, 8)
    assert spread(field, 5, 40) == AxisField(None, 0, 12, None, 13)
    assert spread(field, 5, 10) == AxisField(None, 0, 9, None, 10)
    assert spread(source(1), 7, 7) == AxisField(None, 0, 6, None, 7)
    beyond = AxisField(1, 12, 14, 1, 3)
    assert spread(beyond, 2, 10).size == 0


def test_the_union_of_fields_is_exact_where_both_are() -> None:
    one, other = AxisField(1, -1, 3, 2, 5), AxisField(1, 0, 6, 2, 7, None, False)
    assert joined(one, one._replace(first=-4)) == AxisField(1, -4, 3, 2, 8)
    assert joined(one, other) == joined(other, one) == AxisField(1, -1, 6, 2, 8, None, False)


CHAIN = (
    "{{convcalc: 1, input: [1, 40], layers: [{{conv_transpose1d: {{out: 1, k: {}, s: 16}}}},"
    " {{repeat: 6, layers: [{{conv1d: {{out: 1, k: 3, p: 1}}}}]}}]}}"
)


@pytest.mark.parametrize(
    ("kernel", "most", "exact"),
    [(17, 63, 4), (17, 64, 5), (17, 0, 1), (16, 16, 2), (16, 15, 1), (1, 127, 1), (1, 128, 2), (1, 500_000, 7)],
)
def test_patterns_are_followed_up_to_a_limit(
    kernel: int, most: int, exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen intervals a layer; where positions see nothing each counts eightfold. The layer behind gives bounds."""
    monkeypatch.setattr(module, "MOST_TABULATED", most)
    network = loads(CHAIN.format(kernel))
    fields = [found[0] for found in receptive_fields(network).fields if found is not None]
    assert [field.exact for field in fields] == [n < exact + 1 for n in range(8)]


def test_bounds_hold_what_the_pattern_sees() -> None:
    network = loads(CHAIN.format(17))
    exact = receptive_fields(network).fields[-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_TABULATED", 40)
        bounds = receptive_fields(network).fields[-1]
    assert exact is not None and bounds is not None and exact[0].exact and not bounds[0].exact
    for q in range(640):
        inner, outer = exact[0].at(q), bounds[0].at(q)
        assert inner is not None and outer is not None and outer[0] <= inner[0] and inner[1] <= outer[1]


def test_factors_of_a_product_are_followed_along_their_own_axes() -> None:
    """Rows of the left factor, columns of the right one; what is summed over is global context."""
    network = loads(
        "{convcalc: 1, input: [2, 9, 9], layers: [{conv2d: {out: 2, k: [3, 1], p: [1, 0]}, name: rows},"
        " {conv2d: {out: 2, k: [1, 5], p: [0, 2]}, from: input, name: columns},"
        " {matmul: {}, from: [rows, columns], name: product}]}"
    )
    found = receptive_fields(network, local=True).fields[-1]
    assert found is not None and [(field.size, field.jump) for field in found] == [(3, 1), (5, 1)]
    everything = receptive_fields(network).fields[-1]
    assert everything is not None and [(field.size, field.jump) for field in everything] == [(9, None)] * 2


def test_what_another_input_alone_reaches_is_not_followed() -> None:
    network = loads(
        "{convcalc: 1, input: {a: [1, 9], b: [1, 9]}, layers: [{conv1d: {out: 1, k: 3, p: 1}, from: a, name: one},"
        " {conv1d: {out: 1, k: 5, p: 2}, from: a, name: two}, {add: {}, from: [one, two], name: sum},"
        " {parameter: {shape: [1, 9]}, name: held}, {add: {}, from: [sum, b, held], name: all}]}"
    )
    names = [node.name for node in network.nodes]
    found = receptive_fields(network, origin=names.index("b"))
    sizes = {name: fields and fields[0].size for name, fields in zip(names, found.fields, strict=True)}
    assert sizes == {"a": None, "b": 1, "one": None, "two": None, "sum": None, "held": None, "all": 1}
    assert found.origins == [-1, 1, -1, -1, -1, -1, 1]


@pytest.mark.parametrize(("pads", "notes"), [("[[0, 2], [1, 1]]", [(1, "1")]), ("[[1, 1], [3, -1]]", [(2, "2")])])
def test_notes_name_the_axis_and_the_distance_of_the_centres(pads: str, notes: list[tuple[int, str]]) -> None:
    network = loads(
        "{convcalc: 1, input: [1, 8, 8], layers: [{conv2d: {out: 1, k: 3, s: 1, p: 1}, name: stem},"
        f" {{pad: {{padding: {pads}}}, name: moved}}, {{conv2d: {{out: 1, k: 3}}, name: left}},"
        " {add: {}, from: [left, stem], name: sum}]}"
    )
    assert [note.message.partition(":")[0] for note in receptive_fields(network).notes] == [
        f"on axis {axis} the field of left is centred {far} pixels from that of stem" for axis, far in notes
    ]


def test_half_a_pixel_is_told_as_a_fraction() -> None:
    network = loads(
        "{convcalc: 1, input: [1, 8], layers: [{conv1d: {out: 1, k: 4, p: [[1, 2]]}, name: even},"
        " {conv1d: {out: 1, k: 3, p: 1}, from: input, name: odd}, {add: {}, from: [even, odd]}]}"
    )
    (note,) = receptive_fields(network).notes
    assert "centred 1/2 pixels" in note.message and note.paths == ("even", "odd")
