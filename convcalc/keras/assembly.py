"""Steps -> Network: the draft of a model, with the names of Keras's layers, and what there is to say about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ..findings import Finding
from ..flow import ancestors, with_parts
from ..hints import shortened
from ..layers.opaque import Opaque
from ..models.apart import taken_apart
from ..models.draft import Draft
from ..models.origin import ModelOrigin
from ..models.steps import Place
from ..naming import UniqueNames
from ..network import Network
from .builder import Builder, Step
from .convert import Conversion
from .grouping import Called, automatic, kind_of, spans

SHOWN = 6
"""Names that a warning lists."""


def assemble(conversion: Conversion, path: str, made_by: str, load: Callable[[object], Network]) -> Network:
    """The network of the steps that lead to an output."""
    put_out = [tensor.step for tensor in conversion.outputs]
    steps, stands = taken_apart(conversion.builder.steps, set(put_out), lambda step: step.scope)
    last = [stands[step] for step in put_out]
    draft, place = Draft(), dict[int, int]()
    for index, step, name, scope in _named(steps, _needed(steps, last)):
        if step.layer is None:
            place[index] = draft.input(step.name, step.shape)
            continue
        inputs = [place[source] for source in step.inputs]
        shares = None if step.shares is None else place.get(stands[step.shares])
        place[index] = draft.add(step.layer, inputs, scope=scope, name=name, label=step.name, shares=shares)
    unique = UniqueNames()
    ends = [(unique.give(steps[step].name), place[step]) for step in last]
    return draft.network(
        conversion.model.name,
        ends,
        source=f"{Path(path).name}: {made_by}",
        origin=lambda labels: ModelOrigin(path, "a Keras model", labels, load, label="layer"),
        notes=_notes(conversion, [steps[index] for index in place], path),
    )


def _needed(steps: Sequence[Step], ends: Sequence[int]) -> list[int]:
    """Inputs, and the steps that lead to an end, in order."""
    found = with_parts(steps, ancestors(steps, ends))
    inputs = [index for index, step in enumerate(steps) if step.layer is None]
    return [*inputs, *(index for index in sorted(found) if steps[index].layer is not None)]


def _named(steps: Sequence[Step], order: Sequence[int]) -> Iterator[tuple[int, Step, str, Sequence[Place]]]:
    """Each step with its name and its scope: the step that does a layer's work has the layer's name.

    What stands beside it (an activation that its settings name, a permute) is called by its kind. A layer of several
    named parts is a group, and so are the parts of a split.
    """
    calls = [_Call(steps, list(members)) for _, members in groupby(order, lambda index: _call_of(steps[index], index))]
    for call in calls:
        if call.first.layer is None:
            yield call.indices[0], call.first, call.first.name, ()
    layers = [call for call in calls if call.first.layer is not None]
    _place(layers, 0)
    for call in layers:
        yield from call.named()


def _call_of(step: Step, index: int) -> int:
    """What tells calls apart; each input is one."""
    return step.call if step.layer is not None else -1 - index


class _Call:
    """The steps of one call of a layer."""

    def __init__(self, steps: Sequence[Step], indices: list[int]) -> None:
        self.indices = indices
        self.steps = [steps[index] for index in indices]
        self.first = self.steps[0]
        self.around = self.first.scope
        """The models in which it stands."""
        self.scope: list[Place] = []
        """The models and parts in which it stands."""
        self.name = self.first.name
        """Of the layer, without what its parts have of it."""

    def named(self) -> Iterator[tuple[int, Step, str, Sequence[Place]]]:
        """Its steps with their names and scopes."""
        main = _main(self.steps)
        parts = any(step.label for step in self.steps)
        for index, step in zip(self.indices, self.steps, strict=True):
            part = step.layer.part_of if step.layer is not None else None
            if part is not None:
                inside = Place((self.name,), "", ("split", index - part.which), split=True)
                yield index, step, str(part.which), [*self.scope, inside]
            elif parts:
                yield index, step, step.label or "", [*self.scope, Place((self.name,), step.cls, ("layer", step.call))]
            else:
                yield index, step, self.name if step is main else "", self.scope


def _place(calls: Sequence[_Call], depth: int) -> None:
    """Put calls, at a depth of models in each other, into the parts that their names tell."""
    runs = [list(run) for _, run in groupby(calls, lambda call: _inside(call, depth))]
    places = {index: number for number, run in enumerate(runs) for call in run for index in call.indices}
    called = []
    for run in runs:
        name = run[0].around[depth].name[0] if len(run[0].around) > depth else run[0].name
        reads = {places[source] for call in run for step in call.steps for source in step.inputs if source in places}
        weighted = any(step.weights for call in run for step in call.steps)
        called.append(Called(name, automatic(name, run[0].first.cls), reads, weighted))
    found = spans(called)
    for number, run in enumerate(runs):
        around = [span for span in found if span.start <= number < span.stop]
        known: tuple[str, ...] = ()
        scope = []
        for span in around:
            if span.tokens[: len(known)] == known:
                own = span.tokens[len(known) :]
                holds = any(len(other.tokens) > len(span.tokens) and other.within(span) for other in found)
                cls = "" if holds else "_".join(kind_of(own))
                scope.append(Place(("_".join(own),), cls, ("part", depth, span.tokens, span.start)))
                known = span.tokens
        rest = called[number].name.removeprefix("_".join(known)).removeprefix("_") if known else called[number].name
        for call in run:
            call.scope += scope
            if len(call.around) > depth:
                call.scope.append(call.around[depth]._replace(name=(rest or called[number].name,)))
            else:
                call.name = rest
        if len(run[0].around) > depth:
            _place(run, depth + 1)


def _inside(call: _Call, depth: int) -> object:
    """What tells apart the calls of layers and models at a depth."""
    return call.around[depth].call if len(call.around) > depth else call.first.call


def _main(steps: Sequence[Step]) -> Step:
    """The step that does the work: the first with weights, or the first that does more than to rearrange."""
    working = [step for step in steps if not step.arranges] or list(steps)
    return next((step for step in working if step.layer is not None and step.holds), working[0])


def _notes(conversion: Conversion, steps: Sequence[Step], path: str) -> tuple[Finding, ...]:
    """The warnings: opaque layers, weights that are not stated, frozen ones, what is left out."""
    builder = conversion.builder
    return (
        *_opaque(steps, path),
        *_uncounted(builder, path),
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
        message = (
            f"weights that the configuration does not state are not counted: {shortened(builder.uncounted, SHOWN)}"
        )
        yield Finding("CC718", message, path)


def _frozen(steps: Sequence[Step], path: str) -> Iterator[Finding]:
    frozen = sum(step.holds for step in steps if not step.trained and step.shares is None)
    if frozen:
        yield Finding("CC717", f"{frozen:,} of the params are frozen (trainable: false)", path)


def _dead(conversion: Conversion, path: str) -> Iterator[Finding]:
    if conversion.dead:
        yield Finding("CC704", f"left out, for they lead to no output: {shortened(conversion.dead, SHOWN)}", path)
