"""The way of receptive fields through a part: followed once for each field that arrives, and remembered.

What a part makes of a field is no formula of its boundary: a layer that reads everything is cut to the network's input.
So the layers are followed by the one pass of `analysis.receptive_field`, from the field that arrives, and parts that
read space alike share what has been found, whatever their channels are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...analysis.field_steps import Reading, reading
from ...analysis.receptive_field import MOST_TABULATED, Fields, Following, Square
from ...layers.base import Layer, Shape, Shapes
from . import Unsure
from .remembered import Remembered

MOST_PASSAGES = 20_000
MOST_FOLLOWED = 40_000
"""Passages that are remembered, and fields that were followed; those with patterns count as several."""

Sizes = tuple[int, ...]
"""The space axes of the network's input."""


class Passage:
    """The way through a part: of each of its layers and parts how it reads, and what."""

    __slots__ = ("alike", "data", "exact", "pieces", "reading")

    def __init__(self, reading: Reading | None, pieces: tuple[tuple[Passage, tuple[int, ...]], ...]) -> None:
        self.reading = reading
        """Of a layer."""
        self.data = None if reading is None else reading.ways[0].data
        self.pieces = pieces
        """Of other parts: each piece and what it reads, counted from 1; 0 is the input of the part."""
        self.exact: bool = any(piece.exact for piece, _ in pieces) or (reading is not None and _moves_channels(reading))
        """Whether a field may come to lie along the channels inside, so that their number counts."""
        self.alike: Passage = self
        """The passage of the first part that reads space alike."""


def _moves_channels(reading: Reading) -> bool:
    return any(link is not None and link[0] == 0 for way in reading.ways for link in way.maps[1:])


class Followed(NamedTuple):
    """What a part makes of a field."""

    fields: Fields | None
    tabulated: int
    """Intervals of patterns that were tabulated on the way."""


NOTHING = Followed(None, 0)
SHORT = 8
"""Pieces, or intervals of a pattern, that an entry is counted for."""


def _weight(followed: Followed) -> int:
    phases = [field.phases for field in followed.fields or ()]
    return 1 + sum([pattern.period // SHORT for pattern in phases if pattern is not None])


class Passages:
    """The passages of a document's parts, and what has been followed through them."""

    def __init__(self) -> None:
        self._alike: Remembered[object, Passage] = Remembered(
            MOST_PASSAGES, lambda passage: 1 + len(passage.pieces) // SHORT
        )
        self._followed: Remembered[tuple[Passage, Fields, Sizes, bool], Followed] = Remembered(MOST_FOLLOWED, _weight)

    def layer(self, layer: Layer, shapes: Shapes, shape: Shape) -> Passage:
        """The passage through a layer."""
        found = Passage(reading(layer, shapes, shape), ()) if shapes else Passage(None, ())
        if not shapes or found.exact:
            return found
        assert found.reading is not None
        ways = tuple([(way.kept, way.view, way.maps[1:], way.data) for way in found.reading.ways])
        kept = tuple([read == shape for read in shapes])
        return self._settled(found, (ways, tuple([read[1:] for read in shapes]), shape[1:], kept))

    def part(self, pieces: Sequence[tuple[Passage, tuple[int, ...]]]) -> Passage:
        """The passage through what consists of these pieces; the last of them puts out what it does."""
        found = Passage(None, tuple(pieces))
        if found.exact:
            return found
        return self._settled(found, tuple([(piece.alike, inputs) for piece, inputs in pieces]))

    def _settled(self, found: Passage, key: object) -> Passage:
        alike = self._alike.get(key)
        if alike is None:
            self._alike[key] = found
        else:
            found.alike = alike
        return found

    def behind(self, passage: Passage, arrived: Sequence[Fields | None], sizes: Sizes, local: bool) -> Followed:
        """What a layer or part makes of the fields at its inputs, with global context or without (`local`).

        Raises Unsure where patterns are too long to follow.
        """
        if len(arrived) == 1:
            fields = arrived[0]
            return NOTHING if fields is None else self._one(passage, fields, sizes, local)
        return self._layer(passage, arrived, sizes, local)

    def _one(self, passage: Passage, fields: Fields, sizes: Sizes, local: bool) -> Followed:
        if type(fields) is Square or all(field.axis != 0 for field in fields):
            passage = passage.alike
        key = (passage, fields, sizes, local)
        found = self._followed.get(key)
        if found is None:
            if passage.reading is None:
                found = self._pieces(passage, fields, sizes, local)
            else:
                found = self._layer(passage, (fields,), sizes, local)
            self._followed[key] = found
        return found

    def _pieces(self, passage: Passage, fields: Fields, sizes: Sizes, local: bool) -> Followed:
        arrived: list[Fields | None] = [fields]
        tabulated = 0
        for piece, inputs in passage.pieces:
            after = self.behind(piece, [arrived[i] for i in inputs], sizes, local)
            arrived.append(after.fields)
            tabulated += after.tabulated
        return Followed(arrived[-1], tabulated)

    def _layer(self, passage: Passage, arrived: Sequence[Fields | None], sizes: Sizes, local: bool) -> Followed:
        data = passage.data
        read = arrived if data is None else arrived[:data]
        if passage.reading is None or all(fields is None for fields in read):
            return NOTHING
        following = Following(local)
        fields = following.behind(passage.reading, read, (0, *sizes))
        if following.tabulated > MOST_TABULATED:
            raise Unsure
        return Followed(fields, following.tabulated)
