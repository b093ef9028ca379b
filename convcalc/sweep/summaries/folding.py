"""The expansion of a candidate in which items are folded: what an item expands to stands there as one part.

An item on one tensor is expanded once for each of what it reads: the values of the names that it and the blocks that it
calls read, and the shape that arrives. It is expanded on a placeholder, with what is inside folded in the same way, and
from its pieces follows what is known of the part. What is folded is one layer to what stands around it.

An item is expanded as it is, with what is inside folded, where

- it takes several tensors, none, or one that the network holds; or puts out several;
- names lead into it, `from` inside of it names what stands outside, or its names stand around it (a join without one);
- it holds an end that nothing reads: an output of the network, an auxiliary head;
- it does not read what arrives.

Nothing is said of an error: where there is one, and where a limit could be reached, Unsure is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from ...inference import Inference, output_shape
from ...language.document import LAYER_STEPS
from ...language.expansion import Env, Expansion, expand_one
from ...language.items import Call, Item
from ...language.names import FAILED, Nodes, Place
from ...language.unfinished import SHAPE_STEPS, Stop
from ...layers.base import Layer, Shape, Shapes
from ...limits import LAYERS, NESTING, PATH_CHARACTERS
from ...marked import Marked
from ...network import Node
from . import Unsure
from .known import OPEN, PASSED, Key, Known
from .parts import Part, Piece, Size
from .reads import Reads, Values
from .remembered import Remembered

PLACEHOLDER = "\0"
"""The name of what arrives at a part: none that a reference could have."""
FOLDED = Layer.model_construct(kind="part")
"""The layer of a node that stands for a part."""
OUTSIDE = frozenset({"CC106", "CC113"})
"""Codes of names that are not there: where an item is expanded alone, they may stand outside of it."""
A_LAYER = 1 + LAYER_STEPS // SHAPE_STEPS
"""Shapes that a layer counts as, with the making of its model: no fewer than in an expansion that remembers nothing."""


class Counted(Inference):
    """Shapes that are remembered over candidates. Each counts as computed, and as one of a layer that is made."""

    def __init__(self, shapes: Remembered[tuple[int, Shapes], tuple[Layer, Shape]]) -> None:
        self.computed = 0
        self._known = shapes

    def shape(self, layer: Layer, inputs: Shapes) -> Shape:
        self.computed += A_LAYER
        key = (id(layer), inputs)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (layer, output_shape(layer, inputs))
        return found[1]


class Folding(Expansion):
    """The expansion of a candidate, or of an item alone, into pieces."""

    def __init__(self, known: Known, left: int) -> None:
        super().__init__(known.document, left)
        self.inference = Counted(known.shapes)
        self.known = known
        self.parts: list[Part | None] = []
        """For each node what is known of the part that it stands for; None for a layer and for what arrives."""
        self.layers = 0
        """Layers so far, those inside of parts included."""
        self.ahead = 0
        """The most steps that had to be left at any moment."""
        self.nested = 0
        self.longest = 0
        """Characters of the longest path."""

    def pieces(self) -> list[Piece]:
        """The nodes as pieces."""
        known, nodes = self.known, self.nodes
        return [
            Piece(part if part is not None or node.layer is None else known.layer(nodes, index), node.inputs)
            for index, (node, part) in enumerate(zip(nodes, self.parts, strict=True))
        ]

    def append(self, name: str, layer: Layer | None, inputs: Nodes, shape: Shape, at: Marked) -> int:
        index = len(self.nodes)
        self.layers += 1
        if self.layers > LAYERS:
            raise Unsure
        self.nodes.append(Node(name, layer, inputs, shape))
        self.places.append(at)
        self.parts.append(None)
        return index

    def count(self, item: Item, repetitions: int, place: Place) -> None:
        ahead = self.taken + repetitions * item.size
        if ahead > self.ahead:
            self.ahead = ahead
            if ahead > self.left:
                raise Unsure
        self.steps += item.weight

    def open(self, item: Item, place: Place, name: str, outer: Place, inputs: Nodes | None = None) -> Place:
        inner = super().open(item, place, name, outer, inputs)
        self.nested = max(self.nested, self.depth)
        self.longest = max(self.longest, len(inner.path))
        return inner

    def on(self, item: Item, place: Place, env: Env, sources: Nodes) -> Nodes | None:
        worth = item.repeat is not None or isinstance(item.what, Call) or place is self.top
        reads = self._reads(item, sources) if worth else None
        if reads is None:
            return super().on(item, place, env, sources)
        key = self._key(item, reads.around, env, reads.spec, sources)
        part = self.known.parts.get(key)
        if part is None:
            if item.repeat is None and isinstance(item.what, Call):
                return self._called(key, lambda: Expansion.on(self, item, place, env, sources))
            part = self._part(key, item, lambda run, alone: Expansion.on(run, item, alone, dict(env), (0,)), sources)
        if part is OPEN:
            return super().on(item, place, env, sources)
        if part is PASSED:
            self.pass_over(item, place)
            return None
        name = item.name
        if name is None:
            name = place.automatic(item.kind)
        elif name in place.names:
            self.refuse_name(item, place)
        if item.number is not None:
            place.number = item.number
        return self._use(part, item, place, name, sources)

    def repetition(self, item: Item, inner: Place, name: str, env: Env, sources: Nodes) -> Nodes:
        reads = self._reads(item, sources)
        if reads is None:
            return super().repetition(item, inner, name, env, sources)
        key = self._key((item, "repetition"), reads.again, env, reads.spec, sources)
        part = self.known.parts.get(key)
        if part is None:
            if isinstance(item.what, Call):
                found = self._called(key, lambda: expand_one(self, item, inner, name, env, sources))
                return sources if found is None else found
            part = self._part(
                key, item, lambda run, alone: expand_one(run, item, alone, name, dict(env), (0,)), sources
            )
        if part is OPEN:
            return super().repetition(item, inner, name, env, sources)
        return self._use(part, item, inner, name, sources)

    def block(
        self, item: Item, call: Call, place: Place, name: str, env: Env, given: Collection[str], sources: Nodes
    ) -> Nodes:
        block = call.block
        if self._reads(item, sources) is None:
            return super().block(item, call, place, name, env, given, sources)
        own, spec = self.known.reads.block(block)
        key = self._key(block, own, env, spec, sources)
        part = self.known.parts.get(key)
        if part is None:
            part = self._part(
                key,
                item,
                lambda run, alone: Expansion.block(run, item, call, alone, name, dict(env), given, (0,)),
                sources,
            )
        if part is OPEN:
            return super().block(item, call, place, name, env, given, sources)
        return self._use(part, item, place, name, sources)

    def _reads(self, item: Item, sources: Nodes) -> Reads | None:
        """What an item on these tensors reads that may be a part; None for another."""
        if len(sources) != 1 or sources[0] == FAILED:
            return None
        layer = self.nodes[sources[0]].layer
        return None if layer is not None and layer.is_constant else self.known.folds(item)

    def _key(self, what: object, around: Values, env: Env, spec: Values, sources: Nodes) -> Key:
        """What an expansion follows from."""
        shape = self.nodes[sources[0]].shape
        return (what, self.batch_axes, shape, around.of(env), spec.of(self.params))

    def _called(self, key: Key, expand: Callable[[], Nodes | None]) -> Nodes | None:
        """Expand a use of a block where it stands; the part that it is will be known by this key too."""
        index, taken, ahead = len(self.nodes), self.taken, self.ahead
        self.ahead = 0
        value = expand()
        part = self.parts[index] if value == (index,) and len(self.nodes) == index + 1 else None
        if part is not None:
            steps = self.taken - taken
            self.known.parts[key] = part.sized(part.size._replace(steps=steps, ahead=max(self.ahead - taken, steps)))
        elif value is None:
            self.known.parts[key] = PASSED
        self.ahead = max(self.ahead, ahead)
        return value

    def _part(self, key: Key, item: Item, expand: Callable[[Folding, Place], Nodes | None], sources: Nodes) -> Part:
        """What is known of an item's expansion, which is made on a placeholder, and remembered by this key."""
        known = self.known
        run = Folding(known, self.left - self.taken)
        run.params = self.params
        run.batch_axes = self.batch_axes
        run.append(PLACEHOLDER, None, (), self.nodes[sources[0]].shape, item.at)
        try:
            part = run.summary(expand(run, Place("", None)))
        except Stop:
            raise Unsure from None
        known.parts[key] = part
        if part is OPEN:
            known.tried(item)
        return part

    def summary(self, value: Nodes | None) -> Part:
        """What is known of what has been expanded, which puts out these nodes."""
        if self.findings.all:
            if all(finding.code in OUTSIDE for finding in self.findings.all):
                return OPEN
            raise Unsure
        if value is None:
            return PASSED
        nodes = self.nodes
        if len(value) != 1:
            return OPEN
        size = Size(self.taken, max(self.ahead, self.taken), self.layers - 1, self.nested, self.longest)
        if len(nodes) == 1:
            return Part(nodes[0].shape, (), (), size)
        read = {source for node in nodes for source in node.inputs}
        if len(read) < len(nodes) - 1 or value[0] in read:
            return OPEN
        return self.known.part(self.pieces(), size)

    def _use(self, part: Part, item: Item, place: Place, name: str, sources: Nodes) -> Nodes:
        """Let a part stand for an item."""
        steps, ahead, layers, nesting, longest = part.size
        path = place.prefix + name
        ahead += self.taken
        self.steps += steps
        self.layers += layers
        nesting += self.depth
        longest += len(path)
        if ahead > self.ahead:
            self.ahead = ahead
        if nesting > self.nested:
            self.nested = nesting
        if longest > self.longest:
            self.longest = longest
        if ahead > self.left or self.layers > LAYERS or nesting > NESTING or longest > PATH_CHARACTERS:
            raise Unsure
        if layers:
            index = len(self.nodes)
            self.nodes.append(Node(path, FOLDED, sources, part.shape))
            self.places.append(item.at)
            self.parts.append(part)
        else:
            index = sources[0]
        if not isinstance(place.names.get(name), Place):
            place.names[name] = index
        return (index,)
