"""Two columns as a scatter: where points stand, what marks and ticks say, and what has no place in it."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convcalc.render.document import Axis, Point, Scatter
from convcalc.render.lines import plain
from convcalc.render.scatter import MARKS, scatter_lines
from convcalc.terminal import width

from .command import run


def drawn(points: list[tuple[int | Fraction, int | Fraction]], limit: int | None = 80, unit: str = "MACs") -> list[str]:
    found = [Point(f"n{i}", x, y, (str(x), str(y))) for i, (x, y) in enumerate(points)]
    return plain(scatter_lines(Scatter(Axis("x", unit), Axis("y", unit), tuple(found), "network"), limit)).splitlines()


def frame(lines: list[str]) -> list[str]:
    """The rows between the axes, without their labels."""
    end = next(n for n, line in enumerate(lines) if "└" in line)
    start = lines[end].index("└") + 2
    return [line[start:] for line in lines[1:end]]


def place(lines: list[str], mark: str) -> tuple[int, int]:
    """(column from the left, row from below) of a mark."""
    rows = frame(lines)
    row = next(n for n, line in enumerate(rows) if mark in line)
    return rows[row].index(mark), len(rows) - 1 - row


def test_more_is_farther_right_and_higher() -> None:
    lines = drawn([(1, 9), (5, 5), (10, 1)])
    (ax, ay), (bx, by), (cx, cy) = (place(lines, mark) for mark in "abc")
    assert ax < bx < cx and ay > by > cy


def test_an_axis_is_linear_for_a_small_range_and_logarithmic_for_a_wide_one() -> None:
    assert drawn([(1, 1), (10, 29)])[0] == "y (MACs)"
    lines = drawn([(1, 1), (10, 30)])
    assert lines[0] == "y (MACs, log)" and any(line.endswith(" x (MACs)") for line in lines)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([1e-310, 1], {"1e-310"}),
        ([0, 5e-324], {"0", "4.94065646e-324"}),
        ([-1.7e308, 1.7e308], {"-1e+300", "1e+300"}),
        ([1, 10**400], {"1", "1e+300"}),
        ([0, 2 * 10**18], {"0", "2e+18"}),
    ],
)
def test_numbers_at_the_ends_of_what_there_is_have_places(values: list[float], ticks: set[str]) -> None:
    points = tuple(Point(f"n{i}", value, value, ("", "")) for i, value in enumerate(values))
    lines = plain(scatter_lines(Scatter(Axis("x", ""), Axis("y", ""), points, "network"), 80)).splitlines()
    assert place(lines, "a") < place(lines, "b")
    assert ticks <= {line.split("┤")[0].strip() for line in lines if "┤" in line}


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis() -> None:
    lines = drawn([(10**2, 1), (10**4, 1), (10**6, 1), (10**8, 1)], 100)
    columns = [place(lines, mark)[0] for mark in "abcd"]
    steps = [after - before for before, after in pairwise(columns)]
    assert max(steps) - min(steps) <= 1


def test_points_stand_over_the_ticks_of_their_values() -> None:
    lines = drawn([(0, 1), (10, 1), (20, 1)])
    axis = next(line for line in lines if "└" in line)
    labels = lines[lines.index(axis) + 1]
    ticks = [i - axis.index("└") - 2 for i, sign in enumerate(axis) if sign == "┬"]
    assert labels.split() == ["0", "5", "10", "15", "20"]
    assert [place(lines, mark)[0] for mark in "abc"] == [ticks[0], ticks[2], ticks[4]]


def test_marks_that_would_hide_each_other_stand_beside_each_other_or_are_named() -> None:
    lines = drawn([(5, 5), (5, 5), (5, 5), (5, 5), (1, 1), (9, 9)])
    assert any("cab" in line for line in frame(lines))
    assert next(line for line in lines if line.startswith("d  ")).endswith("at a")
    assert not next(line for line in lines if line.startswith("b  ")).endswith("at a")


def test_one_point_and_equal_points_are_drawn() -> None:
    for points in ([(7, 7)], [(7, 7), (7, 7)], [(10**18, 1)], [(Fraction(1, 3), Fraction(1, 7))]):
        assert any("a" in line for line in frame(drawn(list(points))))


def test_values_that_differ_by_little_have_ticks_that_differ() -> None:
    lines = drawn([(1, 100_000_000), (2, 100_300_000)])
    labels = [line.partition("┤")[0].strip() for line in lines if "┤" in line]
    assert labels[-1] == "100,000,000" and len(set(labels)) == len(labels) > 2


@pytest.mark.parametrize("values", [(2**62, 2**62 + 1), (-5, -5), (-(10**12), 10**12), (0, 0), (Fraction(1, 2**70), 1)])
def test_any_two_values_have_an_axis(values: tuple[int, int]) -> None:
    assert sum(len(line.strip()) > 0 for line in frame(drawn([(1, values[0]), (2, values[1])]))) in (1, 2)


def test_points_without_a_letter_are_counted() -> None:
    lines = drawn([(i, i) for i in range(1, len(MARKS) + 9)])
    assert lines[-1] == "+  8 more" and any("+" in line for line in frame(lines))


def test_ticks_of_bytes_are_binary() -> None:
    lines = drawn([(2**20, 2**10), (40 * 2**20, 2**15)], unit="bytes")
    text = "\n".join(lines)
    assert "y (bytes, log)" in text and "KiB" in text and "MiB" in text
    assert not any(label in text for label in ("KB", "0.98", "9.77"))


@example([(1, 1), (1, 1), (1, 1), (1, 10**7), (10**12, 1)], 40, "MACs")
@given(
    st.lists(st.tuples(st.integers(1, 2**63), st.integers(1, 2**63)), min_size=1, max_size=80),
    st.integers(40, 200),
    st.sampled_from(["MACs", "bytes", ""]),
)
def test_it_fits_and_every_point_has_its_place(points: list[tuple[int, int]], limit: int, unit: str) -> None:
    lines = drawn(list(points), limit, unit)
    end = next(n for n, line in enumerate(lines) if "└" in line)
    assert max(map(width, lines[: end + 3])) <= limit
    letters = "".join(frame(lines))
    key = re.split(r"(?<!\S)(?=\S  n\d)", "\n".join(lines[end + 3 :]))
    for number, mark in enumerate(MARKS[: len(points)]):
        entry = next(part for part in key if re.match(rf"{mark}  n{number}\b", part))
        assert letters.count(mark) == 1 or "  at " in entry


class TestOneNetwork:
    def test_its_rows_are_the_points_and_blocks_do_not_stand_beside_what_is_in_them(self) -> None:
        found = run("table", "resnet", "--plot", "params,macs", "--depth", "2").stdout
        assert "conv2_x.0  " in found and "conv2_x.1–2 each" in found and "conv2_x  " not in found
        assert "not drawn, since params or macs is 0 or missing: 3" in found

    def test_sort_top_and_by_choose_the_points(self) -> None:
        found = run(
            "table", "resnet", "--plot", "params,macs", "--by", "layer", "--sort", "params", "--top", "3"
        ).stdout
        key = found[found.index("   layer") :].splitlines()
        assert len(key) == 4 and all(".conv" in line for line in key[1:])

    def test_shapes_are_drawn_by_their_elements(self) -> None:
        found = run("table", "lenet5", "--plot", "params,output").stdout
        assert "output (elements, all axes" in found


def test_ascii_is_enough() -> None:
    found = run("table", "resnet", "vgg", "--plot", "params,macs", encoding="ascii").stdout
    assert found.isascii() and "\\u" not in found and "+-+-" in found


@pytest.mark.parametrize("columns", ["40", "80", "160"])
def test_it_fits_a_terminal(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    found = run("table", "resnet", "vgg", "lenet5", "unet", "--variants", "--plot", "params,peak_memory").stdout
    assert max(map(len, found.splitlines())) <= int(columns)
