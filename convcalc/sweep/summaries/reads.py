"""Which values an item reads: of the names around it, and of the spec's parameters through the blocks that it calls.

A list of which only elements are read counts by these: `depths[0]`. Values that arrive (`in_channels`) are told by the
shapes.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from types import NoneType
from typing import NamedTuple

from ...language.document import Document
from ...language.expressions import Expression
from ...language.items import Block, Call, Group, Item, Join, LayerTemplate, below
from ...language.params import Compiled, Listed
from ...language.values import Value
from ...limits import NESTING

Element = int | tuple[str, int] | None
Atom = tuple[str, Element]
"""A name, and what of its value is read: an element of a list, how it compares with a number; None for all of it."""
Atoms = frozenset[Atom]
NONE: Atoms = frozenset()
TESTS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
PLAIN = frozenset({int, str, NoneType})
"""Types whose values are equal where they mean the same."""
_KIND = re.compile(r"_\d+$")
"""What an automatic name has behind the kind."""


class Reads(NamedTuple):
    """What an item reads."""

    around: Values
    """Of the names where it stands."""
    again: Values
    """The same of one of its repetitions, its number among them where that is read."""
    spec: Values
    """Of the spec's parameters, through the blocks that it calls."""
    openly: bool
    """Whether it is expanded as it is: paths lead into it, several tensors come out of it, its names stand around it,
    or it shares weights."""


class TooDeep(Exception):
    """Blocks call each other deeper than any network is nested."""


class ReadNames:
    """What the items of a document read, found out once an item."""

    def __init__(self, document: Document, paths: Iterable[str]) -> None:
        """`paths` are those of what is asked for: what they lead into is expanded as it is."""
        self._document = document
        self._elements: dict[str, Atoms] = {}
        self._blocks: dict[str, Atoms] = {}
        self._calls: dict[str, tuple[Values, Values]] = {}
        self._items: dict[int, Reads] = {}
        self._into = tuple(dict.fromkeys(_led_into(document, paths)))
        self.shares = any(item.share is not None for item in _every(document))

    def of(self, item: Item) -> Reads:
        """What an item reads. Raises TooDeep."""
        found = self._items.get(id(item))
        if found is None:
            found = self._items[id(item)] = self._read(item)
        return found

    def block(self, block: Block) -> tuple[Values, Values]:
        """What a use of a block reads: its parameters, and the spec's, through the blocks that it calls too.

        Raises TooDeep.
        """
        found = self._calls.get(block.name)
        if found is None:
            own = Values(frozenset([(name, None) for name in block.params]))
            found = self._calls[block.name] = own, Values(self._block(block))
        return found

    def _block(self, block: Block, depth: int = 0) -> Atoms:
        found = self._blocks.get(block.name)
        if found is None:
            if depth > NESTING:
                raise TooDeep
            inside = [self._inside(block.items)]
            inside += [self._of(param.default) for param in block.params.values()]
            own = frozenset([atom for atoms in inside for atom in atoms if atom[0] in block.reads])
            found = own.union(*(self._block(called, depth + 1) for called in _called(block.items)))
            self._blocks[block.name] = found
        return found

    def _read(self, item: Item) -> Reads:
        inside = self._what(item)
        when = self._of(item.when[0]) if item.when is not None else NONE
        around, again = inside | when, inside
        if item.repeat is not None:
            again = inside | when if item.indexed else inside
            around = _without_index(inside | when) | self._of(item.repeat[0])
            around |= when if not item.indexed else NONE
        calls = list(_called([item]))
        spec = NONE.union(*map(self._block, calls))
        unnamed = isinstance(item.what, Join) and item.name is None and item.repeat is None
        several = not isinstance(item.what, (LayerTemplate, Join, Group, Call))
        openly = unnamed or several or item.share is not None or not item.reads or self._is_led_into(item)
        return Reads(Values(around), Values(again), Values(spec), openly)

    def _is_led_into(self, item: Item) -> bool:
        """Whether a path may lead into an item."""
        if item.name is None:
            return any(name.isdigit() or name.endswith("*") or _KIND.sub("", name) == item.kind for name in self._into)
        return any(name == item.name or (name[-1] == "*" and item.name.startswith(name[:-1])) for name in self._into)

    def _what(self, item: Item) -> Atoms:
        """What stands inside an item, on the names around it."""
        what = item.what
        if isinstance(what, Group):
            return self._inside(what.items)
        if isinstance(what, Call):
            return NONE.union(*[self._of(compiled) for _, compiled, _ in what.arguments])
        template = what if isinstance(what, LayerTemplate) else what.template
        atoms = NONE.union(*[self._of(compiled) for _, compiled, _ in template.fields])
        if isinstance(what, Join):
            atoms = atoms.union(*[self._inside(branch.items) for branch in what.branches])
        return atoms

    def _inside(self, items: Sequence[Item]) -> Atoms:
        atoms = NONE
        for item in items:
            atoms |= self._what(item)
            for said in (item.repeat, item.when):
                if said is not None:
                    atoms |= self._of(said[0])
        return atoms

    def _of(self, compiled: Compiled) -> Atoms:
        if isinstance(compiled, Listed):
            return NONE.union(*map(self._of, compiled.parts))
        if not isinstance(compiled, Expression):
            return NONE
        found = self._elements.get(compiled.text)
        if found is None:
            found = self._elements[compiled.text] = frozenset(_atoms(compiled)) - {("in_channels", None)}
        return found


def _atoms(expression: Expression) -> Iterator[Atom]:
    """What an expression reads."""
    pending: list[ast.AST] = [ast.parse(expression.text.strip(), mode="eval").body]
    while pending:
        node = pending.pop()
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and isinstance(node.slice, ast.Constant)
        ):
            if type(node.slice.value) is int:
                yield node.value.id, node.slice.value
                continue
        test = _test(node)
        if test is not None:
            yield "index", test
            continue
        if isinstance(node, ast.Name) and node.id in expression.names:
            yield node.id, None
        pending += ast.iter_child_nodes(node)


def _test(node: ast.AST) -> tuple[str, int] | None:
    """How a comparison of a repetition's number with a constant is told; None for everything else."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return None
    left, right, spelling = node.left, node.comparators[0], COMPARISONS.get(type(node.ops[0]))
    if not isinstance(left, ast.Name) or left.id != "index" or not isinstance(right, ast.Constant):
        return None
    return (spelling, right.value) if spelling is not None and type(right.value) is int else None


def _without_index(atoms: Atoms) -> Atoms:
    return frozenset([atom for atom in atoms if atom[0] != "index"])


class Values:
    """The values of what is read, such that those that are equal mean the same."""

    __slots__ = ("_get", "_names", "_parts")

    def __init__(self, atoms: Atoms) -> None:
        names = sorted({name for name, element in atoms if element is None and name != "index"})
        self._names = len(names)
        self._get: Callable[[Mapping[str, Value]], object] | None = itemgetter(*names) if names else None
        parts = {atom for atom in atoms if atom[1] is not None or atom[0] == "index"}
        whole = {name for name, element in atoms if element is None}
        self._parts = [atom for atom in sorted(parts, key=repr) if atom[1] is None or atom[0] not in whole]

    def of(self, env: Mapping[str, Value]) -> tuple[object, ...]:
        """The values under these names."""
        found: tuple[object, ...] = ()
        if self._get is not None:
            found = self._get(env) if self._names > 1 else (self._get(env),)  # type: ignore[assignment]
        if self._parts:
            found += tuple([_part(env.get(name), element) for name, element in self._parts])
        return found if PLAIN.issuperset(map(type, found)) else tuple(map(_told, found))


def _part(value: Value | None, element: Element) -> Value | None:
    if isinstance(element, tuple):
        return TESTS[element[0]](value, element[1]) if isinstance(value, int) else None
    if element is not None and isinstance(value, tuple) and len(value) > element:
        return value[element]
    return value


def _told(value: object) -> object:
    """A value apart from those that Python takes to be equal to it: truth values from numbers."""
    if isinstance(value, bool):
        return ("truth", value)
    return tuple(map(_told, value)) if isinstance(value, tuple) else value


def _called(items: list[Item]) -> Iterator[Block]:
    for item in below(items):
        if isinstance(item.what, Call):
            yield item.what.block


def _every(document: Document) -> Iterator[Item]:
    yield from below(document.items)
    for block in document.blocks.values():
        yield from below(block.items)


def _led_into(document: Document, paths: Iterable[str]) -> Iterator[str]:
    """The names that stand before a dot in what items and outputs name, and in what is asked for."""
    for item in _every(document):
        for path, _ in item.sources or ():
            yield from path[:-1]
    for path, *_ in (document.outputs or {}).values():
        yield from path[:-1]
    for asked in paths:
        for end in asked.split(".."):
            yield from end.split(".")[:-1]
