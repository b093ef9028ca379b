"""A strip of stills: every step of a window beside each other."""

from __future__ import annotations

from itertools import product

from ..analysis.drawn import ROLES, Drawn
from ..findings import UsageError
from .canvas import MARGIN, Grid, Page, path, text, used
from .caption import Header, description, legend
from .scene import Scene
from .window import WIDEST, still

MOST_STILLS = 64
LARGEST, SMALLEST, CELLS = 22, 5, 180
"""Pixels of a cell, and those of all cells of a still beside each other."""
APART, BELOW = 24, 18
"""Between stills; between an input and its output."""


def strip_page(drawn: Drawn, prefix: str) -> Page:
    """Every step as a still with its number and the output that it fills.

    Raises UsageError, with the numbers, for more steps than can be looked at.
    """
    if drawn.steps > MOST_STILLS:
        raise UsageError(
            f"too many steps for stills: {drawn.steps:,}, of {MOST_STILLS} at the most",
            "a smaller --size has fewer steps, --dims 1 draws one axis",
        )
    scene = Scene.of(drawn)
    side = max(min(LARGEST, CELLS // max(len(scene.across.cells), len(scene.down.cells))), SMALLEST)
    grid = Grid(0, 0, side, scene.down.places, scene.across.places, scene.flat)
    made = Grid(0, 0, side, range(scene.down.output), range(scene.across.output), scene.flat)
    wide, high = max(grid.width, made.width, 72), grid.height + BELOW + made.height
    columns = _columns(scene, (WIDEST - 2 * MARGIN + APART) // (wide + APART))
    header = Header.of(drawn)
    top = header.bottom
    made = made.moved(0, grid.height + BELOW)
    parts = [*header.parts, f"<defs>{used(f'{prefix}-given')}", *_given(scene, grid, made, prefix), "</g></defs>"]
    bottom = top
    for step in range(drawn.steps):
        row, column = divmod(step, columns)
        x, y = MARGIN + column * (wide + APART), top + row * (high + APART + 18)
        position = ", ".join(map(str, drawn.position(step)))
        parts.append(f'<g transform="translate({x} {y})">')
        parts.append(text(0, 10, f"{step + 1}: output {position}", "quiet"))
        parts.append('<g transform="translate(0 18)">')
        parts.append(f'<use href="#{prefix}-given"/>')
        parts += still(scene, grid, made, step)
        parts.append("</g></g>")
        bottom = y + 18 + high
    right = MARGIN + columns * (wide + APART) - APART
    found, legend_right, end = legend(scene, bottom + APART, prefix, max(right, 560))
    total = max(right, legend_right, header.right)
    said = f"{drawn.steps} stills, one a step. {description(drawn)}"
    return Page(
        header.title, said, round(total + MARGIN), round(end + MARGIN), [*parts, *found], prefix, bool(scene.unread())
    )


def _columns(scene: Scene, room: int) -> int:
    """Stills beside each other: whole rows of the output where they have room, so that each stands at its place."""
    across, down = scene.across.output, scene.down.output
    fitting = [rows for rows in range(1, down + 1) if down % rows == 0 and rows * across <= room]
    return across * fitting[-1] if fitting and not scene.flat else max(min(room, scene.drawn.steps), 1)


def _given(scene: Scene, grid: Grid, made: Grid, prefix: str) -> list[str]:
    """What all stills have: the cells of the input, and those of the output before they are filled."""
    roles, unread = scene.roles(), scene.unread()
    parts = [path(role, grid.path(roles[role])) for role in reversed(ROLES)]
    if unread:
        parts.append(f'<path class="unread" fill="url(#{prefix}-hatch)" d="{grid.path(unread)}"/>')
    return [part for part in (*parts, path("pending", made.path(product(made.rows, made.columns)))) if part]
