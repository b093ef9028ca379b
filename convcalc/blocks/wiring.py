"""What the pieces of a scope read, by the names that the language finds from where they stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..network import Network
    from .pieces import Piece


class Unwritable(Exception):
    """The language cannot say it from here."""


def wire(network: Network, pieces: list[Piece], current: tuple[int, ...], outside: Callable[[int], str]) -> None:
    """Set `flow` and `refs` of all pieces of a scope, those in its anonymous groups included.

    `current` is what the scope's first item takes, `outside` the name of a node before the scope. Raises Unwritable
    where a name is hidden by another one.
    """
    _Wiring(network, outside).level(pieces, current, [])


class _Wiring:
    def __init__(self, network: Network, outside: Callable[[int], str]) -> None:
        self.network = network
        self.outside = outside

    def level(self, pieces: list[Piece], current: tuple[int, ...], around: list[tuple[list[Piece], list[int]]]) -> None:
        levels = [*around, (pieces, [piece.start for piece in pieces])]
        for piece in pieces:
            piece.flow = piece.sources == current or not piece.sources
            piece.refs = self._refs(piece, levels)
            if piece.pieces:
                self.level(piece.pieces, piece.sources, levels)
            current = piece.value

    def _refs(self, reader: Piece, levels: list[tuple[list[Piece], list[int]]]) -> tuple[str, ...]:
        found: list[str] = []
        sources = reader.sources
        index = 0
        while index < len(sources):
            name, count = self._ref(reader, sources[index:], levels)
            found.append(name)
            index += count
        if len(found) < 2:
            return tuple(found)
        return _collected(found, [piece.name for piece in levels[-1][0] if piece.start < reader.start])

    def _ref(
        self, reader: Piece, sources: tuple[int, ...], levels: list[tuple[list[Piece], list[int]]]
    ) -> tuple[str, int]:
        """The name of what is read first, and how many nodes it stands for."""
        node = sources[0]
        hidden: set[str] = set()
        for pieces, starts in reversed(levels):
            at = bisect_right(starts, node) - 1
            if at >= 0 and node < pieces[at].stop:
                path, count = self._inside(pieces[at], sources)
                if path[0] in hidden:
                    raise Unwritable(f"{path[0]} means something else where {reader.name} stands")
                return ".".join(path), count
            hidden.update(piece.name for piece in pieces if piece.start < reader.start)
        name = self.outside(node)
        if name.partition(".")[0] in hidden:
            raise Unwritable(f"{name} means something else where {reader.name} stands")
        return name, 1

    def _inside(self, piece: Piece, sources: tuple[int, ...]) -> tuple[list[str], int]:
        """The path of what is read first, from a piece that holds it."""
        path = [piece.name]
        while True:
            if sources[: len(piece.value)] == piece.value:
                return path, len(piece.value)
            node = sources[0]
            if not piece.pieces:
                break
            piece = next(inner for inner in piece.pieces if inner.start <= node < inner.stop)
            path.append(piece.name)
        if piece.head[0] == "layer":
            return [*path, str(node - piece.start)], 1
        return [*path, *piece.inner[node - piece.start].split(".")], 1


def _collected(names: list[str], above: list[str]) -> tuple[str, ...]:
    """The names, where some are all that begin alike above as `stem*`."""
    found: list[str] = []
    index = 0
    while index < len(names):
        stem = names[index].rstrip("0123456789")
        alike = [name for name in above if name.startswith(stem)] if stem and "." not in stem else []
        if len(alike) > 1 and names[index : index + len(alike)] == alike:
            found.append(f"{stem}*")
            index += len(alike)
        else:
            found.append(names[index])
            index += 1
    return tuple(found)
