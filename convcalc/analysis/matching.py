"""Which layer of one network is which of another.

Two networks that are one but for their names are paired by structure alone: what each layer is, what leads to it and
what follows from it. Others are paired in steps, each for what is left:

1. the same given name and the same layer, then the same given name and kind; then so where dots and underscores are
   one, for files of frameworks and flat specs spell paths in their own ways;
2. the same layer with the same layers before and behind it, then before it, then behind it;
3. the same layer beside paired ones; then the same kind in the same place, unless names tell the two apart;
4. the same layer elsewhere, in the order of the networks; then the same name; `conv2d_2` last, which says little.

Linear in the layers and in what they read.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from ..network import Network, Node

if TYPE_CHECKING:
    from ..layers.base import Layer

Pairs = dict[int, int]
Key = Callable[[Network, Node], Hashable]


def match(before: Network, after: Network) -> Pairs:
    """Node of the first network -> the node of the second that is taken to be the same.

    >>> from convcalc import loads
    >>> conv, fc = "{conv2d: {out: 4, k: 1}, name: %s}", "{conv2d: {out: 2, k: 1}, name: %s}"
    >>> a, b = (f"{{input: [3, 8, 8], layers: [{conv % x}, {fc % y}]}}" for x, y in (("one", "two"), ("two", "one")))
    >>> match(loads(a), loads(b))
    {0: 0, 1: 1, 2: 2}
    """
    return _Matching(before, after).found()


def automatic(node: Node) -> bool:
    """Whether the node's own name was not given: its kind, or its kind and a number."""
    own = node.name.rpartition(".")[2]
    return own == node.kind or re.fullmatch(rf"{re.escape(node.kind)}_\d+", own) is not None


class _Labels:
    """Numbers for what is alike in two networks."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}
        self._layers: dict[int, tuple[Layer, int]] = {}

    def of(self, key: Hashable) -> int:
        """The number of a key; equal keys have one."""
        return self._known.setdefault(key, len(self._known))

    def layer(self, layer: Layer) -> int:
        """The number of a layer; each model is compared once."""
        found = self._layers.get(id(layer))
        if found is None:
            found = self._layers[id(layer)] = layer, self.of(layer)
        return found[1]


class _Side:
    """One of the two networks, with labels of its layers."""

    def __init__(self, network: Network, labels: _Labels) -> None:
        nodes = network.nodes
        self.network = network
        self.readers: list[list[tuple[int, int]]] = [[] for _ in nodes]
        """For each node (number of the input, node) of those that read it."""
        for index, node in enumerate(nodes):
            for place, source in enumerate(node.inputs):
                self.readers[source].append((place, index))
        self.own = [-1 if node.layer is None else labels.layer(node.layer) for node in nodes]
        inputs = iter(range(len(nodes)))
        self.before: list[int] = []
        """For each node what it is and all that leads to it; inputs are told apart by their shape and order."""
        for node, own in zip(nodes, self.own, strict=True):
            what: Hashable = (node.shape, next(inputs)) if node.layer is None else own
            self.before.append(labels.of(("before", what, tuple([self.before[i] for i in node.inputs]))))
        self.behind = [0] * len(nodes)
        """For each node what it is, its shapes, and all that follows from it."""
        whole = [0] * len(nodes)
        ends = defaultdict(list)
        for number, output in enumerate(network.outputs):
            ends[output.node].append(number)
        for index in reversed(range(len(nodes))):
            node = nodes[index]
            shapes = (node.shape, network.input_shapes(node))
            follows = tuple(sorted([(place, self.behind[j]) for place, j in self.readers[index]]))
            self.behind[index] = labels.of(("behind", self.own[index], shapes, follows, tuple(ends[index])))
            around = tuple(sorted([(place, whole[j]) for place, j in self.readers[index]]))
            whole[index] = labels.of(("whole", self.before[index], around, tuple(ends[index])))
        self.whole = whole
        """For each node all that leads to it and all that follows from it."""


class _Matching:
    def __init__(self, before: Network, after: Network) -> None:
        labels = _Labels()
        self.a, self.b = _Side(before, labels), _Side(after, labels)
        self.pairs: Pairs = {}
        self.back: Pairs = {}
        """The same the other way round."""
        self.trusted = True
        """Whether given names say which layer is which."""

    def found(self) -> Pairs:
        """All pairs."""
        if Counter(self.a.whole) == Counter(self.b.whole):
            self._isomorphic()
            return self.pairs
        self._inputs()
        for key in (_given_name_and_layer, _given_name_and_kind, _spelt_name_and_layer, _spelt_name_and_kind):
            self._by(key)
        self.trusted = self._names_agree()
        for labels in (lambda side: side.whole, lambda side: side.before, lambda side: side.behind):
            self._by_label(labels)
        self._spread(self._same_layer)
        self._spread(self._same_place)
        self._spread(self._same_layer)
        for key in (_name_and_layer, _layer_and_shapes, _given_name, _layer, _automatic_name):
            self._by(key)
        return self.pairs

    def _pair(self, i: int, j: int) -> None:
        self.pairs[i], self.back[j] = j, i

    def _isomorphic(self) -> None:
        """Pair all nodes of networks that are one but for names; of equal ones those of one name, then in order."""
        named: dict[Hashable, deque[int]] = defaultdict(deque)
        placed: dict[Hashable, deque[int]] = defaultdict(deque)
        alike: dict[Hashable, deque[int]] = defaultdict(deque)
        for i, node in enumerate(self.a.network.nodes):
            for waiting, key in self._keys(named, placed, alike, self.a.whole[i], node.inputs, node.name):
                waiting[key].append(i)
        for j, node in enumerate(self.b.network.nodes):
            read = tuple([self.back[s] for s in node.inputs])
            for waiting, key in self._keys(named, placed, alike, self.b.whole[j], read, node.name):
                queue = waiting[key]
                while queue and queue[0] in self.pairs:
                    queue.popleft()
                if queue:
                    self._pair(queue.popleft(), j)
                    break

    @staticmethod
    def _keys(
        named: dict[Hashable, deque[int]],
        placed: dict[Hashable, deque[int]],
        alike: dict[Hashable, deque[int]],
        label: int,
        inputs: tuple[int, ...],
        name: str,
    ) -> tuple[tuple[dict[Hashable, deque[int]], Hashable], ...]:
        return (named, (label, inputs, name)), (placed, (label, inputs)), (alike, label)

    def _inputs(self) -> None:
        """Pair the inputs: by name, then by shape, then in order."""
        self._by(lambda network, node: node.name if node.layer is None else None)
        self._by(lambda network, node: node.shape if node.layer is None else None)
        self._by(lambda network, node: 0 if node.layer is None else None)

    def _by(self, key: Key) -> None:
        """Pair what is left by a key, in the order of the networks; None: not by this one."""
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for i, node in enumerate(self.a.network.nodes):
            if i not in self.pairs and (value := key(self.a.network, node)) is not None:
                waiting[value].append(i)
        for j, node in enumerate(self.b.network.nodes):
            if j not in self.back and (queue := waiting.get(key(self.b.network, node))):
                self._pair(queue.popleft(), j)

    def _by_label(self, labels: Callable[[_Side], list[int]]) -> None:
        """Pair what is left by its label: those of one name first."""
        for named in (True, False):
            waiting: dict[Hashable, deque[int]] = defaultdict(deque)
            for i, (node, label) in enumerate(zip(self.a.network.nodes, labels(self.a), strict=True)):
                if i not in self.pairs:
                    waiting[label, node.name if named else ""].append(i)
            for j, (node, label) in enumerate(zip(self.b.network.nodes, labels(self.b), strict=True)):
                if j not in self.back and (queue := waiting.get((label, node.name if named else ""))):
                    self._pair(queue.popleft(), j)

    def _names_agree(self) -> bool:
        """Whether names say which layer is which: at least half of those that are given in either network do."""
        given = [
            sum(node.layer is not None and not automatic(node) for node in side.network.nodes)
            for side in (self.a, self.b)
        ]
        same = sum(self.a.network.nodes[i].name == self.b.network.nodes[j].name for i, j in self.pairs.items())
        return 2 * same >= min(given)

    def _spread(self, fits: Callable[[int, int], bool]) -> None:
        """Pair neighbours of pairs that fit, and the neighbours of those."""
        pending = deque(sorted(self.pairs.items()))
        while pending:
            i, j = pending.popleft()
            read = zip(self.a.network.nodes[i].inputs, self.b.network.nodes[j].inputs, strict=False)
            for one, other in (*self._readers(i, j), *read):
                if one not in self.pairs and other not in self.back and fits(one, other):
                    self._pair(one, other)
                    pending.append((one, other))

    def _readers(self, i: int, j: int) -> Iterable[tuple[int, int]]:
        """Layers left in both that read a pair as the input of the same number, those of one kind in order."""
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for place, one in self.a.readers[i]:
            if one not in self.pairs:
                waiting[place, self.a.network.nodes[one].kind].append(one)
        for place, other in self.b.readers[j]:
            if other not in self.back and (queue := waiting.get((place, self.b.network.nodes[other].kind))):
                yield queue.popleft(), other

    def _same_layer(self, i: int, j: int) -> bool:
        return self.a.own[i] == self.b.own[j] and self.a.network.nodes[i].layer is not None

    def _same_place(self, i: int, j: int) -> bool:
        """Whether two layers are of one kind and read the same, and have no names that tell them apart."""
        one, other = self.a.network.nodes[i], self.b.network.nodes[j]
        if self.trusted and not automatic(one) and not automatic(other):
            return False
        return one.kind == other.kind and tuple([self.pairs.get(s, -1) for s in one.inputs]) == other.inputs


def _given_name_and_layer(network: Network, node: Node) -> Hashable:
    return None if node.layer is None or automatic(node) else (node.name, node.layer)


def _given_name_and_kind(network: Network, node: Node) -> Hashable:
    return None if node.layer is None or automatic(node) else (node.name, node.kind)


def _spelt_name_and_layer(network: Network, node: Node) -> Hashable:
    return None if node.layer is None else (_spelt(node.name), node.layer)


def _spelt_name_and_kind(network: Network, node: Node) -> Hashable:
    return None if node.layer is None or automatic(node) else (_spelt(node.name), node.kind)


def _spelt(name: str) -> str:
    """A path with one sign between its parts.

    >>> _spelt("stage1.0.body.conv"), _spelt("stage1_0.body-conv")
    ('stage1_0_body_conv', 'stage1_0_body_conv')
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", name)


def _name_and_layer(network: Network, node: Node) -> Hashable:
    return (node.name, node.kind, node.layer)


def _given_name(network: Network, node: Node) -> Hashable:
    return None if node.layer is None or automatic(node) else node.name


def _layer_and_shapes(network: Network, node: Node) -> Hashable:
    return None if node.layer is None else (node.layer, network.input_shapes(node))


def _layer(network: Network, node: Node) -> Hashable:
    return node.layer


def _automatic_name(network: Network, node: Node) -> Hashable:
    return (node.name, node.kind)
