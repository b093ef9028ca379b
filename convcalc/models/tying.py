"""Which tensors of a model's layers are one, by what the model says they are: never by their values or names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from ..geometry import GeometryError
from ..layers.sharing import Use, check_tied
from ..network import Tied


class Held(NamedTuple):
    """A layer, and what its tensors are in the model."""

    use: Use
    tensors: Mapping[str, Hashable]
    """The layer's name of a tensor -> what tells it from every other one of the model."""


def tied(layers: Iterable[Held | None]) -> list[tuple[Tied, ...]]:
    """For each layer the tensors of it that one before it has, under the same name and in the same shape.

    None stands for what holds nothing: an input, or a layer that has all its weights from another.

    >>> from convcalc.layers.registry import build
    >>> tokens = Use("tokens", build("embedding", {"num_embeddings": 90, "embedding_dim": 8}), ((5,),))
    >>> head = Use("head", build("linear", {"out": 90, "dim": "last"}), ((5, 8),))
    >>> tied([Held(tokens, {"weight": 0}), None, Held(head, {"weight": 0, "bias": 1})])
    [(), (), (Tied(tensor='weight', node=0),)]
    """
    found: list[tuple[Tied, ...]] = []
    first: dict[tuple[str, Hashable], tuple[int, Use]] = {}
    for index, held in enumerate(layers):
        ties = []
        for name, tensor in held.tensors.items() if held is not None else ():
            assert held is not None
            holder, use = first.setdefault((name, tensor), (index, held.use))
            if holder != index and _fits(held.use, name, use):
                ties.append(Tied(name, holder))
        found.append(tuple(ties))
    return found


def _fits(use: Use, name: str, holder: Use) -> bool:
    try:
        check_tied(use, name, holder)
    except GeometryError:
        return False
    return True
