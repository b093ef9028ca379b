"""Which blocks of a program share a definition: those of one structure, and those that lack modules of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .program import Call, Chain, Inline, Part, Scope, Use, Work

Present = tuple[bool, ...]
"""In which blocks of a family a module stands."""


@dataclass(slots=True)
class Family:
    """Blocks that share a definition: one structure, of which some lack modules."""

    base: Scope
    """One that lacks none."""
    scopes: list[Scope]
    lacking: dict[int, frozenset[int]] = field(default_factory=dict)
    """id of a block -> the positions of the base's statements that it lacks."""

    def parts_of(self, scope: Scope) -> list[Part | None]:
        """The statements of a block beside those of the base."""
        own = iter(scope.parts)
        lacks = self.lacking.get(id(scope), frozenset())
        return [None if position in lacks else next(own) for position in range(len(self.base.parts))]

    def optional(self) -> dict[int, Present]:
        """The statements that some lack: position -> which blocks have them."""
        positions = sorted(set().union(*self.lacking.values()))
        return {n: tuple(n not in self.lacking.get(id(scope), ()) for scope in self.scopes) for n in positions}

    def flags(self) -> dict[Present, str]:
        """What is to be told of a block, and after which statement it is called."""
        found: dict[Present, str] = {}
        for position, present in self.optional().items():
            found.setdefault(present, self.base.parts[position].name.partition(".")[0])
        return found


def families(blocks: Sequence[Scope], *, optional: bool) -> list[Family]:
    """The blocks by definition, in the order of their first uses, inner ones first."""
    shapes: dict[int, int] = {}
    found: list[Family] = []
    for scopes in _levels(blocks) if optional else [list(blocks)]:
        by_shape: dict[tuple[object, ...], Family] = {}
        numbers: dict[tuple[object, ...], int] = {}
        for scope in scopes:
            key = (scope.kind, *shape(scope, shapes))
            shapes[id(scope)] = numbers.setdefault(key, len(found) + len(numbers))
            by_shape.setdefault(key, Family(scope, [])).scopes.append(scope)
        if optional:
            level = _joined(list(by_shape.values()), shapes)
            for number, family in enumerate(level, start=len(found)):
                shapes.update((id(scope), number) for scope in family.scopes)
        else:
            level = list(by_shape.values())
        found += level
    return _in_order(found, blocks)


def _joined(level: list[Family], shapes: dict[int, int]) -> list[Family]:
    """Families of one kind as one, where one is another without some modules; the largest is the base."""
    found: list[Family] = []
    for family in sorted(level, key=lambda family: -len(family.base.parts)):
        for other in found:
            lacks = _lacking(other.base, family.base, shapes) if other.base.kind == family.base.kind else None
            if lacks:
                other.scopes += family.scopes
                other.lacking |= dict.fromkeys(map(id, family.scopes), lacks)
                break
        else:
            found.append(family)
    return found


def _lacking(base: Scope, scope: Scope, shapes: dict[int, int]) -> frozenset[int] | None:
    """The statements without which one block is another; None where it is not.

    What reads a statement that is left out reads what that would have read.
    """
    if any(one.ties or any(part.again for part in one.parts) for one in (base, scope)):
        return None
    wanted = [(part.name, work_shape(part.work, shapes)) for part in scope.parts]
    lacks: set[int] = set()
    left = iter([*wanted, None])
    ahead = next(left)
    for position, part in enumerate(base.parts):
        if ahead == (part.name, work_shape(part.work, shapes)):
            ahead = next(left)
        elif isinstance(part.work, Inline) or len(part.inputs) != 1 or len(part.outputs) != 1:
            return None
        else:
            lacks.add(position)
    if ahead is not None or shape(base, shapes, frozenset(lacks)) != shape(scope, shapes):
        return None
    return frozenset(lacks)


def shape(scope: Scope, shapes: dict[int, int], without: frozenset[int] = frozenset()) -> tuple[object, ...]:
    """What two blocks must share to share a definition: everything but the values of arguments."""
    numbers = {id(part): number for number, part in enumerate(scope.parts)}
    rows = [
        (part.name, work_shape(part.work, shapes), numbers.get(id(part.again)))
        for number, part in enumerate(scope.parts)
        if number not in without
    ]
    return (scope.wiring(without), tuple(rows), tuple(scope.ties))


def work_shape(work: Work, shapes: dict[int, int]) -> object:
    """What two works must share: all but the values of arguments."""
    if isinstance(work, Call):
        return ("call", work.function, tuple(a.name for a in work.arguments))
    if isinstance(work, Inline):
        return ("inline", work.template)
    if isinstance(work, Use):
        return ("use", shapes[id(work.scope)])
    assert isinstance(work, Chain)
    return ("chain", tuple((part.name, work_shape(part.work, shapes)) for part in work.parts))


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
