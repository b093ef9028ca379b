"""What the pieces of a scope read, by the names that the language finds from where they stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from .sheet import Sharing

if TYPE_CHECKING:
    from ..network import Network
    from .pieces import Piece


MOST_NAMES = 2000
"""Names of one level up to which those that begin alike are looked for."""


class Hidden(Exception):
    """A name that an item would read means something else in the group where it stands: that has to be a block."""

    def __init__(self, group: Piece) -> None:
        super().__init__(group.name)
        self.group = group


def wire(network: Network, pieces: list[Piece], current: tuple[int, ...], outside: Callable[[int], str]) -> None:
    """Set `flow` and `refs` of all pieces of a scope, those in its anonymous groups included.

    `current` is what the scope's first item takes, `outside` the name of a node before the scope. Raises Hidden
    where a name is hidden by another one.
    """
    _Wiring(network, outside).level(pieces, current, [], None)


class _Level(NamedTuple):
    """The pieces of one group, or of the scope."""

    pieces: list[Piece]
    starts: list[int]
    group: Piece | None


def _visible(name: str, reader: Piece, levels: list[_Level]) -> None:
    """Raise Hidden where a level between a name and its reader has another item of that name above."""
    for level in levels:
        if level.group is not None and any(p.name == name and p.start < reader.start for p in level.pieces):
            raise Hidden(level.group)


class _Wiring:
    def __init__(self, network: Network, outside: Callable[[int], str]) -> None:
        self.network = network
        self.outside = outside

    def level(self, pieces: list[Piece], current: tuple[int, ...], around: list[_Level], group: Piece | None) -> None:
        levels = [*around, _Level(pieces, [piece.start for piece in pieces], group)]
        for piece in pieces:
            piece.flow = piece.sources == current or not piece.sources
            piece.refs = self._refs(piece, levels)
            if piece.held is not None:
                piece.share = Sharing(self._shared(piece, piece.held, levels))
            elif piece.tied:
                tied = [(tensor, self._shared(piece, (node, 0), levels)) for tensor, node in piece.tied]
                piece.share = Sharing(tied=tuple(tied))
            if piece.is_join:
                self._branches(piece, levels)
            elif piece.pieces:
                self.level(piece.pieces, piece.sources, levels, piece)
            current = piece.value

    def _branches(self, join: Piece, levels: list[_Level]) -> None:
        """Each branch begins with what the join reads."""
        inside = [*levels, _Level(join.pieces, [branch.start for branch in join.pieces], join)]
        for branch in join.pieces:
            branch.flow = True
            self.level(branch.pieces, join.sources, inside, branch)

    def _refs(self, reader: Piece, levels: list[_Level]) -> tuple[str, ...]:
        found: list[str] = []
        sources = reader.sources
        index = 0
        while index < len(sources):
            name, count = self._ref(reader, sources[index:], levels)
            found.append(name)
            index += count
        if len(found) < 2 or len(levels[-1].pieces) > MOST_NAMES:
            return tuple(found)
        return _collected(found, [piece.name for piece in levels[-1].pieces if piece.start < reader.start])

    def _ref(self, reader: Piece, sources: tuple[int, ...], levels: list[_Level]) -> tuple[str, int]:
        """The name of what is read first, and how many nodes it stands for."""
        node = sources[0]
        inner: list[_Level] = []
        for level in reversed(levels):
            at = bisect_right(level.starts, node) - 1
            if at >= 0 and node < level.pieces[at].stop:
                path, count = self._inside(level.pieces[at], sources)
                _visible(path[0], reader, inner)
                return ".".join(path), count
            inner.append(level)
        name = self.outside(node)
        _visible(name.partition(".")[0], reader, inner)
        return name, 1

    def _shared(self, piece: Piece, held: tuple[int, int], levels: list[_Level]) -> str:
        """The name of what holds the weights of a piece."""
        node, below = held
        inner: list[_Level] = []
        for level in reversed(levels):
            at = bisect_right(level.starts, node) - 1
            if at >= 0 and node < level.pieces[at].stop:
                path = full_path(level.pieces[at], node)
                _visible(path[0], piece, inner)
                return ".".join(path[: len(path) - below])
            inner.append(level)
        path = self.network.nodes[node].name.split(".")
        _visible(path[0], piece, inner)
        return ".".join(path[: len(path) - below])

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


def full_path(piece: Piece, node: int) -> list[str]:
    """The path of a node in a piece, from the name of the piece on."""
    path = [piece.name]
    while piece.pieces and not (piece.is_join and node in piece.value):
        piece = next(inner for inner in piece.pieces if inner.start <= node < inner.stop)
        path.append(piece.name)
    return [*path, *piece.inner[node - piece.start].split(".")] if piece.inner else path


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
