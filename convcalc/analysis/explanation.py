"""Explanations: every figure of a layer as its formula, the formula with the numbers in it, and the result.

A line is made from a filed formula (`geometry.FORMULAS`): its text is printed and its function computes the
value, so that what is shown is what was computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

from ..geometry import FORMULAS

if TYPE_CHECKING:
    from ..layers.base import Shape
    from .seen import Seen


Amount = int | Fraction | str


@dataclass(frozen=True, slots=True)
class Step:
    """One line: `result = expression = substituted = value`; parts that say nothing new are empty."""

    result: str
    value: Amount
    expression: str = ""
    substituted: str = ""
    unit: str = ""
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Numbers in rows and columns, under a name."""

    name: str
    rows: tuple[tuple[int | float, ...], ...]
    sparse: bool = False
    """Whether most are zeros, which say more where they are not printed as numbers."""


Display = tuple[Matrix | str, ...]
"""Matrices and the signs between them: A · B = C."""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under one heading, matrices, and a drawing in monospaced characters."""

    heading: str
    steps: tuple[Step, ...]
    drawing: tuple[str, ...] = ()
    matrices: tuple[Display, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a layer, a group of layers or a network does, and why."""

    name: str
    """Its path; `total` for the network."""
    kind: str
    """The layer's kind, the block's name, `network`, or `layers` of what has none."""
    inputs: tuple[Shape, ...]
    """Shapes that it reads from before it, [channels, *space]."""
    output: Shape | None
    """Of what it puts out; None where there is no single output."""
    rule: str
    """What the kind does, in one sentence."""
    sections: tuple[Section, ...]
    """The figures under their headings: a section has `steps`, each with its result, formula, value and source."""
    seen: tuple[Seen, ...] = field(default=())
    """Of a position that was asked for: what it sees of each input, axis by axis; none without one."""
    confirmed: bool | None = None
    """Whether the reference gives what is printed; None where nothing is run."""

    @property
    def sources(self) -> list[str]:
        """The sources of all lines, each once, in order."""
        return list(dict.fromkeys(step.source for section in self.sections for step in section.steps if step.source))

    def to_dict(self) -> dict[str, object]:
        """The explanation as plain data; fractions as "p/q"."""
        return {
            "name": self.name,
            "kind": self.kind,
            "input_shapes": [list(shape) for shape in self.inputs],
            "output_shape": None if self.output is None else list(self.output),
            "rule": self.rule,
            "sections": [
                {
                    "heading": section.heading,
                    "steps": [
                        {
                            "result": step.result,
                            "expression": step.expression or None,
                            "substituted": step.substituted or None,
                            "value": str(step.value) if isinstance(step.value, Fraction) else step.value,
                            "unit": step.unit or None,
                            "note": step.note or None,
                            "source": step.source or None,
                        }
                        for step in section.steps
                    ],
                    "drawing": list(section.drawing) or None,
                    "matrices": [
                        [
                            part
                            if isinstance(part, str)
                            else {"name": part.name, "rows": [list(row) for row in part.rows]}
                            for part in display
                        ]
                        for display in section.matrices
                    ]
                    or None,
                }
                for section in self.sections
            ],
            "seen": [
                {"input": seen.input, "positions": [list(axis) for axis in seen.axes], "pixels": seen.pixels}
                for seen in self.seen
            ],
            "confirmed": self.confirmed,
        }


def step(function: Callable[..., Any], values: Mapping[str, object], unit: str = "", note: str = "") -> Step:
    """The line of a filed formula on these values (by parameter name).

    >>> from convcalc.geometry import conv_output
    >>> values = {"size": 224, "kernel_size": 7, "stride": 2, "before": 3, "after": 3, "dilation": 1}
    >>> step(conv_output, values).substituted
    '(224 + 3 + 3 - 1*(7 - 1) - 1)//2 + 1'
    """
    formula = FORMULAS[function.__name__]
    value = formula.function(**values)
    return Step(formula.result, value, formula.expression, formula.substituted(**values), unit, note, formula.source)


def product(result: str, factors: Iterable[int], unit: str = "", note: str = "") -> Step:
    """A line that multiplies.

    >>> product("taps", (7, 7)).substituted
    '7*7'
    """
    numbers = tuple(factors)
    return Step(result, prod(numbers), "", "*".join(map(str, numbers)) if len(numbers) > 1 else "", unit, note)


def total(result: str, parts: Iterable[int], unit: str = "", note: str = "") -> Step:
    """A line that adds.

    >>> total("params", (9408, 64)).substituted
    '9408 + 64'
    """
    numbers = tuple(parts)
    return Step(result, sum(numbers), "", " + ".join(map(str, numbers)) if len(numbers) > 1 else "", unit, note)
