"""The sections `input` and `outputs`: what goes in, what comes out."""

from __future__ import annotations

from typing import TypeAlias

from ..hints import suggest
from ..marked import List, Map, Marked, Text
from .errors import Findings, Problem
from .names import check_name, parse_reference, shown
from .values import Compiled, Names, read_value

MAX_SPACE_AXES = 3

Inputs: TypeAlias = "dict[str, tuple[list[tuple[Compiled, Marked]], Marked]]"
"""Name -> its sizes with their places, and its place."""
Outputs: TypeAlias = "dict[str, tuple[tuple[str, ...], Compiled, Marked]]"
"""Name -> its path, the weight of its loss, its place."""


def read_inputs(node: Marked | None, names: Names, findings: Findings) -> Inputs:
    """The shapes of the inputs: a list for the only one, or a mapping of names."""
    found: Inputs = {}
    entries: list[tuple[str, Marked, Marked]] = []
    if isinstance(node, List):
        entries = [("input", node, node)]
    elif isinstance(node, Map):
        entries = [(name, node.keys[name], shape) for name, shape in node.entries.items()]
    elif node is not None:
        findings.add("CC103", "input is a shape, [channels, *space]", node, "input: [3, 224, 224]", "input")
    for name, at, shape in entries:
        try:
            if name != "input":
                check_name(name, "input's name")
        except Problem as problem:
            findings.problem(problem, at, "input")
        if not isinstance(shape, List) or not 1 <= len(shape.items) <= MAX_SPACE_AXES + 1:
            message = f"an input is a list of channels and 0 to {MAX_SPACE_AXES} space axes"
            findings.add("CC103", message, shape, "input: [3, 224, 224]", name)
            continue
        sizes = [(read_value(item, names, findings, where=name), item) for item in shape.items]
        found[name] = (sizes, shape)
    return found


def read_outputs(node: Marked | None, names: Names, findings: Findings) -> Outputs | None:
    """Name -> its path, the weight of its loss, its place; None where the spec does not name its outputs."""
    if node is None:
        return None
    found: Outputs = {}
    entries: list[tuple[Marked, Marked | None]] = []
    if isinstance(node, List):
        entries = [(item, None) for item in node.items]
    elif isinstance(node, Map):
        entries = [(node.keys[name], body) for name, body in node.entries.items()]
    if not entries:
        findings.add("CC103", "outputs are a list of names or a mapping", node, "outputs: [fc]", "outputs")
    for at, body in entries:
        if not isinstance(at, Text):
            findings.add("CC103", "an output is a name", at, "outputs: [fc]", "outputs")
            continue
        try:
            path = parse_reference(at.text)
        except Problem as problem:
            findings.problem(problem, at, "outputs")
            continue
        if at.text in found:
            findings.add("CC105", f"the output {shown(at.text)} stands twice", at, None, "outputs")
        found[at.text] = (path, _loss_weight(body, names, findings), at)
    return found


def _loss_weight(body: Marked | None, names: Names, findings: Findings) -> Compiled:
    if body is None or (isinstance(body, Text) and body.empty):
        return 1
    if not isinstance(body, Map):
        findings.add("CC103", "an output takes {loss_weight: 0.3}", body, None, "outputs")
        return 1
    for key, at in body.keys.items():
        if key != "loss_weight":
            hint = suggest(key, ("loss_weight",), "an output takes loss_weight")
            findings.add("CC101", f"an output has no {shown(key)}", at, hint, "outputs")
    value = body.entries.get("loss_weight")
    return 1 if value is None else read_value(value, names, findings, where="outputs")
