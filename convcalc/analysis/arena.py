"""The arena of a microcontroller: which tensors get a buffer, from when to when, and where each lies.

The buffers are those that a converter to TensorFlow Lite leaves (`fusion.converted`): one for each input of the network
and each operator's result, and one between the two operators that it makes of some layers. A view that keeps numbers in
their places, and what is nothing at inference, is its input's buffer. A buffer lives from the operator that fills it to
the last that reads it; an input of the network from the start, an output to the end.

Offsets are planned as TensorFlow Lite Micro's GreedyMemoryPlanner does: the largest buffer first, of equal ones the
last first, each at the lowest offset at which nothing lies that lives at the same time. Sizes are rounded up to 16
bytes. Source: tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc, micro_allocation_info.cc in tflite-micro.

A window's padding is taken to be the window's own. TensorFlow Lite knows SAME and VALID alone: before other windows a
converter puts an operator PAD, whose buffer counts `with_pads`. What an arena holds beside the buffers is left out:
scratch memory of kernels, and the structs and quantisation tables that live as long as the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..geometry import same_output, same_padding
from ..layers.kind_table import KindTable
from .fusion import converted

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes
    from ..network import Network

ALIGNMENT = 16
"""Bytes to which sizes are rounded up, so that every buffer begins at a multiple."""
MOST_LIVED = 500_000
"""Operators over which buffers may live, all together, up to which offsets are planned."""


class Between(NamedTuple):
    """The tensor between the two operators that a converter makes of one layer."""

    elements: Callable[[Layer, Shapes, Shape], int]
    """Of one example, from the layer and the shapes of its inputs and of its output."""
    reads_again: bool = False
    """Whether the second operator reads the layer's input too."""


def _as_output(layer: Layer, inputs: Shapes, output: Shape) -> int:
    return prod(output)


def _depthwise(layer: Layer, inputs: Shapes, output: Shape) -> int:
    """What the depthwise half puts out: as many channels as its weight, the first, has filters."""
    return layer.weights(inputs)[0].shape[0] * prod(output[1:])


BETWEEN = KindTable(
    {
        "BatchNorm": Between(_as_output),
        "silu": Between(_as_output, reads_again=True),
        "SeparableConv": Between(_depthwise),
    },
    absent="it is one operator",
)
"""What a converter makes two operators of: MUL and ADD, LOGISTIC and MUL, DEPTHWISE_CONV_2D and CONV_2D."""


class Buffer(NamedTuple):
    """A tensor that the arena holds. Operators are counted from 1; 0 is before the first."""

    nodes: list[int]
    """The layers that are computed into it, the first of which fills it; an input of the network is its own."""
    size: int
    """In bytes."""
    first: int
    """The operator that fills it."""
    last: int
    """The last operator that reads it."""
    between: bool = False
    """Whether it holds what passes between the two operators of one layer."""

    @property
    def aligned(self) -> int:
        """The bytes that it takes."""
        return -(-self.size // ALIGNMENT) * ALIGNMENT


class Arena(NamedTuple):
    """The buffers of a network, and where each lies."""

    buffers: list[Buffer]
    """In the order in which they are filled."""
    operators: list[int]
    """For each operator but 0, the first of the nodes that it computes."""
    holds: list[int]
    """For each node, the buffer that holds its output, or that of what it is computed with."""
    runs: list[range]
    """For each node, the operators that compute it, alone or with others."""
    live: list[int]
    """For each operator, the bytes of the buffers that are alive, as they are: no plan needs less than the largest."""
    offsets: list[int] | None
    """Of each buffer; None where they live over more than `MOST_LIVED` operators together."""
    high: list[int] | None
    """For each operator, the end of the highest buffer that is alive."""

    @property
    def bound(self) -> int:
        """The bytes that are alive at the peak."""
        return max(self.live)

    @property
    def peak(self) -> int:
        """The first operator at which most is alive."""
        return self.live.index(self.bound)

    @property
    def size(self) -> int | None:
        """The bytes of the arena as planned."""
        return None if self.high is None else max(self.high)

    def alive(self, operator: int) -> list[int]:
        """The buffers that are alive while an operator runs."""
        return [i for i, buffer in enumerate(self.buffers) if buffer.first <= operator <= buffer.last]


def arena(network: Network, batch: int, item: int, with_pads: bool = False) -> Arena:
    """The buffers of a network and where they lie; `item`: bytes of an element.

    `with_pads` has the operators PAD of a converter, for paddings that TensorFlow Lite does not know.

    >>> from convcalc import loads
    >>> layers = "[{conv1d: {out: 4, k: 1}}, relu, {conv1d: {out: 2, k: 1}}]"
    >>> plan = arena(loads(f"{{convcalc: 1, input: [1, 40], layers: {layers}}}"), 1, 1)
    >>> [(buffer.size, offset) for buffer, offset in zip(plan.buffers, plan.offsets)], plan.size, plan.bound
    ([(40, 160), (160, 0), (80, 160)], 240, 240)
    """
    nodes = network.nodes
    heads = converted(network)
    scale = batch * item
    filled: list[Buffer] = []
    lasts: list[int] = []
    operators: list[int] = []
    holds: list[int] = []
    runs: list[range] = []

    def read(which: int) -> None:
        lasts[which] = len(operators)

    def fill(node: int, elements: int, between: bool = False) -> None:
        filled.append(Buffer([node], elements * scale, len(operators), 0, between))
        lasts.append(len(operators) + between)

    for index, node in enumerate(nodes):
        head = heads[index]
        if head != index:
            holds.append(holds[head])
            runs.append(runs[head])
            filled[holds[head]].nodes.append(index)
            continue
        ran = len(operators)
        runs_here = node.layer is not None and not node.layer.is_constant
        if node.layer is not None and runs_here:
            operators.append(index)
            inputs = network.input_shapes(node)
            sources = [holds[i] for i in node.data]
            for which in sources:
                read(which)
            if with_pads and needs_pad(node.layer, inputs, node.shape):
                fill(index, _padded(node.layer, inputs, node.shape), between=True)
                operators.append(index)
            between = BETWEEN.get(node.layer)
            if between is not None:
                fill(index, between.elements(node.layer, inputs, node.shape), between=True)
                operators.append(index)
                for which in sources if between.reads_again else ():
                    read(which)
        runs.append(range(1 + ran, 1 + len(operators)) if runs_here else range(1))
        holds.append(len(filled))
        fill(index, node.elements)
    for output in network.outputs:
        read(holds[output.node])
    buffers = [buffer._replace(last=last) for buffer, last in zip(filled, lasts, strict=True)]
    offsets = _offsets(buffers)
    count = len(operators) + 1
    return Arena(buffers, operators, holds, runs, _live(buffers, count), offsets, _high(buffers, offsets, count))


def needs_pad(layer: Layer, inputs: Shapes, output: Shape) -> bool:
    """Whether a layer's windows stand neither as SAME nor as VALID puts them, on all axes alike.

    >>> from convcalc.layers.registry import build
    >>> strided = build("conv2d", {"out": 4, "k": 3, "s": 2, "p": 1})
    >>> needs_pad(strided, ((4, 9, 9),), (4, 5, 5)), needs_pad(strided, ((4, 8, 8),), (4, 4, 4))
    (False, True)
    """
    if layer.patch is None or layer.multiplies == "transposed":
        return False
    same = valid = True
    for axis, window, positions in layer.slides(inputs, output):
        size, (kernel_size, stride, before, _, dilation) = inputs[0][axis], window
        valid = valid and before == 0 and (positions - 1) * stride + dilation * (kernel_size - 1) < size
        same = same and positions == same_output(size, stride)
        same = same and before == same_padding(size, kernel_size, stride, dilation)[0]
    return not same and not valid


def _padded(layer: Layer, inputs: Shapes, output: Shape) -> int:
    """The elements of a layer's input with its padding around it."""
    shape = list(inputs[0])
    for axis, window, _ in layer.slides(inputs, output):
        shape[axis] += window.before + window.after
    return prod(shape)


def _live(buffers: Sequence[Buffer], count: int) -> list[int]:
    """The bytes that are alive while each of so many operators runs."""
    changes = [0] * (count + 1)
    for buffer in buffers:
        changes[buffer.first] += buffer.size
        changes[buffer.last + 1] -= buffer.size
    return list(accumulate(changes[:-1]))


def _high(buffers: Sequence[Buffer], offsets: list[int] | None, count: int) -> list[int] | None:
    """The end of the highest buffer that is alive while each of so many operators runs."""
    if offsets is None:
        return None
    found = [0] * count
    for buffer, offset in zip(buffers, offsets, strict=True):
        for operator in range(buffer.first, buffer.last + 1):
            found[operator] = max(found[operator], offset + buffer.aligned)
    return found


def _offsets(buffers: Sequence[Buffer]) -> list[int] | None:
    if sum([buffer.last - buffer.first + 1 for buffer in buffers]) > MOST_LIVED:
        return None
    return greedy([(buffer.aligned, buffer.first, buffer.last) for buffer in buffers])


def greedy(requests: Sequence[tuple[int, int, int]]) -> list[int]:
    """The offset of each buffer of (size, first, last), planned greedily by size.

    >>> greedy([(10, 0, 1), (20, 1, 2), (30, 2, 3), (40, 3, 4), (50, 0, 1)])
    [50, 70, 40, 0, 0]
    """
    offsets = [0] * len(requests)
    lying: list[list[int]] = [[] for _ in range(max((last for _, _, last in requests), default=0) + 1)]
    """For each operator, the buffers that have their place and are alive."""
    placed: list[int] = []
    for which in sorted(range(len(requests)), key=lambda i: (-requests[i][0], -i)):
        size, first, last = requests[which]
        if sum(map(len, lying[first : last + 1])) < len(placed):
            beside = {i for alive in lying[first : last + 1] for i in alive}
        else:
            beside = {i for i in placed if requests[i][1] <= last and requests[i][2] >= first}
        offset = 0
        for start, end in sorted([(offsets[i], offsets[i] + requests[i][0]) for i in beside]):
            if start - offset >= size:
                break
            offset = max(offset, end)
        offsets[which] = offset
        placed.append(which)
        for alive in lying[first : last + 1]:
            alive.append(which)
    return offsets
