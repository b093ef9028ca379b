"""A part of a network with one input and one output: what is known of it, and how what is known of a whole follows.

A part is a layer, or what an item of a spec expands to. What holds inside is known by its boundary:

- Figures that follow from layers add up, or the largest counts.
- Depth: weighted layers on the longest path from the input to the output and to any layer, and on the longest that do
  not begin at the input but at a tensor that the network holds.
- Memory: the most that is alive beside the input while layers of the part still read it, and after. What reads the
  input outside decides whether it is alive to the end.
- Receptive fields: the way through it, followed from the field that arrives (`passages`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...layers.base import Layer, Shape

if TYPE_CHECKING:
    from .passages import Passage

ABSENT = -(10**15)
"""The length of a path that there is not, and what is alive at a time that there is not: below every sum."""


class Size(NamedTuple):
    """What a part takes to be expanded, at most; each is held against a limit."""

    steps: int = 0
    ahead: int = 0
    """The most steps that had to be left at any moment, from its begin."""
    layers: int = 0
    nesting: int = 0
    path: int = 0
    """Characters of the longest path inside, from its name on."""


class Part:
    """What is known of a part. Sizes are in elements at batch 1."""

    __slots__ = (
        *("after", "alias", "during", "inner", "largest", "layer", "output", "passage"),
        *("reach", "shape", "size", "start", "summed", "through"),
    )

    def __init__(self, shape: Shape, summed: tuple[int, ...], largest: tuple[int, ...], size: Size) -> None:
        self.shape = shape
        """Of its output."""
        self.summed = summed
        """Figures that add up; the first is no less than any total that has a limit."""
        self.largest = largest
        """Figures of which the largest counts."""
        self.size = size
        self.layer: Layer | None = None
        """Where it is one layer."""
        self.through = 0
        """Weighted layers on the longest path from the input to the output."""
        self.reach = 0
        """The same to any layer."""
        self.start = ABSENT
        """The same from a tensor that it holds to the output."""
        self.inner = ABSENT
        """The same from a tensor that it holds to any layer."""
        self.alias = False
        """Whether its output is its input's memory."""
        self.output = 0
        """Elements of the memory that its output has, where that is its own."""
        self.during = 0
        """The most elements alive beside the input while the input is read."""
        self.after = ABSENT
        """The same afterwards, when the input may be free."""
        self.passage: Passage | None = None
        """The way of receptive fields through it; None where nobody asks for them."""

    def sized(self, size: Size) -> Part:
        """The same of another size."""
        found = Part(self.shape, self.summed, self.largest, size)
        found.layer, found.passage = self.layer, self.passage
        found.through, found.reach, found.start, found.inner = self.through, self.reach, self.start, self.inner
        found.alias, found.output, found.during, found.after = self.alias, self.output, self.during, self.after
        return found


class Piece(NamedTuple):
    """A part in its place."""

    part: Part | None
    """None for what arrives from outside: an input of the network, or of the part."""
    inputs: tuple[int, ...]


def deepest(pieces: Sequence[Piece], part: Part) -> None:
    """Put the depth of a part together from those of its pieces, the first of which is its input."""
    through, start = [0], [ABSENT]
    reach, inner = 0, ABSENT
    for piece, inputs in pieces[1:]:
        assert piece is not None
        if not inputs:
            via, own = ABSENT, 0
        elif len(inputs) == 1:
            via, own = through[inputs[0]], start[inputs[0]]
        else:
            via, own = max([through[i] for i in inputs]), max([start[i] for i in inputs])
        reach = max(reach, via + piece.reach)
        inner = max(inner, own + piece.reach, piece.inner)
        through.append(via + piece.through)
        start.append(max(own + piece.through, piece.start))
    part.through, part.reach = through[-1], reach
    part.start, part.inner = max(start[-1], ABSENT), max(inner, ABSENT)


def depth(pieces: Sequence[Piece], which: Sequence[int]) -> int:
    """Weighted layers on the longest path among these pieces of a network."""
    found: dict[int, int] = {}
    longest = 0
    for i in which:
        part, inputs = pieces[i]
        before = max([found.get(source, 0) for source in inputs], default=0)
        if part is None:
            found[i] = before
            continue
        found[i] = max(before + part.through, part.start)
        longest = max(longest, before + part.reach, part.inner)
    return longest


class Alive(NamedTuple):
    """What is alive while the pieces of a whole run, in elements at batch 1."""

    during: list[int]
    """For each piece, the most while its input is read."""
    after: list[int]
    """The same afterwards."""
    storages: list[int]
    """For each piece, the piece whose memory its output is."""
    last: list[int]
    """For each memory, the last piece that reads it; the number of pieces for one that is never free."""


def alive(pieces: Sequence[Piece], arriving: Sequence[int], kept: Sequence[int]) -> Alive:
    """What is alive while each piece runs, in the rules of `analysis.memory.liveness`.

    The first pieces are inputs of `arriving` elements, alive from the start. The memory of the pieces `kept` is never
    free.
    """
    count = len(pieces)
    storages: list[int] = []
    last: list[int] = []
    for index, (part, inputs) in enumerate(pieces):
        storages.append(storages[inputs[0]] if part is not None and part.alias else index)
        last.append(index)
        last[storages[index]] = index
        for i in inputs:
            last[storages[i]] = index
    for i in kept:
        last[storages[i]] = count
    sizes = list(arriving)
    freed: dict[int, int] = {}
    total = sum(arriving)
    during: list[int] = []
    after: list[int] = []
    for index, (part, inputs) in enumerate(pieces):
        if part is None:
            during.append(total)
            after.append(ABSENT)
        else:
            sizes.append(0 if part.alias else part.output)
            during.append(total + part.during)
            if part.after > ABSENT:
                read = storages[inputs[0]]
                after.append(total + part.after - (sizes[read] if last[read] == index else 0))
            else:
                after.append(ABSENT)
            total += sizes[index]
        if storages[index] == index:
            freed[last[index]] = freed.get(last[index], 0) + sizes[index]
        total -= freed.pop(index, 0)
    return Alive(during, after, storages, last)


def memory(pieces: Sequence[Piece], part: Part) -> None:
    """Put what is alive in a part together from that of its pieces, the first of which is its input."""
    output = len(pieces) - 1
    found = alive(pieces, (0,), (output,))
    read = found.last[0]
    part.alias = found.storages[output] == 0
    until = read if read < len(pieces) else output
    part.during = max(max(found.during[1 : until + 1]), max(found.after[1:until], default=ABSENT))
    part.after = ABSENT
    if read < len(pieces):
        later = [*found.after[read : read + 1], *found.during[read + 1 :], *found.after[read + 1 :]]
        part.after = max(later)
    elif found.after[output] > ABSENT:
        part.during = max(part.during, found.after[output])
    part.output = 0 if part.alias else _held(pieces, found.storages[output])


def _held(pieces: Sequence[Piece], index: int) -> int:
    part = pieces[index].part
    assert part is not None
    return part.output


def added(pieces: Sequence[Piece]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Figures that add up, and those of which the largest counts, of parts together."""
    parts = [piece.part for piece in pieces if piece.part is not None]
    if len(parts) == 1:
        return parts[0].summed, parts[0].largest
    summed = tuple(map(sum, zip(*[part.summed for part in parts], strict=True)))
    return summed, tuple(map(max, zip(*[part.largest for part in parts], strict=True)))
