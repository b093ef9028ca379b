"""Which blocks of a program share a definition: those of one structure, and those that lack modules of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from types import MappingProxyType

from .program import Address, Call, Chain, Inline, Part, Scope, Use, Work

Present = tuple[bool, ...]
"""In which blocks of a family a module stands."""
Lacks = Mapping[Address, int]
"""The statements that a block lacks, by their addresses in the base, and which of its inputs each would pass on."""
COMBINATIONS = 16
"""So many ways in which the statements that are lacking may pass on what they read are tried."""


@dataclass(slots=True)
class Family:
    """Blocks that share a definition: one structure, of which some lack modules."""

    base: Scope
    """One that lacks none."""
    scopes: list[Scope]
    lacking: dict[int, Lacks] = field(default_factory=dict)
    """id of a block -> the statements of the base that it lacks."""

    def beside(self, scope: Scope) -> Iterator[tuple[Part, Part | None]]:
        """The statements of the base, those in chains in the place of these, and beside each what a block has there."""
        lacks = self.lacking.get(id(scope), {})
        return _beside(self.base.parts, scope.parts, lacks, ())

    def optional(self) -> dict[Address, Present]:
        """The statements that some lack: address -> which blocks have them."""
        addresses = sorted(set().union(*self.lacking.values()))
        return {at: tuple(at not in self.lacking.get(id(scope), ()) for scope in self.scopes) for at in addresses}

    def passed(self) -> dict[Address, int]:
        """Which of its inputs a statement passes on where it lacks."""
        return {at: passed for lacks in self.lacking.values() for at, passed in lacks.items()}

    def part(self, address: Address) -> Part:
        """The statement of the base at an address."""
        parts = self.base.parts
        for number in address[:-1]:
            work = parts[number].work
            assert isinstance(work, Chain)
            parts = work.parts
        return parts[address[-1]]


def _beside(base: Sequence[Part], own: Sequence[Part], lacks: Lacks, at: Address) -> Iterator[tuple[Part, Part | None]]:
    left = iter(own)
    for position, part in enumerate(base):
        here = (*at, position)
        other = None if here in lacks else next(left)
        if other is not None and isinstance(part.work, Chain) and isinstance(other.work, Chain):
            yield from _beside(part.work.parts, other.work.parts, lacks, here)
        else:
            yield part, other


def families(blocks: Sequence[Scope], *, joins: bool) -> list[Family]:
    """The blocks by definition, in the order of their first uses, inner ones first.

    With `joins`, a statement of several inputs may be one that some blocks lack.
    """
    shapes: dict[int, int] = {}
    found: list[Family] = []
    for scopes in _levels(blocks):
        by_shape: dict[tuple[object, ...], Family] = {}
        numbers: dict[tuple[object, ...], int] = {}
        for scope in scopes:
            key = (scope.kind, *shape(scope, shapes))
            shapes[id(scope)] = numbers.setdefault(key, len(found) + len(numbers))
            by_shape.setdefault(key, Family(scope, [])).scopes.append(scope)
        level = _joined(list(by_shape.values()), shapes, joins)
        for number, family in enumerate(level, start=len(found)):
            shapes.update((id(scope), number) for scope in family.scopes)
        found += level
    return _in_order(found, blocks)


def _joined(level: list[Family], shapes: dict[int, int], joins: bool) -> list[Family]:
    """Families of one kind as one, where one is another without some modules; the largest is the base."""
    found: list[Family] = []
    for family in sorted(level, key=lambda family: -_length(family.base.parts)):
        for other in found:
            lacks = _lacking(other.base, family.base, shapes, joins) if other.base.kind == family.base.kind else None
            if lacks:
                other.scopes += family.scopes
                other.lacking |= dict.fromkeys(map(id, family.scopes), lacks)
                break
        else:
            found.append(family)
    return found


def _length(parts: Sequence[Part]) -> int:
    """How many statements there are, those in chains too."""
    return sum(_length(part.work.parts) if isinstance(part.work, Chain) else 1 for part in parts)


def _lacking(base: Scope, scope: Scope, shapes: dict[int, int], joins: bool) -> Lacks | None:
    """The statements without which one block is another; None where it is not.

    What reads a statement that is left out reads one of the values that this would have read.
    """
    if base.ties or scope.ties:
        return None
    lacks = _left_out(base.parts, scope.parts, shapes, joins, ())
    if lacks is None:
        return None
    wanted = shape(scope, shapes)
    choices = [range(len(base.parts[at[0]].inputs)) if len(at) == 1 else range(1) for at in lacks]
    for passed in islice(product(*choices), COMBINATIONS):
        found = dict(zip(lacks, passed, strict=True))
        if shape(base, shapes, found) == wanted:
            return found
    return None


def _left_out(
    base: Sequence[Part], own: Sequence[Part], shapes: dict[int, int], joins: bool, at: Address
) -> list[Address] | None:
    """The statements of one list that another one lacks, which has no others; None where it is not so."""
    found: list[Address] = []
    left = 0
    for position, part in enumerate(base):
        here = (*at, position)
        within = _within(part, own[left], shapes, joins, here) if left < len(own) else None
        if within is not None:
            found += within
            left += 1
        elif _may_lack(part, joins or len(here) > 1):
            found.append(here)
        else:
            return None
    return found if left == len(own) else None


def _within(part: Part, other: Part, shapes: dict[int, int], joins: bool, at: Address) -> list[Address] | None:
    """What a statement lacks beside that of the base, be it a chain; None where it is another one."""
    if part.label != other.label:
        return None
    if isinstance(part.work, Chain) and isinstance(other.work, Chain):
        return _left_out(part.work.parts, other.work.parts, shapes, joins, at)
    return [] if work_shape(part.work, shapes) == work_shape(other.work, shapes) else None


def _may_lack(part: Part, joins: bool) -> bool:
    """Whether a block may be without a statement: it gives one value, and passes on one where it is not there.

    How often something is repeated is no matter of what is there.
    """
    if part.again is not None or len(part.outputs) > 1 or any(map(str.isdecimal, part.name.split("."))):
        return False
    return joins or isinstance(part.work, Inline) or len(part.inputs) == 1


def shape(scope: Scope, shapes: dict[int, int], without: Lacks = MappingProxyType({})) -> tuple[object, ...]:
    """What two blocks must share to share a definition: everything but the values of arguments."""
    numbers = {
        id(part): number
        for number, part in enumerate(part for n, part in enumerate(scope.parts) if (n,) not in without)
    }
    rows = [
        (
            part.label,
            work_shape(part.work, shapes, without, (number,)),
            None if part.again is None else numbers.get(id(part.again), -1),
        )
        for number, part in enumerate(scope.parts)
        if (number,) not in without
    ]
    passed = {at[0]: which for at, which in without.items() if len(at) == 1}
    return (scope.wiring(passed), tuple(rows), tuple(scope.ties))


def work_shape(work: Work, shapes: dict[int, int], without: Lacks = MappingProxyType({}), at: Address = ()) -> object:
    """What two works must share: all but the values of arguments."""
    if isinstance(work, Call):
        return ("call", work.function, tuple(a.name for a in work.arguments), work.reads)
    if isinstance(work, Inline):
        return ("inline", work.template)
    if isinstance(work, Use):
        return ("use", shapes[id(work.scope)])
    assert isinstance(work, Chain)
    inside = enumerate(work.parts)
    kept = [(part, (*at, number)) for number, part in inside if (*at, number) not in without]
    return ("chain", tuple((part.label, work_shape(part.work, shapes, without, here)) for part, here in kept))


def _inner(parts: Sequence[Part]) -> Iterator[Scope]:
    """The blocks that statements use."""
    for part in parts:
        if isinstance(part.work, Use):
            yield part.work.scope
        elif isinstance(part.work, Chain):
            yield from _inner(part.work.parts)


def _levels(blocks: Sequence[Scope]) -> list[list[Scope]]:
    """The blocks, those of one kind together, each behind the kinds that it holds; by their height where that fails."""
    height: dict[int, int] = {}
    for scope in blocks:
        height[id(scope)] = 1 + max((height[id(inner)] for inner in _inner(scope.parts)), default=0)
    level: dict[str, int] = {}
    for scope in blocks:
        level[scope.kind] = max(level.get(scope.kind, 0), height[id(scope)])
    for _ in range(len(level)):
        raised = False
        for scope in blocks:
            least = 1 + max((level[inner.kind] for inner in _inner(scope.parts)), default=0)
            if least > level[scope.kind]:
                level[scope.kind], raised = least, True
        if not raised:
            break
    else:
        level = {}
    found: dict[int, list[Scope]] = {}
    for scope in blocks:
        found.setdefault(level.get(scope.kind, height[id(scope)]), []).append(scope)
    return [found[number] for number in sorted(found)]


def _in_order(found: list[Family], blocks: Sequence[Scope]) -> list[Family]:
    """The families in the order of their first uses, each behind those that it uses; its blocks in their order too."""
    place = {id(scope): position for position, scope in enumerate(blocks)}
    of = {id(scope): family for family in found for scope in family.scopes}
    ordered: list[Family] = []
    seen: set[int] = set()
    for scope in blocks:
        pending = [of[id(scope)]]
        while pending:
            family = pending[-1]
            inner = [of[id(used)] for one in family.scopes for used in _inner(one.parts)]
            missing = [other for other in inner if id(other) not in seen and other is not family]
            if id(family) in seen or not missing:
                pending.pop()
                if id(family) not in seen:
                    seen.add(id(family))
                    family.scopes.sort(key=lambda one: place[id(one)])
                    ordered.append(family)
            else:
                pending += missing[:1]
    return ordered
