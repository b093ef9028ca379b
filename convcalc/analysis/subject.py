"""What a quantity is asked of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..network import Group


class Subject(NamedTuple):
    """What a quantity is asked of: a layer, a group, some of either, the inputs, or the whole network."""

    name: str
    nodes: Sequence[int]
    output: int | None
    """The node that is its output; None where there is no single one."""
    group: Group | None = None
