"""Which layers of an item have the weights of which layers of another, that of the same path below it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..layers.sharing import Use, check_shared, check_tied
from ..network import Node, Tied, holder, tensor_holder, used
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
) -> Iterator[tuple[int, Node]]:
    """(index of a layer of `span`, the node that it becomes, with the weights of another), of all that have weights.

    `held` are the layers of `held_by`. Raises a Problem or a GeometryError where a layer has no counterpart there, or
    one with other weights.
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
        place, other = held[below]
        check_shared(use, other)
        yield index, given(nodes, index, dict.fromkeys([weight.name for weight in use.weights], place))


def counterpart(nodes: Sequence[Node], span: Span, tensor: str, held_by: Span) -> int:
    """The index of the layer whose tensor of that name a single layer is to have.

    Raises a Problem or a GeometryError where one of the two is no single layer, or has no such tensor.
    """
    index, other = (_single(nodes, which) for which in (span, held_by))
    check_tied(used(nodes, index), tensor, used(nodes, other))
    return other


def _single(nodes: Sequence[Node], span: Span) -> int:
    """The layer that an item is."""
    if len(span.nodes) != 1 or nodes[span.nodes[0]].name != span.path:
        layers = [nodes[index].name for index in span.nodes]
        hint = f"name one of them: {layers[0]}" if layers else None
        raise Problem("CC114", f"{span.path} is no single layer, so that none of its tensors is named alone", hint)
    if not weighted(nodes, span):
        raise Problem("CC113", f"{span.path} has no weights", "share is for layers with weights, and blocks of such")
    return span.nodes[0]


def given(nodes: Sequence[Node], index: int, held: dict[str, int]) -> Node:
    """The node at an index with these of its tensors, by name, from other nodes, which fit. Raises a Problem."""
    holding = {tensor: tensor_holder(nodes, other, tensor) for tensor, other in held.items()}
    for tensor, holds in holding.items():
        before = tensor_holder(nodes, index, tensor)
        before = index if before == index else tensor_holder(nodes, before, tensor)
        if before not in (index, holds):
            name, *names = (nodes[which].name for which in (index, before, holds))
            message = f"{name} has the weights of {names[0]} already, and cannot have those of {names[1]} too"
            raise Problem("CC114", message, "the block shares them itself: leave one of the two out")
    others = set(held.values())
    if len(others) == 1:
        (other,) = others
        own = used(nodes, index).weights
        if nodes[other].kind == nodes[index].kind and own == used(nodes, other).weights and len(held) == len(own):
            return nodes[index]._replace(shares=holder(nodes, other), tied=())
    return nodes[index]._replace(shares=None, tied=tuple(Tied(tensor, holds) for tensor, holds in holding.items()))


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
