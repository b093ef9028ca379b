"""What is said around a drawing: its title, the size rule, what the cells stand for, and what is to be seen."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..analysis.drawn import ROLES, Drawn
from ..units import counted
from .canvas import LETTER, MARGIN, TITLE_LETTER, rect, short, text, text_width
from .scene import Scene

LEGEND: dict[str, str] = {
    "input": "input",
    "zero": "zero put between inputs",
    "padding": "padding",
    "output_padding": "output_padding",
    "beyond": "beyond the padded input",
    "tap": "window",
    "output": "output",
    "unread": "never read",
}


class Header(NamedTuple):
    """The title and the lines below it."""

    title: str
    parts: list[str]
    bottom: int
    right: float

    @classmethod
    def of(cls, drawn: Drawn) -> Header:
        """The header of a drawing."""
        title, lines = title_of(drawn), said_lines(drawn)
        parts = [text(MARGIN, MARGIN + 12, title, "title")]
        parts += [text(MARGIN, MARGIN + 34 + 18 * n, line, "quiet") for n, line in enumerate(lines)]
        widths = [text_width(title, TITLE_LETTER), *map(text_width, lines)]
        return cls(title, parts, MARGIN + 16 + 18 * len(lines) + 14, MARGIN + max(widths))


def title_of(drawn: Drawn) -> str:
    """What stands above a drawing."""
    kernel = drawn.said
    return f"{short(drawn.name)}: {kernel}" if drawn.name else f"{drawn.what[0].upper()}{drawn.what[1:]}: {kernel}"


def said_lines(drawn: Drawn) -> list[str]:
    """The lines below the title: the sizes with their formula, what is left out, what fills the padding."""
    before, after = drawn.sizes
    lines = [f"{drawn.what}, {before} → {after}"] if drawn.name else []
    for rule in drawn.formulas:
        parts = [rule.result, typeset(rule.expression), typeset(rule.substituted), f"{rule.value} {rule.unit}".rstrip()]
        lines.append(" = ".join(part for part in parts if part) + (f"  ({rule.note})" if rule.note else ""))
    if drawn.excerpt:
        lines.append(drawn.excerpt_text("→"))
    if drawn.border != "zeros":
        lines.append(f"the padding is filled from the input: {drawn.border}")
    if drawn.beside:
        shown = len(drawn.axes)
        lines.append(f"the last {'two' if shown == 2 else 'one'} of {drawn.beside + shown} axes")
    return lines


def typeset(formula: str) -> str:
    """A formula as a lecture has it.

    >>> typeset("(i + pl + pr - d*(k - 1) - 1)//s + 1")
    'floor((i + pl + pr − d·(k − 1) − 1)/s) + 1'
    """
    floored = re.sub(r"(\(.*\))//(\w+)", r"floor(\1/\2)", formula)
    return floored.replace(" - ", " − ").replace("*", "·")


def description(drawn: Drawn) -> str:
    """What is to be seen, for those who do not see it."""
    before, after = drawn.drawn_sizes
    where = f"the input of {before}"
    if drawn.transposed:
        where += " with zeros between its numbers and padding around it"
    parts = [
        f"A window moves over {where} in {counted(drawn.steps, 'step')}; each fills one cell of the output of {after}."
    ]
    for number, axis in enumerate(drawn.axes):
        named = f"Axis {number}: " if len(drawn.axes) > 1 else ""
        roles = [f"{axis.cells.count(role)} of {LEGEND[role]}" for role in ROLES[1:] if axis.cells.count(role)]
        unread = len(set(axis.places) - axis.read)
        if unread:
            roles.append(f"{unread} never read")
        cells = f"; {', '.join(roles)}" if roles else ""
        first = ", ".join(map(str, axis.inputs_of(0))) or "none"
        parts.append(f"{named}{counted(len(axis.cells), 'cell')}{cells}; output 0 reads the inputs {first}.")
    return " ".join(parts)


def legend(scene: Scene, y: float, prefix: str, right: float) -> tuple[list[str], float, float]:
    """What the cells stand for, only those that are drawn; its right and lower end."""
    roles = scene.roles()
    names = [role for role in ROLES if roles[role]]
    shown = [*names, "tap", "output", *(["unread"] if scene.unread() else [])]
    parts, x, ended = [], float(MARGIN), 0.0
    for name in shown:
        said = LEGEND[name]
        wide = 20 + LETTER * len(said) + 18
        if x + wide > right and x > MARGIN:
            x, y = float(MARGIN), y + 22
        if name == "unread":
            parts.append(rect("zero", x, y, 14, 14))
            parts.append(rect("unread", x, y, 14, 14, more=f' fill="url(#{prefix}-hatch)"'))
        else:
            parts.append(rect(name, x, y, 14, 14))
        parts.append(text(x + 20, y + 11, said))
        x += wide
        ended = max(ended, x)
    return parts, ended, y + 14
