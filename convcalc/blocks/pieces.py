"""Network -> a tree of pieces: its layers, and the groups around them, by their paths."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from ..naming import NAME, NUMBER, RESERVED, UniqueNames
from ..network import used
from .fields import QUANTITIES, Fields, fields_of

if TYPE_CHECKING:
    from ..network import Group, Network, Tied
    from .sheet import Sharing

DEEPEST = 40
"""Groups in groups; what is deeper is written without them."""


@dataclass(slots=True, eq=False)
class Piece:
    """What becomes an item: a layer, the parts of a split, a group, a join with its branches, a use of a block, a
    repetition of one of these."""

    name: str
    """Its name where it stands; a number among numbered ones."""
    head: tuple[Hashable, ...]
    """What it is, values left out."""
    start: int
    stop: int
    """The nodes start … stop − 1."""
    value: tuple[int, ...]
    """The nodes that it puts out."""
    sources: tuple[int, ...]
    """The nodes that it reads."""
    pieces: list[Piece] = field(default_factory=list)
    """Those of a group; the branches of a join that are not empty; the prototype of a repetition."""
    slots: dict[str, object] = field(default_factory=dict)
    """Its values: fields of a layer, arguments of a block, how often it is repeated."""
    needed: tuple[str, ...] = ()
    """The slots that have to be written: those of a layer without which it would be another, of a block what differs
    from the defaults."""
    quantities: dict[str, str] = field(default_factory=dict)
    """Slot -> what it is one of."""
    block: str | None = None
    """The class of a group that is a use of a block."""
    reads: tuple[int, ...] = ()
    """All nodes before it that those of a group read."""
    width: object = 0
    """The channels of what it reads."""
    inner: list[str] = field(default_factory=list)
    """The paths of its nodes inside a use of a block."""
    flow: bool = False
    """Whether it reads what stands before it."""
    refs: tuple[str, ...] = ()
    """What it reads, by names."""
    held: tuple[int, int] | None = None
    """The layer whose weights one of its own has, and how far below each of the two pieces these layers stand."""
    tied: tuple[Tied, ...] = ()
    """Of a layer, those of its tensors that others hold."""
    share: Sharing | None = None
    """What has its weights."""

    @property
    def numbered(self) -> bool:
        """Whether its name is a number."""
        return self.name.isdigit()

    @property
    def automatic(self) -> bool:
        """Whether it is a layer that is called by its kind, and perhaps a number."""
        stem, _, number = self.name.rpartition("_")
        return self.head[0] == "layer" and self.head[1] in (self.name, stem if number.isdigit() else "")

    @property
    def is_join(self) -> bool:
        """Whether it is a join that is written with its branches; its last node is the layer itself."""
        return self.head[0] == "join"

    @property
    def is_group(self) -> bool:
        """Whether it is an anonymous group."""
        return self.head[0] == "group"


@dataclass(frozen=True, slots=True)
class Series:
    """The values that one slot has in the repetitions of an item."""

    values: tuple[object, ...]

    @property
    def first(self) -> object:
        """Of the first repetition."""
        return self.values[0]

    @property
    def later(self) -> object:
        """Of those after the first, where they agree; None where they do not."""
        return self.values[1] if all(same(value, self.values[1]) for value in self.values[2:]) else None

    @property
    def other(self) -> object:
        """Of every second repetition, where two values take turns; None where they do not."""
        turns = all(same(value, self.values[number % 2]) for number, value in enumerate(self.values))
        return self.values[1] if turns else None

    @property
    def rule(self) -> bool:
        """Whether the number of the repetition says the values."""
        return self.later is not None or self.other is not None or self.step is not None

    @property
    def step(self) -> int | None:
        """What each repetition adds, where that is always the same number."""
        if not all(type(value) is int for value in self.values):
            return None
        steps = {after - before for before, after in pairwise(self.values)}  # type: ignore[operator]
        return steps.pop() if len(steps) == 1 else None


def same(one: object, other: object) -> bool:
    """Whether two values are the same; true is no 1."""
    return type(one) is type(other) and one == other


def outline(network: Network, *, joins: bool = True) -> tuple[list[Piece], list[str]]:
    """The pieces of the top level, and the names of the inputs, which stand first.

    With `joins`, joins that have the names of the groups around their branches are written with these.
    Raises ValueError for a split whose parts do not stand together.
    """
    names = UniqueNames()
    nodes = [node for node in network.nodes if node.layer is None]
    inputs = [names.give("input") if node.name == "input" else _name(node.name, "", names) for node in nodes]
    pieces = _Outline(network, joins).pieces(names, len(inputs))
    if any(node.shares is not None or node.tied for node in network.nodes):
        _find_shared(network, pieces, "")
    return pieces, inputs


def _find_shared(network: Network, pieces: list[Piece], prefix: str) -> None:
    """Note which pieces have the weights of others, whole groups where all of their layers do."""
    for piece in pieces:
        path = prefix + piece.name
        piece.held = _held(network, piece, path)
        piece.tied = network.nodes[piece.start].tied if piece.head[0] == "layer" else ()
        if piece.is_join and piece.held is None:
            for branch in piece.pieces:
                _find_shared(network, branch.pieces, f"{path}.{branch.name}.")
        elif piece.held is None:
            _find_shared(network, piece.pieces, f"{path}.")


def _held(network: Network, piece: Piece, path: str) -> tuple[int, int] | None:
    nodes = network.nodes
    found: set[str] = set()
    first = None
    for index in range(piece.start, piece.stop):
        if not used(nodes, index).weights:
            continue
        holds = nodes[index].shares
        below = nodes[index].name[len(path) :]
        if holds is None or piece.start <= holds < piece.stop or not nodes[holds].name.endswith(below):
            return None
        found.add(nodes[holds].name[: len(nodes[holds].name) - len(below)])
        first = first or (holds, below.count("."))
    return first if len(found) == 1 else None


class _Outline:
    def __init__(self, network: Network, joins: bool) -> None:
        self.network = network
        self.groups = _nested(network)
        self.branches: dict[str, list[Group]] = {}
        """Path of a named join -> its branches."""
        for group in network.groups.values() if joins else ():
            if group.is_branch:
                self.branches.setdefault(group.path.rpartition(".")[0], []).append(group)
        self.fields: dict[int, Fields] = {}
        self.position = 0

    def pieces(self, names: UniqueNames, inputs: int) -> list[Piece]:
        """Of the top level, where these names are taken."""
        return self._range(inputs, len(self.network.nodes), "", names)

    def _range(self, start: int, stop: int, path: str, names: UniqueNames) -> list[Piece]:
        found: list[Piece] = []
        index = start
        while index < stop:
            group = self.groups[self.position] if self.position < len(self.groups) else None
            if group is not None and group.start == index:
                self.position += 1
                found.append(self._group(group, path, names))
            else:
                found.append(self._layer(index, path, names))
            index = found[-1].stop
        return found

    def _group(self, group: Group, path: str, names: UniqueNames) -> Piece:
        pieces = self._range(group.start, group.stop, group.path, UniqueNames())
        nodes = self.network.nodes
        if nodes[group.stop - 1].name == group.path and group.path in self.branches:
            join = self._join(group, pieces, _name(group.path, path, names))
            if join is not None:
                return join
        inside = nodes[group.start : group.stop]
        reads = tuple(dict.fromkeys(i for node in inside for i in node.inputs if i < group.start))
        block = group.kind if group.is_block else None
        sources = pieces[0].sources if block is None else reads
        name = _name(group.path, path, names)
        made = Piece(name, ("group",), group.start, group.stop, pieces[-1].value, sources, pieces, block=block)
        made.reads, made.width = reads, self._width(sources or reads)
        return made

    def _join(self, group: Group, pieces: list[Piece], name: str) -> Piece | None:
        """The pieces of a group as a join with branches; None where it joins anything else."""
        *inner, last = pieces
        branches = self.branches[group.path]
        by_start = {piece.start: piece for piece in inner if piece.is_group}
        given: list[Piece | None] = [None if b.start == b.stop else by_start.get(b.start) for b in branches]
        found = [piece for piece in given if piece is not None]
        if not found or found != inner or last.head[0] != "layer" or len(given) != len(last.sources):
            return None
        empty = {node for piece, node in zip(given, last.sources, strict=True) if piece is None}
        sources = tuple(empty) or max((piece.sources for piece in found), key=[p.sources for p in found].count)
        reads = [sources if piece is None else piece.value for piece in given]
        if len(empty) > 1 or tuple(node for values in reads for node in values) != last.sources:
            return None
        head = ("join", *last.head[1:], tuple(branch.path.rpartition(".")[2] for branch in branches))
        made = Piece(name, head, group.start, group.stop, (group.stop - 1,), sources, found)
        made.slots, made.quantities, made.needed = last.slots, last.quantities, last.needed
        made.width = self._width(sources)
        return made

    def _layer(self, index: int, path: str, names: UniqueNames) -> Piece:
        node = self.network.nodes[index]
        layer = node.layer
        assert layer is not None
        count, full = 1, node.name
        if layer.splits:
            count = parts_of(self.network, index)
            full = node.name.rpartition(".")[0] or node.name
        fields = self.fields.get(id(layer))
        if fields is None:
            fields = self.fields[id(layer)] = fields_of(layer.inside)
        stop = index + count
        value = tuple(range(index, stop))
        name = _name(full, path, names)
        rigid = tuple((key, held) for key, held in fields.values.items() if _rigid(held))
        made = Piece(name, ("layer", layer.kind, layer.batch_axes, rigid), index, stop, value, node.inputs)
        made.slots = dict(fields.values)
        made.quantities = {name: QUANTITIES.get(name, name) for name in made.slots}
        made.needed = fields.needed
        made.width = self._width(node.inputs, layer.batch_axes)
        return made

    def _width(self, sources: tuple[int, ...], batch_axes: int = 0) -> int:
        """The channels of what is read first, behind the batch axes; 0 where there are none."""
        shape = self.network.nodes[sources[0]].shape[batch_axes:] if sources else ()
        return shape[0] if shape else 0


def _rigid(value: object) -> bool:
    """Whether a value is no number that may differ: a word, nothing, or a list that holds some."""
    if isinstance(value, tuple):
        return any(map(_rigid, value))
    return value is None or isinstance(value, str)


def parts_of(network: Network, index: int) -> int:
    """The number of parts of the split that starts at a node. Raises ValueError where they do not stand together."""
    nodes = network.nodes
    first = nodes[index].layer
    part = first.part_of if first is not None else None
    count = part.parts if part is not None else 0
    for which in range(count):
        node = nodes[index + which] if index + which < len(nodes) else None
        layer = node.layer if node is not None else None
        same = layer is not None and part is not None and layer.part_of == part._replace(which=which)
        if node is None or not same or node.inputs != nodes[index].inputs:
            raise ValueError(f"the parts of the split {nodes[index].name} do not stand together")
    return count


def _nested(network: Network) -> list[Group]:
    """The groups that hold something, outer ones first, each inside the one before or behind it; splits are none."""
    nodes = network.nodes
    found: list[Group] = []
    stack: list[Group] = []
    groups = [group for group in network.groups.values() if group.start < group.stop]
    for group in sorted(groups, key=lambda group: (group.start, -group.stop, group.path.count("."))):
        first = nodes[group.start].layer
        if first is None or (first.splits and nodes[group.start].name == f"{group.path}.0"):
            continue
        while stack and stack[-1].stop <= group.start:
            stack.pop()
        inside = not stack or (group.stop <= stack[-1].stop and group.path.startswith(f"{stack[-1].path}."))
        if inside and len(stack) < DEEPEST:
            found.append(group)
            stack.append(group)
    return found


def _name(path: str, outer: str, names: UniqueNames) -> str:
    """The name of a node or group inside the group at `outer`."""
    local = path[len(outer) + 1 :] if outer and path.startswith(f"{outer}.") else path
    base = re.sub(r"[^A-Za-z0-9_-]", "_", local)
    allowed = NUMBER.fullmatch(base) if base.isdigit() else NAME.fullmatch(base)
    if allowed is None or base in RESERVED:
        base = f"_{base}"
    return names.give(base)
