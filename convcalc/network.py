"""Network: an immutable graph of layers with their shapes.

Nodes stand in the order of execution, inputs of the network first. A node's name is its path in the
spec (`inception_3a.3x3.reduce.conv2d`); groups are the paths in between (blocks, branches, repeats).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, get_args

from .collector import without_collector
from .findings import Finding, SpecError, UsageError
from .geometry import GeometryError
from .hints import suggest
from .inference import Inference
from .layers.sharing import Use, check_shared, check_tied
from .units import counted

if TYPE_CHECKING:
    from .layers.base import Layer, Shape, Shapes, Weight
    from .marked import Marked


class Tied(NamedTuple):
    """One tensor of a layer that another one holds: the table of an embedding that a head multiplies with."""

    tensor: str
    """Its name in both layers: `weight`."""
    node: int
    """Index of the node that holds it."""


class Node(NamedTuple):
    """One layer in its place. `layer` is None for an input of the network.

    >>> import convcalc
    >>> node = convcalc.load("lenet5")["C1"]
    >>> node.kind, node.shape, node.layer is None
    ('conv2d', (6, 28, 28), False)
    """

    name: str
    """Its path in the network: `conv2_x.0.conv1`."""
    layer: Layer | None
    """What it computes, with its fields; None for an input of the network."""
    inputs: tuple[int, ...]
    """Indices of the nodes that it reads."""
    shape: Shape
    """Of its output, without the batch: [channels, *space]."""
    shares: int | None = None
    """Index of the node of its kind whose weights, buffers included, it has; None: it holds its own."""
    tied: tuple[Tied, ...] = ()
    """Those of its tensors that others hold; all else it holds, unless it `shares`."""

    @property
    def kind(self) -> str:
        """The layer's kind; `input` for an input of the network."""
        return self.layer.kind if self.layer is not None else "input"

    @property
    def stage(self) -> str:
        """The top-level item that it belongs to."""
        return self.name.partition(".")[0]

    @property
    def data(self) -> tuple[int, ...]:
        """Indices of the nodes that it reads as data, without those that only lend their size."""
        return self.inputs if self.layer is None else self.inputs[: self.layer.data_inputs]

    @property
    def elements(self) -> int:
        """Numbers of its output that there are for each example: none of a tensor that the network holds."""
        return _passing(self.layer, self.shape)

    def __repr__(self) -> str:
        kind = "" if self.kind == self.name else f"{self.kind} "
        return f"<{kind}{self.name} → {sizes(self.shape)}>"


class BlockParam(NamedTuple):
    """A parameter of a block in one of its uses."""

    name: str
    value: object
    given: bool
    """Whether it stands for itself, rather than to follow from other parameters and from what arrives."""


class Group(NamedTuple):
    """Consecutive nodes under one path: a block, a branch, a join with its branches, a repeated item."""

    path: str
    kind: str
    """The block's name, the join's kind, or `branch`, `layers`, `repeat`."""
    start: int
    stop: int
    """The nodes start … stop − 1."""
    output: int
    """The node that is the group's output; for an empty branch the node that passes through."""
    repeats: int = 1
    """How often its item is repeated."""
    params: tuple[BlockParam, ...] = ()
    """Of a use of a block of the spec: what its parameters are there."""

    @property
    def is_block(self) -> bool:
        """Whether it is a use of a block of the spec, so that its kind is the block's name."""
        return False

    @property
    def is_branch(self) -> bool:
        """Whether it is a branch of a join, and no block that is called so."""
        return self.kind == "branch" and not self.is_block

    @property
    def is_repeat(self) -> bool:
        """Whether it has the repetitions of an item."""
        return self.kind == "repeat" and not self.is_block

    @property
    def is_named(self) -> bool:
        """Whether its kind is that of a block or of a join, rather than a word for what has none."""
        return self.is_block or self.kind not in ("branch", "layers", "repeat")


class BlockGroup(Group):
    """The nodes of a use of a block of the spec."""

    __slots__ = ()

    @property
    def is_block(self) -> bool:
        return True


class Works(NamedTuple):
    """What nodes do, told apart: equal layers share one model, and what they do follows from it and their shapes."""

    numbers: list[int]
    """For each node, the number of what it does: 1 for the first of `different`; 0 for an input of the network."""
    different: list[tuple[Layer, Shapes, Shape]]
    """Each layer with the shapes of its inputs and of its output."""


Loss = Literal["cross_entropy", "mean_square", "linear"]
"""What an output is trained with."""
LOSSES: tuple[Loss, ...] = get_args(Loss)


def find_loss(text: str) -> Loss | None:
    """The loss of that name; None where there is none."""
    return next((loss for loss in LOSSES if loss == text), None)


class Output(NamedTuple):
    """An output of the network, with its loss in training and the weight of it."""

    name: str
    node: int
    loss_weight: float = 1.0
    loss: Loss | None = None
    """None: the one that follows from what the output is."""


class Given(NamedTuple):
    """What a call gave a network in place of what its file says."""

    params: Mapping[str, object] = MappingProxyType({})
    variant: str | None = None
    input: object = None

    @property
    def options(self) -> tuple[str, ...]:
        """The options that give it.

        >>> Given({"classes": "10"}, input=(3, 64, 64)).options
        ('--input', '--set')
        """
        used = (("--input", self.input is not None), ("--set", bool(self.params)), ("--variant", bool(self.variant)))
        return tuple(name for name, given in used if given)


class Origin(Protocol):
    """Where a network comes from: places for findings, the claims of its file, and a way to build it anew."""

    path: str

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants that `reload` takes."""

    @property
    def choices(self) -> Mapping[str, Sequence[str]]:
        """The params that take a word or a truth value, with all that they take."""

    @property
    def given(self) -> Given:
        """What the call gave this network in place of what its file says."""

    @property
    def steps(self) -> int:
        """Steps that reading this source, and those that it names, and expanding their networks took so far."""

    def finding(self, code: str, message: str, name: str = "", *, hint: str | None = None) -> Finding:
        """A finding placed where the node or group `name` is written."""

    def finding_at(self, code: str, message: str, at: Marked | None, *, hint: str | None = None) -> Finding:
        """A finding placed at a node of the document."""

    def section(self, key: str) -> Marked | None:
        """A top-level section of the document (`expect`, `published`), or None."""

    def reload(
        self,
        *,
        params: Mapping[str, object] | None = None,
        variant: str | None = None,
        input: object = None,
        spec: str | None = None,
        steps: int | None = None,
    ) -> Network:
        """The same source, or another spec that it names, with other params, another variant or another input.

        It may take no more than so many steps.
        """


MOST_NAMES = 5000
"""Names that a suggestion looks at."""


class UnknownLayer(UsageError, KeyError):
    """A path at which a network has no layer and no group; a KeyError, with the nearest path as its hint.

    >>> import convcalc
    >>> "C9" in convcalc.load("lenet5")
    False
    >>> convcalc.load("lenet5")["C33"]
    Traceback (most recent call last):
        ...
    convcalc.network.UnknownLayer: there is no layer 'C33' in LeNet-5
      hint: did you mean 'C3'?
    """


class Part:
    """A group of a network with its layers: a block, a branch, a join, a repeated item. `network[path]` gives it.

    Its layers are those of the network, in order; paths into it count from its own.

    >>> from convcalc import loads
    >>> network = loads("{convcalc: 1, input: [3, 9, 9], layers: [{name: stem, repeat: 2, conv2d: {out: 4, k: 3}}]}")
    >>> network["stem"]
    <repeat stem: 3×9×9 → 4×5×5, 2 layers>
    >>> [node.name for node in network["stem"]], network["stem"]["1"].shape
    (['stem.0', 'stem.1'], (4, 5, 5))
    """

    network: Network
    """The network that it is a part of."""

    def __init__(self, network: Network, group: Group) -> None:
        self.network = network
        self._group = group

    @property
    def name(self) -> str:
        """Its path in the network."""
        return self._group.path

    @property
    def kind(self) -> str:
        """The block's name, the join's kind, or `branch`, `layers`, `repeat`."""
        return self._group.kind

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its layers, in order."""
        return self.network.nodes[self._group.start : self._group.stop]

    @property
    def inputs(self) -> Shapes:
        """The shapes that it reads from before it, each tensor once, in the order in which they are read."""
        read = {i: None for node in self.nodes for i in node.inputs if i < self._group.start}
        return tuple([self.network.nodes[i].shape for i in read])

    @property
    def shape(self) -> Shape:
        """Of its output, without the batch: [channels, *space]."""
        return self.network.nodes[self._group.output].shape

    def __getitem__(self, path: str) -> Node | Part:
        return self.network[f"{self.name}.{path}"]

    def __contains__(self, item: object) -> bool:
        return f"{self.name}.{item}" in self.network if isinstance(item, str) else item in self.nodes

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return self._group.stop - self._group.start

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Part):
            return NotImplemented
        return self.network is other.network and self._group == other._group

    def __hash__(self) -> int:
        return hash(self._group)

    def __repr__(self) -> str:
        read = ", ".join(map(sizes, self.inputs)) or "nothing"
        return f"<{self.kind} {self.name}: {read} → {sizes(self.shape)}, {counted(len(self), 'layer')}>"


@dataclass(frozen=True, repr=False)
class Network:
    """A network with inferred shapes. Build one with `convcalc.load`, `convcalc.loads`.

    It is the sequence of its layers, in the order of execution (`for node in network`, `len(network)`), and knows them
    by their paths: `network[path]` is a layer or an input as a Node, a block, branch or repeated item as a Part, and
    raises UnknownLayer, a KeyError, with a suggestion; `path in network` asks whether there is one.

    >>> from convcalc import loads
    >>> network = loads("{convcalc: 1, name: small, input: [3, 32, 32], layers: [{conv2d: {out: 8, k: 3}}, relu]}")
    >>> network
    <Network small: 3×32×32 → 8×30×30, 2 layers>
    >>> network["conv2d"].shape, "relu" in network, [node.kind for node in network]
    ((8, 30, 30), True, ['conv2d', 'relu'])
    >>> network["conv3d"]
    Traceback (most recent call last):
    convcalc.network.UnknownLayer: there is no layer 'conv3d' in small
      hint: did you mean 'conv2d'?
    """

    name: str
    """What its file calls it."""
    nodes: tuple[Node, ...]
    """Its inputs and layers, in the order of execution."""
    outputs: tuple[Output, ...]
    """Which nodes it puts out, under which names, and how each is trained."""
    groups: Mapping[str, Group]
    """Path -> group, in the order of the spec."""
    source: str | None = None
    """The paper or code that it follows, where its file names one."""
    variant: str | None = None
    """The variant of the spec that it is."""
    origin: Origin | None = None
    """Where it comes from; None for one that was made in Python."""
    notes: tuple[Finding, ...] = ()
    """Warnings about how its file was read: what an ONNX file has that the language does not say."""

    def __iter__(self) -> Iterator[Node]:
        return (node for node in self.nodes if node.layer is not None)

    def __len__(self) -> int:
        return len(self.nodes) - len(self.inputs)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return item in self.groups or item in self._index if isinstance(item, str) else item in self.nodes

    def __getitem__(self, path: str) -> Node | Part:
        group = self.groups.get(path)
        if group is not None:
            return Part(self, group)
        index = self._index.get(path)
        if index is None:
            raise unknown_layer(self, path)
        return self.nodes[index]

    @cached_property
    def _elements(self) -> list[int]:
        numbers, different = self._works
        found = [_passing(layer, shape) for layer, _, shape in different]
        nodes = zip(self.nodes, numbers, strict=True)
        return [found[number - 1] if number else node.elements for node, number in nodes]

    @cached_property
    def _works(self) -> Works:
        nodes = self.nodes
        numbers: list[int] = []
        known: dict[tuple[int, Shapes], int] = {}
        different: list[tuple[Layer, Shapes, Shape]] = []
        for _, layer, sources, shape, _, _ in nodes:
            if layer is None:
                numbers.append(0)
                continue
            shapes = (nodes[sources[0]].shape,) if len(sources) == 1 else tuple([nodes[i].shape for i in sources])
            key = (id(layer), shapes)
            number = known.get(key)
            if number is None:
                different.append((layer, shapes, shape))
                number = known[key] = len(different)
            numbers.append(number)
        return Works(numbers, different)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {node.name: index for index, node in enumerate(self.nodes)}

    def __repr__(self) -> str:
        return f"<Network {described(self)}, {counted(len(self), 'layer')}>"

    @property
    def inputs(self) -> dict[str, Shape]:
        """Input name -> shape."""
        return {node.name: node.shape for node in self.nodes if node.layer is None}

    def input_shapes(self, node: Node) -> Shapes:
        """Shapes that a node reads."""
        nodes = self.nodes
        return tuple([nodes[i].shape for i in node.inputs])

    def input_names(self, node: Node) -> list[str]:
        """Names of what a node reads, from the group on in which it stands."""
        inside = node.name[: node.name.rfind(".") + 1]
        return [self.nodes[i].name.removeprefix(inside) for i in node.inputs]

    def at(self, inputs: Mapping[str, Sequence[int]]) -> Network:
        """The same layers on inputs of other sizes: the shape rules run again.

        `when`, `repeat` and expressions over `in_channels` keep what they were; use the origin's
        `reload(input=…)` to expand the spec anew. Raises SpecError with a place where a shape is impossible.
        """
        with without_collector():
            found = replace(self, nodes=self._nodes_at(inputs))
            check_sharing(found)
            return found

    def _nodes_at(self, inputs: Mapping[str, Sequence[int]]) -> tuple[Node, ...]:
        inference = Inference()
        nodes: list[Node] = []
        for node in self.nodes:
            if node.layer is None:
                nodes.append(node._replace(shape=tuple(inputs.get(node.name, node.shape))))
                continue
            shapes = tuple([nodes[i].shape for i in node.inputs])
            try:
                shape = inference.shape(node.layer, shapes)
            except GeometryError as error:
                said = error.said(self.input_names(node))
                raise SpecError([finding_in(self, error.code, said, node.name, hint=error.hint)]) from error
            nodes.append(node._replace(shape=shape))
        return tuple(nodes)

    def stages(self) -> list[tuple[str, range, int]]:
        """(name, nodes, output node) of every top-level item, in order."""
        rows: list[tuple[str, range, int]] = []
        index, nodes = 0, self.nodes
        while index < len(nodes):
            if nodes[index].layer is None:
                index += 1
                continue
            name = nodes[index].stage
            group = self.groups.get(name)
            stop = group.stop if group is not None else index + 1
            rows.append((name, range(index, stop), group.output if group is not None else index))
            index = stop
        return rows


def _passing(layer: Layer | None, shape: Shape) -> int:
    return 0 if layer is not None and layer.is_constant else prod(shape)


def works(network: Network) -> Works:
    """What the nodes of a network do, each thing once."""
    return network._works


def element_counts(network: Network) -> list[int]:
    """`Node.elements` of each node; equal ones are one number."""
    return network._elements


def described(network: Network) -> str:
    """A network's name, its variant, and what goes in and comes out, in one line.

    >>> import convcalc
    >>> described(convcalc.load("resnet", variant="resnet18"))
    'ResNet · resnet18: 3×224×224 → 1000'
    """
    variant = f" · {network.variant}" if network.variant else ""
    read = ", ".join(map(sizes, network.inputs.values()))
    made = ", ".join(sizes(network.nodes[output.node].shape) for output in network.outputs)
    return f"{network.name}{variant}: {read} → {made}"


def unknown_layer(network: Network, path: object) -> UnknownLayer:
    """The error for a path at which a network has nothing, with the nearest one as its hint."""
    names = [*network.groups, *network._index]
    below = next((name for name in names[:MOST_NAMES] if name.endswith(f".{path}")), None)
    lists = "convcalc table lists the layers"
    hint = f"did you mean '{below}'?" if below else suggest(str(path), names, lists, most=MOST_NAMES)
    return UnknownLayer(f"there is no layer '{path}' in {network.name}", hint)


def finding_in(network: Network, code: str, message: str, name: str = "", *, hint: str | None = None) -> Finding:
    """A finding about a network's node or group, placed where the origin says."""
    if network.origin is not None:
        return network.origin.finding(code, message, name, hint=hint)
    return Finding(code, message, network.name, where=name, hint=hint)


def check_sharing(network: Network) -> None:
    """Raise SpecError where a layer cannot have the weights of the one that holds them."""
    for index, node in enumerate(network.nodes):
        if node.shares is None and not node.tied:
            continue
        try:
            if node.shares is not None:
                check_shared(used(network.nodes, index), used(network.nodes, node.shares))
            for name, held_by in node.tied:
                check_tied(used(network.nodes, index), name, used(network.nodes, held_by))
        except GeometryError as error:
            raise SpecError([finding_in(network, error.code, error.message, node.name, hint=error.hint)]) from error


def channels_first(shape: Shape) -> Shape | None:
    """The shape of an image whose channels seem to stand last, as the language has it; None of any other shape.

    >>> channels_first((224, 224, 3)), channels_first((3, 224, 224)), channels_first((64, 100, 1))
    ((3, 224, 224), None, None)
    """
    if len(shape) != 3:
        return None
    height, width, channels = shape
    image = min(height, width) >= 8 and (channels in (3, 4) or (channels == 1 and height == width))
    return (channels, height, width) if image else None


def sizes(shape: Shape) -> str:
    """A shape in a line; that of one number without axes as the language has it.

    >>> sizes((64, 112, 112)), sizes(())
    ('64×112×112', '[]')
    """
    return "×".join(map(str, shape)) or "[]"


def used(nodes: Sequence[Node], index: int) -> Use:
    """The layer at an index with its name and the shapes that it reads."""
    node = nodes[index]
    assert node.layer is not None
    return Use(node.name, node.layer, tuple([nodes[i].shape for i in node.inputs]))


def holder(nodes: Sequence[Node], index: int) -> int:
    """The index of the node that holds the weights of the one at an index: itself, or the one whose weights it has."""
    shares = nodes[index].shares
    return index if shares is None else shares


def tied_nodes(nodes: Sequence[Node]) -> list[int]:
    """The indices of the nodes of which others hold some tensors, not all."""
    return [index for index, node in enumerate(nodes) if node.tied]


def lenders(nodes: Sequence[Node]) -> set[int]:
    """The indices of the nodes that hold tensors of others which do not share all of theirs."""
    return {held_by for node in nodes for _, held_by in node.tied}


def tensor_holder(nodes: Sequence[Node], index: int, tensor: str) -> int:
    """The index of the node that holds a tensor of the one at an index."""
    whole = holder(nodes, index)
    return next((held_by for name, held_by in nodes[whole].tied if name == tensor), whole)


def own_weights(nodes: Sequence[Node], index: int) -> tuple[Weight, ...]:
    """The tensors that a node holds itself, buffers included: of several that have one, the first."""
    node = nodes[index]
    if node.layer is None or node.shares is not None:
        return ()
    tied = {tensor for tensor, _ in node.tied}
    return tuple([weight for weight in used(nodes, index).weights if weight.name not in tied])


def held_weights(nodes: Sequence[Node]) -> Iterator[Weight]:
    """All tensors that nodes hold, buffers included, those that several have once."""
    return (weight for index in range(len(nodes)) for weight in own_weights(nodes, index))


def learned_numbers(nodes: Sequence[Node]) -> int:
    """The numbers of all tensors that are learned, those that several nodes have once."""
    return sum(prod(weight.shape) for weight in held_weights(nodes) if weight.learnable)


def renumbered(nodes: Sequence[Node], places: Mapping[int, int]) -> list[Node]:
    """Those of the nodes that have a new place (old index -> new, in order), and what they read.

    Of those that have the same weights, or one tensor, the first that is there holds them.
    """
    held: dict[int, int] = {}
    lent: dict[int, dict[Tied, None]] = {}
    for node in nodes:
        for each in node.tied:
            lent.setdefault(each.node, {})[each] = None
    holding: dict[Tied, int] = {}
    found = []
    for old, new in places.items():
        whole = holder(nodes, old)
        first = held.setdefault(whole, new)
        read = tuple([places[i] for i in nodes[old].inputs])
        tensors = (*lent.get(whole, ()), *nodes[whole].tied) if first == new else ()
        tied = [Tied(each.tensor, holding[each]) for each in tensors if holding.setdefault(each, new) != new]
        found.append(nodes[old]._replace(inputs=read, shares=None if first == new else first, tied=tuple(tied)))
    return found


def unknown_costs(network: Network) -> list[Finding]:
    """The findings about layers that hold weights and whose multiply-accumulates are not known: totals are too low."""
    unknown = [node.name for node in network.nodes if node.layer is not None and not node.layer.cost_is_known]
    said = "it holds weights, and its multiply-accumulates are not known"
    return [finding_in(network, "CC707", said, name) for name in unknown]
