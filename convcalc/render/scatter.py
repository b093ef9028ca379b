"""Points over two axes in characters: a frame with ticks, a mark a point, and a key of the marks.

An axis is logarithmic where its largest value is `LOG_FROM` times its smallest one, and both are above 0. Marks that
would hide each other stand beside each other where there is room; the others are named in the key. What else there is
stands behind them as dots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor, log2, log10
from typing import NamedTuple

from ..terminal import printable, width
from ..units import factor, scaled
from .document import Axis, Point, Scatter
from .lines import GAP, Line, padded

MARKS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
OTHERS = "+"
"""The mark of points for which no letter is left."""
DOT = "·"
"""The mark of what has no key."""
LOG_FROM = 30
PIPED = 80
"""Columns of a drawing where nobody says how many there are."""
LEAST, MOST = 10, 24
"""Rows of a drawing."""
NARROW = 10**6
"""A range is next to nothing where its end is so many times as large."""
MOST_TICKS = 6
ROUND = (1, 2, 5)
FAR = Fraction(10**300)
"""What is larger stands at the edge: a float has no room for the tick behind it."""
SCALED = 10**15
"""From here on a tick is written with an exponent."""

Number = int | float | Fraction


class Scale(NamedTuple):
    """How the values of an axis become places on it."""

    logarithmic: bool
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    """(position, label) of each tick, where the position is the value or its logarithm."""

    def share(self, value: Number) -> float:
        """How far along the axis a value is, from 0 to 1."""
        return self.within(position(value, self.logarithmic))

    def within(self, at: float) -> float:
        """How far along the axis a position is, from 0 to 1."""
        return min(max((at - self.low) / (self.high - self.low), 0.0), 1.0)

    def place(self, at: float, last: int) -> int:
        """The place from 0 to `last` of a position."""
        return round(self.within(at) * last)


def scatter_lines(drawn: Scatter, limit: int | None) -> Iterator[Line]:
    """The drawing in `limit` columns and its key."""
    room = PIPED if limit is None else limit
    spots = [*((point.x, point.y) for point in drawn.points), *drawn.rest]
    across, up = (scale([spot[axis] for spot in spots], along) for axis, along in ((0, drawn.x), (1, drawn.y)))
    margin = max(width(label) for _, label in up.ticks)
    columns, rows = max(room - margin - 3, LEAST), min(max(room // 5, LEAST), MOST)
    places = [(round(across.share(x) * (columns - 1)), round(up.share(y) * (rows - 1))) for x, y in spots]
    marked = len(drawn.points)
    marks = [MARKS[number] if number < len(MARKS) else OTHERS for number in range(marked)]
    grid, hidden = _marked(places[:marked], marks, columns)
    behind = set(places[marked:]) - grid.keys()
    yield [(_axis_text(drawn.y, up.logarithmic), "dim")]
    ticks = {up.place(value, rows - 1): label for value, label in up.ticks}
    for row in reversed(range(rows)):
        label = ticks.get(row, "")
        line: Line = [(label.rjust(margin), ""), (" ┤ " if label else " │ ", "dim")]
        text, end = "", 0
        for column in sorted(column for column, at in (*grid, *behind) if at == row):
            text = " " * (column - end)
            mark = grid.get((column, row))
            line += [(text, "")] * bool(text) + [(DOT, "dim") if mark is None else (mark, "bold cyan")]
            end = column + 1
        yield line if end else [line[0], (line[1][0].rstrip(), "dim")]
    yield from _below(across, drawn.x, columns, margin)
    yield []
    yield from _key_lines(drawn, marks, hidden, room)


def _axis_text(axis: Axis, logarithmic: bool) -> str:
    unit = ", ".join(
        part for part in (axis.unit if axis.unit != axis.name else "", "log" if logarithmic else "") if part
    )
    return printable(axis.name + (f" ({unit})" if unit else ""))


def _below(across: Scale, axis: Axis, columns: int, margin: int) -> Iterator[Line]:
    """The axis below the drawing: its line, its labels where they do not touch, and what it measures."""
    line, labels, free = ["─"] * (columns + 1), [" "] * (columns + 12), -1
    for value, label in across.ticks:
        column = across.place(value, columns - 1)
        start = min(max(column - (len(label) - 1) // 2, 0), columns - len(label))
        if start > free:
            line[column + 1] = "┬"
            labels[start : start + len(label)] = label
            free = start + len(label)
    yield [(" " * margin + " └" + "".join(line), "dim")]
    yield [(" " * (margin + 3) + "".join(labels).rstrip(), "")]
    name = _axis_text(axis, across.logarithmic)
    yield [(" " * max(margin + 3 + columns - width(name), 0) + name, "dim")]


def _marked(
    places: Sequence[tuple[int, int]], marks: Sequence[str], columns: int
) -> tuple[dict[tuple[int, int], str], dict[int, str]]:
    """The marks by place, and for each point that has none the mark that stands where it is.

    A place that is taken gives way to the one beside it: that is less than the drawing resolves.
    """
    grid: dict[tuple[int, int], str] = {}
    hidden: dict[int, str] = {}
    for number, ((column, row), mark) in enumerate(zip(places, marks, strict=True)):
        near = [(column + step, row) for step in (0, 1, -1) if 0 <= column + step < columns]
        free = next((place for place in near if place not in grid), None)
        if free is None:
            hidden[number] = grid[column, row]
        else:
            grid[free] = mark
    return grid, hidden


def _key_lines(drawn: Scatter, marks: Sequence[str], hidden: dict[int, str], room: int) -> Iterator[Line]:
    """The points by their marks with their labels and values; as many beside each other as fit.

    Where not even one fits, its values stand below its label.
    """
    shown = drawn.points[: len(MARKS)]
    labels = [printable(point.label) for point in shown]
    notes = [f"at {hidden[number]}" if number in hidden else "" for number in range(len(shown))]
    texts = [labels, *([point.written[axis] for point in shown] for axis in (0, 1)), notes]
    heads = [printable(drawn.first), printable(drawn.x.name), printable(drawn.y.name), ""]
    sizes = [max(width(text) for text in (head, *column)) for head, column in zip(heads, texts, strict=True)]
    sides = ["left", "right", "right", "left"]

    def row(cells: Sequence[str]) -> str:
        parts = [padded(cell, size, side) for cell, size, side in zip(cells, sizes, sides, strict=True) if size]
        return GAP.join(parts)

    entries = [row([column[number] for column in texts]) for number in range(len(shown))]
    size = 3 + sum(part + len(GAP) for part in sizes if part) - len(GAP)
    if size > room:
        yield from _narrow_key(shown, marks, hidden)
        entries = []
    beside = max((room + 2 * len(GAP)) // (size + 2 * len(GAP)), 1) if len(entries) > MOST // 2 else 1
    lines = ceil(len(entries) / beside)
    used = min(beside, ceil(len(entries) / max(lines, 1)))
    if entries:
        yield [((GAP + GAP).join(["   " + row(heads)] * used).rstrip(), "bold")]
    for number in range(lines):
        pieces: Line = []
        for entry in range(number, len(entries), lines):
            gap = GAP + GAP if pieces else ""
            last = entry + lines >= len(entries)
            text = entries[entry].rstrip() if last else entries[entry]
            pieces += [(gap, "")] * bool(gap) + [(marks[entry], "bold cyan"), (f"  {text}", "")]
        yield pieces
    more = len(drawn.points) - len(shown)
    if more:
        yield [(f"{OTHERS}  {more} more", "dim")]


def _narrow_key(points: Sequence[Point], marks: Sequence[str], hidden: dict[int, str]) -> Iterator[Line]:
    for number, point in enumerate(points):
        note = f"{GAP}at {hidden[number]}" if number in hidden else ""
        yield [(marks[number], "bold cyan"), (f"  {printable(point.label)}", "")]
        yield [("   " + GAP.join(point.written) + note, "")]


def position(value: Number, logarithmic: bool) -> float:
    """Where a value stands: itself, or its logarithm."""
    return _log(value, 10) if logarithmic else float(_near(value))


def _near(value: Number) -> Fraction:
    return min(max(Fraction(value), -FAR), FAR)


def _log(value: Number, base: int) -> float:
    """The logarithm, of a fraction too that no float is near to.

    >>> _log(1000, 10), _log(Fraction(1, 10**400), 10)
    (3.0, -400.0)
    """
    exact = _near(value)
    logarithm = log2 if base == 2 else log10
    return logarithm(exact.numerator) - logarithm(exact.denominator)


def scale(values: Sequence[Number], axis: Axis) -> Scale:
    """The scale of an axis: from the tick at or below its smallest value to the one at or above its largest."""
    low, high = _near(min(values)), _near(max(values))
    wide = low > 0 and high >= LOG_FROM * low
    found = _powers(low, high, axis.unit) if wide else _steps(low, high, axis.unit)
    texts = [_tick_text(value, axis.unit) for value in found]
    if len(set(texts)) < len(texts):
        texts = [f"{int(value):,}" if value == int(value) else f"{float(value):.9g}" for value in found]
    ticks = tuple((position(value, wide), text) for value, text in zip(found, texts, strict=True))
    return Scale(wide, ticks[0][0], ticks[-1][0], ticks)


def _powers(low: Number, high: Number, unit: str) -> list[Number]:
    """Powers of ten (of bytes: of two) around a range, thinned where they are many, and 2 and 5 times them if few.

    >>> [int(tick) for tick in _powers(3, 150, "")], [int(tick) for tick in _powers(3, 40000, "")]
    ([2, 5, 10, 20, 50, 100, 200], [1, 10, 100, 1000, 10000, 100000])
    """
    base = 2 if unit == "bytes" else 10
    first, last = floor(_log(low, base)), ceil(_log(high, base))
    if last - first <= 3:
        ticks = [digit * Fraction(base) ** power for power in range(first, last + 1) for digit in ROUND]
        start = max((i for i, tick in enumerate(ticks) if tick <= low), default=0)
        end = next((i for i, tick in enumerate(ticks) if tick >= high), len(ticks) - 1)
        return [*ticks[start : end + 1]]
    step = ceil((last - first) / MOST_TICKS)
    powers = range(first, first + step * ceil((last - first) / step) + 1, step)
    return [Fraction(base) ** power for power in powers]


def _steps(low: Number, high: Number, unit: str) -> list[Number]:
    """Equal round steps around a range, from 0 where it is near, or where the range is next to nothing.

    >>> [int(tick) for tick in _steps(3, 17, "")], [int(tick) for tick in _steps(100, 112, "")]
    ([0, 5, 10, 15, 20], [100, 105, 110, 115])
    """
    if 0 <= low <= high / 2 or (high - low) * NARROW < max(high, -low):
        low = min(low, 0)
        high = max(high, 0)
    if high == low:
        high = low + 1
    size = _unit_size(high) if unit == "bytes" else 1
    rough = Fraction(high - low) / size / (MOST_TICKS - 1)
    power = Fraction(10) ** floor(_log(rough, 10))
    step = next(digit * power for digit in (*ROUND, 10) if digit * power >= rough) * size
    if step < 1 and unit:
        step = Fraction(1)
    return [tick * step for tick in range(floor(low / step), max(ceil(high / step), floor(low / step) + 1) + 1)]


def _unit_size(value: Number) -> int:
    return next((size for prefix in ("Gi", "Mi", "Ki") if (size := factor(prefix)) is not None and value >= size), 1)


def _tick_text(value: Number, unit: str) -> str:
    """A tick in a few characters.

    >>> _tick_text(20000000, "MACs"), _tick_text(3 * 2**20, "bytes"), _tick_text(Fraction(1, 2), "")
    ('20 M', '3 MiB', '0.5')
    """
    if unit == "bytes":
        size = _unit_size(value)
        prefix = {1: "", 2**10: "Ki", 2**20: "Mi", 2**30: "Gi"}[size]
        return f"{float(value / Fraction(size)):.3g} {prefix}B"
    if (isinstance(value, Fraction) and value.denominator > 1) or not -SCALED < value < SCALED:
        return f"{float(value):.3g}"
    text, blank, prefix = scaled(int(value)).partition(" ")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + blank + prefix
