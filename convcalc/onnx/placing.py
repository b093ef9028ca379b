"""Where each layer stands in the network: the calls of modules around it, from the scopes that the file tells.

A layer of which the file tells nothing stands in what those before and behind it share; an activation with the layer
that it reads; a sum, a product or a concatenation in what all share that flows into it from where its paths part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from ..models.steps import Place
from .builder import Step
from .messages import Tensor
from .notes import folded
from .scopes import ANONYMOUS, Module, Scope, Scopes, of_weights, parts

AGAIN = re.compile(r"(.+)_[1-9]\d*", re.DOTALL)
"""How PyTorch's older exporter calls a module's later calls: `relu_1`."""
LONGEST_PATH = 256
"""Layers between a join and where its paths part, as far as these are looked for."""

Places = tuple[Place, ...]


def places(steps: Sequence[Step]) -> list[Places]:
    """The calls of modules around each step, outer ones first; inputs stand in none."""
    scopes = Scopes()
    found = [_of_layer(step, scopes.of(step)) for step in steps]
    _own_of_parameters(steps, found)
    _without_common(found)
    _recalled(steps, found)
    return _filled(steps, _called(steps, found))


def own_name(step: Step, tensors: Mapping[str, Tensor]) -> str:
    """What a step is called inside its module; empty where its kind says it."""
    tensor = tensors.get(step.holds or "")
    name = tensor.source or tensor.name if tensor is not None else step.holds or ""
    return "" if ANONYMOUS.fullmatch(name) else (parts(name) or ("",))[-1]


def _of_layer(step: Step, scope: Scope | None) -> Scope | None:
    """The scope of a layer: that of its weights where it has taken in a norm, which gave it its place."""
    weights = of_weights(step) if scope is not None and scope.called else None
    if scope is None or weights is None or scope.path == weights or not _has_norm(step, scope):
        return scope
    modules = scope.modules
    while modules and weights[: len(scope.path)] != scope.path:
        modules = modules[:-1]
        scope = Scope(modules, True)
    below = weights[len(scope.path) :]
    return Scope((*modules, Module(below, "", "/".join(below))), True) if below else scope


def _has_norm(step: Step, scope: Scope) -> bool:
    """Whether a layer stands in the scope of a norm that it has taken in."""
    return folded(step) or (bool(scope.modules) and "Norm" in scope.modules[-1].cls)


def _own_of_parameters(steps: Sequence[Step], scopes: list[Scope | None]) -> None:
    """A parameter stands in the module that reads it."""
    behind: Scope | None = None
    for index in reversed(range(len(steps))):
        if steps[index].holds is not None:
            scopes[index] = behind
        else:
            behind = scopes[index]


def _without_common(scopes: list[Scope | None]) -> None:
    """Leave out the outermost module where nothing says that it is called, and everything stands in it."""
    while True:
        known = [scope for scope in scopes if scope is not None]
        if not known or any(scope.called or len(scope.modules) < 2 for scope in known):
            return
        if len({scope.modules[0].name for scope in known}) > 1:
            return
        scopes[:] = [scope and scope._replace(modules=scope.modules[1:]) for scope in scopes]


def _recalled(steps: Sequence[Step], scopes: list[Scope | None]) -> None:
    """Give later calls of a module, which a number tells from the first one, its name."""
    alike: dict[tuple[Module, ...], list[tuple[str, tuple[str, ...]]]] = {}
    for step, scope in zip(steps, scopes, strict=True):
        if scope is not None and scope.called:
            alike.setdefault(scope.modules, []).append((step.kind, step.weights))
    for index, (step, scope) in enumerate(zip(steps, scopes, strict=True)):
        if scope is None or not scope.modules or not step.node.name.startswith("/"):
            continue
        *around, own = scope.modules
        mark, name = AGAIN.fullmatch(own.mark), AGAIN.fullmatch(own.name[-1])
        if mark is not None and name is not None:
            first = Module((*own.name[:-1], name[1]), own.cls, mark[1])
            if alike.get((*around, first)) == alike[scope.modules]:
                scopes[index] = Scope((*around, own._replace(name=first.name)), True)


def _called(steps: Sequence[Step], scopes: Sequence[Scope | None]) -> list[Places | None]:
    """The calls that scopes stand for: a module that is entered again is called again, a name alone is one group."""
    found: list[Places | None] = []
    groups: dict[tuple[Module, ...], int] = {}
    stack: list[tuple[Module, Place]] = []
    call = ("", "")
    for index, (step, scope) in enumerate(zip(steps, scopes, strict=True)):
        if scope is None:
            found.append(None if step.layer is not None else ())
            continue
        depth = 0
        if scope.called:
            while depth < min(len(stack), len(scope.modules)) and stack[depth][0] == scope.modules[depth]:
                depth += 1
            again = scope.call[0] == call[0] and scope.call != call
            depth -= again and depth == len(stack) == len(scope.modules)
        call = scope.call
        del stack[depth:]
        for level in range(depth, len(scope.modules)):
            module = scope.modules[level]
            around = scope.modules[: level + 1]
            key = (index, level) if scope.called else groups.setdefault(around, len(groups))
            stack.append((module, Place(module.name, module.cls, key)))
        found.append(tuple([place for _, place in stack]))
    return found


def _filled(steps: Sequence[Step], known: list[Places | None]) -> list[Places]:
    """The places of all steps, those of which nothing is known found from the others."""
    behind: list[Places] = [()] * len(steps)
    later: Places = ()
    for index in reversed(range(len(steps))):
        own = known[index]
        later = later if own is None else own
        behind[index] = later
    found: list[Places] = []
    joins: set[int] = set()
    for index, (step, own) in enumerate(zip(steps, known, strict=True)):
        layer, before = step.layer, found[-1] if found else ()
        if own is None and layer is not None and layer.joins and len(set(step.inputs)) > 1:
            own = _shared(before, _of_paths(steps, found, index, before))
            joins.add(index)
        elif own is None:
            own = _shared(before, behind[index])
            if layer is not None and layer.activates and step.inputs == (index - 1,):
                own = max(own, before if index - 1 in joins else before[:-1], key=len)
                joins.add(index)
        found.append(own)
    return found


def _of_paths(steps: Sequence[Step], found: Sequence[Places], join: int, before: Places) -> Places:
    """What all steps share that flow into a join from where its paths part.

    A sum with what its paths begin with stands in the numbered block around them.
    """
    frontier = [-source for source in set(steps[join].inputs)]
    heapify(frontier)
    seen = set(frontier)
    shared = before
    for _ in range(LONGEST_PATH):
        latest = -heappop(frontier)
        if not frontier:
            skips = latest in steps[join].inputs and len(shared) > 1 and not _numbered(shared[-1])
            return shared[:-1] if skips and _numbered(shared[-2]) else shared
        shared = _shared(shared, found[latest])
        for source in steps[latest].inputs:
            if -source not in seen:
                seen.add(-source)
                heappush(frontier, -source)
        if not frontier:
            break
    return ()


def _numbered(place: Place) -> bool:
    return place.name[-1].isdigit()


def _shared(one: Places, other: Places) -> Places:
    """The outer places that both have."""
    depth = 0
    while depth < min(len(one), len(other)) and one[depth] == other[depth]:
        depth += 1
    return one[:depth]
