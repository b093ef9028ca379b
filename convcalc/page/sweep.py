"""What a sweep found as the text of one HTML page: a scatter with the front, a table that names each row's spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..render.document import Axis
from ..render.scatter import Scale, scale
from ..render.sweep import as_argument, exact_text, refusal_text, row_command, said_of, varied
from ..units import counted
from ..version import __version__
from .assets import policy, script_text, styles_text
from .environment import MOST_ROWS, environment
from .svg import drawing, mark, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..sweep.cells import Cell
    from ..sweep.found import Cloud, Found, FoundRow, Shown

LEFT, RIGHT, TOP, BOTTOM = 96.0, 28.0, 20.0, 46.0
WIDTH, HEIGHT = 880.0, 420.0
"""Of the plot, without what stands around it."""
RADIUS = 5.0
SCRIPT = "sweep.js"


class Line(NamedTuple):
    """A row of the table."""

    id: str
    number: int
    cells: list[tuple[str, bool]]
    """Texts, and whether they are numbers."""
    command: str
    on_front: bool


def sweep_page(found: Found) -> str:
    """The page of what a sweep found. Raises UsageError where jinja2 is not installed."""
    templates = environment()
    found = varied(found)
    style, script = styles_text(), script_text(SCRIPT)
    front = found.cloud.front if found.cloud is not None else frozenset()
    return templates.get_template("sweep.html").render(
        policy=policy(style, [script]),
        style=style,
        script=script,
        name=found.name,
        spec=found.spec,
        what=found.what,
        totals=_totals(found),
        searched=found.searched,
        excluded=found.excluded,
        refused=[refusal_text(each) for each in found.refused],
        unfinished="" if found.finished else f"{found.done:,} of {found.size:,}",
        picture=_picture(found.cloud, found) if found.cloud is not None and found.cloud.points else "",
        left_out=found.cloud.left_out if found.cloud is not None else 0,
        columns=[(column.name, _heading(column), _is_number(found.rows, i)) for i, column in enumerate(found.columns)],
        lines=[_line(found, row, front) for row in found.rows[:MOST_ROWS]],
        missing=max(found.of - len(found.rows[:MOST_ROWS]), 0),
        file=None if found.file is None else as_argument(found.file),
        version=__version__,
    )


def _totals(found: Found) -> list[tuple[str, str]]:
    totals = [("candidates", f"{found.size:,}"), ("built", f"{found.built:,}"), ("fit", f"{found.fit:,}")]
    return [*totals, ("rows", f"{found.of:,}")]


def _heading(column: Shown) -> str:
    goals = {"min": "less is better", "max": "more is better", "": ""}
    return ", ".join(part for part in (column.unit, goals[column.goal]) if part)


def _is_number(rows: Sequence[FoundRow], column: int) -> bool:
    return any(isinstance(row.cells[column], int | float) for row in rows)


def _line(found: Found, row: FoundRow, front: frozenset[int]) -> Line:
    cells = [(_cell(value), isinstance(value, int | float)) for value in row.cells]
    return Line(f"row-{row.number}", row.number, cells, row_command(found.file, row.number), row.number in front)


def _cell(value: Cell) -> str:
    return "-" if value is None else exact_text(value)


def _picture(cloud: Cloud, found: Found) -> str:
    """The points over two axes; a point of the table leads to its row, and says what it is."""
    xs, ys = ([point[axis] for point in cloud.points] for axis in (1, 2))
    across, up = scale(xs, Axis(cloud.x.name, cloud.x.unit)), scale(ys, Axis(cloud.y.name, cloud.y.unit))
    rows = {row.number: row for row in found.rows}
    marks = [*_grid(across, up, cloud)]
    step = [_place(across, up, x, y) for number, x, y in cloud.points if number in cloud.front]
    if len(step) > 1:
        marks.append(mark("path", "front", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in sorted(step))))
    linked = []
    for number, x, y in cloud.points:
        row = rows.get(number)
        left, top = _place(across, up, x, y)
        if row is None:
            said = said_of(number, (cloud.x, x), (cloud.y, y))
            marks.append(mark("circle", "rest", said, cx=left, cy=top, r=RADIUS / 2))
            continue
        said = said_of(number, *zip(found.columns, row.cells, strict=True))
        kind = "on" if number in cloud.front else "shown"
        circle = mark("circle", f"point {kind}", said, cx=left, cy=top, r=RADIUS)
        linked.append((left, top, f'<a href="#row-{number}">{circle}</a>'))
    name = f"{cloud.y.name} over {cloud.x.name}: {counted(len(cloud.points), 'candidate')}"
    marks += [text for *_, text in sorted(linked)]
    return drawing(name, LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM, marks, "chart sweep", "cloud", role="group")


def _place(across: Scale, up: Scale, x: float, y: float) -> tuple[float, float]:
    return LEFT + WIDTH * across.share(x), TOP + HEIGHT * (1 - up.share(y))


def _grid(across: Scale, up: Scale, cloud: Cloud) -> Iterator[str]:
    end, foot = LEFT + WIDTH, TOP + HEIGHT
    yield mark("path", "grid", d=f"M{LEFT:g} {TOP:g}V{foot:g}H{end:g}")
    for at, label in across.ticks:
        x = LEFT + WIDTH * across.within(at)
        yield mark("path", "grid", d=f"M{x:.1f} {TOP:g}V{foot:g}")
        yield write(label, x, foot + 16, "middle")
    for at, label in up.ticks:
        y = TOP + HEIGHT * (1 - up.within(at))
        yield mark("path", "grid", d=f"M{LEFT:g} {y:.1f}H{end:g}")
        yield write(label, LEFT - 6, y + 4, "end")
    yield write(cloud.x.name, LEFT + WIDTH / 2, foot + 36, "middle under")
    yield write(cloud.y.name, LEFT, TOP - 7, "middle under")
