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

from ...geometry import FORMULAS

if TYPE_CHECKING:
    from ...layers.base import Shape
    from ..field.seen import Seen
    from ..figures import Subject
    from ..report import Report

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
class Section:
    """Lines under one heading, and a drawing in monospaced characters."""

    heading: str
    steps: tuple[Step, ...]
    drawing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a layer, a group of layers or a network does, and why."""

    name: str
    kind: str
    inputs: tuple[Shape, ...]
    output: Shape | None
    rule: str
    """What the kind does, in one sentence."""
    sections: tuple[Section, ...]
    seen: tuple[Seen, ...] = field(default=())

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
                }
                for section in self.sections
            ],
            "seen": [
                {"input": seen.input, "positions": [list(axis) for axis in seen.axes], "pixels": seen.pixels}
                for seen in self.seen
            ],
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


def explain(report: Report, subject: Subject, at: tuple[int, ...] | None = None) -> Explanation:
    """Why a layer, a group or the whole network has its figures; with `at`, what one output position sees.

    `at` has one position a space axis of the subject's output. Raises ValueError where there is no such
    position.
    """
    from .network import group_sections, network_sections

    single = subject.group is None and len(subject.nodes) == 1 and subject is not report.whole
    index = subject.output
    if single and index is not None and report.node(index).layer is not None:
        return _layer(report, index, at)
    sections = group_sections(report, subject)
    if subject is report.whole:
        sections += network_sections(report)
    seen, extra = _seen(report, index, at)
    inputs = tuple(report.network.inputs.values()) if subject is report.whole else _entry(report, subject)
    kind = subject.group.kind if subject.group is not None else "network" if subject is report.whole else "layers"
    name = report.network.name if subject is report.whole else subject.name
    return Explanation(name, kind, inputs, report.shape(subject), "", (*sections, *extra), seen)


def _entry(report: Report, subject: Subject) -> tuple[Shape, ...]:
    """The shape that the first layer of a group reads."""
    for i in subject.nodes:
        node = report.node(i)
        return report.network.input_shapes(node) if node.inputs else (node.shape,)
    return ()


def _layer(report: Report, index: int, at: tuple[int, ...] | None) -> Explanation:
    from .layer import layer_sections

    node = report.node(index)
    assert node.layer is not None
    seen, extra = _seen(report, index, at)
    lines = (type(node.layer).__doc__ or "").strip().split("\n\n")[0].split()
    inputs = report.network.input_shapes(node)
    sections = (*layer_sections(report, index), *extra)
    return Explanation(node.name, node.kind, inputs, node.shape, " ".join(lines), sections, seen)


def _seen(
    report: Report, index: int | None, at: tuple[int, ...] | None
) -> tuple[tuple[Seen, ...], tuple[Section, ...]]:
    if at is None:
        return (), ()
    if index is None:
        raise ValueError("it has no single output")
    from ..field.seen import seen_from
    from .field import seen_section

    seen = tuple(seen_from(report.network, index, at))
    return seen, tuple(seen_section(report, index, at, one) for one in seen)
