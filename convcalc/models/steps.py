"""What a draft is made of: steps, and the places of the modules that made them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

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
