"""Names of the values that a function's statements pass on: `x` along a chain, others where paths part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .identifiers import identifier
from .program import Scope


@dataclass(slots=True)
class Statement:
    """A part with its variables."""

    reads: list[str]
    writes: list[str]


@dataclass(slots=True)
class Variables:
    """The function's parameters, its statements, and what it returns."""

    inputs: list[str]
    statements: list[Statement]
    returned: list[str]


def variables(scope: Scope, input_names: list[str] | None = None, reserved: Iterable[str] = ()) -> Variables:
    """Name the values of a scope. A variable is used again once nothing reads its value any more."""
    last: dict[int, int] = {}
    for number, part in enumerate(scope.parts):
        for value in part.inputs:
            last[value] = number
    for value in scope.outputs:
        last[value] = len(scope.parts)
    count = len(scope.inputs)
    names = input_names or (["x", "y", "z"][:count] if count <= 3 else [f"x{n}" for n in range(1, count + 1)])
    holder = dict(zip(scope.inputs, names, strict=True))
    live = {name for value, name in holder.items() if last.get(value, -1) >= 0}
    taken = set(reserved)
    statements: list[Statement] = []
    for number, part in enumerate(scope.parts):
        reads = [holder[value] for value in part.inputs]
        dying = [holder[value] for value in dict.fromkeys(part.inputs) if last[value] == number]
        live.difference_update(dying)
        writes: list[str] = []
        for value in part.outputs:
            name = _choose(part.name, part.prefix, dying if not writes else [], live | taken)
            holder[value] = name
            if last.get(value, -1) > number:
                live.add(name)
            writes.append(name)
        statements.append(Statement(reads, writes))
    return Variables(names, statements, [holder[value] for value in scope.outputs])


def _choose(path: str, prefix: str, dying: list[str], unavailable: set[str]) -> str:
    if len(dying) == 1 and dying[0] not in unavailable:
        return dying[0]
    if "x" not in unavailable:
        return "x"
    if dying and dying[0] not in unavailable:
        return dying[0]
    stem = identifier(path.partition(".")[0], prefix)
    name, number = stem, 1
    while name in unavailable:
        number += 1
        name = f"{stem}_{number}"
    return name
