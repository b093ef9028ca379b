"""An explanation as a document."""

from __future__ import annotations

import re
from fractions import Fraction

from ..analysis.explanation import Display, Explanation, Step
from ..analysis.explanation import Matrix as Numbers
from ..units import amount
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
    References,
    Section,
)


def explain_document(explanation: Explanation) -> Document:
    """The explanation; numbers in brackets point at the sources below."""
    sources = explanation.sources
    blocks: list[Block] = [Heading(_title(explanation), 2)]
    for section in explanation.sections:
        inner: list[Block] = []
        if section.steps or not section.matrices:
            inner.append(Equations(tuple(_equation(step, sources) for step in section.steps)))
        inner.extend(map(_matrices, section.matrices))
        if section.drawing:
            inner.append(Code(section.drawing, drawn=True))
        blocks.append(Section(section.heading, tuple(inner), 3))
    if sources:
        blocks.append(References(tuple(linked(source) for source in sources)))
    return Document(tuple(blocks), Measure(40, piped=100))


def _title(explanation: Explanation) -> str:
    shapes = ", ".join("×".join(map(str, shape)) for shape in explanation.inputs)
    output = "" if explanation.output is None else " -> " + ("×".join(map(str, explanation.output)) or "[]")
    return f"{explanation.name}: {explanation.kind}  {shapes}{output}"


def _matrices(display: Display) -> Matrices:
    return Matrices(tuple(part if isinstance(part, str) else _matrix(part) for part in display))


def _matrix(numbers: Numbers) -> Matrix:
    """A matrix with its numbers written, fractions with three decimals.

    >>> _matrix(Numbers("C", ((2, 0), (0, 0.5)), sparse=True)).rows
    [['2', '.'], ['.', '0.500']]
    """
    zero = "." if numbers.sparse else "0"
    return Matrix(numbers.name, [[zero if n == 0 else _number(n) for n in row] for row in numbers.rows])


def _number(number: int | float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.3f}"


def _equation(step: Step, sources: list[str]) -> Equation:
    return Equation(
        step.result,
        value_of(step),
        step.expression,
        step.substituted,
        step.note,
        linked(step.source),
        sources.index(step.source) + 1 if step.source else 0,
    )


def value_of(step: Step) -> str:
    """The value with its unit: integers with separators, bytes with a readable size beside them.

    >>> value_of(Step("peak", 6422528, unit="bytes"))
    '6,422,528 bytes (6.13 MiB)'
    >>> value_of(Step("j", 1, unit="pixels a position"))
    '1 pixel a position'
    """
    if isinstance(step.value, int):
        text = f"{step.value:,}"
        readable = amount(step.value, "bytes") if step.unit == "bytes" else ""
        more = f" ({readable})" if readable and not readable.endswith(" B") else ""
        return f"{text} {_counted(step.unit, text)}{more}".rstrip()
    text = str(step.value) if isinstance(step.value, (str, Fraction)) else ""
    return f"{text} {_counted(step.unit, text)}".rstrip()


def _counted(unit: str, number: str) -> str:
    """The unit of a number: its first word in the singular behind a 1."""
    first, space, rest = unit.partition(" ")
    return f"{first.removesuffix('s')}{space}{rest}" if number == "1" else unit


def linked(source: str) -> str:
    """A source with the addresses of its arXiv papers and DOIs written out.

    >>> linked("Dumoulin & Visin 2016, arXiv:1603.07285")
    'Dumoulin & Visin 2016, https://arxiv.org/abs/1603.07285'
    """
    papers = re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"https://arxiv.org/abs/\1", source)
    return re.sub(r"\b(10\.\d{4,}/[\w.]+\w)", r"https://doi.org/\1", papers)
