"""A window over both edges of one axis, in monospaced characters."""

from __future__ import annotations

from typing import NamedTuple

from ...geometry import AxisMap, TransposedWindow, Window

WIDEST = 72
SHOWN = 3
"""Positions drawn at each edge."""


class _Scene(NamedTuple):
    """Windows over a line of cells; for a transposed window the cells are outputs and the windows inputs."""

    size: int
    windows: int
    window: Window
    cells: str
    rows: str

    def reach(self, position: int) -> range:
        """The cells that one window takes."""
        k, s, before, _, d = self.window
        start = position * s - before
        return range(start, start + d * (k - 1) + 1, d)


def draw_window(window: AxisMap, size: int, output: int) -> list[str]:
    """The first and last positions of a window: `#` read, `-` stepped over, `.` padding.

    A transposed window is drawn the other way round: what each input writes; `.` is cropped.

    >>> print("\\n".join(draw_window(Window(3, 2, 1, 1), 5, 3)))
    input   . 0 1 2 3 4 .
    out 0   # # #
    out 1       # # #
    out 2           # # #
    """
    if isinstance(window, TransposedWindow):
        return _edges(_Scene(output, size, Window(*window[:5]), "output", "in"))
    return _edges(_Scene(size, output, window, "input", "out")) if isinstance(window, Window) else []


def _edges(scene: _Scene) -> list[str]:
    """The cells and the windows over them, all or at the near edge and at the far one; nothing if too wide."""
    size, windows = scene.size, scene.windows
    fit = (WIDEST - _head(scene)) // _cell(scene)
    begin = min(scene.reach(0)[0], 0)
    end = max(size + max(scene.window.after, 0), scene.reach(windows - 1)[-1] + 1)
    if end - begin <= fit and windows <= 2 * SHOWN:
        return _rows(scene, begin, end, range(windows))
    shown = min(windows, SHOWN)
    near, far = range(shown), range(windows - shown, windows)
    edges = ((begin, scene.reach(near[-1])[-1] + 1, near), (scene.reach(far[0])[0], end, far))
    drawn = [_rows(scene, *edge) for edge in edges if edge[1] - edge[0] <= fit]
    return [line for rows in drawn for line in ([""] if rows is not drawn[0] else []) + rows]


def _head(scene: _Scene) -> int:
    return max(len(scene.cells), len(scene.rows) + 1 + len(str(scene.windows - 1))) + 2


def _cell(scene: _Scene) -> int:
    return len(str(scene.size - 1)) + 1


def _rows(scene: _Scene, begin: int, end: int, positions: range) -> list[str]:
    head, cell = _head(scene), _cell(scene)
    numbers = [str(i) if 0 <= i < scene.size else "." for i in range(begin, end)]
    lines = [scene.cells.ljust(head) + "".join(text.rjust(cell) for text in numbers)]
    for position in positions:
        taken = scene.reach(position)
        marks = ["#" if i in taken else "-" if taken[0] < i < taken[-1] else "" for i in range(begin, end)]
        lines.append((f"{scene.rows} {position}".ljust(head) + "".join(mark.rjust(cell) for mark in marks)).rstrip())
    return lines
