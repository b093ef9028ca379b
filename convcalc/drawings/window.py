"""A window that moves over its input, and the output that it fills: one picture that moves, or one step of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from ..analysis.drawn import ROLES, Drawn, DrawnAxis, by
from .canvas import HEADING_LETTER, MARGIN, Grid, Page, path, rect, text, text_width, used
from .caption import Header, description, legend
from .motion import Motion
from .scene import Scene
from .style import DARK_FROM, SCALE

CELLS = 22
"""Cells beside each other that have full size."""
LARGEST, SMALLEST, NARROWEST = 30, 8, 2
"""Pixels of a cell; the last where there is one axis."""
LETTERED = 16
"""Pixels of a cell from which on it has room for a number."""
MOST_NUMBERS = 200
"""Cells of a grid whose numbers are written."""
MOST_KERNEL = 9
"""Taps of an axis of a kernel that is drawn beside its input."""
GAP, BELOW, INDEX, HEADING = 44, 26, 14, 18
"""Between grids; below them; room for the numbers of rows and columns, and for a heading."""
WIDEST = 1_080
"""Pixels of a row of grids."""


class Panel(NamedTuple):
    """A grid with a heading above it, and the room that it takes."""

    heading: str
    grid: Grid
    content: Sequence[str]
    sign: str = ""
    """Between the panel before and this one."""


def window_page(drawn: Drawn, prefix: str, at: int | None = None) -> Page:
    """The drawing of a window: it moves, or with `at` it stands still at a step, counted from 0."""
    scene = Scene.of(drawn)
    motion = Motion(drawn.steps)
    cell = cell_size(scene)
    panels = _flow(scene, cell)
    header = Header.of(drawn)
    placed = _placed(panels, scene.flat, header.bottom)
    parts = list(header.parts)
    right, bottom = header.right, float(header.bottom)
    drawers = {"input": _input, "output": _output}
    grids: dict[str, Grid] = {}
    for name, panel in placed:
        grid = panel.grid
        grids[name] = grid
        parts.append(text(grid.x, grid.y - INDEX - 6, panel.heading, "heading"))
        if panel.sign:
            parts.append(text(grid.x - GAP / 2 - 2, grid.y + grid.height / 2 + 8, panel.sign, "sign"))
        parts += panel.content
        parts += drawers[name](scene, grid, prefix) if name in drawers else _content(name, scene, grid)
        right = max(right, grid.x + max(grid.width, text_width(panel.heading, HEADING_LETTER)))
        bottom = max(bottom, grid.y + grid.height)
    if at is None:
        parts += _moving(scene, grids["input"], grids["output"], motion, prefix)
        first = _filled(scene, grids["output"], 0)
        parts += ['<g class="still">', *first, f'<use href="#{prefix}-window"/>', "</g>"]
    else:
        parts += still(scene, grids["input"], grids["output"], at)
    keys, legend_right, bottom = legend(scene, bottom + BELOW, prefix, max(right, 560.0))
    parts += keys
    total = max(right, legend_right) + MARGIN
    hatched = bool(scene.unread())
    return Page(header.title, description(drawn), round(total), round(bottom + MARGIN), parts, prefix, hatched)


def cell_size(scene: Scene) -> int:
    """Pixels of a cell: small ones where there are many."""
    if scene.flat:
        return max(min(LARGEST, LARGEST * CELLS // len(scene.across.cells)), NARROWEST)
    cells = max(len(scene.across.cells), len(scene.down.cells))
    return max(min(LARGEST, LARGEST * CELLS // (cells + 8)), SMALLEST)


def kernel_grid(scene: Scene, cell: int) -> Grid | None:
    """The kernel's taps beside each other; None where it has none, or too many."""
    k = scene.down.kernel_size, scene.across.kernel_size
    if not scene.drawn.weighted or max(k) > MOST_KERNEL or not scene.rigid:
        return None
    return Grid(0, 0, max(cell, LETTERED), range(k[0]), range(k[1]))


def _flow(scene: Scene, cell: int) -> list[tuple[str, Panel]]:
    """The panels in their order, not yet in their places."""
    before, after = scene.drawn.drawn_sizes
    stretched = by(len(axis.cells) for axis in scene.drawn.axes)
    more = "" if stretched == before else f", with zeros and padding {stretched}"
    if not scene.drawn.transposed and more:
        more = f", padded to {stretched}"
    grid = Grid(0, 0, cell, scene.down.places, scene.across.places, scene.flat)
    panels = [("input", Panel(f"input {before}{more}", grid, ()))]
    kernel = kernel_grid(scene, cell)
    if kernel is not None:
        panels.append(("kernel", Panel("kernel, flipped" if scene.drawn.transposed else "kernel", kernel, (), "∗")))
    if scene.flat:
        cell = max(cell, min(LETTERED, LARGEST * CELLS // scene.across.output))
    made = Grid(0, 0, cell, range(scene.down.output), range(scene.across.output), scene.flat)
    sign = "=" if kernel is not None else "→"
    panels.append(("output", Panel(f"output {after}", made, (), sign)))
    if scene.drawn.transposed:
        panels.append(("counts", Panel("contributions to each output", made, ())))
    return panels


def _placed(panels: Sequence[tuple[str, Panel]], stacked: bool, top: int) -> list[tuple[str, Panel]]:
    """The panels in rows; below each other where they have one axis."""
    placed: list[tuple[str, Panel]] = []
    row: list[tuple[str, Panel]] = []
    x, y = MARGIN + INDEX, top + HEADING + INDEX
    height = 0

    def close() -> None:
        for name, panel in row:
            grid = panel.grid
            drop = (height - grid.height) // 2
            placed.append((name, panel._replace(grid=grid.moved(grid.x, y + drop))))

    for name, panel in panels:
        wide = round(max(panel.grid.width, text_width(panel.heading, HEADING_LETTER) - GAP))
        gap = GAP if panel.sign else GAP // 2 + INDEX
        if row and (stacked or x + gap + wide > WIDEST):
            close()
            y += height + HEADING + INDEX + BELOW // 2
            row, height = [], 0
            x = MARGIN + INDEX
        elif row:
            x += gap
        sign = panel.sign if row else ""
        row.append((name, panel._replace(grid=panel.grid.moved(x, 0), sign=sign)))
        x += wide
        height = max(height, panel.grid.height)
    close()
    return placed


def _indices(grid: Grid, rows: Iterable[tuple[int, int]], columns: Iterable[tuple[int, int]]) -> Iterator[str]:
    """The numbers of rows at the left and of columns above; each (place, number)."""
    if grid.cell < LETTERED:
        return
    half = grid.cell / 2
    for place, number in columns:
        yield text(grid.at(grid.rows.start, place)[0] + half, grid.y - 4, str(number), "index")
    if len(grid.rows) > 1:
        for place, number in rows:
            yield text(grid.x - 8, grid.at(place, grid.columns.start)[1] + half + 3, str(number), "index")


def _input(scene: Scene, grid: Grid, prefix: str) -> list[str]:
    """The cells of the input, the numbers of its inputs, and the hatching of what is never read."""
    roles = scene.roles()
    parts = [path(role, grid.path(roles[role])) for role in reversed(ROLES)]
    if scene.drawn.transposed and grid.cell >= LETTERED and len(roles["zero"]) <= MOST_NUMBERS:
        parts += [_centred(grid, cell, "0", "number quiet") for cell in roles["zero"]]
    parts += _indices(grid, _numbered(scene.down), _numbered(scene.across))
    unread = scene.unread()
    if unread:
        parts.append(f'<path class="unread" fill="url(#{prefix}-hatch)" d="{grid.path(unread)}"/>')
    return parts


def _numbered(axis: DrawnAxis) -> list[tuple[int, int]]:
    found = [(place, axis.input_at(place)) for place in axis.places]
    return [(place, index) for place, index in found if index is not None]


def _centred(grid: Grid, cell: tuple[int, int], said: str, kind: str) -> str:
    x, y = grid.at(*cell)
    return text(x + grid.cell / 2, y + grid.cell / 2 + 4, said, kind)


def _output(scene: Scene, grid: Grid, prefix: str) -> list[str]:
    """The cells of the output before they are filled."""
    cells = product(grid.rows, grid.columns)
    numbers = _indices(grid, ((n, n) for n in grid.rows), ((n, n) for n in grid.columns))
    return [path("pending", grid.path(cells)), *numbers]


def _content(name: str, scene: Scene, grid: Grid) -> list[str]:
    return _kernel(scene, grid) if name == "kernel" else _counts(scene, grid)


def _kernel(scene: Scene, grid: Grid) -> list[str]:
    """The taps of a kernel with their numbers."""
    cells = list(product(grid.rows, grid.columns))
    numbers = [_centred(grid, cell, str(n), "number") for cell, n in zip(cells, scene.weights(), strict=True)]
    return [path("kernel", grid.path(cells)), *numbers]


def _counts(scene: Scene, grid: Grid) -> list[str]:
    """How many products each output of a transposed convolution is a sum of, light for few and dark for many."""
    down, across = scene.down.counts or (1,) * scene.down.output, scene.across.counts or (1,) * scene.across.output
    largest = max(down) * max(across)
    cells: dict[int, list[tuple[int, int]]] = {}
    for row, column in product(grid.rows, grid.columns):
        cells.setdefault(down[row] * across[column], []).append((row, column))
    parts = []
    written = grid.cell >= LETTERED and len(grid.rows) * len(grid.columns) <= MOST_NUMBERS
    for count, places in sorted(cells.items()):
        step = count * (len(SCALE) - 1) // max(largest, 1)
        parts.append(path(f"count{step}", grid.path(places)))
        kind = "number many" if step >= DARK_FROM else "number few"
        parts += [_centred(grid, place, str(count), kind) for place in places] if written else []
    return parts


def _moving(scene: Scene, grid: Grid, made: Grid, motion: Motion, prefix: str) -> list[str]:
    """The window that moves and the output that it fills; without motion it stands at the first step."""
    steps = [divmod(step, scene.across.output) for step in range(motion.steps)]
    cells = product(made.rows, made.columns)
    side, tall = made.cell, made.tall
    whole_rows = motion.jumps("height", [row * tall for row, _ in steps])
    here_y = motion.jumps("y", [made.y + row * tall for row, _ in steps])
    here_width = motion.jumps("width", [(column + 1) * side for _, column in steps])
    done = rect("done", made.x, made.y, made.width, 0, whole_rows)
    doing = rect("done", made.x, made.y, side, tall, here_y + here_width)
    marks = [(column * side, row * tall) for row, column in steps]
    marker = rect("marker", made.x, made.y, side, tall, motion.slides(marks))
    return [
        f'<clipPath id="{prefix}-made">{done}{doing}</clipPath>',
        '<g class="moving">',
        f'<path class="output" clip-path="url(#{prefix}-made)" d="{made.path(cells)}"/>',
        marker,
        *_window(scene, grid, motion, prefix),
        "</g>",
    ]


def _window(scene: Scene, grid: Grid, motion: Motion, prefix: str) -> list[str]:
    """The window with its taps and its frame."""
    side, tall = grid.cell, grid.tall
    steps = [divmod(step, scene.across.output) for step in range(motion.steps)]
    named = used(f"{prefix}-window")
    if not scene.rigid:
        frames = [_frame(scene, grid, step) for step in range(motion.steps)]
        lists = zip(("x", "y", "width", "height"), zip(*frames, strict=True), strict=True)
        moved = "".join(motion.jumps(name, values) for name, values in lists)
        return [rect("frame", *frames[0], moved), f"<defs>{named}", *_taps(scene, grid, 0), "</g></defs>"]
    start = scene.down.windows[0][0], scene.across.windows[0][0]
    moves = [
        ((scene.across.windows[column][0] - start[1]) * side, (scene.down.windows[row][0] - start[0]) * tall)
        for row, column in steps
    ]
    return ["<g>" + motion.slides(moves), named, *_taps(scene, grid, 0), "</g></g>"]


def _frame(scene: Scene, grid: Grid, step: int) -> tuple[int, int, int, int]:
    """The rectangle around the places that a step reads."""
    row, column = divmod(step, scene.across.output)
    down, across = scene.down.windows[row], scene.across.windows[column]
    x, y = grid.at(down[0], across[0])
    return x, y, (across[-1] - across[0] + 1) * grid.cell, (down[-1] - down[0] + 1) * grid.tall


def _taps(scene: Scene, grid: Grid, step: int) -> list[str]:
    """The taps of a step, the weights that they multiply with, and the frame around them."""
    taps = scene.taps(step)
    parts = [path("tap", grid.path(taps))]
    if scene.drawn.weighted and scene.rigid and grid.cell >= LETTERED and len(taps) <= MOST_NUMBERS:
        side = grid.cell
        places = [grid.at(*tap) for tap in taps]
        parts += [
            text(x + side - 3, y + side - 4, str(number), "weight")
            for (x, y), number in zip(places, scene.weights(), strict=True)
        ]
    return [*parts, rect("frame", *_frame(scene, grid, step))]


def still(scene: Scene, grid: Grid, made: Grid, step: int) -> list[str]:
    """One step: its window, and the outputs up to it."""
    return [*_filled(scene, made, step), *_taps(scene, grid, step)]


def _filled(scene: Scene, made: Grid, step: int) -> list[str]:
    """The outputs up to a step, and a mark around its own."""
    filled = [divmod(n, scene.across.output) for n in range(step + 1)]
    x, y = made.at(*filled[-1])
    return [path("output", made.path(filled)), rect("marker", x, y, made.cell, made.tall)]
