"""What one room of the house knows of the kinds of layers: the one helper by which rooms look kinds up."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from .base import Layer
from .registry import KINDS

Entry = TypeVar("Entry")

BATCHED = "Batched"
"""The entry for every layer whose item has `batch_axes`: what is done with the layer inside."""


class Refused(ValueError):
    """What a room cannot do with a layer, and why; it is about that layer alone and never about other networks."""


class KindTable(Generic[Entry]):
    """One entry a kind or a family of kinds (the name of their class); a kind's own entry wins.

    Nothing needs to be said of a kind that the room does not know: asking for it is `Refused` with the reason
    that `refused` gives for it, else with `absent`. A table is looked into when a layer is met, so that a kind
    which is missing here breaks no network without it.

    >>> from convcalc.layers.registry import build
    >>> names = KindTable({"Conv": "convolution", "relu": "rectifier"}, absent="it has no name here")
    >>> names.of(build("conv2d", {"out": 8, "k": 3})), names.of(build("relu", {}))
    ('convolution', 'rectifier')
    >>> names.of(build("tanh", {}))
    Traceback (most recent call last):
    ...
    convcalc.layers.kind_table.Refused: it has no name here
    """

    def __init__(self, entries: Mapping[str, Entry], *, absent: str, refused: Mapping[str, str] | None = None) -> None:
        self.entries = entries
        self.absent = absent
        self.refused = refused or {}

    def of(self, layer: Layer) -> Entry:
        """The entry of a layer. Raises `Refused` where there is none."""
        found = self.get(layer)
        if found is None:
            raise Refused(self.why(layer))
        return found

    def get(self, layer: Layer) -> Entry | None:
        """The entry of a layer, or None."""
        entries = self.entries
        for name in layer.entry_names:
            found = entries.get(name)
            if found is not None:
                return found
        return None

    def says(self, layer: Layer) -> str | None:
        """The reason given for a layer of its own; None where it has an entry, or nothing is said of it."""
        return next((self.refused[name] for name in layer.entry_names if name in self.refused), None)

    def why(self, layer: Layer) -> str:
        """Why a layer has no entry."""
        return self.says(layer) or self.absent

    def knows(self, kind: str) -> bool:
        """Whether a kind of the language has an entry."""
        return kind in self.entries or KINDS[kind][1] in self.entries

    def reason(self, kind: str) -> str:
        """Why a kind has no entry."""
        return self.refused.get(kind) or self.refused.get(KINDS[kind][1]) or self.absent

    def strangers(self) -> Iterator[str]:
        """Names of entries and reasons that are neither a kind nor a family: slips of the pen."""
        known = {*KINDS, BATCHED, *(family for _, family in KINDS.values())}
        yield from sorted({*self.entries, *self.refused} - known)
