"""What the claims and cells of one file look at: counted over all of them, within the limits of a file."""

from __future__ import annotations

from weakref import WeakSet

from ..limits import FILE_LOOKS, FILE_STEPS
from .figures import Figures, Subject

MANY_STEPS = f"the networks that this file asks for took more than {FILE_STEPS:,} steps"
MANY_LOOKS = f"the claims and cells up to here look at more than {FILE_LOOKS:,} layers"


EACH = 60
"""Layers that each look counts as, beside those that it adds up: a claim or a cell is read, written and compared."""
PATTERN = 3
"""Layers that comparing a path with a pattern counts as."""
FURTHER = 10
"""Layers that each layer of a further network counts as, whose figures have to be computed first."""


class Looks:
    """Counts the layers that are looked at."""

    def __init__(self) -> None:
        self.left = FILE_LOOKS
        self._known: WeakSet[Figures] = WeakSet()
        """Figures that were looked at."""

    @property
    def spent(self) -> bool:
        """Whether no further layer may be looked at."""
        return self.left < 0

    def take(self, figures: Figures, path: str, subject: Subject | None) -> bool:
        """Count what finding a path and adding up its layers takes; whether that may be done."""
        network = figures.network
        if figures not in self._known:
            self.left -= FURTHER * len(network.nodes) if self._known else 0
            self._known.add(figures)
        self.left -= EACH + (PATTERN * (len(network.nodes) + len(network.groups)) if "*" in path else 0)
        self.left -= len(subject.nodes) if subject is not None else 0
        return not self.spent
