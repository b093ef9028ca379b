"""A drawing as a document: the size rule, and the window at its first step or at every one, in characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..analysis.drawn import by
from ..analysis.drawn_text import drawing_lines
from ..findings import UsageError
from .document import (
    Block,
    Code,
    Document,
    Equation,
    Equations,
    Heading,
    Matrices,
    Matrix,
    Measure,
    Note,
    Notes,
    Section,
)
from .explain import value_of

if TYPE_CHECKING:
    from ..analysis.drawn import Drawn

MOST_STILLS = 64
"""Steps that are written below each other."""


def drawing_document(drawn: Drawn, picture: str = "motion", step: int = 0) -> Document:
    """The drawing at one step, at all of them (`steps`), or the matrices beneath it (`matrix`).

    Raises UsageError for more than can be looked at.
    """
    before, after = drawn.sizes
    name = f"{drawn.name}: " if drawn.name else ""
    blocks: list[Block] = [Heading(f"{name}{drawn.what}  {before} -> {after}", 2, note=drawn.said)]
    rules = [Equation(r.result, value_of(r), r.expression, r.substituted, r.note) for r in drawn.formulas]
    blocks.append(Equations(tuple(rules)))
    if drawn.excerpt:
        blocks.append(Notes((Note(drawn.excerpt_text()),)))
    if drawn.border != "zeros":
        blocks.append(Notes((Note(f"the padding is filled from the input: {drawn.border}"),)))
    if picture == "matrix":
        return Document((*blocks, *_matrices(drawn)), Measure(40, piped=100))
    blocks += _steps(drawn, range(drawn.steps) if picture == "steps" else range(step, step + 1))
    return Document(tuple(blocks), Measure(40, piped=100))


def _steps(drawn: Drawn, steps: range) -> Iterator[Block]:
    if len(steps) > MOST_STILLS:
        raise UsageError(
            f"too many steps to be written: {len(steps):,}, of {MOST_STILLS} at the most",
            "a smaller --size has fewer steps, --dims 1 draws one axis",
        )
    for step in steps:
        position = ", ".join(map(str, drawn.position(step)))
        heading = f"step {step + 1} of {drawn.steps:,}: output ({position})"
        lines = drawing_lines(drawn, step, keyed=step == steps[-1])
        yield Section(heading, (Code(tuple(lines), drawn=True),), 3)


def _matrices(drawn: Drawn) -> Iterator[Block]:
    """im2col under its taps, and C beside its transpose, with the numbers of inputs and taps."""
    from ..analysis.drawn_matrices import drawn_matrices

    made = drawn_matrices(drawn)
    outputs, inputs = len(made.weights), len(made.weights[0])
    here, back = ("C^T", "C") if drawn.transposed else ("C", "C^T")
    taps = Matrix("flipped taps" if drawn.transposed else "taps", _cells([[n] for n in made.columns.weights]))
    rows = f"{by((made.taps, outputs))}: each column is what one window reads"
    yield Section(f"im2col(X), {rows}", (Matrices((taps, Matrix("im2col(X)", _cells(made.columns.inputs)))),), 3)
    sizes = f"{here}, {by((outputs, inputs))}, and its transpose"
    matrices = (Matrix(here, _cells(made.weights)), Matrix(back, _cells(made.transposed)))
    yield Section(f"{sizes}: the tap that connects an output with an input", (Matrices(matrices),), 3)


def _cells(rows: Sequence[Sequence[int | None]]) -> list[list[str]]:
    return [["." if cell is None else str(cell) for cell in row] for row in rows]
