"""The `expect` section of a spec, read into claims; what is wrong with it becomes findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..analysis.quantities import quantity, quantity_names
from ..analysis.quantity import Quantity
from ..findings import Finding
from ..hints import suggest
from ..marked import List, Map, Marked, Text
from ..network import Origin
from .builds import Input, Key, Params

CONTEXT = ("variant", "with", "input")
"""Keys that say which network is meant."""
STAGES = "stages"
OUTPUTS = ("output", "output_size")


@dataclass(frozen=True, slots=True)
class Claim:
    """One value that is claimed of a layer, a group, an output or the whole network."""

    quantity: Quantity
    where: str
    """A path; empty for the whole network."""
    value: Marked
    key: Text
    of_output: bool = False
    """Whether `where` names an output of the network."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is claimed of the network under one variant, params and input."""

    key: Key
    claims: tuple[Claim, ...]
    at: Marked


class Reader:
    """Reads the section; `findings` holds what is wrong with it."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.findings: list[Finding] = []

    def read(self) -> list[Expectation]:
        """Every expectation of the spec that can be read."""
        section = self.origin.section("expect")
        if section is None or (isinstance(section, Text) and section.empty):
            return []
        found = []
        for item in section.items if isinstance(section, List) else [section]:
            if isinstance(item, Map):
                found.append(self._expectation(item))
            else:
                self._add("CC103", "an expectation is a mapping of quantities", item, "expect: {params: 6998552}")
        return found

    def _add(self, code: str, message: str, at: Marked, hint: str | None = None, where: str = "") -> None:
        self.findings.append(replace(self.origin.finding_at(code, message, at, hint=hint), where=where))

    def _expectation(self, node: Map) -> Expectation:
        variant: str | None = None
        params: Params = None
        given: Input = None
        if "variant" in node.entries:
            variant = self._text(node.entries["variant"], "variant is a name")
        if "with" in node.entries:
            params = self._params(node.entries["with"])
        if "input" in node.entries:
            given = self._input(node.entries["input"])
        return Expectation((variant, params, given), tuple(self._claims(node)), node)

    def _text(self, node: Marked, message: str) -> str | None:
        if isinstance(node, Text) and not node.empty:
            return node.text
        self._add("CC103", message, node)
        return None

    def _params(self, node: Marked) -> Params:
        if not isinstance(node, Map):
            self._add("CC103", "with maps params to values", node, "with: {classes: 10}")
            return None
        pairs = []
        for name, value in node.entries.items():
            if isinstance(value, Text):
                pairs.append((name, value.text))
            else:
                self._add("CC103", f"the value of {name} must be text", value, "with: {classes: 10}")
        return tuple(pairs) or None

    def _input(self, node: Marked) -> Input:
        if isinstance(node, Map):
            shapes = [(name, sizes) for name, value in node.entries.items() if (sizes := self._sizes(value))]
            return tuple(shapes) or None
        return self._sizes(node)

    def _sizes(self, node: Marked) -> tuple[int, ...] | None:
        sizes = integers(node)
        if sizes is None:
            self._add("CC103", "input is a list of sizes", node, "input: [3, 160, 160]")
        return sizes

    def _claims(self, node: Map) -> Iterator[Claim]:
        for name, value in node.entries.items():
            key = node.keys[name]
            if name == STAGES:
                yield from self._stages(value)
            elif name in OUTPUTS and isinstance(value, Map):
                for output, shape in value.entries.items():
                    yield from self._claim(name, value.keys[output], shape, output, of_output=True)
            elif name not in CONTEXT:
                yield from self._claim(name, key, value, "", of_output=False)

    def _stages(self, node: Marked) -> Iterator[Claim]:
        if not isinstance(node, Map):
            self._add("CC103", "stages map a stage to its quantities", node, "stages: {conv1: {params: 9472}}")
            return
        for stage, body in node.entries.items():
            if not isinstance(body, Map):
                self._add("CC103", "a stage maps quantities to values", body, f"{stage}: {{params: 9472}}", stage)
                continue
            for name, value in body.entries.items():
                yield from self._claim(name, body.keys[name], value, stage, of_output=False)

    def _claim(self, name: str, key: Text, value: Marked, where: str, of_output: bool) -> Iterator[Claim]:
        found = quantity(name)
        if found is not None:
            yield Claim(found, where, value, key, of_output)
            return
        known = [*sorted(quantity_names()), *(() if where else (*CONTEXT, STAGES))]
        hint = suggest(name, known, f"quantities: {', '.join(sorted(quantity_names()))}")
        self._add("CC306", f"there is no quantity '{name}'", key, hint, where)


def integers(node: Marked) -> tuple[int, ...] | None:
    """The sizes of a list; None where it is no list of whole numbers."""
    if not isinstance(node, List) or not node.items:
        return None
    sizes = []
    for item in node.items:
        if not (isinstance(item, Text) and item.text.isascii() and item.text.isdigit() and len(item.text) < 20):
            return None
        sizes.append(int(item.text))
    return tuple(sizes)
