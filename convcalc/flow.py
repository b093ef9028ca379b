"""Which layers read which: of a network's nodes, and of the steps of a model that is being read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .layers.base import Layer


class Reading(Protocol):
    """What reads others of its sequence, all of which stand before it."""

    @property
    def layer(self) -> Layer | None:
        """None for an input."""

    @property
    def inputs(self) -> tuple[int, ...]:
        """The places of those that it reads."""


def consumers(nodes: Iterable[Reading], count: int) -> list[list[int]]:
    """For each of the first `count` nodes, the indices of those that read it.

    >>> from convcalc import loads
    >>> nodes = loads("{convcalc: 1, input: [3, 8, 8], layers: [relu, tanh, {add: {}, from: [relu, tanh]}]}").nodes
    >>> consumers(nodes, len(nodes))
    [[1], [2, 3], [3], []]
    """
    found: list[list[int]] = [[] for _ in range(count)]
    for index, node in enumerate(nodes):
        for source in node.inputs:
            found[source].append(index)
    return found


def ancestors(nodes: Sequence[Reading], ends: Collection[int]) -> set[int]:
    """The nodes on whose outputs those of `ends` depend, and themselves.

    >>> from convcalc import loads
    >>> nodes = loads("{convcalc: 1, input: [3, 8, 8], outputs: [tanh], layers: [relu, {tanh: , from: input}]}").nodes
    >>> sorted(ancestors(nodes, [2]))
    [0, 2]
    """
    found = set(ends)
    for index in range(max(found, default=-1), -1, -1):
        if index in found:
            found.update(nodes[index].inputs)
    return found


def with_parts(nodes: Sequence[Reading], some: Iterable[int]) -> set[int]:
    """Some nodes with the other parts of their splits, which read the same: parts come and go together."""
    found = set(some)
    for index in sorted(found):
        layer = nodes[index].layer
        part = layer.part_of if layer is not None else None
        if part is not None:
            found.update(range(index - part.which, index - part.which + part.parts))
    return found
