"""What one output position sees of the network's inputs, exactly: backwards, position by position.

An interval is not enough: where windows leave gaps (dilation, kernels below the stride of a transposed
convolution) clipping it at the borders would be wrong. Each axis is followed on its own as a set of positions;
where branches join the sets are united, so that the result is the projection of what is seen on each axis.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ...geometry import IDENTITY, AxisMap, Window
from .reads import taps

if TYPE_CHECKING:
    from ...layers.base import Layer, Shape, Shapes
    from ...network import Network, Node

Mask = frozenset[int] | None
"""Positions of one axis; None for all of them."""


class Seen(NamedTuple):
    """What one output position sees of one input of the network."""

    input: str
    axes: tuple[tuple[int, ...], ...]
    """For each space axis, the positions seen, in rising order; none of them is padding."""

    @property
    def intervals(self) -> tuple[tuple[int, int] | None, ...]:
        """First and last position seen on each axis; None where nothing is."""
        return tuple((axis[0], axis[-1]) if axis else None for axis in self.axes)

    @property
    def pixels(self) -> int:
        """Pixels that lie on a seen position of every axis."""
        return prod(len(axis) for axis in self.axes)


def seen_from(network: Network, index: int, position: tuple[int, ...]) -> list[Seen]:
    """What one position of a node's output sees of each input of the network that reaches it.

    `position` has one entry a space axis of the node; all its channels are followed. Raises ValueError where
    the node has no such position.
    """
    nodes = network.nodes
    space = nodes[index].shape[1:]
    if len(position) != len(space) or not all(0 <= q < size for q, size in zip(position, space, strict=True)):
        raise ValueError(f"{list(position)} is no position of {list(space)}")
    masks: dict[int, tuple[Mask, ...]] = {index: (None, *(frozenset((q,)) for q in position))}
    found: list[Seen] = []
    for i in range(index, -1, -1):
        mask = masks.pop(i, None)
        if mask is None:
            continue
        node = nodes[i]
        if node.layer is None:
            axes = zip(mask[1:], node.shape[1:], strict=True)
            seen = tuple(tuple(range(n)) if m is None else tuple(sorted(m)) for m, n in axes)
            found.append(Seen(node.name, seen))
            continue
        for which, read in enumerate(_read(nodes[i], node.layer)):
            passed = _backwards(node.layer, network.input_shapes(node), which, node.shape, mask)
            known = masks.get(read)
            masks[read] = passed if known is None else _union(known, passed)
    return found[::-1]


def _read(node: Node, layer: Layer) -> tuple[int, ...]:
    return node.inputs if layer.data_inputs is None else node.inputs[: layer.data_inputs]


def _union(a: tuple[Mask, ...], b: tuple[Mask, ...]) -> tuple[Mask, ...]:
    return tuple(None if x is None or y is None else x | y for x, y in zip(a, b, strict=True))


def _backwards(layer: Layer, inputs: Shapes, which: int, output: Shape, mask: tuple[Mask, ...]) -> tuple[Mask, ...]:
    """The positions of one input of a layer that the masked positions of its output read."""
    read = inputs[which]
    found: list[Mask] = [None] * len(read)
    joined = layer.joined_axis(inputs)
    for axis, link in enumerate(layer.axes(inputs)):
        if link is not None:
            found[link.source] = _axis_backwards(link.map, mask[axis], output[axis], read[link.source])
        elif axis == joined:
            before = sum(shape[axis] for shape in inputs[:which])
            chosen = mask[axis]
            found[axis] = (
                None if chosen is None else frozenset(q - before for q in chosen if 0 <= q - before < read[axis])
            )
    return tuple(found)


def _axis_backwards(axis_map: AxisMap | None, mask: Mask, positions: int, size: int) -> Mask:
    if axis_map is None or (axis_map == IDENTITY and mask is None):
        return None
    if axis_map == IDENTITY:
        return mask if size == positions else frozenset((0,))
    wanted = range(positions) if mask is None else mask
    if isinstance(axis_map, Window):
        kernel_size, stride, before, _, dilation = axis_map
        starts = [q * stride - before for q in wanted]
        reached = {start + t * dilation for start in starts for t in range(kernel_size)}
    else:
        reached = {i for q in wanted for i in taps(axis_map, q)}
    return frozenset([i for i in reached if 0 <= i < size])


def effective(seen: Seen, extents: tuple[int | Fraction, ...]) -> Fraction:
    """The share of a receptive field of these extents that is real pixels: neither padding nor gaps.

    >>> effective(Seen("input", ((0, 1), (0, 1))), (3, 3))
    Fraction(4, 9)
    """
    total = prod(extents)
    return Fraction(seen.pixels) / total if total else Fraction(0)
