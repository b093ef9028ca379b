"""Steps -> Network: the draft of those that lead to an output, with the names and groups that the file tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from math import prod
from pathlib import Path

from ..flow import ancestors, with_parts
from ..geometry import GeometryError
from ..layers.sharing import check_shared
from ..models.apart import taken_apart
from ..models.draft import Draft
from ..models.origin import ModelOrigin
from ..models.steps import Place
from ..models.tying import Held, tied
from ..network import Network, Node, used
from .builder import Step
from .classes import classed
from .convert import Conversion
from .messages import Malformed
from .notes import notes
from .placing import own_name, places
from .scopes import parts


def assemble(conversion: Conversion, path: str, load: Callable[..., Network]) -> Network:
    """The network of the steps that lead to an output, inputs first, with names and groups."""
    steps, place = _ordered(conversion)
    stems = _stems(steps)
    held_by = _held_by(steps)
    matrices = _matrices(conversion, steps, held_by)
    ties = tied(matrices)
    draft = Draft()
    for step, scope, shares, tie in zip(steps, classed(steps, places(steps)), held_by, ties, strict=True):
        if step.layer is None:
            draft.input(step.node.name, step.shape)
            continue
        name, label = own_name(step, conversion.graph.tensors), step.node.label
        if step.part is not None:
            first = len(draft.steps) - step.part
            scope = (*scope, Place((stems.get(first, step.kind),), "", ("split", first), split=True))
            name = str(step.part)
        draft.add(step.layer, step.inputs, scope=scope, name=name, label=label, shares=shares, tied=tie)
    model = conversion.model
    held: list[str] = []
    for step, shares, matrix, tie in zip(steps, held_by, matrices, ties, strict=True):
        lent = {matrix.tensors[tensor] for tensor, _ in tie} if matrix is not None else ()
        held += [name for name in step.weights if shares is None and name not in lent]
    producer = f"{model.producer}, " if model.producer else ""
    return draft.network(
        Path(path).stem or "model",
        [(str(number), place[step]) for number, (_, step) in enumerate(conversion.outputs)],
        source=f"{Path(path).name}: {producer}opset {model.opset}",
        origin=lambda labels: ModelOrigin(path, "an ONNX file", labels, lambda input: load(path, input=input)),
        notes=notes(conversion, steps, held, path),
    )


def _ordered(conversion: Conversion) -> tuple[list[Step], dict[int, int]]:
    """The steps that an output needs, inputs first, which read each other by their places in this order; the places.

    Raises `Malformed` where no output depends on an input.
    """
    steps = conversion.builder.steps
    kept = with_parts(steps, ancestors(steps, {step for _, step in conversion.outputs}))
    order = sorted(kept, key=lambda index: (steps[index].layer is not None, index))
    if not order or steps[order[0]].layer is not None:
        raise Malformed("no output depends on an input")
    place = {index: position for position, index in enumerate(order)}
    ordered = [replace(steps[i], inputs=tuple([place[source] for source in steps[i].inputs])) for i in order]
    apart, stands = taken_apart(ordered, {place[step] for _, step in conversion.outputs})
    return apart, {index: stands[position] for index, position in place.items()}


def _stems(steps: Sequence[Step]) -> dict[int, str]:
    """The first parts of splits -> what the splits are called where their parts are called `parts.0`, `parts.1`.

    These steps keep of their nodes' names what stands before that: the modules around.
    """
    found: dict[int, str] = {}
    for index, step in enumerate(steps):
        stem, number = ("", "", *parts(step.node.name))[-2:]
        if step.part is None or not stem or number != "0" or "/" in step.node.name:
            continue
        before = step.node.name.rpartition(".")[0].rpartition(".")[0]
        first = index - (step.part or 0)
        found[first] = stem
        step.node = replace(step.node, name=before, outputs=())
    return found


MATRIX = 2
"""Axes from which on a tensor in several layers is meant to be one: of vectors exporters merge those that are equal."""


def _matrices(conversion: Conversion, steps: Sequence[Step], held_by: Sequence[int | None]) -> list[Held | None]:
    """Of each step that has not all its weights from another one, those with two axes or more."""
    nodes = [Node("", step.layer, step.inputs, step.shape) for step in steps]
    values = conversion.builder.values
    found: list[Held | None] = []
    for index, (step, other) in enumerate(zip(steps, held_by, strict=True)):
        if step.layer is None or other is not None or not step.weights:
            found.append(None)
            continue
        use, tensors = used(nodes, index), {}
        for (tensor, shape, _), name in zip(use.weights, step.weights, strict=False):
            if name in values and len(shape) >= MATRIX and prod(shape) == prod(values[name].dims):
                tensors[tensor] = name
        found.append(Held(use, tensors))
    return found


def _held_by(steps: Sequence[Step]) -> list[int | None]:
    """For each step the first one of its kind that holds the same initialisers; None for that one itself."""
    nodes = [Node("", step.layer, step.inputs, step.shape) for step in steps]
    found: list[int | None] = [None] * len(steps)
    first: dict[tuple[str, ...], int] = {}
    for index, step in enumerate(steps):
        if step.weights and all(step.weights):
            holder = first.setdefault((step.kind, *step.weights), index)
            if holder != index:
                with suppress(GeometryError):
                    check_shared(used(nodes, index), used(nodes, holder))
                    found[index] = holder
    return found
