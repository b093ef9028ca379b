"""Training: the memory of one step, simulated in the order in which it runs, and the work of its backward pass.

A step is forward, backward in the reverse order, and the optimiser. The rules are those of PyTorch's autograd:

- Before it there are the parameters and buffers, the optimiser's state, the input, and the gradients of the step
  before, unless they are released.
- Going forward, a tensor lives until its last reader has run and, where a layer keeps it for backward, until that
  layer's backward has run. What a layer keeps is said by `layer.saved`. The network's outputs stay to the end.
- Going backward, the loss gives a gradient of each output. A layer makes a gradient of each input that something
  learns from, and gradients of its weights, while the gradient that it reads and what it keeps are alive. Layers that
  rearrange, add or concatenate pass on the memory of the gradient that they read.
- Gradients that meet at one tensor are added: into the first of them where nothing else holds its memory, else into
  memory of their own.
- Gradients of weights are added to those of the step before and freed; where these were released, they stay. Those of
  weights that several layers have are added up first, into memory of their own.
- The optimiser's step makes what `TEMPORARIES` says.

Workspace of convolutions is not counted: it is the library's choice. Sizes are in bytes.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..flow import ancestors
from ..network import holder, lenders, tensor_holder, tied_nodes, used
from .cost import tensor_numbers
from .memory import ITEM_BYTES, storages

if TYPE_CHECKING:
    from ..layers.base import Shapes
    from ..network import Network, Node
    from .cost import Cost


OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}
"""Optimiser -> numbers that it keeps for each parameter: momentum a velocity, Adam two moments."""

Place = tuple[int, str]
"""The node that holds a gradient of weights, and of which of its tensors; of all where none is tied to another's."""

TEMPORARIES = {"sgd": 0, "momentum": 0, "adam": 1}
"""Optimiser -> numbers for each parameter that its step makes and frees: Adam's roots (PyTorch's foreach, of a GPU)."""

MIXED = frozenset({"float16", "bfloat16"})
"""Dtypes beside which an optimiser works in float32, on master weights of its own."""

UNTRAINED = frozenset({"int8"})
"""Dtypes in which nothing is trained."""


def state_bytes(dtype: str, optimizer: str) -> int:
    """Bytes of an optimiser's state for each parameter, the master weight beside float16 and bfloat16 included.

    Source: Rajbhandari et al. 2020, ZeRO, arXiv:1910.02054, section 3.1: with Adam 2 for the weight, 2 for the
    gradient, 12 here.

    >>> state_bytes("float32", "adam"), state_bytes("float16", "adam"), state_bytes("bfloat16", "sgd")
    (8, 12, 4)
    """
    return (OPTIMIZERS[optimizer] + (dtype in MIXED)) * _state_item(dtype)


def _state_item(dtype: str) -> int:
    """Bytes of one number of an optimiser's state."""
    return ITEM_BYTES["float32" if dtype in MIXED else dtype]


class Kept(NamedTuple):
    """What the backward pass of one node keeps."""

    storages: tuple[int, ...]
    """Nodes whose memory it keeps: of what it reads, or of its output."""
    extra: int
    """Bytes of tensors of its own."""


def kept(network: Network, held: list[int], batch: int, item: int) -> list[Kept]:
    """What the backward pass of each node keeps. `held` are the storages in training, `item` bytes of an element."""
    nodes = network.nodes
    facts: dict[tuple[object, ...], tuple[tuple[int, ...], int]] = {}
    found: list[Kept] = []
    for index, node in enumerate(nodes):
        if node.layer is None:
            found.append(Kept((), 0))
            continue
        inputs = tuple([nodes[i].shape for i in node.inputs])
        key = (id(node.layer), inputs)
        fact = facts.get(key)
        if fact is None:
            saved = node.layer.saved(inputs, node.shape)
            extra = [s.elements * (s.bytes or item) * (batch if s.batched else 1) for s in saved if s.tensor == "extra"]
            places = [-1 if s.tensor == "output" else s.which for s in saved if s.tensor != "extra"]
            fact = facts[key] = tuple(places), sum(extra)
        places_, total = fact
        found.append(Kept(tuple([held[index if which < 0 else node.inputs[which]] for which in places_]), total))
    return found


def saved_bytes(network: Network, batch: int, item: int) -> list[int]:
    """For each node, the bytes that its backward pass keeps and no earlier layer's does.

    A tensor that several layers keep is counted once, and a view is the memory that it looks into. The sum equals that
    of torch.autograd.graph.saved_tensors_hooks without the parameters, to the byte. Linear in layers and edges.
    """
    nodes = network.nodes
    seen: set[int] = set()
    found: list[int] = []
    for one in kept(network, storages(network, training=True), batch, item):
        total = one.extra
        for place in one.storages:
            if place not in seen:
                seen.add(place)
                total += nodes[place].elements * batch * item
        found.append(total)
    return found


def learning(network: Network, costs: list[Cost]) -> list[bool]:
    """For each node, whether something learns in it or before it, so that backward has to give it a gradient."""
    found: list[bool] = []
    for node, params in zip(network.nodes, computing(network, costs), strict=True):
        found.append(params > 0 or any(found[i] for i in node.inputs))
    return found


def computing(network: Network, costs: list[Cost]) -> list[int]:
    """For each node, the parameters with which it computes: its own, and those that it has of other nodes."""
    nodes = network.nodes
    whole = [cost.params for cost in costs]
    for index in tied_nodes(nodes):
        whole[index], _, _ = tensor_numbers(used(nodes, index).weights)
    return [whole[holder(nodes, index)] for index in range(len(costs))]


def backward_macs(network: Network, costs: list[Cost]) -> list[int]:
    """For each node, the MACs of its backward pass at batch 1.

    The gradient of the weights costs as much as the forward pass, and so does the gradient of the input; the
    latter is needed only where something before the layer learns, so that a first layer costs 2 × forward in
    all and every other 3 ×. Of a product of two activations the gradient of each factor costs as much as it.
    """
    nodes, learns = network.nodes, learning(network, costs)
    known: dict[tuple[int, Shapes, tuple[bool, ...]], int] = {}
    found: list[int] = []
    for node, cost in zip(nodes, costs, strict=True):
        if node.layer is None or not cost.macs:
            found.append(0)
            continue
        shapes = tuple([nodes[i].shape for i in node.inputs])
        reads = tuple([learns[i] for i in node.inputs])
        key = (id(node.layer), shapes, reads)
        macs = known.get(key)
        if macs is None:
            macs = known[key] = node.layer.backward_macs(shapes, node.shape, reads)
        found.append(macs)
    return found


Pass = Literal["forward", "backward", "optimizer"]


class Moment(NamedTuple):
    """What is alive at one moment of a training step, in bytes."""

    node: int
    """The node that runs; −1 for the optimiser's step."""
    direction: Pass
    held: int
    """Parameters, buffers and the optimiser's state."""
    gradients: int
    """Gradients of parameters that stay: of the step before, or of the layers that have run backward."""
    activations: int
    """The input, what layers keep for backward, what is still to be read, and the outputs."""
    flowing: int
    """Gradients of activations."""
    made: int
    """What is freed again at once: gradients of weights before they are added, temporaries."""

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.held + self.gradients + self.activations + self.flowing + self.made

    def parts(self) -> tuple[tuple[str, int], ...]:
        """What it consists of, in words, with the bytes of each that has some."""
        every = (
            ("params, buffers and state", self.held),
            ("gradients of params", self.gradients),
            ("activations", self.activations),
            ("gradients of activations", self.flowing),
            ("freed at once", self.made),
        )
        return tuple([(what, size) for what, size in every if size])

    def place(self, network: Network) -> str:
        """When it is, in words."""
        if self.direction == "optimizer":
            return "in the optimizer's step"
        return f"at {network.nodes[self.node].name}, {self.direction}"


class TrainingStep(NamedTuple):
    """The memory of a training step."""

    alive: list[int]
    """For each node, the most bytes alive while it runs forward or backward."""
    peak: Moment
    """The first moment at which the most is alive."""


class Held(NamedTuple):
    """What stays the same in a step, in bytes."""

    batch: int
    item: int
    """Of one element of an activation, a parameter or a gradient."""
    state: int
    """Of the optimiser, for each parameter."""
    temporary: int
    """Of the optimiser's step, for each parameter."""
    released: bool
    """Whether the gradients of the step before are released before it."""


def held_in_training(batch: int, dtype: str, optimizer: str, released: bool) -> Held:
    """What a step at this dtype, by this optimiser, holds."""
    temporary = TEMPORARIES[optimizer] * _state_item(dtype)
    return Held(batch, ITEM_BYTES[dtype], state_bytes(dtype, optimizer), temporary, released)


def training_step(network: Network, costs: list[Cost], held: Held) -> TrainingStep:
    """The memory of a training step, moment by moment. Linear in layers and edges."""
    return _Simulation(network, costs, held).run()


class _Memory:
    """Memory that gradients hold, one or several."""

    __slots__ = ("holders", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.holders = 1


class _Gradient(NamedTuple):
    """The gradient of one node's output."""

    memory: _Memory
    whole: bool
    """Whether it lies in its memory without gaps, so that another can be added into it."""


class _Simulation:
    """One step. Node i of n runs forward at time i and backward at time 2n − 1 − i."""

    def __init__(self, network: Network, costs: list[Cost], held: Held) -> None:
        self.nodes = network.nodes
        self.costs = costs
        self.held = held
        self.outputs = list(dict.fromkeys(output.node for output in network.outputs))
        self.places = storages(network, training=True)
        self.learns = learning(network, costs)
        self.asked = _asked(network, self.learns)
        self.kept = kept(network, self.places, held.batch, held.item)
        self.sizes = [node.elements * held.batch * held.item for node in self.nodes]
        self.weights = [params * held.item for params in computing(network, costs)]
        self.of_weights = self._places()
        self.uses = Counter(
            place for places, asked in zip(self.of_weights, self.asked, strict=True) if asked for place, _ in places
        )
        """Weights -> how many of the layers that have them backward runs through."""
        params = sum([cost.params for cost in costs])
        self.params = params * held.item
        self.standing = self.params + sum([cost.buffers for cost in costs]) * held.item + params * held.state
        self.temporary = params * held.temporary
        self.gradients = 0 if held.released else self.params
        self.activations = sum([size for size, node in zip(self.sizes, self.nodes, strict=True) if node.layer is None])
        self.flowing = 0
        self.waiting: dict[int, _Gradient] = {}
        """Node -> the gradient of its output, as far as it has been added up."""
        self.ran: Counter[Place] = Counter()
        """Weights -> how many of the layers that have them have run backward."""
        self.alive = [0] * len(self.nodes)
        self.peak = Moment(-1, "optimizer", 0, 0, 0, 0, 0)

    def _places(self) -> list[list[tuple[Place, int]]]:
        """For each node, where its weights have their gradients, and how many bytes these take."""
        nodes = self.nodes
        apart = {*tied_nodes(nodes), *lenders(nodes)}
        found = []
        for index, size in enumerate(self.weights):
            whole = holder(nodes, index)
            if whole not in apart:
                found.append([((whole, ""), size)])
                continue
            found.append([])
            for weight in used(nodes, index).weights:
                params, _, _ = tensor_numbers([weight])
                found[-1].append(((tensor_holder(nodes, index, weight.name), weight.name), params * self.held.item))
        return found

    def run(self) -> TrainingStep:
        """Forward, backward, the optimiser."""
        count = len(self.nodes)
        freed = self._freed()
        for index, node in enumerate(self.nodes):
            if node.layer is not None:
                self._forward(index)
            self.activations -= freed[index]
        for output in self.outputs:
            if self.learns[output]:
                self.waiting[output] = _Gradient(self._make(self.sizes[output]), whole=True)
        splits = _splits(self.nodes, self.asked)
        for index in reversed(range(count)):
            if self.asked[index]:
                parts = splits.get(index, [index])
                if parts[0] == index:
                    self._backward(parts, freed[2 * count - 1 - index])
        self.gradients = self.params
        self._note(-1, "optimizer", self.temporary)
        return TrainingStep(self.alive, self.peak)

    def _freed(self) -> list[int]:
        """Bytes of activations that are freed after each time."""
        count = len(self.nodes)
        never = 2 * count
        last = list(range(count))
        for index, node in enumerate(self.nodes):
            for i in (index, *node.inputs):
                last[self.places[i]] = max(last[self.places[i]], index)
        freed = [0] * (never + 1)
        for index, kept in enumerate(self.kept):
            if self.asked[index]:
                freed[never - 1 - index] += kept.extra
                for place in kept.storages:
                    last[place] = max(last[place], never - 1 - index)
        for index in (*self.outputs, *[i for i, node in enumerate(self.nodes) if node.layer is None]):
            last[self.places[index]] = never
        for index, place in enumerate(self.places):
            if place == index:
                freed[last[index]] += self.sizes[index]
        return freed

    def _forward(self, index: int) -> None:
        if self.places[index] == index:
            self.activations += self.sizes[index]
        if self.asked[index]:
            self.activations += self.kept[index].extra
        self._note(index, "forward")

    def _backward(self, parts: list[int], freed: int) -> None:
        """Of one node, or of all parts of a split at once; `freed` is what it kept."""
        index = parts[0]
        node = self.nodes[index]
        layer = node.layer
        read = [part for part in parts if part in self.waiting]
        arrived = [self.waiting.pop(part) for part in read]
        if layer is None or not arrived:
            return
        weights = self.weights[index]
        shapes = tuple([self.nodes[i].shape for i in node.inputs])
        passed: list[tuple[int, _Gradient]] = []
        temporary = 0
        for which, i in enumerate(node.data):
            if not self.learns[i]:
                continue
            share = layer.passes_gradient(shapes, node.shape, which)
            if share is not None:
                memory, whole = arrived[0]
                memory.holders += 1
                passed.append((i, _Gradient(memory, whole and share == "whole")))
                continue
            passed.append((i, _Gradient(self._make(self.sizes[i]), whole=True)))
            if layer.multiplies_inputs:
                temporary += self.sizes[index] - self.sizes[i]
            if layer.part_of is not None and layer.part_of.sizes is not None:
                temporary += self.sizes[i] - sum([self.sizes[part] for part in read])
        self._note(index, "backward", weights + temporary)
        for gradient in arrived:
            self._release(gradient.memory)
        self.activations -= freed
        for i, gradient in passed:
            self._arrive(i, gradient, index, weights)
        self.gradients += sum([self._kept_gradient(place, size) for place, size in self.of_weights[index]])

    def _kept_gradient(self, place: Place, weights: int) -> int:
        """By how much a gradient of weights changes what stays alive."""
        self.ran[place] += 1
        first, last = self.ran[place] == 1, self.ran[place] == self.uses[place]
        if self.held.released:
            return weights if first else 0
        return weights * (first - last)

    def _arrive(self, index: int, gradient: _Gradient, source: int, made: int) -> None:
        """A gradient of a node's output arrives from a layer that reads it, and is added to what has.

        `made` are the bytes of the gradients of that layer's weights, which are added to theirs behind it.
        """
        first = self.waiting.get(index)
        if first is None:
            self.waiting[index] = gradient
            return
        if first.whole and first.memory.holders == 1:
            self._release(gradient.memory)
            return
        added = self._make(self.sizes[index])
        self._note(source, "backward", made)
        self._release(first.memory)
        self._release(gradient.memory)
        self.waiting[index] = _Gradient(added, whole=True)

    def _make(self, size: int) -> _Memory:
        self.flowing += size
        return _Memory(size)

    def _release(self, memory: _Memory) -> None:
        memory.holders -= 1
        if memory.holders == 0:
            self.flowing -= memory.size

    def _note(self, index: int, direction: Pass, made: int = 0) -> None:
        moment = Moment(index, direction, self.standing, self.gradients, self.activations, self.flowing, made)
        total = moment.bytes
        if index >= 0 and total > self.alive[index]:
            self.alive[index] = total
        if total > self.peak.bytes:
            self.peak = moment


def _asked(network: Network, learns: list[bool]) -> list[bool]:
    """For each node, whether backward runs through it: something learns there or before it, and an output follows."""
    reaching = ancestors(network.nodes, [output.node for output in network.outputs])
    return [learned and index in reaching for index, learned in enumerate(learns)]


def _splits(nodes: tuple[Node, ...], asked: list[bool]) -> dict[int, list[int]]:
    """For each part of a split, all its parts that backward runs through, in order.

    Backward puts the gradients of the parts together at once, with zeros for those that nothing reads: memory of their
    own for a moment, but where each part is one position, of which one zero stands for all.
    """
    found: dict[int, list[int]] = {}
    open_ones: dict[int, list[int]] = {}
    for index, node in enumerate(nodes):
        part = None if node.layer is None else node.layer.part_of
        if part is None:
            continue
        if part.which == 0:
            open_ones[node.inputs[0]] = []
        if asked[index]:
            found[index] = open_ones.setdefault(node.inputs[0], [])
            found[index].append(index)
    return found
