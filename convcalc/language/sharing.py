"""Which layers of an item have the weights of which layers of another, that of the same path below it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..layers.sharing import Use, check_shared
from ..network import Node, holder, used
from .names import shown
from .problems import Problem


class Span(NamedTuple):
    """The layers of an item, or of one of its repetitions."""

    path: str
    nodes: range
    repeated: bool = False
    """Whether they are those of all repetitions, with a number at the begin of their paths below it."""

    def below(self, nodes: Sequence[Node], index: int) -> str:
        """The path of one of its layers below it; empty for a single layer."""
        return nodes[index].name[len(self.path) :].lstrip(".")


def weighted(nodes: Sequence[Node], span: Span) -> dict[str, tuple[int, Use]]:
    """Path below an item -> (index, layer) of its layers that compute with weights."""
    found = {}
    for index in span.nodes:
        use = used(nodes, index) if nodes[index].layer is not None else None
        if use is not None and use.weights:
            found[span.below(nodes, index)] = index, use
    return found


def pairs(
    nodes: Sequence[Node], span: Span, held_by: Span, held: dict[str, tuple[int, Use]]
) -> Iterator[tuple[int, int]]:
    """(index of a layer of `span`, index of the one whose weights it has), of all its layers with weights.

    `held` are the layers of `held_by`. Raises a Problem or a GeometryError where a layer has no counterpart there, or
    one of another kind or with weights of other shapes.
    """
    own = weighted(nodes, span)
    for where, found in ((span, own), (held_by, held)):
        if not found:
            raise Problem(
                "CC113", f"{where.path} has no weights", "share is for layers with weights, and blocks of such"
            )
    for below, (index, use) in own.items():
        if below not in held:
            raise _missing(span, held_by, below, list(held))
        counterpart, other = held[below]
        check_shared(use, other)
        holds, before = holder(nodes, counterpart), nodes[index].shares
        if before is not None and holder(nodes, before) != holds:
            names = nodes[holder(nodes, before)].name, nodes[holds].name
            message = f"{use.name} has the weights of {names[0]} already, and cannot have those of {names[1]} too"
            raise Problem("CC114", message, "the block shares them itself: leave one of the two out")
        yield index, holds


def _missing(span: Span, held_by: Span, below: str, held: list[str]) -> Problem:
    """The problem of a layer that stands in the one item alone."""
    if held_by.repeated and not span.repeated:
        message = f"{held_by.path} is repeated, each time with weights of its own"
        return Problem("CC114", message, f"name one repetition: {held_by.path}.0")
    if not below:
        message = f"{span.path} is one layer, and {held_by.path} holds others"
        return Problem("CC114", message, f"name one of them: {held_by.path}.{held[0]}")
    if held == [""]:
        return Problem(
            "CC114", f"{held_by.path} is one layer, and {span.path} holds others", "share between uses of one block"
        )
    message = f"{held_by.path} has no layer with weights called {shown(below)}, as {span.path} has"
    return Problem("CC114", message, "share between uses of one block, or name the layers alike")
