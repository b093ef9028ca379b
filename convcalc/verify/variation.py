"""The same network with other normalization, or with and without skip connections: what its gradients are held against.

Convolutions and linear layers keep their names, so that they have the same weights in every variation.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from ..flow import ancestors, consumers
from ..layers.batched import batched
from ..layers.registry import build
from ..naming import UniqueNames
from ..network import Node, holder, renumbered
from .loss import losses_of

if TYPE_CHECKING:
    from ..layers.base import Layer
    from ..network import Network

NORMS: dict[str, tuple[str, dict[str, object]] | None] = {
    "none": None,
    "batch": ("batch_norm", {}),
    "layer": ("layer_norm", {"dim": 0}),
    "instance": ("instance_norm", {}),
}
"""Name -> kind and fields of the normalization."""


class _Copy:
    """A network that is copied node by node, with others put between."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.nodes: list[Node] = []
        self.stands_for: list[int] = []
        """Old number -> the new number of what is read in its place."""
        self.starts: list[int] = []
        self._held: dict[int, int] = {}
        """Old number of a node that holds weights -> the new number of the first copy that has them."""
        self._names = UniqueNames(node.name for node in network.nodes)

    def begin(self) -> None:
        """The next old node is copied."""
        self.starts.append(len(self.nodes))

    def keep(self, node: Node) -> int:
        """The number of its copy."""
        new = len(self.nodes)
        whole = holder(self.network.nodes, len(self.starts) - 1)
        first = self._held.setdefault(whole, new)
        inputs = tuple(self.stands_for[i] for i in node.inputs)
        ties = self.network.nodes[whole].tied if first == new else ()
        tied = tuple([tie._replace(node=self._held[tie.node]) for tie in ties if tie.node in self._held])
        self.nodes.append(node._replace(inputs=inputs, shares=None if first == new else first, tied=tied))
        return new

    def add(self, layer: Layer, name: str, inputs: tuple[int, ...]) -> int:
        """The number of a node that is new; its output has the shape of its first input."""
        self.nodes.append(Node(self._names.give(name), layer, inputs, self.nodes[inputs[0]].shape))
        return len(self.nodes) - 1

    def made(self) -> Network:
        """The network, without what no output depends on."""
        starts, moved = [*self.starts, len(self.nodes)], self.stands_for
        inputs = [index for index, node in enumerate(self.nodes) if node.layer is None]
        needed = ancestors(self.nodes, [*inputs, *(moved[output.node] for output in self.network.outputs)])
        before = [0]
        for index in range(len(self.nodes)):
            before.append(before[-1] + (index in needed))
        nodes = renumbered(self.nodes, {index: before[index] for index in range(len(self.nodes)) if index in needed})
        groups = {
            path: group._replace(
                start=before[starts[group.start]], stop=before[starts[group.stop]], output=before[moved[group.output]]
            )
            for path, group in self.network.groups.items()
            if moved[group.output] in needed
        }
        outputs = tuple(output._replace(node=before[moved[output.node]]) for output in self.network.outputs)
        return replace(self.network, nodes=tuple(nodes), outputs=outputs, groups=groups)


def with_norm(network: Network, norm: str) -> Network:
    """The network with this normalization (a key of `NORMS`) behind each convolution and linear layer but those that
    give the outputs, in place of every other one.

    >>> from convcalc import loads
    >>> conv = "{conv2d: {out: 4, k: 1}}"
    >>> stack = loads(f"{{convcalc: 1, input: [3, 8, 8], layers: [{conv}, relu, {conv}]}}")
    >>> [node.name for node in with_norm(stack, "batch").nodes]
    ['input', 'conv2d', 'batch_norm', 'relu', 'conv2d_2']
    """
    wanted = NORMS[norm]
    last = {loss.node for loss in losses_of(network)} | {output.node for output in network.outputs}
    copy = _Copy(network)
    for index, node in enumerate(network.nodes):
        copy.begin()
        if node.layer is not None and _normalizes(network, node):
            copy.stands_for.append(copy.stands_for[node.inputs[0]])
            continue
        kept = copy.keep(node)
        if wanted is not None and node.layer is not None and node.layer.weighted and index not in last:
            made = batched(build(wanted[0], wanted[1]), node.layer.batch_axes)
            kept = copy.add(made, _beside(node.name, wanted[0]), (kept,))
        copy.stands_for.append(kept)
    return copy.made()


def _beside(name: str, own: str) -> str:
    """The path of what stands in the same group."""
    path, dot, _ = name.rpartition(".")
    return f"{path}{dot}{own}"


def _normalizes(network: Network, node: Node) -> bool:
    return node.layer is not None and "normalization" in node.layer.operations(network.input_shapes(node), node.shape)


def _adds(network: Network, node: Node) -> bool:
    """Whether it is the sum of a skip connection and a branch."""
    layer = node.layer
    if layer is None or not layer.joins or layer.multiplies_inputs:
        return False
    return layer.joined_axis(network.input_shapes(node)) is None


def without_skips(network: Network) -> Network:
    """The network in which each sum is its longest branch alone: most convolutions and linear layers from the input on.

    >>> from convcalc import load
    >>> plain = without_skips(load("resnet", variant="resnet34"))
    >>> sum(node.layer.weighted for node in plain), any(node.kind == "add" for node in plain)
    (34, False)
    """
    depths: list[int] = []
    copy = _Copy(network)
    for node in network.nodes:
        copy.begin()
        own = node.layer is not None and node.layer.weighted
        depths.append(own + max((depths[i] for i in node.inputs), default=0))
        longest = max(node.inputs, key=lambda i: depths[i], default=-1)
        if _adds(network, node) and network.nodes[longest].shape == node.shape:
            copy.stands_for.append(copy.stands_for[longest])
        else:
            copy.stands_for.append(copy.keep(node))
    return copy.made()


def with_skips(network: Network) -> Network:
    """The network with a skip connection around each convolution or linear layer, with its normalization and its
    activation, that leaves the shape as it is. A network that has sums of its own stays.

    >>> from convcalc import loads
    >>> conv = "{conv2d: {out: 3, k: 1}}"
    >>> stack = loads(f"{{convcalc: 1, input: [3, 8, 8], layers: [{conv}, relu, {conv}], outputs: {{conv2d_2: }}}}")
    >>> [node.name for node in with_skips(stack).nodes]
    ['input', 'conv2d', 'relu', 'add', 'conv2d_2']
    """
    if any(_adds(network, node) for node in network.nodes):
        return network
    ends = _unit_ends(network)
    copy = _Copy(network)
    for index, node in enumerate(network.nodes):
        copy.begin()
        kept = copy.keep(node)
        if index in ends:
            read = copy.stands_for[network.nodes[ends[index]].inputs[0]]
            kept = copy.add(build("add", {}), _beside(node.name, "add"), (kept, read))
        copy.stands_for.append(kept)
    return copy.made()


def _unit_ends(network: Network) -> dict[int, int]:
    """Last node of a layer with its normalization and activation -> the node of the layer, where the shape is kept."""
    readers = consumers(network.nodes, len(network.nodes))
    last = {loss.node for loss in losses_of(network)}
    found = {}
    for index, node in enumerate(network.nodes):
        if node.layer is None or not node.layer.weighted:
            continue
        end = index
        while len(readers[end]) == 1 and end not in last and _follows(network, readers[end][0]):
            end = readers[end][0]
        before = network.nodes[node.inputs[0]].shape
        if end not in last and network.nodes[end].shape == before and prod(before) > 1:
            found[end] = index
    return found


def _follows(network: Network, index: int) -> bool:
    node = network.nodes[index]
    return node.layer is not None and (node.layer.activates or _normalizes(network, node))
