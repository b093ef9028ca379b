"""What a figure of a network shows: its stages as solids, with the slabs that follow them, and what leads where.

A figure leaves out what a reader of a paper does not look for: layers that keep the shape, and what only rearranges it.
Pooling and joins without weights stand as slabs at the stage before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Literal, NamedTuple

from .drawing import content, kind_and_window
from .python_code import plain

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape
    from ..network import Network

Role = Literal["input", "convolution", "upsampling", "pooling", "linear", "join", "other"]
"""What a solid stands for, and its colour."""


ATTACHED = ("pooling", "join", "other")
"""Stages without weights, which belong to the stage before them where they follow from it."""


WORDS = {"convolution": "conv", "transposed": "up-conv", "separable": "separable conv"}
"""What a layer multiplies -> how figures call it."""


class Slab(NamedTuple):
    """Pooling or a join at the end of a stage."""

    shape: Shape
    role: Role


@dataclass(slots=True)
class Part:
    """An input or a stage, with what belongs to it."""

    name: str
    detail: str
    """Its block or the kind and window of its only convolution; empty for an input."""
    shape: Shape
    role: Role
    repeats: int = 1
    """Equal repetitions, which are drawn as slices."""
    slabs: list[Slab] = field(default_factory=list)

    @property
    def extent(self) -> Extent:
        """Its channels and space."""
        return extent(self.shape, channels_last=self.role == "linear")


class Extent(NamedTuple):
    """How many channels there are, and the last two sizes of the space: 1 where there is none."""

    channels: int
    height: int
    width: int
    space: bool
    """Whether there is a space, be it one place."""


def extent(shape: Shape, channels_last: bool = False) -> Extent:
    """The extent of a tensor.

    >>> [tuple(extent(shape)) for shape in ((64, 56, 28), (8, 128), (10,))]
    [(64, 56, 28, True), (8, 128, 1, True), (10, 1, 1, False)]
    >>> tuple(extent((197, 768), channels_last=True))
    (768, 197, 1, True)
    """
    if not shape:
        return Extent(1, 1, 1, False)
    channels, space = (shape[-1], shape[:-1]) if channels_last else (shape[0], shape[1:])
    height, width = (*space, 1, 1)[:2] if len(space) < 3 else space[-2:]
    return Extent(channels, height, width, len(shape) > 1)


class Lead(NamedTuple):
    """From part to part (by number), with the shape that passes."""

    source: int
    target: int
    shape: Shape
    lends: bool = False
    """Whether it only lends its size, or which places were the largest."""


def parts(network: Network) -> tuple[list[Part], list[Lead]]:
    """The parts in the order of execution, and what leads from one to a later one, each once.

    >>> from convcalc import loads
    >>> layers = "[{conv2d: {out: 8, k: 3, p: 1}}, relu, {max_pool2d: {k: 2, s: 2}}, flatten, {linear: {out: 10}}]"
    >>> found, leads = parts(loads(f"{{convcalc: 1, input: [3, 8, 8], layers: {layers}}}"))
    >>> [(part.name, part.role, [slab.shape for slab in part.slabs]) for part in found]
    [('input', 'input', []), ('conv2d', 'convolution', [(8, 4, 4)]), ('linear', 'linear', [])]
    >>> [(lead.source, lead.target, lead.shape) for lead in leads]
    [(0, 1, (3, 8, 8)), (1, 2, (128,))]
    """
    nodes = network.nodes
    found: list[Part] = []
    part_of = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        if node.layer is None:
            part_of[index] = len(found)
            found.append(Part(plain(node.name), "", node.shape, "input"))
    inputs = len(found)
    for name, members, last_node in network.stages():
        layers = [layer for index in members if (layer := nodes[index].layer) is not None]
        outside = [source for index in members for source in nodes[index].data if source not in members]
        read = nodes[outside[0]].shape if outside else nodes[last_node].shape
        shape = nodes[last_node].shape
        role = _role(layers, read, shape)
        last = len(found) - 1
        read_parts = {part_of[source] for source in outside}
        joined = role == "join" and len(read_parts) > 1
        if last >= inputs and role in ATTACHED and ((joined and last in read_parts) or read_parts <= {last}):
            # What keeps the shape, rearranges it or is held by the network is not drawn.
            if role == "pooling" or joined:
                found[last].slabs.append(Slab(shape, role))
        else:
            last = len(found)
            detail, repeats = _said(network, name, members)
            found.append(Part(plain(name), plain(detail), shape, role, repeats))
        for index in members:
            part_of[index] = last
    leads: dict[tuple[int, int], Lead] = {}
    for index, node in enumerate(nodes):
        for source in node.inputs:
            ends = (part_of[source], part_of[index])
            known = leads.get(ends)
            if ends[0] != ends[1] and (known is None or known.lends):
                leads[ends] = Lead(*ends, nodes[source].shape, source not in node.data)
    if len(network.outputs) > 1:
        for end in dict.fromkeys(part_of[output.node] for output in network.outputs):
            found[end].detail += ", output"
    return found, list(leads.values())


def _said(network: Network, name: str, members: Sequence[int]) -> tuple[str, int]:
    """(what a stage is in words, how often its block is repeated)."""
    group = network.groups.get(name)
    layers = [network.nodes[index].layer for index in members]
    cores = [layer for layer in layers if layer is not None and (layer.weighted or layer.patch is not None)]
    if group is None or len(cores) == 1:
        core = cores[0] if cores else layers[0]
        return (kind_and_window(core) if core is None or core.patch is None else _window(core)), 1
    return content(network, group), group.repeats if group.is_repeat else 1


def _window(layer: Layer) -> str:
    """A window as figures say it: `7×7 conv, /2`."""
    assert layer.patch is not None
    kernel, stride = ("×".join(map(str, sizes)) for sizes in (layer.patch.kernel_size, layer.patch.stride))
    step = str(layer.patch.stride[0]) if len(set(layer.patch.stride)) == 1 else stride
    word = WORDS.get(layer.multiplies or "", layer.kind)
    sign = "×" if layer.multiplies == "transposed" else "/"
    return f"{kernel} {word}{'' if step == '1' else f', {sign}{step}'}"


def _role(layers: Sequence[Layer], read: Shape, shape: Shape) -> Role:
    """What a stage does, by its shapes and its weights."""
    if len(read) == len(shape) and prod(shape[1:]) > prod(read[1:]) and sorted(read) != sorted(shape):
        return "upsampling"
    weighted = [layer for layer in layers if layer.weighted]
    if weighted:
        return "convolution" if any(layer.patch is not None for layer in weighted) else "linear"
    if any(layer.joins for layer in layers):
        return "join"
    return "pooling" if prod(shape[1:]) < prod(read[1:]) and prod(shape) < prod(read) else "other"
