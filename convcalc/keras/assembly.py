"""Steps -> Network: the draft of a model, with the names of Keras's layers, and what there is to say about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ..findings import Finding
from ..layers.opaque import Opaque
from ..models.draft import Draft
from ..models.origin import ModelOrigin
from ..models.steps import Place
from ..network import Network, UniqueNames
from .builder import Builder, Step
from .convert import Conversion

SHOWN = 6
"""Names that a warning lists."""


def assemble(conversion: Conversion, path: str, made_by: str, load: Callable[[object], Network]) -> Network:
    """The network of the steps that lead to an output."""
    steps = conversion.builder.steps
    draft, place = Draft(), dict[int, int]()
    for index, step, name, scope in _named(steps, _needed(steps, conversion)):
        if step.layer is None:
            place[index] = draft.input(step.name, step.shape)
            continue
        inputs = [place[source] for source in step.inputs]
        place[index] = draft.add(step.layer, inputs, scope=scope, name=name, label=step.name)
    unique = UniqueNames()
    ends = [(unique.give(steps[tensor.step].name), place[tensor.step]) for tensor in conversion.outputs]
    return draft.network(
        conversion.model.name,
        ends,
        source=f"{Path(path).name}: {made_by}",
        origin=lambda labels: ModelOrigin(path, "a Keras model", labels, load, label="layer"),
        notes=_notes(conversion, [steps[index] for index in place], path),
    )


def _needed(steps: Sequence[Step], conversion: Conversion) -> list[int]:
    """Inputs, and the steps that lead to an output, in order."""
    found = {tensor.step for tensor in conversion.outputs}
    for index in reversed(range(len(steps))):
        if index in found:
            found.update(steps[index].inputs)
    inputs = [index for index, step in enumerate(steps) if step.layer is None]
    return [*inputs, *(index for index in sorted(found) if steps[index].layer is not None)]


def _named(steps: Sequence[Step], order: Sequence[int]) -> Iterator[tuple[int, Step, str, Sequence[Place]]]:
    """Each step with its name and its scope: the step that does a layer's work has the layer's name.

    What stands beside it (an activation that its settings name, a permute) is called by its kind. A layer of several
    named parts is a group.
    """
    for (call, _), members in groupby(order, lambda index: (steps[index].call, steps[index].layer is None)):
        indices = list(members)
        main = _main([steps[index] for index in indices])
        parts = any(steps[index].label for index in indices)
        for index in indices:
            step = steps[index]
            if parts:
                inside = Place((step.name,), step.cls, ("layer", call))
                yield index, step, step.label or "", [*step.scope, inside]
            else:
                yield index, step, step.name if step is main else "", step.scope


def _main(steps: Sequence[Step]) -> Step:
    """The step that does the work: the first with weights, or the first that does more than to rearrange."""
    working = [step for step in steps if not step.arranges] or list(steps)
    return next((step for step in working if step.layer is not None and step.holds), working[0])


def _notes(conversion: Conversion, steps: Sequence[Step], path: str) -> tuple[Finding, ...]:
    """The warnings: opaque layers, weights that are not stated, frozen and shared ones, what is left out."""
    builder = conversion.builder
    return (
        *_opaque(steps, path),
        *_uncounted(builder, path),
        *_shared(steps, path),
        *_frozen(steps, path),
        *_dead(conversion, path),
    )


def _opaque(steps: Sequence[Step], path: str) -> Iterator[Finding]:
    layers = [step.layer for step in steps if isinstance(step.layer, Opaque)]
    if layers:
        counts = Counter(layer.operator for layer in layers)
        said = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
        reasons = list(dict.fromkeys(layer.reason for layer in layers))
        yield Finding("CC701", f"the language does not have {said}", path, hint="; ".join(reasons[:SHOWN]))


def _uncounted(builder: Builder, path: str) -> Iterator[Finding]:
    if builder.uncounted:
        message = f"weights that the configuration does not state are not counted: {some(builder.uncounted)}"
        yield Finding("CC718", message, path)


def _shared(steps: Sequence[Step], path: str) -> Iterator[Finding]:
    shared = [step for step in steps if step.shares is not None]
    if shared:
        extra = sum(step.holds for step in shared)
        names = some(dict.fromkeys(step.name for step in shared))
        yield Finding("CC703", f"{names} shared by several calls: params counts them {extra} too high", path)


def _frozen(steps: Sequence[Step], path: str) -> Iterator[Finding]:
    frozen = sum(step.holds for step in steps if not step.trained and step.shares is None)
    if frozen:
        yield Finding("CC717", f"{frozen:,} of the params are frozen (trainable: false)", path)


def _dead(conversion: Conversion, path: str) -> Iterator[Finding]:
    if conversion.dead:
        yield Finding("CC704", f"left out, for they lead to no output: {some(conversion.dead)}", path)


def some(names: Collection[str]) -> str:
    """The first names of several."""
    more = len(names) - SHOWN
    return ", ".join(list(names)[:SHOWN]) + (f" and {more} more" if more > 0 else "")
