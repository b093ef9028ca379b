"""How a network's sizes grow with one axis of its input, and the network at many sizes of it at once.

A layer's rule is a floor of a linear function, so its output grows by a constant whenever its input grows by enough to
fill whole strides. Followed from layer to layer, each node gets the smallest such period of the network's input and
the growth of each of its axes over it: exactly periodic, in integers.

A survey runs the layers' own shape rules, node by node. A column holds a node's shape at every size tried. Equal
layers on equal columns are computed once, so that depth costs little more than a look-up. Sets of sizes are bits of an
integer: bit n is size n of the sizes tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd, lcm, prod
from typing import TYPE_CHECKING, NamedTuple

from ..geometry import AdaptiveWindow, AxisLink, GeometryError, Window, effective_kernel, left_over
from ..inference import Inference
from ..network import Network

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes, Slide
    from ..network import Network


class Growth(NamedTuple):
    """What one axis of the input does to a node."""

    period: int
    """The node's shape grows by `delta` whenever the input's axis grows by `period`."""
    delta: tuple[int, ...]
    """For each axis of the node's shape."""
    descent: tuple[int, ...]
    """For each axis, the input's axis that it descends from: 0 for none, negative behind a head.

    A head is what reads a whole axis at once: a global or adaptive pool, or a window of stride 1 that is as
    large as its padded input.
    """

    def axes_from(self, axis: int) -> Iterator[int]:
        """The node's axes that descend from an axis of the input."""
        return (position for position, source in enumerate(self.descent) if abs(source) == axis)


def follow(network: Network, axis: int) -> list[Growth]:
    """The growth of every node under axis `axis` of the input (1 is the first space axis).

    The inputs that have the first one's size on that axis grow with it; others stay. Where a layer refuses
    larger inputs (a fixed reshape), what follows is taken not to grow.
    """
    nodes = network.nodes
    size = moving_size(network, axis)
    found: list[Growth] = []
    known: dict[tuple[int, Shapes, tuple[Growth, ...]], Growth] = {}
    alive = []
    for node in nodes:
        if node.layer is None:
            found.append(_input_growth(node.shape, axis, size))
            continue
        shapes = tuple([nodes[i].shape for i in node.inputs])
        key = (id(node.layer), shapes, tuple([found[i] for i in node.inputs]))
        growth = known.get(key)
        if growth is None:
            growth = known[key] = _grow(node.layer, shapes, key[2], node.shape)
            alive.append(node.layer)
        found.append(growth)
    return found


def moving_size(network: Network, axis: int) -> int:
    """The size of an axis of the first input that has it; 0 where none has."""
    return next((shape[axis] for shape in network.inputs.values() if len(shape) > axis), 0)


def _input_growth(shape: Shape, axis: int, size: int) -> Growth:
    moves = len(shape) > axis and shape[axis] == size
    delta = tuple(int(moves and position == axis) for position in range(len(shape)))
    descent = tuple(position if moves else 0 for position in range(len(shape)))
    return Growth(1, delta, descent)


def _grow(layer: Layer, shapes: Shapes, growths: tuple[Growth, ...], output: Shape) -> Growth:
    period = lcm(*(growth.period for growth in growths))
    deltas = [tuple(d * (period // growth.period) for d in growth.delta) for growth in growths]
    links = layer.axes(shapes)
    descent = _descent(layer, shapes, growths, links)
    if not any(map(any, deltas)):
        return Growth(period, (0,) * len(output), descent)
    steps = ((None, 1), *layer.growth_steps(shapes, output))
    factor = lcm(*(_missing(shapes, deltas, *step) for step in steps))
    grown = tuple(
        tuple(size + d * factor for size, d in zip(shape, delta, strict=True))
        for shape, delta in zip(shapes, deltas, strict=True)
    )
    try:
        larger = layer.output_shape(grown)
    except GeometryError:
        larger = output
    delta = tuple(new - old for new, old in zip(larger, output, strict=True))
    return Growth(period * factor, delta, descent)


def _missing(shapes: Shapes, deltas: list[tuple[int, ...]], axis: int | None, step: Fraction | int) -> int:
    """The factor that the growth of an axis (None: of the product) still lacks to be a multiple of the step."""
    if axis is None:
        grown = prod(size + d for size, d in zip(shapes[0], deltas[0], strict=True)) - prod(shapes[0])
    elif axis < len(deltas[0]):
        grown = deltas[0][axis]
    else:
        return 1
    quotient = Fraction(grown) / Fraction(step)
    return quotient.denominator


def _descent(
    layer: Layer, shapes: Shapes, growths: tuple[Growth, ...], links: tuple[AxisLink | None, ...]
) -> tuple[int, ...]:
    read = growths[: layer.data_inputs] if layer.data_inputs is not None else growths
    return tuple(_source(link, shapes[0], read) if link is not None else 0 for link in links)


def _source(link: AxisLink, shape: Shape, read: tuple[Growth, ...]) -> int:
    """The input's axis that an output axis descends from; a body's axis wins over a head's at a join."""
    sources = [growth.descent[link.source] for growth in read if link.source < len(growth.descent)]
    source = max(sources, key=lambda s: (s > 0, s != 0), default=0)
    return -abs(source) if _is_head(link, shape) else source


def _is_head(link: AxisLink, shape: Shape) -> bool:
    map = link.map
    if map is None:
        return True
    if isinstance(map, AdaptiveWindow):
        return map.size != map.output
    if isinstance(map, Window) and map.stride == 1 and map.kernel_size > 1:
        return effective_kernel(map.kernel_size, map.dilation) == shape[link.source] + map.before + map.after
    return False


def combined_period(growths: list[Growth]) -> int:
    """The smallest period that serves every node.

    >>> combined_period([Growth(4, (0, 1), (0, 1)), Growth(6, (0, 1), (0, 1))])
    12
    """
    period = 1
    for value in {growth.period for growth in growths}:
        period = period // gcd(period, value) * value
    return period


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

    def __init__(self, sizes: Sequence[int]) -> None:
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

    def sets(self) -> dict[str, int]:
        """The sizes that build, those that leave nothing over, those that hold the ratios."""
        return {"builds": self.builds, "exact": self.exact, "ratio": self.ratio}

    def members(self, bits: int) -> list[int]:
        """The sizes of a set.

        >>> Survey([7, 8, 9]).members(0b101)
        [7, 9]
        """
        flags = flags_of(bits, len(self.sizes))
        return [size for n, size in enumerate(self.sizes) if flags[n]]


class Surveyor:
    """Surveys one axis of a network; what was computed for one survey serves the next."""

    def __init__(self, network: Network, axis: int, growths: list[Growth]) -> None:
        self.network = network
        self.axis = axis
        self.growths = growths
        self._moving = moving_size(network, axis)
        self._inference = Inference()
        self._left: dict[tuple[int, int], dict[Shape, tuple[int, int]]] = {}
        """Layer's id and axis -> the input's shape -> what is left over, and how much of it is unread."""

    def survey(self, sizes: Sequence[int]) -> Survey:
        """The network at these sizes of the axis, its other axes as they are."""
        found = Survey(sizes)
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
                column = self._column(index, node.layer, inputs, found) if inputs else (node.shape,) * len(sizes)
                known = computed[key] = pool.setdefault(column, column)
            found.columns.append(known)
            self._judge_edges(found, index, node.layer, inputs, key, edges)
            self._judge_ratio(found, index, node.layer, ratios)
        found.exact &= found.builds
        found.ratio &= found.builds
        return found

    def _known(self, layer: Layer, source: int) -> dict[Shape, tuple[int, int]]:
        return self._left.setdefault((id(layer), source), {})

    def _input_shape(self, shape: Shape, size: int) -> Shape:
        axis = self.axis
        if len(shape) <= axis or shape[axis] != self._moving:
            return shape
        return (*shape[:axis], size, *shape[axis + 1 :])

    def _column(self, index: int, layer: Layer, inputs: tuple[Column, ...], found: Survey) -> Column:
        column: list[Shape | None] = []
        refused: list[int] = []
        before: tuple[Shape | None, ...] = ()
        shape: Shape | None = None
        wrong: GeometryError | None = None
        for n, shapes in enumerate(zip(*inputs, strict=True)):
            # Sizes side by side often give a layer the same input: behind a stride of 7, seven of them do.
            if shapes != before:
                before, shape, wrong = shapes, None, None
                if None not in shapes:
                    try:
                        shape = self._inference.shape(layer, shapes)
                    except GeometryError as error:
                        wrong = error
            if wrong is not None:
                found.refusals.setdefault(n, (index, wrong))
                refused.append(n)
            column.append(shape)
        found.builds &= ~bits_of(refused)
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
        if not shapes:
            return
        axes = tuple(self.growths[nodes[index].inputs[0]].axes_from(self.axis))
        if not axes:
            return
        known = cache.get((*key, *axes))
        if known is None:
            known = cache[(*key, *axes)] = tuple(
                _edge(layer, index, window, inputs[0], found.columns[index], source, self._known(layer, source))
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
                period, delta = growth.period, growth.delta[position]
                kept = cache[key] = bits_of(
                    [
                        n
                        for n, (size, shape) in enumerate(zip(found.sizes, column, strict=True))
                        if shape is None or shape[position] * period == size * delta
                    ]
                )
            if found.ratio & ~kept:
                found.ratio &= kept
                found.ratio_steps.append(Step(index, found.ratio))


def strided_windows(layer: Layer, shapes: Shapes, output: Shape) -> list[Slide]:
    """Each window whose stride is above 1."""
    return [slide for slide in layer.slides(shapes, output) if slide.window.stride > 1]


def _edge(
    layer: Layer,
    node: int,
    window: Window,
    inputs: Column,
    outputs: Column,
    source: int,
    known: dict[Shape, tuple[int, int]],
) -> Edge:
    """What one strided window leaves at each size; sizes that do not build count as exact.

    `known` has what the window leaves of the shapes that were met before.
    """
    sizes, over, unread = [0] * len(inputs), [0] * len(inputs), [0] * len(inputs)
    before: tuple[Shape | None, Shape | None] = (None, None)
    for n, pair in enumerate(zip(inputs, outputs, strict=True)):
        shape, output = pair
        if shape is None or output is None:
            continue
        if pair == before:
            sizes[n], over[n], unread[n] = sizes[n - 1], over[n - 1], unread[n - 1]
            continue
        before = pair
        size = sizes[n] = shape[source]
        left = known.get(shape)
        if left is None:
            left = (0, 0)
            for read, at, count in strided_windows(layer, (shape,), output):
                if read == source:
                    rest = left_over(size, count, *at)
                    left = rest, min(max(rest - at.after, 0), size)
            known[shape] = left
        over[n], unread[n] = left
    exact = bits_of([n for n, rest in enumerate(over) if rest == 0])
    return Edge(node, window, exact, tuple(sizes), tuple(over), tuple(unread))


def flags_of(bits: int, count: int) -> list[bool]:
    """For each of the numbers 0 … count − 1 whether the set has it; linear, where shifting a long set is not.

    >>> flags_of(5, 4)
    [True, False, True, False]
    """
    packed = bits.to_bytes(count // 8 + 1, "little")
    return [bool(packed[n >> 3] >> (n & 7) & 1) for n in range(count)]


def bits_of(members: Sequence[int]) -> int:
    """The set of these numbers, each at least 0, as bits.

    >>> bits_of([0, 2])
    5
    """
    found = bytearray(max(members, default=-1) // 8 + 1)
    for n in members:
        found[n >> 3] |= 1 << (n & 7)
    return int.from_bytes(found, "little")
