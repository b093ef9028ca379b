"""What a draft is made of: steps, the places of the modules that made them, and which of them lead to an output."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import NamedTuple, Protocol

from ..layers.base import Layer, Shape
from ..network import Tied


class Place(NamedTuple):
    """A call of a module: its name inside the call around it, its class, and what tells calls apart.

    A name of several parts (`("blocks", "0")`) stands in containers that are not called themselves. `split` is the
    place of the parts of a split.
    """

    name: tuple[str, ...]
    cls: str
    call: Hashable
    split: bool = False


class Step(NamedTuple):
    """A layer in its place; `layer` is None for an input."""

    layer: Layer | None
    inputs: tuple[int, ...]
    shape: Shape
    scope: tuple[Place, ...]
    name: str
    """What it is called inside its scope; empty where its kind says it."""
    label: str
    """What the model calls it, for messages."""
    shares: int | None = None
    """The step before it whose weights it has."""
    tied: tuple[Tied, ...] = ()
    """Those of its tensors that steps before it hold."""


class Reading(Protocol):
    """A step as any reader of models makes it: it reads steps before it."""

    @property
    def layer(self) -> Layer | None:
        """None for an input."""

    @property
    def inputs(self) -> tuple[int, ...]:
        """The steps that it reads."""


def leading_to(steps: Sequence[Reading], ends: Collection[int]) -> set[int]:
    """The steps that lead to an end: these, and all that they read.

    >>> relu = Step(None, (0,), (1,), (), "", "")
    >>> leading_to([relu._replace(inputs=()), relu, relu], [2])
    {0, 2}
    """
    found = set(ends)
    for index in range(max(ends, default=-1), -1, -1):
        if index in found:
            found.update(steps[index].inputs)
    return found


def with_parts(steps: Sequence[Reading], some: Iterable[int]) -> set[int]:
    """Some steps with the other parts of their splits, which read the same: parts come and go together."""
    found = set(some)
    for index in sorted(found):
        layer = steps[index].layer
        part = layer.part_of if layer is not None else None
        if part is not None:
            found.update(range(index - part.which, index - part.which + part.parts))
    return found
