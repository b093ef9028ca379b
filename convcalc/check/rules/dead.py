"""CC406 and CC408: layers whose values reach no output."""

from __future__ import annotations

from collections.abc import Iterator

from ...analysis.cost import layer_cost
from ...network import Network, consumers
from ..manual.page import Page
from .remark import Remark

PAGES = (
    Page(
        "CC406",
        "Nothing reads the layer and it is not among the `outputs`, or nothing reads an input of the network. "
        "Layers are judged only where the spec names its `outputs`: without them, what nothing reads is an output.",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 16, k: 3, p: 1}, name: stem}
  - {conv2d: {out: 8, k: 1}, name: probe}        # nothing reads it
  - {conv2d: {out: 10, k: 1}, name: head, from: stem}
outputs: [head]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 16, k: 3, p: 1}, name: stem}
  - {conv2d: {out: 10, k: 1}, name: head}
outputs: [head]
""",
    ),
    Page(
        "CC408",
        "Several layers in a row reach none of the `outputs`: a branch that was meant to be joined, or an auxiliary "
        "head that is not listed. What they cost is counted all the same.",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 16, k: 3, p: 1}, name: stem}
  - {conv2d: {out: 8, k: 1}, name: skip}
  - {relu: {}, name: skip_relu}
  - {conv2d: {out: 8, k: 3, p: 1}, name: body, from: stem}
outputs: [body]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 16, k: 3, p: 1}, name: stem}
  - {conv2d: {out: 8, k: 1}, name: skip}
  - {relu: {}, name: skip_relu}
  - {conv2d: {out: 8, k: 3, p: 1}, name: body, from: stem}
  - {add: {}, name: join, from: [body, skip_relu]}
outputs: [join]
""",
    ),
)


def remarks(network: Network) -> Iterator[Remark]:
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
            params = sum(_params(network, i) for i in branch)
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


def _params(network: Network, index: int) -> int:
    node = network.nodes[index]
    assert node.layer is not None
    return layer_cost(node.layer, network.input_shapes(node), node.shape).params
