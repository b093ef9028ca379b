"""What is remembered of the parts of one spec's networks, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from ...analysis.cost import FREE, Cost, layer_cost, total
from ...analysis.figures import Figures, Subject
from ...analysis.memory import storages
from ...analysis.quantity import Quantity
from ...language.document import Document
from ...language.items import Item
from ...layers.base import Layer, Shape, Shapes
from ...network import Network, Node
from ..asked import Options
from .parts import Part, Piece, Size, added, deepest, memory
from .passages import Passages
from .reads import ReadNames, Reads
from .remembered import Remembered

MOST_PARTS = 80_000
"""Parts that are remembered; each takes about a kilobyte, and those of many pieces count as several."""
A_PART = 8
"""Pieces that a part is counted for."""
MOST_LAYERS = 40_000
MOST_TRIALS = 4
"""How often an item is found to be no part before it is tried no more."""
OPEN = Part((), (), (), Size())
"""Stands for an item that is expanded as it is."""
PASSED = Part((), (), (), Size())
"""Stands for an item that is passed over."""

Key = tuple[object, ...]


def _weight(part: Part) -> int:
    return 1 if part.passage is None else 1 + len(part.passage.pieces) // A_PART


class _LayerFigures(Figures):
    """Of a network of one layer and of what it reads."""

    @cached_property
    def costs(self) -> list[Cost]:
        *sources, node = self.network.nodes
        assert node.layer is not None
        return [FREE] * len(sources) + [layer_cost(node.layer, self.network.input_shapes(node), node.shape)]

    def cost(self, subject: Subject) -> Cost:
        return total(self.costs, self.batch)


class Known:
    """The parts of a document's networks with what is asked of them."""

    def __init__(
        self, document: Document, quantities: Sequence[Quantity], paths: Iterable[str], options: Options
    ) -> None:
        self.document = document
        self.options = options
        self.reads = ReadNames(document, paths)
        names = {record.name for record in quantities}
        layers = list(dict.fromkeys(record for record in quantities if record.follows == "layers"))
        summed = [record for record in layers if record.total == "sum"]
        self.summed = {record: number for number, record in enumerate(summed, start=1)}
        """Quantities that add up -> their place in `Part.summed`, whose first is the bound of totals with a limit."""
        largest = [record for record in layers if record.total == "largest"]
        self.largest = {record: number for number, record in enumerate(largest)}
        """Quantities of which the largest counts -> their place in `Part.largest`."""
        self.empty: set[str] = set()
        """Quantities that have no value at these options."""
        self.depth = "depth" in names
        self.live = "live" in names
        others = {record.name for record in quantities if record.follows == "parts"}
        fields = bool(others - {"depth", "live", "name", "output", "out_channels"})
        self.passages = Passages() if fields else None
        self.parts: Remembered[Key, Part] = Remembered(MOST_PARTS, _weight)
        self._folds: dict[Item, Reads | None] = {}
        self._trials: dict[Item, int] = {}
        self.shapes: Remembered[tuple[int, Shapes], tuple[Layer, Shape]] = Remembered(MOST_LAYERS)
        """A layer's id and what it reads -> the layer and its output's shape."""
        self._layers: Remembered[Key, Part] = Remembered(MOST_LAYERS)

    def folds(self, item: Item) -> Reads | None:
        """What an item reads that may be a part; None for another. Raises TooDeep."""
        found = self._folds.get(item)
        if found is None and item not in self._folds:
            reads = self.reads.of(item)
            found = self._folds[item] = None if reads.openly else reads
        return found

    def tried(self, item: Item) -> None:
        """Note that an item was found to be no part; in the end it is tried no more."""
        self._trials[item] = self._trials.get(item, 0) + 1
        if self._trials[item] >= MOST_TRIALS:
            self._folds[item] = None

    def layer(self, nodes: Sequence[Node], index: int) -> Part:
        """A layer as a part. Raises GeometryError for figures that are too large."""
        node = nodes[index]
        assert node.layer is not None
        sources = [nodes[i] for i in node.inputs]
        shapes = tuple([source.shape for source in sources])
        held = [source.layer is not None and source.layer.is_constant for source in sources]
        key = (id(node.layer), shapes, tuple(held) if True in held else None)
        found = self._layers.get(key)
        if found is None:
            found = self._layers[key] = self._layer(
                node.layer,
                node,
                [
                    Node(str(i), source.layer if is_held else None, (), source.shape)
                    for i, (source, is_held) in enumerate(zip(sources, held, strict=True))
                ],
            )
        return found

    def _layer(self, layer: Layer, node: Node, sources: list[Node]) -> Part:
        """What is known of one layer, by the figures of a network of it alone."""
        count = len(sources)
        nodes = (*sources, Node(node.name, layer, tuple(range(count)), node.shape))
        network = Network("", nodes, (), {})
        batch, dtype, optimizer, _ = self.options
        figures = _LayerFigures(network, batch, dtype, optimizer)
        subject = Subject(node.name, (count,), count)
        params, weights, buffers, macs, flops = figures.costs[count]
        bound = params + weights + buffers + (macs + flops) * batch
        part = Part(
            node.shape,
            (bound, *[self._number(record, figures, subject) for record in self.summed]),
            tuple([self._number(record, figures, subject) for record in self.largest]),
            Size(layers=1),
        )
        part.layer = layer
        part.through = part.reach = int(layer.weighted)
        part.alias = storages(network)[count] != count
        part.during = part.output = 0 if part.alias else node.elements
        if self.passages is not None:
            part.passage = self.passages.layer(layer, tuple([source.shape for source in sources]), node.shape)
        return part

    def _number(self, record: Quantity, figures: Figures, subject: Subject) -> int:
        value = record.get(figures, subject)
        if isinstance(value, int):
            return value
        self.empty.add(record.name)
        return 0

    def part(self, pieces: Sequence[Piece], size: Size) -> Part:
        """The part that consists of these pieces, the first of which is its input, and the last of which is its end."""
        last = pieces[-1].part
        assert last is not None
        if len(pieces) == 2 and pieces[-1].inputs == (0,):
            return last.sized(size)
        part = Part(last.shape, *added(pieces), size)
        if self.depth:
            deepest(pieces, part)
        if self.live:
            memory(pieces, part)
        if self.passages is not None:
            parts = [(piece.part, piece.inputs) for piece in pieces if piece.part is not None]
            ways = [(one.passage, inputs) for one, inputs in parts if one.passage is not None]
            part.passage = self.passages.part(ways)
        return part
