"""The definitions of a program: what blocks share, with a parameter for what differs between their uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from .parameters import ABSENT, SHAPES, Cell, Column, Naming, Relation, by_presence, related, told_by
from .program import REQUIRED, Address, Argument, Call, Chain, Part, Program, Scope, Use, Work
from .python_code import Names, class_name, identifier, literal
from .twins import Family, Present, families

if TYPE_CHECKING:
    from ..network import Network


class Slot(NamedTuple):
    """An argument's place in a definition: a fixed value, or what follows from the parameter of that name."""

    argument: Argument
    parameter: str | None = None
    form: str = "{}"
    """What is made of the parameter."""
    elements: tuple[Slot, ...] = ()
    """Those of a tuple or list of which some follow from parameters."""

    @property
    def reads(self) -> list[str]:
        """The parameters that it follows from."""
        return [self.parameter] if self.parameter else [name for element in self.elements for name in element.reads]


@dataclass(slots=True)
class Parameter:
    """A parameter of a definition."""

    name: str
    default: object = REQUIRED

    @property
    def text(self) -> str:
        """How it stands in the signature."""
        return self.name if self.default is REQUIRED else f"{self.name}={literal(self.default)}"


@dataclass(slots=True)
class Definition:
    """One block: its statements are those of `scope`, its arguments the slots, in the order of `arguments`."""

    name: str
    scope: Scope
    parameters: list[Parameter] = field(default_factory=list)
    """Those without a default first."""
    slots: list[Slot] = field(default_factory=list)
    optional: dict[Address, str] = field(default_factory=dict)
    """The parameters that say whether there is a statement that not all uses have, by their addresses."""
    passed: dict[Address, int] = field(default_factory=dict)
    """Which of its inputs such a statement passes on where it is not there."""

    activations: list[int] = field(default_factory=list)
    """ids of the statements that are an activation of the class that a parameter says."""

    @property
    def required(self) -> list[str]:
        """The parameters without a default."""
        return [parameter.text for parameter in self.parameters if parameter.default is REQUIRED]

    @property
    def defaulted(self) -> list[str]:
        """The parameters with a default, and that."""
        return [parameter.text for parameter in self.parameters if parameter.default is not REQUIRED]


@dataclass(slots=True)
class Definitions:
    """All definitions, inner ones first, and what each use of a block gives for the parameters."""

    blocks: list[Definition]
    top: Definition
    of: dict[int, tuple[Definition, tuple[Argument, ...]]]
    """id of a scope -> its definition and the arguments of that use."""
    network: Network

    def arriving(self, scope: Scope) -> int:
        """The first axis of what a scope reads first: its channels, where it has some."""
        return next((axis for node in scope.inputs[:1] for axis in self.network.nodes[node].shape[:1]), 0)

    def arguments(self, work: Work, owner: str, prefix: str) -> Iterator[tuple[str, Argument]]:
        """(path of whose it is, argument) of a statement's work, in the order in which it is written."""
        if isinstance(work, Chain):
            for part in work.parts:
                yield from self.arguments(part.work, part.name, prefix)
            return
        arguments = self.of[id(work.scope)][1] if isinstance(work, Use) else work.arguments
        whose = ".".join(identifier(piece, prefix) for piece in owner.split("."))
        for argument in arguments:
            yield whose, argument


def define(program: Program, reserved: Iterable[str], *, classes: bool) -> Definitions:
    """Group the program's blocks into definitions; names are classes or functions, none of them reserved.

    Blocks share one too where one lacks statements of the other. With functions, those may take several values.
    """
    names = Names(reserved)
    top_name = names.unique(class_name(program.top.kind) if classes else identifier(program.top.kind, "model").lower())
    found = Definitions([], Definition(top_name, program.top), {}, program.network)
    kept = {"x", "y", "z", "name", "self", *reserved, *(identifier(scope.kind).lower() for scope in program.blocks)}
    first: dict[str, Family] = {}
    for family in families(program.blocks, joins=not classes):
        kind = family.base.kind
        kind = _told_apart(kind, family, first.setdefault(kind, family))
        name = names.unique(class_name(kind, "Block") if classes else identifier(kind, "block").lower())
        definition = Definition(name, family.base)
        _fill(found, definition, family, kept)
        found.blocks.append(definition)
    arguments = [pair for part in found.top.scope.parts for pair in _built(found, part)]
    found.top.slots = [Slot(argument) for _, argument in arguments]
    return found


def _told_apart(kind: str, family: Family, first: Family) -> str:
    """The kind of blocks with a word before it that tells them from the first ones of that kind, where one does."""
    functions = [
        [part.work.function for part, _ in one.beside(one.base) if isinstance(part.work, Call)]
        for one in (family, first)
    ]
    own, others = (dict.fromkeys(names) for names in functions)
    for name in own:
        if name not in others:
            for other in others:
                words, other_words = _words(name), _words(other)
                if words[-len(other_words) :] == other_words and len(words) > len(other_words) and other not in own:
                    return "_".join([*words[: -len(other_words)], kind])
    return kind


def _words(function: str) -> list[str]:
    """The words of a function's name.

    >>> _words("layers.DepthwiseConv2D")
    ['depthwise', 'conv2d']
    """
    return [word.lower() for word in re.findall(r"[A-Z][a-z]+(?:\d+D?)?|[a-z]+", function.rpartition(".")[2])]


def _built(found: Definitions, part: Part) -> list[tuple[str, Argument]]:
    """The arguments of what a statement builds; none where it calls a module again."""
    return [] if part.again is not None else list(found.arguments(part.work, part.name, part.prefix))


def _row(found: Definitions, family: Family, scope: Scope) -> list[tuple[str, Argument]]:
    """The arguments of a block, beside those of the base; absent ones where it lacks a module."""
    row: list[tuple[str, Argument]] = []
    for base, part in family.beside(scope):
        if part is None:
            row += [(owner, argument._replace(value=ABSENT)) for owner, argument in _built(found, base)]
        else:
            row += _built(found, part)
    return row


def _fill(found: Definitions, definition: Definition, family: Family, reserved: set[str]) -> None:
    """The slots and parameters of a definition, and the arguments of each of its uses."""
    rows = [_row(found, family, scope) for scope in family.scopes]
    values = list(zip(*([argument.value for _, argument in row] for row in rows), strict=True))
    first = rows[family.scopes.index(family.base)]
    arriving = [found.arriving(scope) for scope in family.scopes]
    columns = _columns(first, values, arriving)
    optional = family.optional()
    params = [scope.params for scope in family.scopes]
    flags = {present: told_by(params, present) or name for present, name in _flags(family).items()}
    relations = related(columns, params, flags)
    own = [column for column in columns if column.number not in relations]
    merged = {present: column for present in flags if (column := _tells(own, present)) is not None}
    for column in columns:
        told = by_presence(column, flags, merged)
        if told is not None:
            relations[column.number] = told
    own = [column for column in columns if column.number not in relations]
    naming = Naming(Names(reserved), own, params, {relation.of for relation in relations.values()})
    name_of: dict[int, str] = {}
    made: list[tuple[Parameter, Column | Present]] = []
    for column in own:
        name_of[column.number] = naming.name(column)
        made.append((Parameter(name_of[column.number], column.default), column))
    flag_of: dict[Present, str] = {present: name_of[column.number] for present, column in merged.items()}
    for present, name in flags.items():
        if present not in flag_of:
            flag_of[present] = naming.names.unique(identifier(name))
            made.append((Parameter(flag_of[present], False), present))
    made.sort(key=lambda pair: pair[0].default is not REQUIRED)
    definition.parameters = [parameter for parameter, _ in made]
    slot_of = {
        place: _slot(column, relations.get(column.number), name_of, flag_of)
        for column in columns
        for place in column.slots
    }
    definition.slots = [_placed(number, argument, slot_of) for number, (_, argument) in enumerate(first)]
    definition.activations = _activations(family.base, definition.slots, found)
    definition.optional = {at: flag_of[present] for at, present in optional.items()}
    definition.passed = family.passed()
    for position, scope in enumerate(family.scopes):
        found.of[id(scope)] = (definition, tuple(_given(parameter, of, position) for parameter, of in made))


def _activations(base: Scope, slots: Sequence[Slot], found: Definitions) -> list[int]:
    """ids of the statements whose class is a parameter."""
    ids: list[int] = []
    left = iter(slots)
    for part in base.parts:
        mine = [next(left) for _ in _built(found, part)]
        if isinstance(part.work, Call) and not part.work.function and any(slot.parameter for slot in mine):
            ids.append(id(part))
    return ids


def _columns(
    first: list[tuple[str, Argument]], values: Sequence[tuple[object, ...]], arriving: Sequence[int]
) -> list[Column]:
    """What differs between blocks: equal arguments as one, those of modules that all have first."""
    varying: dict[tuple[object, ...], list[Cell]] = {}
    cells = list(_cells(first, values))
    for cell, column in sorted(cells, key=lambda entry: ABSENT in entry[1]):
        given = [value for value in column if value is not ABSENT]
        if any(value != given[0] or type(value) is not type(given[0]) for value in given[1:]):
            key = tuple((type(v), _hashable(v)) for v in column)
            varying.setdefault(next((one for one in varying if _stands_for(one, key)), key), []).append(cell)
    of = dict(cells)
    found = [
        Column(number, tuple(places), of[places[0]], [_argument_at(first, place) for place in places])
        for number, places in enumerate(sorted(varying.values(), key=min))
    ]
    return [replace(column, values=tuple(arriving)) if column.is_arriving(arriving) else column for column in found]


def _cells(
    first: list[tuple[str, Argument]], values: Sequence[tuple[object, ...]]
) -> Iterator[tuple[Cell, tuple[object, ...]]]:
    """Arguments and their values; the elements of shapes, of which there are equally many, apart."""
    for number, column in enumerate(values):
        shapes = [value for value in column if value is not ABSENT]
        lengths = {len(shape) if isinstance(shape, tuple | list) else 0 for shape in shapes}
        if first[number][1].quantity not in SHAPES or len(lengths) != 1 or 0 in lengths:
            yield (number, -1), column
            continue
        for element in range(*lengths):
            yield (
                (number, element),
                tuple(value[element] if isinstance(value, tuple | list) else ABSENT for value in column),
            )


def _argument_at(first: list[tuple[str, Argument]], place: Cell) -> tuple[str, Argument]:
    """(whose, argument) at a place; an element of a shape is a size."""
    owner, argument = first[place[0]]
    return owner, argument if place[1] < 0 else Argument("size", argument.value)


def _placed(number: int, argument: Argument, slot_of: Mapping[Cell, Slot]) -> Slot:
    """What stands at an argument."""
    if (number, -1) in slot_of:
        return slot_of[number, -1]._replace(argument=argument)
    shape = argument.value
    if isinstance(shape, tuple | list):
        fixed = [Slot(Argument("size", value)) for value in shape]
        elements = [slot_of.get((number, element), slot) for element, slot in enumerate(fixed)]
        if any(slot.parameter for slot in elements):
            return Slot(argument, elements=tuple(elements))
    return Slot(argument)


def _stands_for(key: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether one column has the values of another one wherever that has some."""
    absent = (object, ABSENT)
    return all(own == value or value == absent for own, value in zip(key, other, strict=True))


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _flags(family: Family) -> dict[Present, str]:
    """What is to be told of a block, and a word for it."""
    having: dict[Present, list[Part]] = {}
    for at, present in family.optional().items():
        having.setdefault(present, []).append(family.part(at))
    return {
        present: _flag(parts, [part for part, _ in family.beside(family.base)]) for present, parts in having.items()
    }


def _flag(parts: Sequence[Part], every: Sequence[Part]) -> str:
    """A word for statements that some lack: what they do, or what stands before all their names and no other's."""
    if len(parts[-1].inputs) > 1:
        return "residual"
    paths = [part.name.split(".") for part in parts]
    known = set(map(id, parts))
    others = [part.name.split(".") for part in every if id(part) not in known]
    if all(path in others for path in paths):
        return "pad"
    common = next(
        (n for n, pieces in enumerate(zip(*paths, strict=False)) if len(set(pieces)) > 1), min(map(len, paths))
    )
    if common and all(path[:common] != paths[0][:common] for path in others):
        return paths[0][common - 1]
    return paths[0][min(common, len(paths[0]) - 1)]


def _tells(columns: Sequence[Column], present: Present) -> Column | None:
    """The number above 0 that only blocks with some statements have, so that 0 can stand for the others."""
    for column in columns:
        if column.arrives:
            continue
        here = tuple(value is not ABSENT for value in column.values)
        if here == present and all(type(v) is int and v > 0 for v in column.values if v is not ABSENT):
            return column
    return None


def _slot(column: Column, relation: Relation | None, name_of: dict[int, str], flag_of: dict[Present, str]) -> Slot:
    """What stands at the arguments of a column; the argument itself is added where it is known."""
    (_, argument), *_ = column.arguments
    if relation is None:
        return Slot(argument, name_of[column.number])
    of = name_of[relation.of] if isinstance(relation.of, int) else flag_of[relation.of]
    return Slot(argument, of, relation.form)


def _given(parameter: Parameter, of: Column | Present, position: int) -> Argument:
    """What a use of a block gives for a parameter."""
    keyword = parameter.default is not REQUIRED
    if isinstance(of, tuple) and not isinstance(of, Column):
        return Argument(parameter.name, of[position], parameter.default)
    assert isinstance(of, Column)
    value = of.values[position]
    if value is ABSENT:
        value = parameter.default if keyword else of.usual
    return Argument(parameter.name, value, parameter.default, positional=not keyword, means=of.quantity)
