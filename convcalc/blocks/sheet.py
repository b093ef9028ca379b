"""What is written of a network: blocks with params, and items, all values and conditions as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Sharing(NamedTuple):
    """Whose weights an item has, by names: those of an item, or single tensors of some.

    >>> Sharing("head").text, Sharing(tied=(("weight", "decoder.tokens"),)).text
    ('head', '{weight: decoder.tokens}')
    """

    item: str = ""
    tied: tuple[tuple[str, str], ...] = ()
    """(tensor, the item that holds it), where it is not all that one item has."""

    @property
    def names(self) -> tuple[str, ...]:
        """The items that are named."""
        return (self.item,) if self.item else tuple([item for _, item in self.tied])

    @property
    def text(self) -> str:
        """The value of `share`."""
        return self.item or f"{{{', '.join([f'{tensor}: {item}' for tensor, item in self.tied])}}}"


@dataclass(slots=True)
class Item:
    """A layer, a join with its branches, a use of a block or a group, and what stands beside it."""

    kind: str
    """A kind, a block's name, or `layers`."""
    fields: list[tuple[str, str]] = field(default_factory=list)
    """Field or param -> value; none for a group."""
    items: list[Item] = field(default_factory=list)
    """Those of a group."""
    branches: list[tuple[str, list[Item]]] = field(default_factory=list)
    """Those of a join, by their names."""
    name: str | None = None
    sources: tuple[str, ...] | None = None
    repeat: str | None = None
    when: str | None = None
    share: Sharing | None = None
    batch_axes: int = 0
    in_order: bool = False
    """Whether its fields are the first params of a block, in order."""


class Block(NamedTuple):
    """A block of the spec."""

    name: str
    params: tuple[tuple[str, str | None], ...]
    """Name -> default; None for one that has to be given."""
    items: list[Item]


class Sheet(NamedTuple):
    """The blocks, inner ones first, and the items of the top level."""

    blocks: list[Block]
    items: list[Item]
    paths: list[str]
    """The path of each node as the items give it, inputs included."""
