"""How every layer's size grows with one axis of the input: exactly periodic, in integers.

A layer's rule is a floor of a linear function, so its output grows by a constant whenever its input grows
by enough to fill whole strides. Followed from layer to layer, each node gets the smallest such period of
the network's input and the growth of each of its axes over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import gcd, lcm, prod
from typing import TYPE_CHECKING, NamedTuple

from ...geometry import AdaptiveWindow, AxisLink, GeometryError, Window, effective_kernel

if TYPE_CHECKING:
    from ...layers.base import Layer, Shape, Shapes
    from ...network import Network


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
