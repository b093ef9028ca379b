"""The outputs of a network: those that the spec names, or what nothing consumes."""

from __future__ import annotations

from ..network import Output
from .arithmetic import Value as Number
from .arithmetic import say
from .document import Document
from .expansion import Expansion
from .problems import Problem
from .references import PassedOver, Value, resolve
from .written_values import evaluate


def find_outputs(document: Document, expansion: Expansion, env: dict[str, Number], last: Value) -> tuple[Output, ...]:
    """The outputs, in order. Raises SpecError where a name means nothing.

    A named output whose item is passed over (`when: training`) is none in this network; one must be left.
    """
    nodes = expansion.nodes
    if document.outputs is None:
        read = {source for node in nodes for source in node.inputs}
        loose = [index for index, node in enumerate(nodes) if index not in read and node.layer is not None]
        return tuple(Output(nodes[index].name, index) for index in loose or last)
    found: list[Output] = []
    findings = expansion.findings
    for name, (path, weight, at) in document.outputs.items():
        try:
            indices = resolve(path, expansion.top)
            loss_weight = _loss_weight(evaluate(weight, env))
        except PassedOver:
            continue
        except Problem as problem:
            findings.problem(problem, at, "outputs")
            continue
        found += [Output(name if len(indices) == 1 else nodes[index].name, index, loss_weight) for index in indices]
    if not found and not findings.all:
        findings.add("CC106", "every output is passed over", document.section("outputs"), None, "outputs")
    findings.raise_any()
    return tuple(found)


def _loss_weight(value: Number | None) -> float:
    if value is None or isinstance(value, (bool, str, tuple)) or value < 0:
        said = say(value) if value is not None else "nothing"
        raise Problem("CC103", f"loss_weight takes a number of at least 0, not {said}")
    return float(value)
