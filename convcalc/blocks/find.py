"""Network -> its blocks: scopes of one class become one block, and what differs between them its params."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ..layers.registry import layer_class
from ..naming import free_name, underscored
from ..network import Network
from .merging import Family, Merging, families
from .pieces import Piece, outline
from .relations import Param, Unrelated
from .repetitions import repeat
from .sheet import Block, Sheet
from .wiring import Hidden, wire
from .writing import Definition, text_of, write

_STEM = re.compile(r"(?:_?[0-9]+[a-z]?)+$|_+$")
"""What numbers a name: `inception_3a` is an inception."""
MOST_TRIES = 20
"""How often it is tried to find blocks, each time knowing more."""
MOST_BLOCKS = 500
"""Blocks that differ, of which more say nothing to a person."""


def find(
    network: Network,
    taken: Collection[str],
    reserved: Collection[str],
    *,
    merging: Merging = Merging.NARROWLY,
    joins: bool = True,
) -> Sheet:
    """The blocks and items of a network, `joins` with their branches where these have names.

    `taken` are names that no block may have, `reserved` those that no param may have. Raises Unrelated where the
    language cannot say it by blocks, or only by too many.
    """
    marks = Marks(not any(group.is_block for group in network.groups.values()))
    for tries in reversed(range(MOST_TRIES)):
        finder = _Finder(network, taken, reserved, merging, marks, joins)
        try:
            sheet = finder.sheet()
        except Hidden as hidden:
            if place(hidden.group) in marks.blocks:
                break
            marks.blocks.add(place(hidden.group))
            continue
        if not finder.alone or not tries:
            return sheet
        marks.groups |= finder.alone
    raise Unrelated


Where = tuple[int, int, str]
"""Which group something is: its first node, the one behind its last, its name."""


def place(piece: Piece) -> Where:
    """Which group a piece is."""
    return piece.start, piece.stop, piece.name


class Marks:
    """What is known of the groups from a try before."""

    def __init__(self, without_classes: bool) -> None:
        self.without_classes = without_classes
        """Whether nothing says which groups are of one class, so that their names and structure have to."""
        self.blocks: set[Where] = set()
        """Groups that are blocks though they stand once, since they hide names."""
        self.groups: set[Where] = set()
        """Groups that are no blocks, since no other one is like them."""


class _Finder:
    def __init__(
        self,
        network: Network,
        taken: Collection[str],
        reserved: Collection[str],
        merging: Merging,
        marks: Marks,
        joins: bool,
    ) -> None:
        self.network = network
        self.joins = joins
        self.taken = {name.lower() for name in taken}
        self.reserved = reserved
        self.merging = merging
        self.marks = marks
        self.alone: set[Where] = set()
        """Groups that nothing else is like, though others may have their class."""
        self.definitions: list[Definition] = []

    def sheet(self) -> Sheet:
        pieces, inputs = outline(self.network, joins=self.joins)
        for uses in _classes(pieces, self.marks):
            self._define(uses)
        current = tuple(range(len(inputs)))
        wire(self.network, pieces, current, lambda node: inputs[node])
        paths = [*inputs, *_paths(pieces)]
        repeat(pieces)
        (family,) = families([pieces])
        top = Definition("")
        write(top, family, self.reserved, inputs)
        found = [Block(d.name, tuple((p.name, _default(p)) for p in d.params), d.items) for d in self.definitions]
        return Sheet(found, top.items, paths)

    def _define(self, uses: list[Piece]) -> None:
        """Make blocks of the uses of one class; each becomes a call with arguments."""
        kind = uses[0].block or ""
        for use in uses:
            use.sources = use.reads
            sources = {node: f"in.{number}" for number, node in enumerate(use.sources)}
            wire(self.network, use.pieces, use.sources, sources.__getitem__)
            use.inner = _paths(use.pieces)
            repeat(use.pieces)
        scopes = [use.pieces for use in uses]
        pending = families(scopes, merging=self.merging)
        while pending:
            family = pending.pop(0)
            if len(family.scopes) == 1:
                self.alone |= {place(uses[family.scopes[0]])} - self.marks.blocks
            try:
                definition = self._family(kind, uses, family)
            except Unrelated:
                if len(family.scopes) == 1:
                    raise
                apart = families([scopes[n] for n in family.scopes], merging=Merging.NEVER)
                if len(apart) == 1:
                    apart = [families([scopes[n]])[0] for n in family.scopes]
                    for number, alone in zip(family.scopes, apart, strict=True):
                        alone.renumber({0: number})
                else:
                    for part in apart:
                        part.renumber(dict(enumerate(family.scopes)))
                pending = [*apart, *pending]
                continue
            if len(self.definitions) == MOST_BLOCKS:
                raise Unrelated
            self.definitions.append(definition)
            for number in family.scopes:
                use = uses[number]
                use.head = ("call", definition)
                use.pieces = []
                use.quantities = {param.name: param.quantity for param in definition.params}
                use.slots = {
                    p.name: p.values[number] for p in definition.params if not p.computed and number in p.values
                }
                use.needed = tuple(slot for slot in use.slots if definition.differs(slot, number))
                use.block = None

    def _family(self, kind: str, uses: list[Piece], family: Family) -> Definition:
        definition = Definition(self._block_name(kind))
        arriving = {number: uses[number].width for number in family.scopes}
        one = all(len(uses[number].sources) == 1 for number in family.scopes)
        write(definition, family, self.reserved, ["in"] if one else [], arriving)
        return definition

    def _block_name(self, kind: str) -> str:
        """A name for the block of a class.

        `Conv2dNormActivation` is `conv2d_norm_activation`.
        """
        base = re.sub(r"[^A-Za-z0-9]+", "_", underscored(kind)).strip("_").lower()[:80] or "block"
        base = f"block_{base}" if base[0].isdigit() else base
        name = free_name(base, self.taken.__contains__)
        self.taken.add(name)
        return name


def _classes(pieces: list[Piece], marks: Marks) -> Iterator[list[Piece]]:
    """The uses of each class, inner classes first; a class that is used once is no block."""
    found: list[Piece] = []
    heights: dict[int, int] = {}
    inside: dict[str, set[str]] = {}
    _mark(pieces, marks, "")
    _collect(pieces, found, heights, inside, [])
    by_class: dict[str, list[Piece]] = {}
    for piece in found:
        assert piece.block is not None
        by_class.setdefault(piece.block, []).append(piece)
    for uses in by_class.values():
        if len(uses) == 1 and place(uses[0]) not in marks.blocks:
            uses[0].block = None
    circular = {name for name, below in inside.items() if name in below}
    order = {name: max(heights[id(use)] for use in uses) for name, uses in by_class.items()}
    keys: dict[tuple[int, str], list[Piece]] = {}
    for name, uses in by_class.items():
        for use in uses:
            if use.block is not None:
                keys.setdefault((heights[id(use)] if name in circular else order[name], name), []).append(use)
    for _, uses in sorted(keys.items(), key=lambda entry: entry[0][0]):
        yield uses


def _mark(pieces: list[Piece], marks: Marks, around: str) -> None:
    """Make blocks of anonymous groups that hide names; without any classes, of those that are called alike."""
    for piece in pieces:
        if not piece.pieces:
            continue
        stem = _STEM.sub("", piece.name) or around
        if piece.is_join:
            for branch in piece.pieces:
                _mark(branch.pieces, marks, stem)
            continue
        if place(piece) in marks.blocks:
            piece.block = piece.block or piece.name
        elif place(piece) in marks.groups:
            piece.block = None
        elif marks.without_classes and len(piece.pieces) > 1:
            piece.block = stem or "unit"
        _mark(piece.pieces, marks, stem)


def _collect(
    pieces: list[Piece], found: list[Piece], heights: dict[int, int], inside: dict[str, set[str]], around: list[str]
) -> int:
    """Note all uses of blocks in order with their heights, and which classes stand inside which."""
    height = 0
    for piece in pieces:
        if piece.block is not None:
            for outer in around:
                inside.setdefault(outer, set()).add(piece.block)
            found.append(piece)
            own = 1 + _collect(piece.pieces, found, heights, inside, [*around, piece.block])
            heights[id(piece)] = own
        else:
            own = _collect(piece.pieces, found, heights, inside, around)
        height = max(height, own)
    return height


def _paths(pieces: list[Piece]) -> list[str]:
    """The path of each node of these pieces, in order."""
    found: list[str] = []
    for piece in pieces:
        if piece.pieces:
            found += [f"{piece.name}.{path}" for path in _paths(piece.pieces)]
            found += [piece.name] if piece.is_join else []
        elif piece.head[0] == "call":
            found += [f"{piece.name}.{path}" for path in piece.inner]
        elif len(piece.value) > 1 or _is_split(piece):
            found += [f"{piece.name}.{part}" for part in range(len(piece.value))]
        else:
            found.append(piece.name)
    return found


def _is_split(piece: Piece) -> bool:
    return piece.head[0] == "layer" and layer_class(str(piece.head[1])).splits


def _default(param: Param) -> str | None:
    return None if param.default is None else text_of(param.default)
