"""One network at many sizes of one axis at once, node by node, with the layers' own shape rules.

A column holds a node's shape at every size tried. Equal layers on equal columns are computed once, so
that depth costs little more than a look-up. Sets of sizes are bits of an integer: bit n is size n of the
sizes tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...geometry import GeometryError, Window, left_over
from ...network import Inference, Network
from .growth import Growth, moving_size

if TYPE_CHECKING:
    from ...layers.base import Layer, Shape, Shapes, Slide

LONGEST_PERIOD = 4096
"""Of a network whose sizes are answered by period; a longer one is only tried size by size."""

Column = tuple["Shape | None", ...]
"""A node's shape at each size tried; None where the network does not build that far."""


class Step(NamedTuple):
    """A node that narrows a set of sizes, and what is left after it."""

    node: int
    left: int


class Edge(NamedTuple):
    """What a strided window leaves at the far edge of an axis, at each size tried."""

    node: int
    window: Window
    exact: int
    """The sizes at which the last window ends where the padded input ends."""
    inputs: tuple[int, ...]
    """The size that the window slides over."""
    over: tuple[int, ...]
    """Padded positions behind the last window; negative where the window reaches beyond them."""
    unread: tuple[int, ...]
    """Inputs among them, that no window reads."""


class Survey:
    """The sizes tried, and at each: whether it builds, what is left over, whether the ratios hold."""

    def __init__(self, sizes: Sequence[int], node_count: int) -> None:
        self.sizes = sizes
        self.columns: list[Column] = []
        self.builds = (1 << len(sizes)) - 1
        self.refusals: dict[int, tuple[int, GeometryError]] = {}
        """Index of a size that does not build -> (node, why)."""
        self.edges: list[Edge] = []
        self.exact = self.builds
        self.exact_steps: list[Step] = []
        self.ratio = self.builds
        self.ratio_steps: list[Step] = []

    def members(self, bits: int) -> list[int]:
        """The sizes of a set.

        >>> Survey([7, 8, 9], 0).members(0b101)
        [7, 9]
        """
        return [size for n, size in enumerate(self.sizes) if bits >> n & 1]


class Surveyor:
    """Surveys one axis of a network; what was computed for one survey serves the next."""

    def __init__(self, network: Network, axis: int, growths: list[Growth]) -> None:
        self.network = network
        self.axis = axis
        self.growths = growths
        self._moving = moving_size(network, axis)
        self._inference = Inference()

    def survey(self, sizes: Sequence[int]) -> Survey:
        """The network at these sizes of the axis, its other axes as they are."""
        found = Survey(sizes, len(self.network.nodes))
        pool: dict[Column, Column] = {}
        computed: dict[tuple[int, ...], Column] = {}
        edges: dict[tuple[int, ...], tuple[Edge, ...]] = {}
        ratios: dict[tuple[int, ...], int] = {}
        for index, node in enumerate(self.network.nodes):
            if node.layer is None:
                column: Column = tuple([self._input_shape(node.shape, size) for size in sizes])
                found.columns.append(pool.setdefault(column, column))
                continue
            inputs = tuple([found.columns[i] for i in node.inputs])
            key = (id(node.layer), *map(id, inputs))
            known = computed.get(key)
            if known is None:
                column = self._column(index, node.layer, inputs, found)
                known = computed[key] = pool.setdefault(column, column)
            found.columns.append(known)
            self._judge_edges(found, index, node.layer, inputs, key, edges)
            self._judge_ratio(found, index, node.layer, ratios)
        found.exact &= found.builds
        found.ratio &= found.builds
        return found

    def _input_shape(self, shape: Shape, size: int) -> Shape:
        axis = self.axis
        if len(shape) <= axis or shape[axis] != self._moving:
            return shape
        return (*shape[:axis], size, *shape[axis + 1 :])

    def _column(self, index: int, layer: Layer, inputs: tuple[Column, ...], found: Survey) -> Column:
        column: list[Shape | None] = []
        for n in range(len(found.sizes)):
            shapes = tuple([read[n] for read in inputs])
            shape: Shape | None = None
            if None not in shapes:
                try:
                    shape = self._inference.shape(layer, shapes)  # type: ignore[arg-type]
                except GeometryError as error:
                    found.refusals.setdefault(n, (index, error))
                    found.builds &= ~(1 << n)
            column.append(shape)
        return tuple(column)

    def _judge_edges(
        self,
        found: Survey,
        index: int,
        layer: Layer,
        inputs: tuple[Column, ...],
        key: tuple[int, ...],
        cache: dict[tuple[int, ...], tuple[Edge, ...]],
    ) -> None:
        """What the node's strided windows on the axis leave over."""
        nodes = self.network.nodes
        shapes = tuple([nodes[i].shape for i in nodes[index].inputs])
        axes = tuple(self.growths[nodes[index].inputs[0]].axes_from(self.axis))
        if not axes:
            return
        known = cache.get((*key, *axes))
        if known is None:
            known = cache[(*key, *axes)] = tuple(
                _edge(layer, index, window, inputs[0], found.columns[index], source)
                for source, window, _ in strided_windows(layer, shapes, nodes[index].shape)
                if source in axes
            )
        for edge in known:
            found.edges.append(edge._replace(node=index))
            if found.exact & ~edge.exact:
                found.exact &= edge.exact
                found.exact_steps.append(Step(index, found.exact))

    def _judge_ratio(self, found: Survey, index: int, layer: Layer, cache: dict[tuple[int, ...], int]) -> None:
        """Whether the node's size is the input's times its rate; pads and crops count with what follows them."""
        growth = self.growths[index]
        if layer.changes_border:
            return
        for position, source in enumerate(growth.descent):
            if source != self.axis or not growth.delta[position]:
                continue
            column = found.columns[index]
            key = (id(column), position, growth.period, growth.delta[position])
            kept = cache.get(key)
            if kept is None:
                kept = cache[key] = sum(
                    1 << n
                    for n, (size, shape) in enumerate(zip(found.sizes, column, strict=True))
                    if shape is None or shape[position] * growth.period == size * growth.delta[position]
                )
            if found.ratio & ~kept:
                found.ratio &= kept
                found.ratio_steps.append(Step(index, found.ratio))


def strided_windows(layer: Layer, shapes: Shapes, output: Shape) -> list[Slide]:
    """Each window whose stride is above 1."""
    return [slide for slide in layer.slides(shapes, output) if slide.window.stride > 1]


def _edge(layer: Layer, node: int, window: Window, inputs: Column, outputs: Column, source: int) -> Edge:
    """What one strided window leaves at each size; sizes that do not build count as exact."""
    exact = 0
    sizes, over, unread = [0] * len(inputs), [0] * len(inputs), [0] * len(inputs)
    for n, (shape, output) in enumerate(zip(inputs, outputs, strict=True)):
        if shape is not None and output is not None:
            size = sizes[n] = shape[source]
            for read, at, count in strided_windows(layer, (shape,), output):
                if read == source:
                    over[n] = left_over(size, count, *at)
                    unread[n] = min(max(over[n] - at.after, 0), size)
        exact |= (over[n] == 0) << n
    return Edge(node, window, exact, tuple(sizes), tuple(over), tuple(unread))
