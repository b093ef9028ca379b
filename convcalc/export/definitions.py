"""Blocks that differ only in numbers share one definition; the numbers that differ become its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .calls import Argument, Call, Inline
from .identifiers import Names, class_name, identifier
from .program import Chain, Program, Scope, Use, Work


class Slot(NamedTuple):
    """An argument's place in a definition: a fixed value, or the parameter of that name."""

    argument: Argument
    parameter: str | None = None


@dataclass(slots=True)
class Definition:
    """One block: its statements are those of `scope`, its arguments the slots, in the order of `arguments`."""

    name: str
    scope: Scope
    parameters: list[str] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)


@dataclass(slots=True)
class Definitions:
    """All definitions, inner ones first, and what each use of a block gives for the parameters."""

    blocks: list[Definition]
    top: Definition
    of: dict[int, tuple[Definition, tuple[Argument, ...]]]
    """id of a scope -> its definition and the arguments of that use."""

    def arguments(self, work: Work, owner: str, prefix: str) -> Iterator[tuple[str, Argument]]:
        """(owner, argument) of a statement's work, in the order in which it is written."""
        if isinstance(work, Chain):
            for part in work.parts:
                yield from self.arguments(part.work, part.name, prefix)
            return
        arguments = self.of[id(work.scope)][1] if isinstance(work, Use) else work.arguments
        for argument in arguments:
            yield identifier(owner, prefix), argument


def define(program: Program, reserved: Iterable[str], *, classes: bool = True) -> Definitions:
    """Group the program's blocks into definitions; names are classes or functions, none of them reserved."""
    names = Names(reserved)
    top_name = names.unique(class_name(program.top.kind) if classes else identifier(program.top.kind, "model").lower())
    found = Definitions([], Definition(top_name, program.top), {})
    by_shape: dict[tuple[object, ...], list[Scope]] = {}
    order: dict[int, tuple[object, ...]] = {}
    shapes: dict[int, int] = {}
    numbers: dict[tuple[object, ...], int] = {}
    for scope in program.blocks:
        key = (scope.kind, *_shape(scope, shapes))
        shapes[id(scope)] = numbers.setdefault(key, len(numbers))
        by_shape.setdefault(key, []).append(scope)
        order[id(scope)] = key
    kept = {"x", "y", "z", "name", "self", *reserved, *(identifier(scope.kind).lower() for scope in program.blocks)}
    for scopes in by_shape.values():
        kind = scopes[0].kind
        name = names.unique(class_name(kind, "Block") if classes else identifier(kind, "block").lower())
        definition = Definition(name, scopes[0])
        _fill(found, definition, scopes, kept)
        found.blocks.append(definition)
    arguments = _all_arguments(found, program.top)
    found.top.slots = [Slot(argument) for _, argument in arguments]
    return found


def _shape(scope: Scope, shapes: dict[int, int]) -> tuple[object, ...]:
    """What two blocks must share to share a definition: everything but the values of arguments."""
    local = {value: number for number, value in enumerate(scope.inputs)}
    rows: list[object] = []
    for part in scope.parts:
        inputs = tuple(local[value] for value in part.inputs)
        for value in part.outputs:
            local[value] = len(local)
        rows.append((part.name, _work_shape(part.work, shapes), inputs, len(part.outputs)))
    return (len(scope.inputs), tuple(rows), tuple(local[value] for value in scope.outputs))


def _work_shape(work: Work, shapes: dict[int, int]) -> object:
    if isinstance(work, Call):
        return ("call", work.function, tuple(a.name for a in work.arguments))
    if isinstance(work, Inline):
        return ("inline", work.template)
    if isinstance(work, Use):
        return ("use", shapes[id(work.scope)])
    assert isinstance(work, Chain)
    return ("chain", tuple((part.name, _work_shape(part.work, shapes)) for part in work.parts))


def _all_arguments(found: Definitions, scope: Scope) -> list[tuple[str, Argument]]:
    return [pair for part in scope.parts for pair in found.arguments(part.work, part.name, part.prefix)]


def _fill(found: Definitions, definition: Definition, scopes: list[Scope], reserved: set[str]) -> None:
    """The slots and parameters of a definition, and the arguments of each of its uses."""
    rows = [_all_arguments(found, scope) for scope in scopes]
    columns = list(zip(*([argument.value for _, argument in row] for row in rows), strict=True))
    first = rows[0]
    varying: dict[tuple[object, ...], list[int]] = {}
    for number, values in enumerate(columns):
        if any(value != values[0] or type(value) is not type(values[0]) for value in values[1:]):
            varying.setdefault(tuple((type(v), _hashable(v)) for v in values), []).append(number)
    short = [first[numbers[0]][1].name for numbers in varying.values()]
    names = Names(reserved)
    parameter_of: dict[int, str] = {}
    for numbers, simple in zip(varying.values(), short, strict=True):
        owner, argument = first[numbers[0]]
        unique = short.count(simple) == 1 or (argument.name == "in_channels" and not definition.parameters)
        name = names.unique(identifier(argument.name if unique else f"{owner}_{argument.name}"))
        definition.parameters.append(name)
        parameter_of.update(dict.fromkeys(numbers, name))
    definition.slots = [Slot(argument, parameter_of.get(number)) for number, (_, argument) in enumerate(first)]
    leads = [numbers[0] for numbers in varying.values()]
    for scope, row in zip(scopes, rows, strict=True):
        given = zip(definition.parameters, leads, strict=True)
        found.of[id(scope)] = (definition, tuple(Argument(name, row[n][1].value, positional=True) for name, n in given))


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
