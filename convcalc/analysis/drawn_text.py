"""The drawing of a window in characters: the input with the window at one step, the output, the flipped kernel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from string import ascii_letters

from ..geometry import Window
from .drawn import Drawn, DrawnAxis, Role, drawn_axis

SIGNS: dict[Role, str] = {"input": "#", "zero": "0", "padding": ".", "output_padding": "+", "beyond": ":"}
"""What stands for a cell; inputs have letters where there are enough."""
UNREAD, DONE, PENDING = "x", "#", "."
LETTERS = ascii_letters.replace("x", "").replace("X", "")
"""Of the inputs: those that stand for nothing else."""
WIDEST = 76
"""Columns of a drawing beside whose input its output stands."""
MOST_OF_ROW = 24
"""Cells of a line of a drawing with one axis."""
MOST_OF_PLANE = 16
"""Cells of a row of a drawing that stands among other lines."""
APART = "    "
_ONE = drawn_axis(Window(), 1, 1)


def drawing_lines(drawn: Drawn, step: int = 0, keyed: bool = True, counted: bool = True) -> list[str]:
    """The input, the kernel where it is flipped, and the output at a step; `keyed` says what the signs stand for.

    Of a transposed convolution the contributions to each output follow, where they are to be `counted`.

    >>> from .drawn import Given, drawn_axes
    >>> window = Drawn("", "convolution", drawn_axes([Given(Window(3, 2, 1, 1), 4, 2)] * 2))
    >>> print("\\n".join(drawing_lines(window)))
    input 4x4            output 2x2
    [.][.][.] .  .  x    [#] .
    [.][a][b] c  d  x     .  .
    [.][e][f] g  h  x
     .  i  j  k  l  x
     .  m  n  o  p  x
     x  x  x  x  x  x
    <BLANKLINE>
    [ ] window   a-p input   . padding   x never read   # output
    """
    down, across = _axes(drawn)
    before, after = ("x".join(map(str, sizes)) for sizes in zip(*((a.size, a.output) for a in drawn.axes), strict=True))
    blocks = [(f"input {before}", _input(down, across, step))]
    if drawn.transposed and drawn.weighted:
        blocks.append(("kernel, flipped", _kernel(down, across)))
    blocks.append((f"output {after}", _output(down, across, step)))
    if drawn.transposed and counted:
        blocks.append(("contributions", _counts(down, across)))
    return [*_beside(blocks), *(["", _key(drawn, down, across)] if keyed else [])]


def _axes(drawn: Drawn) -> tuple[DrawnAxis, DrawnAxis]:
    """The axis downwards and the one across; a single one lies across."""
    return (_ONE if len(drawn.axes) == 1 else drawn.axes[0]), drawn.axes[-1]


def _input(down: DrawnAxis, across: DrawnAxis, step: int) -> list[str]:
    row, column = divmod(step, across.output)
    rows, columns = down.windows[row], across.windows[column]
    read = down.read, across.read
    lines = []
    for y in down.places:
        cells = []
        for x in across.places:
            sign = _sign(down, across, y, x) if y in read[0] and x in read[1] else UNREAD
            cells.append(f"[{sign}]" if y in rows and x in columns else f" {sign} ")
        lines += _lines(cells, alone=len(down.cells) == 1)
    return lines


def _lines(cells: Sequence[str], alone: bool) -> list[str]:
    """A row of cells as a line; one that stands alone goes on in further lines."""
    most = MOST_OF_ROW if alone else len(cells)
    return ["".join(cells[at : at + most]).rstrip() for at in range(0, len(cells), most)]


def _sign(down: DrawnAxis, across: DrawnAxis, y: int, x: int) -> str:
    pair = down.cells[y - down.begin], across.cells[x - across.begin]
    for role in ("beyond", "output_padding", "padding", "zero"):
        if role in pair:
            return SIGNS[role]
    inputs = down.size * across.size
    number = (down.input_at(y) or 0) * across.size + (across.input_at(x) or 0)
    return LETTERS[number] if inputs <= len(LETTERS) else SIGNS["input"]


def _output(down: DrawnAxis, across: DrawnAxis, step: int) -> list[str]:
    lines = []
    for row in range(down.output):
        numbers = range(row * across.output, (row + 1) * across.output)
        cells = [f"[{DONE}]" if n == step else f" {DONE if n < step else PENDING} " for n in numbers]
        lines += _lines(cells, alone=down.output == 1)
    return lines


def _kernel(down: DrawnAxis, across: DrawnAxis) -> list[str]:
    """The numbers of the taps, from the last to the first."""
    height, width = down.kernel_size, across.kernel_size
    count = height * width
    cell = len(str(count))
    rows = [range(count - row * width, count - (row + 1) * width, -1) for row in range(height)]
    return [" ".join(str(number).rjust(cell) for number in row) for row in rows]


def _counts(down: DrawnAxis, across: DrawnAxis) -> list[str]:
    """The sums of products that each output is made of."""
    rows, columns = down.counts or (1,) * down.output, across.counts or (1,) * across.output
    cell = len(str(max(rows) * max(columns)))
    return [" ".join(str(v * h).rjust(cell) for h in columns) for v in rows]


def _beside(blocks: Sequence[tuple[str, list[str]]]) -> list[str]:
    """Blocks beside each other under their headings; those that have no room stand below."""
    lines: list[str] = []
    row: list[list[str]] = []
    for heading, content in blocks:
        block = [heading, *content]
        wide = max(map(len, block))
        if row and sum(max(map(len, one)) + len(APART) for one in row) + wide > WIDEST:
            lines += [*_joined(row), ""]
            row = []
        row.append(block)
    return lines + _joined(row)


def _joined(row: Sequence[list[str]]) -> list[str]:
    widths = [max(map(len, block)) for block in row]
    return [
        APART.join(line.ljust(wide) for line, wide in zip(lines, widths, strict=True)).rstrip()
        for lines in zip_longest(*row, fillvalue="")
    ]


def _key(drawn: Drawn, down: DrawnAxis, across: DrawnAxis) -> str:
    """What the signs stand for, those alone that are drawn."""
    inputs = down.size * across.size
    letters = f"a-{LETTERS[inputs - 1]}" if 1 < inputs <= len(LETTERS) else "a" if inputs == 1 else "#"
    roles = {*down.cells, *across.cells}
    said: list[tuple[str, str]] = [("[ ]", "window"), (letters, "input")]
    names: list[tuple[Role, str]] = [
        ("zero", "zero"),
        ("padding", "padding"),
        ("output_padding", "output_padding"),
        ("beyond", "beyond the padding"),
    ]
    said += [(SIGNS[role], name) for role, name in names if role in roles]
    if len(down.read) < len(down.cells) or len(across.read) < len(across.cells):
        said.append((UNREAD, "never read"))
    return "   ".join(f"{sign} {name}" for sign, name in (*said, (DONE, "output")))


def plane_lines(drawn: Drawn | None, counted: bool = True) -> list[str]:
    """The drawing of two axes, where it has room among other lines; nothing where it has not, or for one axis."""
    if drawn is None or len(drawn.axes) == 1 or max(len(axis.cells) for axis in drawn.axes) > MOST_OF_PLANE:
        return []
    lines = drawing_lines(drawn, counted=counted)
    if drawn.excerpt:
        lines = [drawn.excerpt_text().replace(" × ", "x"), "", *lines]
    return lines if max(map(len, lines)) <= WIDEST else []
