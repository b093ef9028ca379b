"""The pages of layers and groups: their explanations as data, in which equal texts, steps and sections stand once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from ..analysis.explain import explain
from ..drawings.layer import layer_drawing
from ..network import sizes
from ..render.explain import linked, value_of
from ..terminal import printable

if TYPE_CHECKING:
    from ..analysis.explanation import Explanation, Section, Step
    from ..analysis.figures import Subject
    from ..analysis.receptive_field import AxisField, Fields
    from ..analysis.report import Report
    from ..layers.base import Shapes

MOST_PHASES = 64
"""Positions of a repeating field that are listed."""


class Shared:
    """Values by number, each once.

    >>> texts = Shared()
    >>> [texts.number(text) for text in ("a", "b", "a")], texts.values
    ([0, 1, 0], ['a', 'b'])
    """

    def __init__(self) -> None:
        self.values: list[object] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable, value: object = None) -> int:
        """The number of a value, which stands for itself or for its key."""
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.values)
            self.values.append(key if value is None else value)
        return found


class Pages:
    """The pages of a report's layers and groups.

    A page is [path, kind, what it reads and puts out, rule, sections, fields, drawing, what it reads]: texts, sections,
    fields, drawings and layers by their numbers.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.pages: list[list[object]] = []
        self._read: list[Sequence[int]] = []
        """For each page, the nodes that its layer reads."""
        self._texts = Shared()
        self._steps = Shared()
        self._known: dict[Step, int] = {}
        """Steps as they are explained -> their numbers."""
        self._sections = Shared()
        self._fields = Shared()
        self._drawings = Shared()
        self._drawn: dict[tuple[int, Shapes], int] = {}
        """Layer, by its identity, and what it reads -> the number of its drawing."""
        self._places: dict[str, int] = {}

    def place(self, subject: Subject) -> int:
        """The number of a subject's page, which is written where there is none yet."""
        found = self._places.get(subject.name)
        if found is None:
            found = self._places[subject.name] = len(self.pages)
            single = subject.group is None and len(subject.nodes) == 1
            self._read.append(self.report.node(subject.nodes[0]).inputs if single else ())
            self.pages.append(self._page(subject))
        return found

    def number(self, path: str) -> int | None:
        """The number of the page of a path; None where it has none."""
        return self._places.get(path)

    def to_dict(self) -> dict[str, object]:
        """All of it as plain data."""
        return {
            "pages": [
                [*page, list(map(self._source, read))] for page, read in zip(self.pages, self._read, strict=True)
            ],
            "texts": self._texts.values,
            "steps": self._steps.values,
            "sections": self._sections.values,
            "fields": self._fields.values,
            "drawings": self._drawings.values,
        }

    def _page(self, subject: Subject) -> list[object]:
        report = self.report
        said = explain(report, subject)
        fields = None if subject.output is None else report.receptive_fields.fields[subject.output]
        return [
            printable(subject.name),
            self._text(said.kind),
            self._text(_shapes(said)),
            self._text(said.rule),
            [self._section(section) for section in said.sections],
            -1 if not fields or subject.output is None else self._field(fields, subject.output),
            -1 if subject.group is not None or len(subject.nodes) != 1 else self._drawing(subject.nodes[0]),
        ]

    def _source(self, index: int) -> object:
        """The number of the page of a layer that is read; where there is none its name."""
        name = self.report.node(index).name
        found = self._places.get(name)
        return printable(name) if found is None else found

    def _text(self, text: str) -> int:
        return self._texts.number(printable(text))

    def _section(self, section: Section) -> int:
        steps = tuple([self._step(step) for step in section.steps])
        drawing = "\n".join(section.drawing)
        value = [self._text(section.heading), steps, *([self._text_of(drawing)] if drawing else [])]
        return self._sections.number((section.heading, steps, drawing), value)

    def _text_of(self, drawing: str) -> int:
        return self._texts.number(printable(drawing, kept="\n"))

    def _step(self, step: Step) -> int:
        found = self._known.get(step)
        if found is None:
            parts = (step.result, step.expression, step.substituted, value_of(step), step.note, linked(step.source))
            value = _without_end([self._text(part) if part else -1 for part in parts])
            found = self._known[step] = self._steps.number(parts, value)
        return found

    def _drawing(self, index: int) -> int:
        """The number of the drawing of a layer's arithmetic; −1 where there is none."""
        network = self.report.network
        node = network.nodes[index]
        key = (id(node.layer), network.input_shapes(node))
        found = self._drawn.get(key)
        if found is None:
            drawn = layer_drawing(network, index, "drawing")
            found = self._drawn[key] = -1 if drawn is None else self._drawings.number(drawn)
        return found

    def _field(self, fields: Fields, output: int) -> int:
        origin = self.report.receptive_fields.origins[output]
        shape = self.report.node(output).shape
        axes = [[*_axis(field), shape[field.axis] if field.axis is not None else 1] for field in fields]
        key = repr((origin, axes))
        return self._fields.number(key, [list(self.report.node(origin).shape[1:]), axes])


def _axis(field: AxisField) -> list[object]:
    """First and last input that position 0 sees, the jump, the extent, and where they repeat otherwise, what."""
    phases = field.phases
    repeats = None if phases is None or phases.period > MOST_PHASES else [phases.step, *phases.intervals]
    numbers = [str(part) if not isinstance(part, int | None) else part for part in (field.first, field.last)]
    jump = field.jump if isinstance(field.jump, int | None) else str(field.jump)
    return [*numbers, jump, str(field.size), field.exact, repeats]


def _without_end(parts: list[int]) -> list[int]:
    """Numbers without the −1 at their end."""
    while parts and parts[-1] == -1:
        parts.pop()
    return parts


def _shapes(said: Explanation) -> str:
    read = ", ".join(map(sizes, said.inputs))
    return f"{read} → {sizes(said.output)}" if said.output is not None else read
