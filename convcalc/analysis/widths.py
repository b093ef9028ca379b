"""A network whose single layers have other widths: what follows from their channels does, nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from ..findings import SpecError, UsageError
from ..geometry import GeometryError
from ..layers.base import Layer
from ..layers.batched import batched
from ..layers.registry import build
from ..network import (
    Inference,
    Network,
    Node,
    check_sharing,
    finding_in,
    holder,
    unknown_layer,
    without_collector,
)


class Widths:
    """Gives one network other widths, again and again: shapes and layers that were met are not made anew."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._inference = Inference()
        self._built: dict[tuple[int, int, int], Layer] = {}
        """(a layer, its width, its groups) -> the layer that has these."""

    def layer(self, path: str) -> int:
        """The node whose width a path means: a layer, or the only one of a group that has a width of its own.

        Raises UsageError where there is none, or more than one.
        """
        network = self.network
        group = network.groups.get(path)
        if group is None:
            found = [index for index, node in enumerate(network.nodes) if node.name == path]
        else:
            found = list(range(group.start, group.stop))
        if not found:
            raise unknown_layer(network, path)
        own = [index for index in found if _width(network.nodes[index].layer) is not None]
        if len(own) != 1:
            names = ", ".join(network.nodes[index].name for index in own[:4]) + (", ..." if len(own) > 4 else "")
            what = f"has {len(own)} layers with a width of their own" if own else "has no width of its own"
            raise UsageError(f"'{path}' {what}", f"name one: {names}" if own else "name a convolution or linear layer")
        return own[0]

    def changed(self, widths: Mapping[str, int]) -> Network:
        """The network with these widths: path -> channels that the layer puts out.

        A depthwise convolution keeps to the channels of its input, and layers with the same weights have one width.
        Raises UsageError for a path that means no such layer, SpecError where the widths fit together no more.

        >>> from convcalc import loads
        >>> network = loads("{convcalc: 1, input: [3, 9, 9], layers: [{conv2d: {out: 4, k: 3}}, batch_norm]}")
        >>> [node.shape for node in Widths(network).changed({"conv2d": 6}).nodes]
        [(3, 9, 9), (6, 7, 7), (6, 7, 7)]
        """
        network = self.network
        wanted = {holder(network.nodes, self.layer(path)): width for path, width in widths.items()}
        nodes: list[Node] = []
        with without_collector():
            for index, node in enumerate(network.nodes):
                width = wanted.get(holder(network.nodes, index))
                nodes.append(node if node.layer is None else self._node(node, node.layer, nodes, width))
            changed = replace(network, nodes=tuple(nodes))
            check_sharing(changed)
            return changed

    def _node(self, node: Node, layer: Layer, nodes: list[Node], width: int | None) -> Node:
        shapes = tuple([nodes[i].shape for i in node.inputs])
        before = self.network.input_shapes(node)
        if width is None and shapes == before:
            return node
        try:
            if width is not None:
                layer = self._layer(layer, width, layer.channel_groups or 1)
            elif layer.channel_groups == before[0][layer.batch_axes] > 1:
                channels = shapes[0][layer.batch_axes]
                follows = node.shape[layer.batch_axes] // before[0][layer.batch_axes] * channels
                layer = self._layer(layer, follows, channels)
            return node._replace(layer=layer, shape=self._inference.shape(layer, shapes))
        except GeometryError as error:
            said = error.said(self.network.input_names(node))
            raise SpecError([finding_in(self.network, error.code, said, node.name, hint=error.hint)]) from error
        except ValidationError as error:
            cause = error.errors()[0].get("ctx", {}).get("error")
            said = cause.message if isinstance(cause, GeometryError) else f"{layer.kind} does not take this width"
            raise SpecError([finding_in(self.network, "CC103", said, node.name)]) from error

    def _layer(self, layer: Layer, width: int, groups: int) -> Layer:
        """A layer of another width."""
        key = (id(layer), width, groups)
        found = self._built.get(key)
        if found is None:
            assert layer.width_field is not None
            fields = {**layer.fields(), layer.width_field: width}
            if groups > 1 or "groups" in fields:
                fields["groups"] = groups
            found = self._built[key] = batched(build(layer.kind, fields), layer.batch_axes)
        return found


def _width(layer: Layer | None) -> str | None:
    return None if layer is None else layer.width_field
