"""The statements of a scope as Python: variables, loops, arguments and expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ..naming import free_name
from .definitions import Slot
from .program import REQUIRED, Argument, Call, Inline, Part, Scope
from .python_code import INDENT, Form, identifier, literal


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
    changes = _changes([_stem(part) for part in scope.parts])
    statements: list[Statement] = []
    for number, part in enumerate(scope.parts):
        reads = [holder[value] for value in part.inputs]
        dying = [holder[value] for value in dict.fromkeys(part.inputs) if last[value] == number]
        live.difference_update(dying)
        writes: list[str] = []
        for value in part.outputs:
            stays = number + 1 < len(changes) and changes[number + 1] < last.get(value, 0)
            name = _choose(part, dying if not writes else [], live | taken, stays=stays)
            holder[value] = name
            if last.get(value, -1) > number:
                live.add(name)
            writes.append(name)
        statements.append(Statement(reads, writes))
    return Variables(names, statements, [holder[value] for value in scope.outputs])


def _choose(part: Part, dying: list[str], unavailable: set[str], *, stays: bool) -> str:
    """The variable of a value: the running one, or one of its own for a branch and for what `stays` for long."""
    stem = _stem(part)
    if not stays and (part.prefix != "branch" or stem in unavailable):
        if len(dying) == 1 and dying[0] not in unavailable:
            return dying[0]
        if "x" not in unavailable:
            return "x"
        if dying and dying[0] not in unavailable:
            return dying[0]
    return free_name(stem, unavailable.__contains__)


def _changes(stems: list[str]) -> list[int]:
    """For each statement the first one after it whose name begins otherwise.

    >>> _changes(["a", "a", "b"])
    [2, 2, 3]
    """
    found = list(range(1, len(stems) + 1))
    for number in range(len(stems) - 2, -1, -1):
        if stems[number] == stems[number + 1]:
            found[number] = found[number + 1]
    return found


def _stem(part: Part) -> str:
    """The first piece of a statement's name."""
    return identifier(part.name.partition(".")[0], part.prefix)


def loops(lines: Iterable[str]) -> Iterator[str]:
    """Lines of a function; three and more equal ones that follow one another as a loop.

    >>> list(loops(["    x = f(x)"] * 12 + ["    return x"]))
    ['    for _ in range(12):', '        x = f(x)', '    return x']
    """
    for line, group in groupby(lines):
        count = len(list(group))
        if count < 3:
            yield from (line,) * count
        else:
            pad = line[: len(line) - len(line.lstrip())]
            yield from (f"{pad}for _ in range({count}):", f"{INDENT}{line}")


def returned(lines: list[str], values: list[str], pad: str) -> list[str]:
    """Lines of a function, and what it returns: what the last one makes at once where that is it.

    >>> returned(["x = f(x)"], ["x"], ""), returned(["x = f(x)  # [3]"], ["x"], "")
    (['return f(x)'], ['x = f(x)  # [3]', 'return x'])
    """
    made = f"{pad}{', '.join(values)} = "
    last = lines[-1] if lines else ""
    if last.startswith(made) and "  # " not in last and last not in lines[-2:-1]:
        return [*lines[:-1], f"{pad}return {last[len(made) :]}"]
    return [*lines, f"{pad}return {', '.join(values)}"]


Slots = Iterator[Slot]


def value_text(slot: Slot, owner: str = "") -> str:
    """What is made of the parameter (an attribute of `owner` where it is one), or the literal."""
    if slot.elements:
        texts = [value_text(element, owner) for element in slot.elements]
        inside = ", ".join(texts)
        return f"[{inside}]" if isinstance(slot.argument.value, list) else f"({inside}{',' * (len(texts) == 1)})"
    return slot.form.format(f"{owner}{slot.parameter}") if slot.parameter else literal(slot.argument.value)


def argument_texts(arguments: tuple[Argument, ...], slots: Slots) -> list[str]:
    """Arguments as they are written; fixed ones that equal their default are left out."""
    found = []
    for argument in arguments:
        slot = next(slots)
        fixed = not slot.reads
        if fixed and argument.default is not REQUIRED and _equal(slot.argument.value, argument.default):
            continue
        text = value_text(slot)
        found.append(text if argument.positional else f"{argument.name}={text}")
    return found


def _equal(value: object, default: object) -> bool:
    """Whether a value is the default; 1 is not True."""
    return value == default and isinstance(value, bool) == isinstance(default, bool)


def form_of(work: Call, slots: Slots) -> Form:
    """The call that builds a module or a layer."""
    texts = argument_texts(work.arguments, slots)
    return Form(work.function, tuple(texts)) if work.function else Form(texts[0], ())


def inline_text(work: Inline, slots: Slots, reads: list[str], owner: str = "") -> str:
    """An expression over variables."""
    values = {str(number): name for number, name in enumerate(reads)}
    made: set[str] = set()
    for argument in work.arguments:
        slot = next(slots)
        values[argument.name] = value_text(slot, owner)
        if slot.form != "{}":
            made.add(argument.name)

    def written(match: re.Match[str]) -> str:
        around = work.template[match.start() - 1 : match.start()], work.template[match.end() : match.end() + 1]
        alone = around[0] in "([:=, " and around[1] in ")]:,"
        return f"({values[match[1]]})" if match[1] in made and not alone else values[match[1]]

    return re.sub(r"\{(\w+)\}", written, work.template)
