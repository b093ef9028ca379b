"""Network -> Figures: the costs of every layer and stage, the totals, and every other analysis on demand.

Everything here is at the figures' batch: it multiplies macs, flops and activations, never params. A `Subject` is what
`at`, `expect` and the command line point at by a path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ..geometry import GeometryError, checked
from ..network import Group, Network, Node, element_counts, finding_in, own_weights, tied_nodes, works
from .cost import FREE, Cost, layer_cost, tensor_numbers, total

if TYPE_CHECKING:
    from ..layers.base import Layer, Shape, Shapes
    from .arena import Arena
    from .device import Device
    from .flash import Flash
    from .memory import Liveness
    from .receptive_field import ReceptiveFields
    from .traffic import Work
    from .training import TrainingStep

    Fact = Callable[[Layer, Shapes, Shape], int]
    """A count of one layer for one example, from its inputs' shapes and its output's."""


def find(figures: Figures, path: str) -> Subject | None:
    """The layer, group, input or `total` at a path; None where there is none.

    A `*` stands for one name of the path (`conv2_x.*.conv1`), `**` for any number of names: the subject is
    then all that match, their costs summed. `conv1..pool5` is everything from one to the other, in order.
    """
    if path == "total":
        return figures.whole
    first, dots, last = path.partition("..")
    if dots:
        return None if ".." in last else _between(path, find(figures, first), find(figures, last))
    network = figures.network
    group = network.groups.get(path)
    if group is not None:
        return Subject(path, range(group.start, group.stop), group.output, group)
    index = figures.index.get(path)
    if index is not None:
        return Subject(path, (index,), index)
    if path == "input":
        inputs = [i for i, node in enumerate(network.nodes) if node.layer is None]
        return Subject("input", inputs, inputs[0] if len(inputs) == 1 else None)
    return _collect(figures, path) if "*" in path else None


def _between(path: str, first: Subject | None, last: Subject | None) -> Subject | None:
    if first is None or last is None or not first.nodes or not last.nodes or first.nodes[0] > last.nodes[-1]:
        return None
    return Subject(path, range(first.nodes[0], last.nodes[-1] + 1), last.output)


def _collect(figures: Figures, wanted: str) -> Subject | None:
    pattern = Pattern(wanted)
    nodes: set[int] = set()
    for path, group in figures.network.groups.items():
        if pattern.matches(path):
            nodes.update(range(group.start, group.stop))
    for i, node in enumerate(figures.network.nodes):
        if pattern.matches(node.name):
            nodes.add(i)
    ordered = sorted(nodes)
    return Subject(wanted, ordered, ordered[-1]) if ordered else None


MOST_STEPS = 4096
"""Steps that a pattern keeps."""


class Pattern:
    """A path with `*` within a name and `**` for any number of names; what a group's path reaches is found out once.

    >>> [Pattern(wanted).matches("conv2_x.0.conv1") for wanted in ("conv2_x.*.conv1", "**.conv?", "conv2_x.**", "*")]
    [True, True, True, False]
    """

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted.split(".")
        self._reached = {"": self._skipping({0})}
        """Path -> how many names of the pattern it may have matched."""
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        """The same and a name -> what is matched behind the name: most names of a network stand in it many times."""

    def matches(self, path: str) -> bool:
        """Whether it stands for a path."""
        group, _, name = path.rpartition(".")
        return len(self._wanted) in self._after(self._at(group), name)

    def _at(self, group: str) -> frozenset[int]:
        found = self._reached.get(group)
        if found is None:
            outer, _, name = group.rpartition(".")
            found = self._reached[group] = self._after(self._at(outer), name)
        return found

    def _after(self, reached: frozenset[int], name: str) -> frozenset[int]:
        found = self._steps.get((reached, name))
        if found is None:
            found = self._following(reached, name)
            if len(self._steps) < MOST_STEPS:
                self._steps[reached, name] = found
        return found

    def _following(self, reached: frozenset[int], name: str) -> frozenset[int]:
        wanted = self._wanted
        following = set()
        for at in reached:
            if at < len(wanted):
                if wanted[at] == "**":
                    following.add(at)
                elif fnmatchcase(name, wanted[at]):
                    following.add(at + 1)
        return self._skipping(following)

    def _skipping(self, reached: set[int]) -> frozenset[int]:
        """These, and what is reached when a `**` stands for nothing."""
        for at in sorted(reached):
            while at < len(self._wanted) and self._wanted[at] == "**":
                at += 1
                reached.add(at)
        return frozenset(reached)


class Subject(NamedTuple):
    """What a figure is asked of: a layer, a group, some of either, the inputs, or the whole network."""

    name: str
    nodes: Sequence[int]
    output: int | None
    """The node that is its output; None where there is no single one."""
    group: Group | None = None


class Figures:
    """The figures of one network at one batch size, each computed when it is first asked for.

    `batch` (at least 1) multiplies macs, flops and activations. `dtype` is that of activations and params in
    memory (float64, float32, float16, bfloat16, int8), `optimizer` sgd, momentum or adam, `device` what the
    roofline is drawn for. Raises ValueError for a batch below 1 or an unknown dtype or optimizer; a figure
    raises SpecError where it is above 2^63 − 1.
    """

    def __init__(
        self,
        network: Network,
        batch: int = 1,
        dtype: str = "float32",
        optimizer: str = "sgd",
        device: Device | None = None,
    ) -> None:
        if batch < 1:
            raise ValueError(f"batch must be at least 1, not {batch}")
        if (dtype, optimizer) != ("float32", "sgd"):
            _check_memory_options(dtype, optimizer)
        self.network = network
        self.batch = batch
        self.dtype = dtype
        self.optimizer = optimizer
        self.device = device
        self._figures: dict[object, list[int]] = {}

    @cached_property
    def costs(self) -> list[Cost]:
        """The cost of each node at batch 1, in the order of the nodes: weights that several have cost one of them.

        Raises SpecError above 2^63 − 1.
        """
        from ..findings import SpecError

        nodes = self.network.nodes
        numbers, different = works(self.network)
        whole = [FREE]
        for number, work in enumerate(different, start=1):
            try:
                whole.append(layer_cost(*work))
            except GeometryError as error:
                name = nodes[numbers.index(number)].name
                raise SpecError([finding_in(self.network, error.code, error.message, name)]) from error
        alone = [cost.work for cost in whole]
        found = [(whole if node.shares is None else alone)[n] for node, n in zip(nodes, numbers, strict=True)]
        for index in tied_nodes(nodes):
            found[index] = Cost(*tensor_numbers(own_weights(nodes, index)), found[index].macs, found[index].flops)
        return found

    @cached_property
    def totals(self) -> Cost:
        """The cost of the whole network."""
        return self.cost_of(range(len(self.network.nodes)))

    def cost(self, subject: Subject) -> Cost:
        """The summed cost of a subject's layers."""
        return self.totals if subject is self.whole else self.cost_of(subject.nodes)

    def cost_of(self, nodes: Sequence[int]) -> Cost:
        """The summed cost of layers. Raises SpecError above 2^63 − 1."""
        from ..findings import SpecError

        costs = self.costs
        summed = total((costs[i] for i in nodes), self.batch)
        try:
            checked("the total", max(summed))
        except GeometryError as error:
            raise SpecError([finding_in(self.network, error.code, error.message)]) from error
        return summed

    def activations(self, nodes: Sequence[int]) -> int:
        """Numbers that these layers put out (inputs of the network not counted)."""
        found, elements = self.network.nodes, element_counts(self.network)
        return self.batch * sum([elements[i] for i in nodes if found[i].layer is not None])

    def depth(self, nodes: Sequence[int]) -> int:
        """Weighted layers on the longest path among these nodes, which stand in the order of execution."""
        if not nodes:
            return 0
        found, weighted, first = self.network.nodes, self.figures(_weighted), nodes[0]
        deepest = [0] * (nodes[-1] + 1 - first)
        for i in nodes:
            behind = 0
            for source in found[i].inputs:
                if source >= first and deepest[source - first] > behind:
                    behind = deepest[source - first]
            deepest[i - first] = behind + weighted[i]
        return max(deepest)

    @cached_property
    def item(self) -> int:
        """Bytes of one element at this dtype."""
        from .memory import ITEM_BYTES

        return ITEM_BYTES[self.dtype]

    def shared(self, subject: Subject) -> list[int]:
        """The nodes outside of a subject whose weights layers of it have."""
        found = self.network.nodes
        holders: dict[int, None] = {}
        for i in subject.nodes:
            shares, ties = found[i].shares, found[i].tied
            if shares is not None:
                holders[shares] = None
            for _, held_by in ties:
                holders[held_by] = None
        return [i for i in holders if i not in subject.nodes]

    def figures(self, fact: Fact) -> list[int]:
        """One count of every node for one example, computed once for equal layers on equal shapes."""
        found = self._figures.get(fact)
        if found is None:
            numbers, different = works(self.network)
            values = [0, *[fact(*work) for work in different]]
            found = self._figures[fact] = [values[number] for number in numbers]
        return found

    def summed(self, fact: Fact, subject: Subject) -> int:
        """A count summed over a subject's layers, at this batch."""
        found = self.figures(fact)
        return self.batch * sum([found[i] for i in subject.nodes])

    @cached_property
    def receptive_fields(self) -> ReceptiveFields:
        """The receptive field of every node, and joins whose paths differ."""
        from .receptive_field import receptive_fields

        return receptive_fields(self.network)

    @cached_property
    def local_fields(self) -> ReceptiveFields:
        """The receptive field of every node without global context."""
        from .receptive_field import receptive_fields

        return receptive_fields(self.network, local=True)

    @cached_property
    def liveness(self) -> Liveness:
        """What is alive while each layer runs at inference."""
        from .memory import liveness

        return liveness(self.network)

    @cached_property
    def saved(self) -> list[int]:
        """For each node, the bytes that backward needs and no earlier layer keeps."""
        from .training import saved_bytes

        return saved_bytes(self.network, self.batch, self.item)

    @cached_property
    def trained(self) -> bool:
        """Whether networks are trained at this dtype."""
        from .training import UNTRAINED

        return self.dtype not in UNTRAINED

    @cached_property
    def training(self) -> TrainingStep | None:
        """The memory of a training step that keeps the gradients of the one before; None where nothing is trained."""
        return self._training_step(released=False)

    @cached_property
    def training_released(self) -> TrainingStep | None:
        """The same where these are released before the step."""
        return self._training_step(released=True)

    def _training_step(self, released: bool) -> TrainingStep | None:
        from .training import held_in_training, training_step

        if not self.trained:
            return None
        return training_step(
            self.network, self.costs, held_in_training(self.batch, self.dtype, self.optimizer, released)
        )

    @cached_property
    def backward(self) -> list[int]:
        """For each node, the MACs of its backward pass at batch 1."""
        from .training import backward_macs

        return backward_macs(self.network, self.costs)

    @cached_property
    def moved(self) -> list[int]:
        """For each node, the bytes that it reads and writes, every layer on a trip of its own."""
        from .traffic import bytes_moved

        return bytes_moved(self.network, self.costs, self.batch, self.item)

    @cached_property
    def eager(self) -> list[Work]:
        """For each node, its FLOPs and the bytes that it moves, every layer on a trip of its own."""
        from .traffic import Work

        batch = self.batch
        return [Work(cost.flops * batch, moved) for cost, moved in zip(self.costs, self.moved, strict=True)]

    @cached_property
    def fused(self) -> list[Work]:
        """For each node, the least that it has to do and to move, with what rides with it."""
        from .traffic import fused_work

        return fused_work(self.network, self.costs, self.batch, self.item)

    @cached_property
    def arena(self) -> Arena:
        """The buffers that a converter leaves, and where they lie in a microcontroller's arena."""
        from .arena import arena

        return arena(self.network, self.batch, self.item)

    @cached_property
    def flash(self) -> list[Flash]:
        """For each node, what it leaves in a microcontroller's flash."""
        from .flash import flash

        return flash(self.network, self.dtype, self.item)

    @cached_property
    def stages(self) -> list[Subject]:
        """The top-level items, in order."""
        groups = self.network.groups
        return [Subject(name, nodes, output, groups.get(name)) for name, nodes, output in self.network.stages()]

    @cached_property
    def layers(self) -> list[Subject]:
        """Every layer, in order."""
        nodes = self.network.nodes
        return [Subject(node.name, (i,), i) for i, node in enumerate(nodes) if node.layer is not None]

    @cached_property
    def whole(self) -> Subject:
        """The network as one subject; its output is the only output, or the first."""
        outputs = self.network.outputs
        return Subject("total", range(len(self.network.nodes)), outputs[0].node if outputs else None)

    @cached_property
    def index(self) -> dict[str, int]:
        """Name of a node -> its index."""
        return {node.name: i for i, node in enumerate(self.network.nodes)}

    def node(self, index: int) -> Node:
        """The node at an index."""
        return self.network.nodes[index]

    def shape(self, subject: Subject) -> Shape | None:
        """The shape of a subject's output."""
        return None if subject.output is None else self.network.nodes[subject.output].shape


def _weighted(layer: Layer, inputs: Shapes, output: Shape) -> int:
    """1 for a layer that counts towards the depth."""
    return int(layer.weighted)


def _check_memory_options(dtype: str, optimizer: str) -> None:
    from .memory import ITEM_BYTES
    from .training import OPTIMIZERS

    for name, value, known in (("dtype", dtype, ITEM_BYTES), ("optimizer", optimizer, OPTIMIZERS)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, not {value}")
