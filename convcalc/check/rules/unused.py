"""What nothing uses: layers (CC406), branches (CC408), parameters and blocks (CC407)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...analysis.cost import tensor_numbers
from ...flow import consumers
from ...language import SpecOrigin
from ...network import Network, holder, own_weights
from .remark import Remark


def dead_layers(network: Network) -> Iterator[Remark]:
    """A remark for each dead layer or branch, and for each input that nothing reads."""
    nodes = network.nodes
    readers = consumers(nodes, len(nodes))
    for index, node in enumerate(nodes):
        if node.layer is None and not readers[index] and len(nodes) > 1:
            yield Remark("CC406", f"nothing reads the input {node.name}", node.name, "remove it from 'input'")
    if network.origin is None or network.origin.section("outputs") is None:
        return
    alive = _alive(network)
    seen: set[int] = set()
    for index, node in enumerate(nodes):
        if node.layer is None or index in alive or index in seen:
            continue
        branch = _branch(network, readers, alive, index)
        seen.update(branch)
        if len(branch) == 1:
            hint = "remove it, read it with 'from', or add it to 'outputs'"
            yield Remark("CC406", f"nothing uses this {node.kind}", node.name, hint)
        else:
            params = sum(_params(network, i) for i in _held(network, branch) - _held(network, alive))
            message = f"{len(branch)} layers from here to {nodes[branch[-1]].name} reach no output ({params:,} params)"
            yield Remark("CC408", message, node.name, "join them, remove them, or add their end to 'outputs'")


def _alive(network: Network) -> set[int]:
    pending = [output.node for output in network.outputs]
    alive = set(pending)
    while pending:
        for source in network.nodes[pending.pop()].inputs:
            if source not in alive:
                alive.add(source)
                pending.append(source)
    return alive


def _branch(network: Network, readers: list[list[int]], alive: set[int], start: int) -> list[int]:
    """The dead layers that hang together with one of them, in order."""
    pending, found = [start], {start}
    while pending:
        index = pending.pop()
        for other in (*readers[index], *network.nodes[index].inputs):
            if other not in alive and other not in found and network.nodes[other].layer is not None:
                found.add(other)
                pending.append(other)
    return sorted(found)


def _held(network: Network, indices: Iterable[int]) -> set[int]:
    """The layers that hold the weights of some."""
    nodes = network.nodes
    whole = {holder(nodes, index) for index in indices}
    return whole | {held_by for index in whole for _, held_by in nodes[index].tied}


def _params(network: Network, index: int) -> int:
    return tensor_numbers(own_weights(network.nodes, index))[0]


def unused_names(network: Network) -> Iterator[Remark]:
    """A remark for each parameter and each block that nothing uses."""
    origin = network.origin
    if not isinstance(origin, SpecOrigin):
        return
    blocks = {block.name for block in origin.unused_blocks}
    for block in origin.unused_blocks:
        yield Remark("CC407", f"nothing uses the block {block.name}", hint="remove it, or call it", at=block.at)
    for param in origin.unused_params:
        owner, _, name = param.name.rpartition(".")
        if owner not in blocks:
            of_block = f" of {owner}" if owner else ""
            yield Remark("CC407", f"nothing reads the parameter {name}{of_block}", hint="remove it", at=param.at)
