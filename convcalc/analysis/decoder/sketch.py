"""A network in the making: layers are added one by one, and their shapes inferred at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...layers.registry import build
from ...network import Inference, Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...layers.base import Layer, Shape


class Sketch:
    """Nodes with their shapes; adding returns the new node's index."""

    def __init__(self, nodes: Sequence[Node] = ()) -> None:
        self.nodes: list[Node] = list(nodes)
        self._names = {node.name for node in nodes}
        self._inference = Inference()
        self._models: dict[tuple[str, tuple[tuple[str, Any], ...]], Layer] = {}

    def shape(self, index: int) -> Shape:
        """The shape of a node."""
        return self.nodes[index].shape

    def input(self, name: str, shape: Shape) -> int:
        """An input of the network."""
        return self._append(Node(self._unique(name), None, (), shape))

    def add(self, name: str, kind: str, sources: Sequence[int], **fields: Any) -> int:
        """A layer of a kind with its fields. Raises GeometryError where its shape is impossible."""
        key = (kind, tuple(fields.items()))
        model = self._models.get(key)
        if model is None:
            model = self._models[key] = build(kind, fields)
        return self.copy(name, model, sources)

    def copy(self, name: str, layer: Layer, sources: Sequence[int]) -> int:
        """A layer that exists already."""
        shape = self._inference.shape(layer, tuple([self.nodes[i].shape for i in sources]))
        return self._append(Node(self._unique(name), layer, tuple(sources), shape))

    def _append(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _unique(self, name: str) -> str:
        unique, count = name, 1
        while unique in self._names:
            count += 1
            unique = f"{name}_{count}"
        self._names.add(unique)
        return unique
