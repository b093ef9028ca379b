"""The layers of a tape -> Network: with the names and groups of the model's modules, and what there is to say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

from ..findings import Finding
from ..hints import shortened
from ..layers.opaque import Opaque
from ..models.draft import Draft
from ..models.steps import Place
from ..network import Network, Origin, learned_numbers
from .lift.conversion import Lifted
from .tape import Tape

SHOWN = 6
"""Names that a warning lists."""
PLAIN = "Sequential"
"""The class that only calls its modules in order: no block has its name."""


def assemble(lifted: Lifted, name: str, path: str, origin: Callable[[Mapping[str, str]], Origin]) -> Network:
    """The network of the layers that lead to an output; `origin` is made of what the model calls each layer."""
    tape, draft = lifted.tape, Draft()
    places = _places(tape)
    inputs = iter(tape.inputs)
    for step in lifted.steps:
        if step.layer is None:
            draft.input(tape.tensors[next(inputs)].name or "input", step.shape)
            continue
        scope = places[step.scope]
        label = _label(tape, step.scope, step.call)
        part = step.layer.part_of
        if part is None:
            shares, tied = step.shares, step.tied
            draft.add(step.layer, step.inputs, scope=scope, name=step.name, label=label, shares=shares, tied=tied)
        else:
            split = Place((step.layer.kind,), "", ("split", len(draft.steps) - part.which), split=True)
            draft.add(step.layer, step.inputs, scope=(*scope, split), name=str(part.which), label=label)
    outputs = [(output or str(place), step) for place, (output, step) in enumerate(lifted.outputs)]
    versions = ", ".join(f"{package} {version}" for package, version in tape.versions.items())
    network = draft.network(name, outputs, source=f"{path} ({versions})", origin=origin)
    return replace(network, notes=tuple(_notes(network, lifted, path)))


def _places(tape: Tape) -> list[tuple[Place, ...]]:
    """For each scope the places of the modules around it and its own; the model itself has none."""
    found: list[tuple[Place, ...]] = []
    for index, scope in enumerate(tape.scopes):
        if scope.parent < 0:
            found.append(())
            continue
        above = tape.scopes[scope.parent].path
        below = scope.path.removeprefix(f"{above}.") if above else scope.path
        names = tuple(below.split(".")) if below else (scope.cls,)
        cls = "" if scope.cls == PLAIN else scope.cls
        found.append((*found[scope.parent], Place(names, cls, index)))
    return found


def _label(tape: Tape, scope: int, call: int) -> str:
    """What messages call a layer: the function, and the module in which it is called."""
    path = tape.scopes[scope].path if tape.scopes else ""
    function = tape.calls[call].function if call >= 0 else ""
    return f"{function} in {path}" if function and path else function or path


def _notes(network: Network, lifted: Lifted, path: str) -> list[Finding]:
    tape = lifted.tape
    notes = []
    opaque = [node.layer for node in network.nodes if isinstance(node.layer, Opaque)]
    if opaque:
        message = f"calls that the language does not have: {_counted(Counter(layer.operator for layer in opaque))}"
        reasons = dict.fromkeys(f"{layer.operator}: {layer.reason}" for layer in opaque)
        notes.append(Finding("CC723", message, path, hint="; ".join(list(reasons)[:3])))
    total, counted = sum(map(prod, tape.parameters.values())), learned_numbers(network.nodes)
    if counted < total:
        where = f": {shortened(_heads(tape), SHOWN)}" if tape.unused else ""
        notes.append(Finding("CC724", f"{total - counted:,} of {total:,} parameters lead to no output{where}", path))
    if counted > total - sum(prod(tape.parameters[name]) for name in tape.unused):
        aliases = [f"{other} is {first}" for other, first in tape.aliases.items() if first in tape.parameters]
        message = "parameters that layers have in other shapes, or under other names, are counted at each of them"
        notes.append(Finding("CC725", f"{message}: {shortened(aliases, SHOWN)}" if aliases else message, path))
    if lifted.frozen:
        message = f"layers that hold for inputs of this size alone: {_counted(lifted.frozen)}"
        notes.append(Finding("CC729", message, path))
    if lifted.constant_macs:
        message = f"{lifted.constant_macs:,} multiply-accumulates compute what is the same for every input"
        notes.append(Finding("CC726", message, path))
    return notes


def _heads(tape: Tape) -> list[str]:
    """What holds the parameters that no call reads: the outermost modules that are not read at all, else themselves."""
    unused = set(tape.unused)
    read = [name for name in tape.parameters if name not in unused]
    heads: dict[str, None] = {}
    for name in tape.unused:
        parts = name.split(".")
        whole = (".".join(parts[:count]) for count in range(1, len(parts)))
        heads[next((head for head in whole if not any(each.startswith(f"{head}.") for each in read)), name)] = None
    return list(heads)


def _counted(counts: Mapping[str, int]) -> str:
    return shortened([f"{name} ({count})" for name, count in sorted(counts.items(), key=lambda item: -item[1])], SHOWN)
