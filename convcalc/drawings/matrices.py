"""The matrices of a convolution as pictures: im2col, C and its transpose, each tap in its colour."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from ..analysis.drawn import Drawn
from ..analysis.drawn_matrices import DrawnMatrices, drawn_matrices
from .canvas import HEADING_LETTER, MARGIN, Grid, Page, path, text, text_width
from .caption import Header
from .scene import Scene
from .window import WIDEST

LARGEST, SMALLEST, LETTERED = 22, 5, 13
"""Pixels of a cell, and from which on it has room for a number."""
ROOM = 460
"""Pixels of the longest side of a matrix."""
APART, HEADING = 40, 20
FIRST_ROW = 4
"""Pictures above C and its transpose."""
VIRIDIS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
"""A scale whose lightness grows evenly, whoever sees it. Smith & van der Walt 2015, matplotlib's viridis, at fifths."""
Cells = Sequence[Sequence[int | None]]


def colour(tap: int, taps: int) -> tuple[str, bool]:
    """The colour of a tap, counted from 1, and whether a number on it is light.

    >>> colour(1, 9), colour(9, 9)
    (('#440154', True), ('#fde725', False))
    """
    place = (tap - 1) * (len(VIRIDIS) - 1) / max(taps - 1, 1)
    low = min(int(place), len(VIRIDIS) - 2)
    part = place - low
    one, other = ([int(stop[n : n + 2], 16) for n in (1, 3, 5)] for stop in VIRIDIS[low : low + 2])
    mixed = [round(a + (b - a) * part) for a, b in zip(one, other, strict=True)]
    light = 0.2126 * mixed[0] + 0.7152 * mixed[1] + 0.0722 * mixed[2] < 125
    return "#" + "".join(f"{value:02x}" for value in mixed), light


def matrix_page(drawn: Drawn, prefix: str) -> Page:
    """The kernel, the input, im2col, C and its transpose. Raises UsageError for matrices too large to be looked at."""
    made = drawn_matrices(drawn)
    scene = Scene.of(drawn)
    sides = [len(made.weights), len(made.weights[0]), made.taps]
    cell = max(min(LARGEST, ROOM // max(sides)), SMALLEST)
    header = Header.of(drawn)
    parts = list(header.parts)
    x, y, low, right = MARGIN, header.bottom, 0, round(header.right)
    for number, (heading, rows, kind) in enumerate(_matrices(scene, made)):
        wide = round(max(len(rows[0]) * cell, text_width(heading, HEADING_LETTER)))
        if number == FIRST_ROW or (x > MARGIN and x + wide > WIDEST):
            x, y, low = MARGIN, low + 30, 0
        grid = Grid(x, y + HEADING, cell, range(len(rows)), range(len(rows[0])))
        parts.append(text(x, y + 10, heading, "heading"))
        parts += _inputs(grid, rows) if kind == "inputs" else _weights(grid, rows, made.taps)
        low, right = max(low, grid.y + grid.height), max(right, x + wide)
        x += wide + APART
    return Page(header.title, _description(made), right + MARGIN, low + MARGIN, parts, prefix)


def _matrices(scene: Scene, made: DrawnMatrices) -> list[tuple[str, Cells, str]]:
    """Heading, cells and what stands in them: numbers of inputs, or of taps."""
    k, width = scene.across.kernel_size, scene.across.size
    kernel = [list(range(n * k + 1, n * k + k + 1)) for n in range(scene.down.kernel_size)]
    given = [list(range(n * width + 1, n * width + width + 1)) for n in range(scene.down.size)]
    outputs, inputs = len(made.weights), len(made.weights[0])
    transposed = scene.drawn.transposed
    here, back = ("C^T", "C") if transposed else ("C", "C^T")
    columns = f"im2col(X), {made.taps} × {outputs}"
    return [
        ("kernel", kernel, "weights"),
        ("X", given, "inputs"),
        (f"rows: {'flipped ' if transposed else ''}taps", [[weight] for weight in made.columns.weights], "weights"),
        (columns, made.columns.inputs, "inputs"),
        (f"{here}, {outputs} × {inputs}: this layer", made.weights, "weights"),
        (f"{back}, {inputs} × {outputs}: its transpose", made.transposed, "weights"),
    ]


def _weights(grid: Grid, rows: Cells, taps: int) -> list[str]:
    """Cells of taps, each in its colour; those of no tap stay empty."""
    found: dict[int, list[tuple[int, int]]] = {}
    empty: list[tuple[int, int]] = []
    for cell in product(grid.rows, grid.columns):
        tap = rows[cell[0]][cell[1]]
        (empty if tap is None else found.setdefault(tap, [])).append(cell)
    parts = [path("nothing", grid.path(empty))]
    for tap, cells in sorted(found.items()):
        fill, light = colour(tap, taps)
        parts.append(f'<path class="coloured" fill="{fill}" d="{grid.path(cells)}"/>')
        parts += _numbers(grid, cells, tap, "number many" if light else "number few")
    return parts


def _inputs(grid: Grid, rows: Cells) -> list[str]:
    """Cells of inputs with their numbers; padding and zeros are empty."""
    parts = []
    cells = list(product(grid.rows, grid.columns))
    parts.append(path("padding", grid.path(cell for cell in cells if rows[cell[0]][cell[1]] is None)))
    parts.append(path("input", grid.path(cell for cell in cells if rows[cell[0]][cell[1]] is not None)))
    for row, column in cells:
        number = rows[row][column]
        if number is not None:
            parts += _numbers(grid, [(row, column)], number, "number")
    return parts


def _numbers(grid: Grid, cells: Sequence[tuple[int, int]], number: int, kind: str) -> list[str]:
    if grid.cell < LETTERED or len(str(number)) * 6 > grid.cell:
        return []
    half = grid.cell / 2
    places = [grid.at(*cell) for cell in cells]
    return [text(x + half, y + half + 4, str(number), kind) for x, y in places]


def _description(made: DrawnMatrices) -> str:
    outputs, inputs = len(made.weights), len(made.weights[0])
    filled = sum(weight is not None for row in made.weights for weight in row)
    return (
        f"The window as matrices. im2col has a row for each of {made.taps} taps and a column for each of {outputs} "
        f"outputs: what each window reads. The layer's matrix has {outputs} rows and {inputs} columns, of whose cells "
        f"{filled} hold a tap; its transpose has the same taps with rows and columns exchanged."
    )
