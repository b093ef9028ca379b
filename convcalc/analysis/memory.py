"""Memory at inference: what is alive in a forward pass, and the order that needs least of it.

Rules of a forward pass: inputs of the network are alive from the start; a tensor lives until its last reader has run,
an output of the network to the end; while a layer runs, what it reads and what it writes are alive together. A view
(flatten, split, crop, ...) is its input's memory under another name, and so is what does nothing at inference
(dropout). A tensor that the network holds is counted with its parameters. Workspace (im2col) is counted apart. Sizes
are in elements at batch 1: batch and dtype multiply all alike.

The best order: every order runs what stands before a cut node first and what stands after it last, so the parts
between cut nodes are ordered one by one. Within a part the sets of layers that can have run (closed under "its inputs
have run") are searched for the path whose largest live set is smallest: exact, and exponential only in the width of
the branches. A part with more than `MOST_STATES` such sets keeps its given order, and nothing is proven.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from ..network import element_counts, works

if TYPE_CHECKING:
    from ..network import Network, Node


ITEM_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
"""Dtype -> bytes of one element."""


class Liveness(NamedTuple):
    """What is alive while each node runs, in elements at batch 1."""

    live: list[int]
    """For each node, the elements alive while it runs."""
    peak: int
    """The node at which the most is alive: the first of them."""
    last: list[int]
    """For each node's memory, the node after which it is free (the number of nodes: never)."""
    storages: list[int]
    """For each node, the node whose memory holds its output."""

    def alive(self, index: int) -> list[int]:
        """The nodes whose memory is alive while node `index` runs, the one that it writes included."""
        return [i for i in range(index + 1) if self.storages[i] == i and self.last[i] >= index]


def storages(network: Network, training: bool = False) -> list[int]:
    """For each node, the node whose memory holds its output: itself, or for a view the one that it looks into."""
    numbers, different = works(network)
    aliases = [False, *[layer.is_view or (not training and layer.asleep) for layer, _, _ in different]]
    found = list(range(len(numbers)))
    for index, number in enumerate(numbers):
        if aliases[number]:
            found[index] = found[network.nodes[index].inputs[0]]
    return found


def liveness(network: Network, in_place: bool = False) -> Liveness:
    """What is alive while each layer runs, in the order of the nodes.

    With `in_place`, a layer that works element by element writes over its input where nothing else needs it
    any more. Linear in layers and edges.
    """
    nodes = network.nodes
    count = len(nodes)
    held = storages(network)
    indices = list(range(count))
    last = indices.copy()
    for index, (_, _, inputs, _, _, _), storage in zip(indices, nodes, held, strict=True):
        last[storage] = index
        for i in inputs:
            last[held[i]] = index
    for output in network.outputs:
        last[held[output.node]] = count
    if in_place:
        _overwrite(nodes, held, last)
    sizes = element_counts(network)
    changes = [0] * (count + 2)
    """Elements that come to life with a node, less those that were free before it."""
    for index, (storage, size, number) in enumerate(zip(held, sizes, works(network).numbers, strict=True)):
        if storage == index:
            changes[index if number else 0] += size
            changes[last[index] + 1] -= size
    live = list(accumulate(changes[:count]))
    return Liveness(live, live.index(max(live)), last, held)


def _overwrite(nodes: tuple[Node, ...], held: list[int], last: list[int]) -> None:
    """Let layers that work element by element write over their first input where they are its last reader."""
    moved = list(range(len(nodes)))
    for index, node in enumerate(nodes):
        if held[index] != index:
            held[index] = moved[held[index]]
            continue
        for i in node.inputs:
            base = moved[held[i]]
            if last[base] == index and _is_made(nodes[base]) and _overwrites(node, nodes[i]):
                moved[index] = held[index] = base
                last[base] = last[index]
                break


def _is_made(node: Node) -> bool:
    """Whether its memory is filled in the pass: neither an input nor a tensor that the network holds."""
    return node.layer is not None and not node.layer.is_constant


def _overwrites(node: Node, source: Node) -> bool:
    return node.layer is not None and node.layer.in_place and node.shape == source.shape


MOST_STATES = 20_000
MOST_NODES = 500
"""Nodes and sets of nodes of one part up to which it is searched."""


class Schedule(NamedTuple):
    """An order of the nodes and the elements alive at its peak, at batch 1."""

    order: list[int]
    peak: int
    proven: bool
    """Whether no order needs less."""


class _Part(NamedTuple):
    """Consecutive nodes that are ordered on their own."""

    nodes: range
    needs: list[int]
    """For each node of the part, the set of the part's nodes that must have run (as bits)."""
    sizes: list[int]
    """For each node of the part, the elements that it brings to life."""
    frees: list[tuple[int, int]]
    """(the part's nodes that read a memory, its elements): free once all have run."""
    alive: int
    """Elements alive when the part begins."""


def best_order(network: Network) -> Schedule:
    """The order of least peak memory, proven where the graph is narrow enough.

    Outputs of the network that nothing reads could also be computed later than in their own part; where there
    are any before the last part, the result is the best order found but not proven.
    """
    nodes = network.nodes
    facts = liveness(network)
    sizes = [size if facts.storages[i] == i else 0 for i, size in enumerate(element_counts(network))]
    readers: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        readers[facts.storages[index]].append(index)
        for i in node.inputs:
            readers[facts.storages[i]].append(index)
    inputs = [i for i, node in enumerate(nodes) if node.layer is None]
    parts = _parts(network)
    order, proven = list(inputs), not (parts and _ends_before(network, parts[-1][0]))
    peak = sum(sizes[i] for i in inputs)
    carried = {i for i in inputs if facts.last[i] > i}
    for part in parts:
        ordered = range(part[0], part[1])
        alive = sum(sizes[b] for b in carried)
        inside = [i for i in ordered if facts.storages[i] == i]
        never = len(nodes)
        found = None
        if len(ordered) <= MOST_NODES:
            frees = []
            for base in [*sorted(carried), *inside]:
                if facts.last[base] != never:  # A reader behind the part never runs in it: it keeps what it reads.
                    bits = sum({1 << (r - part[0]) for r in readers[base] if r >= part[0]})
                    frees.append((bits, sizes[base]))
            needs = [sum({1 << (s - part[0]) for s in nodes[i].inputs if s >= part[0]}) for i in ordered]
            found = _search(_Part(ordered, needs, [sizes[i] for i in ordered], frees, alive))
        if found is None:
            found, proven = (list(ordered), max(facts.live[i] for i in ordered)), False
        order += found[0]
        peak = max(peak, found[1])
        carried = {b for b in (*carried, *inside) if facts.last[b] == never or max(readers[b]) >= part[1]}
    return Schedule(order, peak, proven)


def _ends_before(network: Network, start: int) -> bool:
    """Whether a layer before this node is read by nothing."""
    read = {i for node in network.nodes for i in node.inputs}
    return any(i not in read and node.layer is not None for i, node in enumerate(network.nodes[:start]))


def _parts(network: Network) -> list[tuple[int, int]]:
    """[start, stop) of the parts: each ends with a node that no edge passes by."""
    nodes = network.nodes
    reach = 0
    furthest = list(range(len(nodes)))
    for index, node in enumerate(nodes):
        for i in node.inputs:
            furthest[i] = index
    parts = []
    start = sum(1 for node in nodes if node.layer is None)
    for index, end in enumerate(furthest):
        if index >= start and reach <= index:
            parts.append((start, index + 1))
            start = index + 1
        reach = max(reach, end)
    return parts


def _search(part: _Part) -> tuple[list[int], int] | None:
    """The part's nodes in the best order and its peak; None where it is too wide."""
    count = len(part.nodes)
    if count == 1:
        return list(part.nodes), part.alive + part.sizes[0]
    done = (1 << count) - 1
    heap: list[tuple[int, int, int]] = [(part.alive, 0, 0)]
    came: dict[int, tuple[int, int]] = {}
    closed: set[int] = set()
    best: dict[int, int] = {}
    while len(closed) <= MOST_STATES:
        highest, _, ran = heappop(heap)
        if ran in closed:
            continue
        closed.add(ran)
        if ran == done:
            order = []
            while ran:
                ran, node = came[ran]
                order.append(part.nodes[node])
            return order[::-1], highest
        alive = _alive(part, ran)
        for node in range(count):
            bit = 1 << node
            if ran & bit or part.needs[node] & ~ran:
                continue
            cost, following = max(highest, alive + part.sizes[node]), ran | bit
            if following not in best or cost < best[following]:
                best[following] = cost
                came[following] = (ran, node)
                heappush(heap, (cost, -following.bit_count(), following))
    return None


def _alive(part: _Part, ran: int) -> int:
    """Elements alive between two layers, when those of `ran` have run."""
    alive = part.alive
    for node, size in enumerate(part.sizes):
        if ran >> node & 1:
            alive += size
    for readers, size in part.frees:
        if not readers & ~ran:
            alive -= size
    return alive
