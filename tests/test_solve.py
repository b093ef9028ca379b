"""`solve` finds every layer that maps the sizes, and no other."""

from __future__ import annotations

import random
from itertools import product

import pytest

from convcalc.geometry import GeometryError, InvalidWindow, TooLarge, conv_output, conv_transpose_output, leftover
from convcalc.geometry.solve import Search, Solution, solve

Found = set[tuple[int, int, int, int, int, tuple[int, ...]]]


def brute_force(search: Search) -> Found:
    """Every combination of the ranges tried with the size rules."""
    found: Found = set()
    for k, s, d in product(search.kernel, search.stride, search.dilation):
        pads = search.padding if search.padding is not None else range(d * (k - 1) + 1)
        for before, more in product(pads, (0, 1) if search.asymmetric else (0,)):
            after = before + more
            if after > pads[-1]:
                continue
            window = (k, s, before, after, d)
            paddings = range(s) if search.transposed else (0,)
            rest = []
            for i, o in zip(search.input, search.output, strict=True):
                rest += [r for op in paddings if (r := fits(i, o, window, op, search.transposed)) is not None]
            if len(rest) == len(search.input) and not (search.exact and any(rest)):
                found.add((*window, tuple(rest)))
    return found


def fits(i: int, o: int, window: tuple[int, ...], output_padding: int, transposed: bool) -> int | None:
    """What is left over where the window maps i to o."""
    try:
        if transposed:
            return output_padding if conv_transpose_output(i, *window, output_padding=output_padding) == o else None
        return leftover(i, *window) if conv_output(i, *window) == o else None
    except GeometryError:
        return None


def as_tuple(found: Solution) -> tuple[int, int, int, int, int, tuple[int, ...]]:
    return (found.kernel_size, found.stride, found.before, found.after, found.dilation, found.leftover)


def test_complete_and_sound_against_brute_force() -> None:
    draw = random.Random(3)
    tried = 0
    for _ in range(160):
        axes = draw.choice((1, 1, 2))
        small, large = sorted(draw.randint(1, 12) for _ in range(2))
        transposed = draw.random() < 0.5
        ends = (small, large) if transposed else (large, small)
        if draw.random() < 0.1:
            ends = ends[::-1]
        search = Search(
            input=(ends[0],) * axes if draw.random() < 0.5 else (ends[0], ends[0] + 1)[:axes],
            output=(ends[1],) * axes,
            kernel=range(draw.randint(1, 3), 7),
            stride=range(1, 5),
            padding=draw.choice((None, range(6), range(1, 4), range(0, 6, 2))),
            dilation=range(1, 4),
            transposed=transposed,
            asymmetric=draw.random() < 0.5,
            exact=draw.random() < 0.2,
        )
        found = [as_tuple(solution) for solution in search]
        assert len(found) == len(set(found)) == search.count()
        assert set(found) == brute_force(search), search
        tried += len(search.kernel) * len(search.stride) * len(search.dilation)
    assert tried > 7_000


def test_halving_224() -> None:
    """K − P is 1 or 2: by kernel, the 1 of projection shortcuts first; dilated ones follow."""
    assert [(f.kernel_size, f.before) for f in solve(224, 112).best(16)] == [(k, (k - 1) // 2) for k in range(1, 17)]
    best = solve(224, 112, dilation=1).best()
    assert {(f.kernel_size - 2 * f.before) for f in best} == {1, 2}
    assert {f.stride for f in best} == {2}


def test_doubling_28() -> None:
    found = solve(28, 56, transposed=True, kernel=range(1, 8), stride=2, dilation=1)
    expected = {(2, 0, 0), (3, 1, 1), (4, 1, 0), (5, 2, 1), (6, 2, 0), (1, 0, 1), (7, 3, 1)}
    assert {(f.kernel_size, f.before, f.leftover[0]) for f in found} == expected
    assert [f.kernel_size for f in found.best()] == [2, 4, 6, 3, 5, 7, 1]


def leading(search: Search, count: int) -> list[tuple[int, int, int]]:
    return [(f.kernel_size, f.stride, f.before) for f in search.best(count)]


def test_patches_and_equal_sizes_lead_with_what_is_usual() -> None:
    assert leading(solve(224, 56), 3) == [(4, 4, 0), (5, 4, 2), (6, 4, 1)]
    assert leading(solve(56, 56), 3) == [(1, 1, 0), (3, 1, 1), (5, 1, 2)]
    assert leading(solve(32, 28), 2) == [(5, 1, 0), (7, 1, 1)]
    assert leading(solve(28, 112, transposed=True), 3) == [(4, 4, 0), (8, 4, 2), (12, 4, 4)]


def test_padding_beyond_half_the_window_comes_last() -> None:
    found = solve(56, 58, dilation=1).best()
    beyond = [2 * f.before > f.kernel_size for f in found]
    assert any(beyond) and beyond == sorted(beyond)


def test_padding_of_half_the_window_is_not_beyond_it() -> None:
    """4 to 3 by stride 2: P = K (half of it a side) comes before P = K + 1."""
    assert [f.kernel_size for f in solve(4, 3, kernel=range(1, 7), stride=2, dilation=1).best()] == [2, 4, 6, 3, 5]


def test_as_much_padding_before_as_after_comes_first() -> None:
    uneven = [f.after != f.before for f in solve(224, 112, stride=2, dilation=1, asymmetric=True).best()]
    assert uneven.count(True) > 1 and uneven == sorted(uneven)


def test_kernels_and_strides_go_to_sixteen_where_nothing_is_said() -> None:
    assert (17, 17, 0, 0, 1, (0,)) in map(as_tuple, solve(17 * 17, 17, kernel=17, stride=17))
    found = list(solve(17 * 17, 17))
    assert {f.stride for f in solve(16 * 16, 16)} >= {16} and not any(
        f.stride > 16 or f.kernel_size > 16 for f in found
    )


def test_the_largest_of_a_range_has_63_bits() -> None:
    with pytest.raises(TooLarge, match="a stride of 9223372036854775809"):
        solve(8, 8, stride=range(1, 2**64, 2**63))


def test_a_million_combinations_are_searched_and_no_more() -> None:
    hundred = range(1, 101)
    assert solve(5, 3, kernel=hundred, stride=hundred, dilation=hundred).output == (3,)
    with pytest.raises(InvalidWindow, match="1010000 combinations"):
        solve(5, 3, kernel=hundred, stride=hundred, dilation=range(1, 102))


def test_alexnet_and_vit_stems_are_found() -> None:
    assert (11, 4, 2, 2, 1, (1,)) in map(as_tuple, solve(224, 55))
    assert (16, 16, 0, 0, 1, (0,)) in map(as_tuple, solve(224, 14))


def test_one_layer_serves_all_axes() -> None:
    best = solve((224, 320), (112, 160)).best(1)[0]
    assert (best.kernel_size, best.stride, best.before, best.remainder) == (1, 2, 0, (1, 1))
    assert best.to_dict()["remainder"] == [1, 1]
    assert not list(solve((224, 320), (112, 80), stride=range(1, 17)))


def test_json() -> None:
    search = solve(224, 112, kernel=3, dilation=1)
    assert search.to_dict(search.best()) == {
        "format": 1,
        "input": 224,
        "output": 112,
        "transposed": False,
        "solutions": [
            {"kernel": 3, "stride": 2, "padding": [1, 1], "dilation": 1, "output_padding": None, "remainder": 1}
        ],
    }
    back = solve(112, 224, kernel=3, dilation=1, transposed=True).best(1)[0].to_dict()
    assert (back["output_padding"], back["remainder"]) == (1, None)


def test_wide_ranges_visit_solutions_rather_than_combinations() -> None:
    """2^40 paddings are in range for each of 64 kernels; one of them is right, and no other is tried."""
    search = solve(10**12, 10**12 // 2, kernel=range(1, 65), stride=2, padding=range(2**40), dilation=1)
    assert search.count() == 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input": (1, 2), "output": 3}, "2 input sizes but 1 output sizes"),
        ({"input": 0, "output": 3}, "at least 1"),
        ({"input": 3, "output": 3, "kernel": range(0)}, "range of the kernel"),
        ({"input": 3, "output": 3, "stride": 0}, "range of the stride"),
        ({"input": 3, "output": 3, "dilation": range(3, 1, -1)}, "range of the dilation"),
        ({"input": 3, "output": 3, "padding": range(-1, 2)}, "range of the padding"),
        ({"input": 3, "output": 3, "kernel": range(1, 10**9)}, "combinations"),
    ],
)
def test_wrong_questions(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidWindow, match=message):
        solve(**arguments)  # type: ignore[arg-type]
