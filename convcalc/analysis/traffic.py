"""What passes between memory and core in a forward pass: where every layer makes a trip of its own, and at least.

- Eager: a layer reads its inputs and its weights, and writes its output, each once; views move nothing. Weights that
  several layers have are read by each of them.
- Fused: what works element by element rides with the layer that feeds it, and what only moves numbers is left to
  whoever reads them (`fusion.in_passing`). All else is written once where somebody needs it, and read once by each
  product and pool, weights once for all layers that have them. Of the arithmetic only multiply-accumulates count: a
  batch norm can be folded, a bias begins a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..network import element_counts, used, works
from .fusion import in_passing

if TYPE_CHECKING:
    from ..layers.base import Shapes
    from ..network import Network, Node
    from .cost import Cost


class Work(NamedTuple):
    """FLOPs, and bytes that are read and written."""

    flops: int
    bytes: int


NOTHING = Work(0, 0)


def bytes_moved(network: Network, costs: list[Cost], batch: int, item: int) -> list[int]:
    """For each node, the bytes of what it reads (inputs, params, buffers) and writes; `item`: bytes of an element."""
    nodes, elements = network.nodes, element_counts(network)
    numbers, different = works(network)
    still = [True, *[layer.is_view or layer.asleep for layer, _, _ in different]]
    data = [None, *[layer.data_inputs for layer, _, _ in different]]
    varied = any(layer.is_constant for layer, _, _ in different)
    """Whether equal layers may read different amounts: what the network holds is none of what passes."""
    known: dict[tuple[int, int], int] = {}
    found: list[int] = []
    for index, ((_, _, inputs, _, shares, _), number) in enumerate(zip(nodes, numbers, strict=True)):
        if still[number]:
            found.append(0)
            continue
        holder = index if shares is None else shares
        work = (number, numbers[holder])
        moved = None if varied else known.get(work)
        if moved is None:
            passed = elements[index] + sum([elements[i] for i in inputs[: data[number]]])
            moved = known[work] = (passed * batch + _weights(nodes, costs, holder)) * item
        found.append(moved)
    return found


def _weights(nodes: Sequence[Node], costs: list[Cost], holder: int) -> int:
    """The numbers with which a node computes that has its weights of no other one of its kind."""
    if nodes[holder].tied:
        return sum([prod(weight.shape) for weight in used(nodes, holder).weights])
    return costs[holder].params + costs[holder].buffers


def fused_work(network: Network, costs: list[Cost], batch: int, item: int) -> list[Work]:
    """For each node, the least that it does together with what rides with it; nothing for what rides or is left."""
    nodes = network.nodes
    heads, left = in_passing(network)
    memories, numbers = _memories(network, left)
    needed = _needed(network, heads, left)
    touched: dict[tuple[int, Shapes], list[int]] = {}
    reads: list[dict[int, int]] = [{} for _ in nodes]
    writes = [0] * len(nodes)
    for index, node in enumerate(nodes):
        if left[index]:
            continue
        head = heads[index]
        if needed[index]:
            writes[head] += numbers[index]
        key = (id(node.layer), network.input_shapes(node))
        if key not in touched:
            touched[key] = _touched(network, index)
        for source, elements in zip(node.data, touched[key], strict=True):
            if heads[source] != head:
                memory = memories[source]
                reads[head][memory] = max(reads[head].get(memory, 0), min(elements, numbers[memory]))
    found = [NOTHING] * len(nodes)
    for index, cost in enumerate(costs):
        if heads[index] == index and not left[index]:
            passed = (writes[index] + sum(reads[index].values())) * batch + cost.params
            found[index] = Work(2 * cost.macs * batch, passed * item)
    return found


def _memories(network: Network, left: list[bool]) -> tuple[list[int], list[int]]:
    """For each node, the node whose numbers a reader of it fetches, and how many numbers it has of its own.

    Behind what is left to the reader that is its input; a part of a tensor, and tensors side by side, stand for
    themselves. What works element by element has no more numbers than feed it.
    """
    memories: list[int] = []
    numbers: list[int] = []
    for index, node in enumerate(network.nodes):
        size, memory, data = node.elements, index, node.data
        if left[index] and len(data) == 1 and size >= numbers[memories[data[0]]]:
            memory = memories[data[0]]
        elif node.layer is not None and node.layer.in_place:
            size = min(size, sum([numbers[memories[i]] for i in data]))
        memories.append(memory)
        numbers.append(size)
    return memories, numbers


def _needed(network: Network, heads: list[int], left: list[bool]) -> list[bool]:
    """For each node, whether its output is needed by what is not computed with it, or put out by the network."""
    needed = [False] * len(network.nodes)
    for output in network.outputs:
        needed[output.node] = True
    for index in reversed(range(len(needed))):
        for source in network.nodes[index].data:
            if needed[index] if left[index] else heads[index] != heads[source]:
                needed[source] = True
    return needed


def _touched(network: Network, index: int) -> list[int]:
    """For each data input of a node, the elements that it reads: windows with gaps between them leave some out."""
    node = network.nodes[index]
    inputs = network.input_shapes(node)
    found = [prod(inputs[which]) for which in range(len(node.data))]
    for slide in () if node.layer is None else node.layer.slides(inputs, node.shape):
        size = inputs[0][slide.axis]
        found[0] = found[0] // size * min(size, slide.positions * slide.window.kernel_size)
    return found
