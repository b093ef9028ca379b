"""The figures of a network that is put together of parts, as `Figures` has them of one that is expanded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from ...analysis.figures import Figures
from ...analysis.memory import Liveness
from ...analysis.receptive_field import MOST_TABULATED, Fields, ReceptiveFields, sources
from ...network import Network
from ..asked import Options
from . import Unsure
from .parts import Piece, alive, depth
from .passages import Passages


class WholeFigures(Figures):
    """Figures that are read where parts meet: shapes, depth, liveness, receptive fields. Its nodes are the pieces."""

    def __init__(self, network: Network, pieces: Sequence[Piece], passages: Passages | None, options: Options) -> None:
        super().__init__(network, options.batch, options.dtype, options.optimizer)
        self.pieces = pieces
        self.passages = passages

    def depth(self, nodes: Sequence[int]) -> int:
        return depth(self.pieces, nodes)

    @cached_property
    def liveness(self) -> Liveness:
        nodes = self.network.nodes
        arriving = [node.elements for node in nodes if node.layer is None]
        found = alive(self.pieces, arriving, [output.node for output in self.network.outputs])
        live = list(map(max, found.during, found.after))
        return Liveness(live, max(range(len(live)), key=live.__getitem__), found.last, found.storages)

    @cached_property
    def receptive_fields(self) -> ReceptiveFields:
        return self._followed(local=False)

    @cached_property
    def local_fields(self) -> ReceptiveFields:
        return self._followed(local=True)

    def _followed(self, local: bool) -> ReceptiveFields:
        """Raises Unsure where patterns are too long to follow."""
        passages = self.passages
        assert passages is not None
        nodes = self.network.nodes
        fields: list[Fields | None] = []
        origins: list[int] = []
        tabulated = 0
        for index, (part, inputs) in enumerate(self.pieces):
            if part is None:
                origins.append(index)
                fields.append(sources(len(nodes[index].shape) - 1))
                continue
            assert part.passage is not None
            data = part.passage.data
            read = inputs if data is None else inputs[:data]
            start = min([origins[i] for i in read if origins[i] >= 0], default=-1)
            origins.append(start)
            if start < 0:
                fields.append(None)
                continue
            arrived = [fields[i] if origins[i] == start else None for i in read]
            found = passages.behind(part.passage, arrived, nodes[start].shape[1:], local)
            tabulated += found.tabulated
            if tabulated > MOST_TABULATED:
                raise Unsure
            fields.append(found.fields)
        return ReceptiveFields(fields, origins, [])
