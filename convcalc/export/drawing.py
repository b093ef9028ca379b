"""The graph that a drawing shows: boxes of stages or layers, arrows with the shapes that pass along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .identifiers import plain

if TYPE_CHECKING:
    from ..layers.base import Shape
    from ..network import Group, Network

Role = Literal["input", "layer", "block", "output"]


class Box(NamedTuple):
    """A stage, a layer, an input or an output."""

    name: str
    detail: str
    """The layer's kind and window, or the block's name."""
    role: Role


class Arrow(NamedTuple):
    """From box to box (by number), with the shape that passes."""

    source: int
    target: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes in the order of execution, so that arrows lead from lower to higher numbers."""

    title: str
    boxes: list[Box]
    arrows: list[Arrow]


def shape_text(shape: Shape) -> str:
    """A shape as it stands at an arrow.

    >>> shape_text((64, 56, 56))
    '64×56×56'
    """
    return "×".join(map(str, shape))


def drawing(network: Network, by: Literal["stage", "layer"] = "stage") -> Drawing:
    """The network's stages or layers as boxes, its outputs named at the end."""
    nodes = network.nodes
    box_of = [-1] * len(nodes)
    boxes: list[Box] = []
    for index, node in enumerate(nodes):
        if node.layer is None:
            box_of[index] = len(boxes)
            boxes.append(Box(plain(node.name), "input", "input"))
    if by == "layer":
        for index, node in enumerate(nodes):
            if node.layer is not None:
                box_of[index] = len(boxes)
                boxes.append(Box(plain(node.name), _kind(node.layer), "layer"))
    else:
        for name, members, _ in network.stages():
            group = network.groups.get(name)
            for index in members:
                box_of[index] = len(boxes)
            layer = nodes[members[0]].layer
            if group is None or len(members) == 1:
                boxes.append(Box(plain(name), _kind(layer), "layer"))
            else:
                boxes.append(Box(plain(name), plain(_content(network, group)), "block"))
    arrows = {
        (box_of[source], box_of[index], source): Arrow(box_of[source], box_of[index], nodes[source].shape)
        for index, node in enumerate(nodes)
        for source in node.inputs
        if box_of[source] != box_of[index]
    }
    found = list(arrows.values())
    for output in network.outputs:
        found.append(Arrow(box_of[output.node], len(boxes), nodes[output.node].shape))
        boxes.append(Box(plain(output.name), "output", "output"))
    return Drawing(plain(network.name), boxes, found)


def _content(network: Network, group: Group) -> str:
    """What a stage is made of: its block, how many layers, or what is repeated."""
    if group.kind != "repeat":
        return f"{group.stop - group.start} layers" if group.kind == "layers" else group.kind
    first = network.nodes[group.start]
    number = first.name[len(group.path) + 1 :].partition(".")[0]
    each = network.groups.get(f"{group.path}.{number}")
    return f"{group.repeats} × {_kind(first.layer) if each is None else _content(network, each)}"


def _kind(layer: Any) -> str:
    """The kind, with kernel and stride where it has them: `conv2d 7×7/2`."""
    kernel = getattr(layer, "kernel_size", None)
    if kernel is None:
        return plain(str(layer.kind))
    stride = set(layer.stride)
    step = f"/{stride.pop()}" if len(stride) == 1 else f"/{'×'.join(map(str, layer.stride))}"
    return f"{layer.kind} {'×'.join(map(str, kernel))}{'' if step == '/1' else step}"
