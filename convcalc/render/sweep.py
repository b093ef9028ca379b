"""What a sweep found as a document: what was searched, how many fit, and the rows of the front or the best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from ..sweep.cells import distinct
from ..units import counted
from .document import (
    ZERO,
    Axis,
    Block,
    Column,
    Document,
    KeyLines,
    Note,
    Notes,
    Point,
    Scatter,
    Table,
)
from .progress import KNOWN_SECONDS, duration
from .table import count_text

if TYPE_CHECKING:
    from ..sweep.cells import Cell
    from ..sweep.found import Cloud, Found, FoundRow, Refusals, Shown
    from ..sweep.running import Progress

ROW = "row"
"""The heading of the numbers of candidates."""
MOST_REASONS = 5
"""Reasons for which candidates do not build that are told."""


def sweep_document(found: Found, exact: bool = False, plot: bool = False) -> Document:
    """What was searched, what came of it, and the rows; with `plot` the cloud of candidates above them."""
    title = f"{found.name} swept" + (f"  ({found.spec})" if found.spec != found.name else "")
    blocks: list[Block] = [KeyLines(title, tuple(_answers(found)), ("", ""))]
    if plot and found.cloud is not None and found.cloud.points:
        blocks.append(cloud_scatter(found.cloud, [row.number for row in found.rows], exact))
    if found.rows:
        blocks.append(rows_table(found, exact))
    notes = list(_notes(found))
    return Document((*blocks, *([Notes(tuple(Note(text, "dim") for text in notes))] if notes else [])))


def sweep_rows(found: Found) -> Document:
    """The rows alone with raw numbers, for programs."""
    names = distinct([ROW, *(column.name for column in found.columns)])
    columns = [Column(name, "right") for name in names]
    rows = [[str(row.number), *map(raw_text, row.cells)] for row in found.rows]
    return Document((Table(columns, rows),))


def rows_table(found: Found, exact: bool = False) -> Table:
    """The rows of the front or the best, without axes of one value."""
    found = varied(found)
    numeric = [
        bool(column.unit) or any(isinstance(row.cells[place], int | float) for row in found.rows)
        for place, column in enumerate(found.columns)
    ]
    columns = [
        Column(ROW, "right"),
        *(Column(column.name, "right" if numeric[i] else "left") for i, column in enumerate(found.columns)),
    ]
    rows = []
    for row in found.rows:
        cells = zip(row.cells, found.columns, strict=True)
        rows.append([str(row.number), *(cell_text(cell, column, exact) for cell, column in cells)])
    return Table(columns, rows, _title(found))


def varied(found: Found) -> Found:
    """The same without the columns of axes that have one value."""
    kept = [place for place, column in enumerate(found.columns) if not column.fixed]
    rows = [row._replace(cells=tuple([row.cells[place] for place in kept])) for row in found.rows]
    return found._replace(columns=[found.columns[place] for place in kept], rows=rows)


def _title(found: Found) -> str:
    more = f"the first {len(found.rows):,} of {found.of:,}" if len(found.rows) < found.of else ""
    return f"{found.what}: {more or counted(found.of, 'row')}"


def _answers(found: Found) -> Iterable[tuple[str, str]]:
    for name, texts in found.searched.items():
        for number, text in enumerate(texts):
            yield name if not number else "", text
    yield "candidates", _candidates(found)
    not_built = sum(each.candidates for each in found.refused)
    if not_built:
        yield "built", f"{found.built:,}{share(found.built, found.done)}"
        for number, each in enumerate(found.refused[:MOST_REASONS]):
            yield "refused" if not number else "", refusal_text(each)
        more = found.refused[MOST_REASONS:]
        if more:
            yield "", f"{sum(each.candidates for each in more):,} more for {counted(len(more), 'other reason')}"
    demanded = found.searched.keys() & {"where", "near"}
    if demanded or found.fit < found.built:
        yield "fit", f"{found.fit:,}{share(found.fit, found.done)}" if found.built else "0"
        for number, left_out in enumerate(each for each in found.excluded if each.candidates):
            yield "left out" if not number else "", f"{left_out.candidates:,} by {left_out.condition}"


def _candidates(found: Found) -> str:
    done = f"{found.done:,}" if found.finished else f"{found.done:,} of {found.size:,}, not finished"
    if not found.seconds:
        return done
    return f"{done} in {seconds_text(found.seconds)}, {rate(found.done, found.seconds)} a second"


def _notes(found: Found) -> Iterable[str]:
    if not found.finished:
        yield "the run is not finished: --resume goes on where it stopped"
    if found.params:
        yield f"nothing is searched: --grid NAME=VALUES goes through {', '.join(found.params)}"
    if not found.done:
        return
    if not found.built:
        yield "no candidate builds: the messages above say why"
    elif not found.fit:
        worst = found.excluded[0] if found.excluded else None
        said = f"{worst.condition} leaves out {_of(worst.candidates, found.built)}" if worst is not None else ""
        if worst is not None and worst.nearest is not None:
            said += f"; row {worst.nearest.number} comes nearest: {cell_text(worst.nearest.cell, worst.nearest.column)}"
        near = (
            f"none of {found.built:,} is near {', '.join(found.searched['near'])}" if "near" in found.searched else ""
        )
        yield ": ".join(part for part in ("no candidate fits", said or near) if part)
    elif found.file is not None and found.rows:
        number = found.rows[0].number
        yield f"{row_command(found.file, number)} > net.yaml writes a row as a spec"


def row_command(file: str | None, number: int) -> str:
    """The command that prints the spec of a row; empty where no file has the run.

    >>> row_command("run.sqlite", 17), row_command("my runs/-a", 1)
    ('convcalc sweep run.sqlite --row 17', "convcalc sweep 'my runs/-a' --row 1")
    """
    return "" if file is None else f"convcalc sweep {as_argument(file)} --row {number}"


def as_argument(file: str) -> str:
    """A file as a shell takes it."""
    return quote(f"./{file}" if file.startswith("-") else file)


def _of(count: int, whole: int) -> str:
    return f"all {whole:,}" if count == whole else f"{count:,} of {whole:,}"


def refusal_text(refused: Refusals) -> str:
    """Why candidates do not build, in the words of the first of them."""
    return f"{refused.candidates:,} with {refused.code}, as row {refused.number}: {refused.message}"


def share(part: int, whole: int) -> str:
    """A share behind a count; nothing where it is all.

    >>> share(1, 8), share(8, 8), share(1, 100000)
    (' (12.5%)', '', ' (<0.1%)')
    """
    if part == whole:
        return ""
    permille = (2000 * part + whole) // (2 * whole)
    return f" ({permille // 10}.{permille % 10}%)" if permille or not part else " (<0.1%)"


def seconds_text(seconds: float) -> str:
    """A time as people say it.

    >>> seconds_text(0.04), seconds_text(2.51), seconds_text(75), seconds_text(7261)
    ('0.04 s', '2.5 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rate(done: int, seconds: float) -> str:
    """Candidates a second, to two digits.

    >>> rate(1000, 0.31), rate(3, 2)
    ('3,200', '1.5')
    """
    found = done / seconds
    if found < 10:
        return f"{found:.1f}"
    size = 10 ** max(len(str(int(found))) - 2, 0)
    return f"{int(found / size + 0.5) * size:,}"


def cell_text(cell: Cell, column: Shown, exact: bool = False) -> str:
    """A cell as a terminal shows it: counts and bytes to three digits unless `exact`."""
    if cell is None:
        return "-"
    if column.kind != "figure":
        return exact_text(cell)
    if column.adds_up and cell == 0 and not exact:
        return ZERO
    short = count_text(cell, column.unit, exact) if isinstance(cell, int) else None
    return exact_text(cell) if short is None else short


def exact_text(cell: int | float | str) -> str:
    """A cell in full.

    >>> exact_text(25557032), exact_text(0.1), exact_text("[3, 4]"), exact_text(224.0)
    ('25,557,032', '0.1', '[3, 4]', '224')
    """
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:,.10g}" if isinstance(cell, float) else cell


def raw_text(cell: Cell) -> str:
    """A cell as programs read it; empty for none."""
    return "" if cell is None else str(cell)


def said_of(number: int, *pairs: tuple[Shown, Cell]) -> str:
    """A row in a sentence, for whoever points at it."""
    return f"row {number}: " + ", ".join(
        f"{column.name} {'-' if cell is None else exact_text(cell)}{_unit(column)}" for column, cell in pairs
    )


def _unit(column: Shown) -> str:
    return " bytes" if column.unit == "bytes" else ""


def cloud_scatter(cloud: Cloud, rows: Iterable[int], exact: bool = False) -> Scatter:
    """What fits over two axes: those of these rows that are on the front by letters, the rest as dots."""
    named = cloud.front.intersection(rows)
    points = tuple(
        Point(f"{ROW} {number}", x, y, (cell_text(x, cloud.x, exact), cell_text(y, cloud.y, exact)))
        for number, x, y in sorted(cloud.points, key=lambda point: point[1:])
        if number in named
    )
    rest = tuple((x, y) for number, x, y in cloud.points if number not in named)
    first = "front" if points else ""
    return Scatter(Axis(cloud.x.name, cloud.x.unit), Axis(cloud.y.name, cloud.y.unit), points, first, rest)


def sweep_data(found: Found) -> dict[str, object]:
    """The same as plain data: the contract of `--format json`."""
    return {
        "spec": found.name,
        "path": found.spec,
        "run": found.file,
        "searched": {name: list(texts) for name, texts in found.searched.items()},
        "candidates": found.size,
        "done": found.done,
        "finished": found.finished,
        "seconds": found.seconds,
        "built": found.built,
        "refused": [
            {"code": each.code, "count": each.candidates, "row": each.number, "message": each.message}
            for each in found.refused
        ],
        "fit": found.fit,
        "left_out": [{"condition": each.condition, "count": each.candidates} for each in found.excluded],
        "columns": [
            {"name": each.name, "kind": each.kind, "unit": each.unit, "objective": each.goal or None}
            for each in found.columns
        ],
        "shown": found.what,
        "count": found.of,
        "rows": [row_data(found.columns, row) for row in found.rows],
    }


def row_data(columns: Sequence[Shown], row: FoundRow) -> dict[str, object]:
    """A row: what its axes have, its figures, and what was measured elsewhere, each by its name."""
    said: dict[str, dict[str, Cell]] = {"axis": {}, "figure": {}, "joined": {}}
    for column, cell in zip(columns, row.cells, strict=True):
        said[column.kind][column.name] = cell
    joined = {"joined": said["joined"]} if said["joined"] else {}
    return {ROW: row.number, "values": said["axis"], "figures": said["figure"], **joined}


def progress_texts(name: str, progress: Progress) -> list[str]:
    """How far a sweep is, for a line of a terminal: the longest text first."""
    done = f"{progress.tried:,} of {progress.candidates:,}"
    fit = f"{100 * progress.share:.1f}% fit"
    if progress.wanted is not None:
        done = f"{progress.fitting:,} of {progress.wanted:,} found, {progress.tried:,} tried"
    pace = f"{rate(progress.here, progress.seconds)} a second" if progress.here and progress.seconds else ""
    left = _left(progress)
    whole = [f"sweep of {name}: {done}", pace, fit, f"about {duration(left)} left" if left is not None else ""]
    texts = [", ".join(part for part in whole[:length] if part) for length in (4, 3, 2, 1)]
    return [*texts, done]


def _left(progress: Progress) -> float | None:
    """The seconds that the rest will take at the rate so far."""
    if progress.seconds < KNOWN_SECONDS or not progress.here:
        return None
    if progress.wanted is None:
        return (progress.candidates - progress.tried) / progress.rate
    if not progress.fitting:
        return None
    return (progress.wanted - progress.fitting) / progress.share / progress.rate
