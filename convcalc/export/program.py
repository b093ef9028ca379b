"""A network as a program: what layers are in a framework's words, and the spec's blocks as scopes of statements.

A layer is a sequence of steps: calls that build a module, and expressions over tensors. Statements stand in the order
of the spec. Every block of the spec is a scope of its own; branches, repeats and anonymous groups are chains inside
the scope where they form one, and otherwise dissolve into it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..findings import UsageError
from ..flow import consumers
from ..layers.kind_table import Refused
from ..network import holder

if TYPE_CHECKING:
    from ..network import BlockParam, Group, Network, Node

Value = TypeVar("Value")

REQUIRED = object()
"""The default of an argument that has none."""

OPAQUE = {"Opaque": "what an opaque operator computes is not known"}
"""What every target says of opaque layers."""


UNSAID = "which positions it takes is not said"
"""What every target says of an index_select that gives the count of its indices alone."""


class Argument(NamedTuple):
    """One argument. It is left out of the text where it equals its default, and positional if it says so."""

    name: str
    value: object
    default: object = REQUIRED
    positional: bool = False
    means: str = ""
    """The framework's name of what it is, where it has another one."""

    @property
    def quantity(self) -> str:
        """The framework's name of what it is."""
        return self.means or self.name


def keywords(**values: object) -> tuple[Argument, ...]:
    """Arguments that are always written, with their names."""
    return tuple(Argument(name, value) for name, value in values.items())


def positional(**values: object) -> tuple[Argument, ...]:
    """Arguments that are always written, without their names."""
    return tuple(Argument(name, value, positional=True) for name, value in values.items())


def optional(name: str, value: object, default: object) -> Argument:
    """An argument that is written where it is not the default."""
    return Argument(name, value, default)


class Code(str):
    """A value that is written as it is."""


class Call(NamedTuple):
    """A module: `function(arguments)`, applied to its inputs."""

    function: str
    """What is called; nothing where the first argument says it."""
    arguments: tuple[Argument, ...] = ()
    reads: tuple[str, ...] = ("{0}",)
    """What it is applied to, as expressions over the layer's inputs."""

    @property
    def inputs(self) -> int:
        """How many of the layer's inputs it reads, the first ones."""
        return max(int(number) + 1 for text in self.reads for number in re.findall(r"\{(\d+)\}", text))

    def applied(self, names: Sequence[str]) -> str:
        """What stands between the brackets of its call, with the names of what it reads; nothing where there is none.

        >>> Call("Attention", reads=("{0}", "{0}")).applied(["x"])
        'x, x'
        """
        return ", ".join(text.format(*names) for text in self.reads) if names else ""


class Inline(NamedTuple):
    """An expression: `{0}`, `{1}` … stand for its inputs, `{name}` for its arguments."""

    template: str
    arguments: tuple[Argument, ...] = ()


Step = Call | Inline


def scalar(values: Sequence[Value]) -> Value | tuple[Value, ...]:
    """One value where all axes agree, else the tuple.

    >>> scalar((3, 3)), scalar((3, 5))
    (3, (3, 5))
    """
    return values[0] if len(set(values)) == 1 else tuple(values)


def refusal(target: str, node: Node, refused: Refused) -> UsageError:
    """The error of a target that has no equal of a node's layer."""
    return UsageError(f"{target} cannot say {node.name} ({node.kind}): {refused}")


def with_examples(network: Network) -> Network:
    """The network with a tensor for each that it holds to read, so that it is repeated for as many examples.

    That is what its first reader reads beside it, else the last before it in its block, else what its block reads, else
    the network's first input.
    """
    nodes = list(network.nodes)
    held = [index for index, node in enumerate(nodes) if node.layer is not None and node.layer.is_constant]
    if not held:
        return network
    readers = consumers(nodes, len(nodes))
    blocks = [group for group in network.groups.values() if group.is_block]
    for index in held:
        around = [group for group in blocks if group.start <= index < group.stop]
        start = max([group.start for group in around], default=0)
        beside = [i for reader in readers[index][:1] for i in nodes[reader].inputs if i < index]
        within = range(index - 1, start - 1, -1)
        read = [i for node in nodes[start : min([group.stop for group in around], default=0)] for i in node.inputs]
        sources = (*beside, *within, *(i for i in read if i < start), 0)
        like = next(i for i in sources if nodes[i].elements or nodes[i].layer is None)
        nodes[index] = nodes[index]._replace(inputs=(like,))
    return replace(network, nodes=tuple(nodes))


@dataclass(slots=True)
class Use:
    """A block in its place."""

    scope: Scope


@dataclass(slots=True)
class Chain:
    """Modules one after the other, as one."""

    parts: list[Part]


Work = Call | Inline | Use | Chain


@dataclass(slots=True)
class Part:
    """A statement: work on some values gives others. Values are numbers; a node's output has the node's."""

    name: str
    """Its path inside the scope."""
    prefix: str
    """What stands before a name that begins with a digit."""
    work: Work
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    node: int
    """The last node that it computes."""
    again: Part | None = None
    """The statement of the same scope whose module it calls once more."""
    anonymous: bool = False
    """Whether it is an activation without weights whose name says no more than its kind."""

    @property
    def label(self) -> str:
        """What it is called where blocks are laid side by side."""
        return "" if self.anonymous else self.name


Address = tuple[int, ...]
"""Where a module stands in a scope: the number of its statement, then that inside a block or a chain."""


class Tie(NamedTuple):
    """A module of a scope that has the weights of another one."""

    module: Address
    holder: Address
    alike: bool
    """Whether they are built alike, so that one can stand for the other."""
    tensor: str = ""
    """The one tensor that it has; empty for all."""


@dataclass(slots=True)
class Scope:
    """A block, or the whole network."""

    path: str
    kind: str
    params: tuple[BlockParam, ...] = ()
    """The parameters of the spec's block, as they are here."""
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)

    def wiring(self, without: Mapping[int, int] = MappingProxyType({})) -> tuple[object, ...]:
        """What reads what, the values counted in the order in which they are made.

        A statement at a position `without` is left out: what would read it reads that one of its inputs.
        """
        local = {value: number for number, value in enumerate(self.inputs)}
        rows: list[tuple[tuple[int, ...], int]] = []
        made = len(local)
        for position, part in enumerate(self.parts):
            inputs = tuple(local[value] for value in part.inputs)
            if position in without:
                local[part.outputs[0]] = inputs[without[position]]
                continue
            for value in part.outputs:
                local[value] = made
                made += 1
            rows.append((inputs, len(part.outputs)))
        return (len(self.inputs), tuple(rows), tuple(local[value] for value in self.outputs))


@dataclass(frozen=True, slots=True)
class Program:
    """The top scope, and all blocks, inner ones first."""

    network: Network
    top: Scope
    blocks: list[Scope]


def program(
    network: Network, steps: Sequence[Sequence[Step]], *, chains: bool, dissolved: Collection[str] = ()
) -> Program:
    """The network's statements.

    `chains` joins modules that follow one another in a group; the blocks at the paths `dissolved` are no scopes.
    """
    return _Builder(network, steps, chains, dissolved).build()


class _Builder:
    def __init__(
        self, network: Network, steps: Sequence[Sequence[Step]], chains: bool, dissolved: Collection[str]
    ) -> None:
        self.network = network
        self.dissolved = dissolved
        self.shared = {node.shares for node in network.nodes}
        self.steps = steps
        self.chains = chains
        self.blocks: list[Scope] = []
        self.between = len(network.nodes)
        groups = [group for group in network.groups.values() if group.start < group.stop]
        self.groups: Iterator[Group] = iter(sorted(groups, key=lambda g: (g.start, -g.stop, g.path.count("."))))
        self.next = next(self.groups, None)
        self.last_read = self._last_reads()

    def _last_reads(self) -> list[int]:
        """For each node the last node that reads it; the network's end for outputs."""
        last = [-1] * len(self.network.nodes)
        for index, node in enumerate(self.network.nodes):
            for source in node.inputs:
                last[source] = index
        for output in self.network.outputs:
            last[output.node] = len(last)
        return last

    def build(self) -> Program:
        nodes = self.network.nodes
        top = Scope("", self.network.name)
        top.parts = self._range(0, len(nodes), top)
        top.inputs = [index for index, node in enumerate(nodes) if node.layer is None]
        top.outputs = list(dict.fromkeys(output.node for output in self.network.outputs))
        return Program(self.network, top, self.blocks)

    def _range(self, start: int, stop: int, scope: Scope) -> list[Part]:
        """The statements of the nodes start … stop − 1 in a scope; called once a group, never once a layer."""
        parts: list[Part] = []
        index = start
        while index < stop:
            group = self.next
            if group is not None and group.start == index and group.stop <= stop:
                self.next = next(self.groups, None)
                parts += self._group(group, scope)
                index = group.stop
            else:
                parts += self._node(index, scope)
                index += 1
        return parts

    def _local(self, path: str, scope: Scope) -> str:
        return path[len(scope.path) + 1 :] if scope.path else path

    def _node(self, index: int, scope: Scope) -> list[Part]:
        node, steps = self.network.nodes[index], self.steps[index]
        name = self._local(node.name, scope)
        calls = [step for step in steps if isinstance(step, Call)]
        if self.chains and len(calls) == len(steps) > 1:
            inside = [Part(name, "layer", call, (), (), index) for call in calls]
            return [Part(name, "layer", Chain(inside), node.inputs, (index,), index)]
        anonymous = len(steps) == 1 and self._is_anonymous(node, name)
        if anonymous and self.chains:
            steps = [_by_argument(step) for step in steps]
        parts = []
        inputs = node.inputs
        for position, step in enumerate(steps):
            value = index if position == len(steps) - 1 else self.between
            self.between += value == self.between
            read = inputs[: step.inputs] if isinstance(step, Call) else inputs
            parts.append(Part(name, "layer", step, read, (value,), index, anonymous=anonymous))
            inputs = (value, *node.inputs[1:])
        return parts

    def _is_anonymous(self, node: Node, name: str) -> bool:
        """Whether a layer is an activation without weights whose name is its kind's, numbered at most."""
        if node.layer is None or not node.layer.activates or node.layer.weights(self.network.input_shapes(node)):
            return False
        return re.sub(r"_\d+$", "", name.rpartition(".")[2]) == node.kind

    def _group(self, group: Group, scope: Scope) -> list[Part]:
        if not group.is_block or group.path in self.dissolved:
            return self._inlined(group, self._range(group.start, group.stop, scope), scope)
        block = Scope(group.path, group.kind, group.params)
        block.parts = self._range(group.start, group.stop, block)
        block.inputs = self._read_from_outside(group)
        block.outputs = [n for n in range(group.start, group.stop) if self.last_read[n] >= group.stop]
        if not block.outputs:
            block.outputs = [group.stop - 1]
        self.blocks.append(block)
        name, prefix = self._local(group.path, scope), "block"
        return [Part(name, prefix, Use(block), tuple(block.inputs), tuple(block.outputs), block.outputs[-1])]

    def _read_from_outside(self, group: Group) -> list[int]:
        nodes = self.network.nodes[group.start : group.stop]
        return list(dict.fromkeys(source for node in nodes for source in node.inputs if source < group.start))

    def _inlined(self, group: Group, parts: list[Part], scope: Scope) -> list[Part]:
        name, prefix = self._local(group.path, scope), "branch" if group.is_branch else "layer"
        if len(parts) == 1:
            if not isinstance(parts[0].work, Inline):
                parts[0].name, parts[0].prefix, parts[0].anonymous = name, prefix, False
            return parts
        if self.chains and self._is_chain(parts) and not self._shares_inside(group):
            first, last = parts[0], parts[-1]
            return [Part(name, prefix, Chain(_spliced(parts)), first.inputs, last.outputs, last.node)]
        if group.is_branch:
            for part in parts:
                part.prefix = prefix
        return parts

    def _shares_inside(self, group: Group) -> bool:
        """Whether two layers of a group have the same weights, or one tensor."""
        held = [holder(self.network.nodes, index) for index in range(group.start, group.stop)]
        having = [index for index in held if index in self.shared]
        tied = (tie for index in held for tie in self.network.nodes[index].tied)
        return len(set(having)) < len(having) or any(group.start <= tie.node < group.stop for tie in tied)

    def _is_chain(self, parts: list[Part]) -> bool:
        """Whether each module reads what the one before it puts out, and nothing else does."""
        for before, part in pairwise(parts):
            (value,) = before.outputs if len(before.outputs) == 1 else (None,)
            if part.inputs != (value,) or value is None or value >= len(self.last_read):
                return False
            if self.last_read[value] > part.node:
                return False
        first, last = parts[0], parts[-1]
        modules = not any(isinstance(part.work, Inline) for part in parts)
        return modules and len(first.inputs) == 1 and len(last.outputs) == 1


def _by_argument(step: Step) -> Step:
    """A module without arguments as one whose class is an argument: blocks may differ in it."""
    if not isinstance(step, Call) or step.arguments:
        return step
    return step._replace(function="", arguments=positional(activation=Code(step.function)))


def _spliced(parts: list[Part]) -> list[Part]:
    """The parts of a chain; the steps of one layer (its padding, its convolution) stand among them."""
    found: list[Part] = []
    for part in parts:
        inner = part.work.parts if isinstance(part.work, Chain) else []
        layer_alone = bool(inner) and all(piece.name == part.name for piece in inner)
        found += inner if layer_alone else [part]
    return found
