"""A network in the making: its nodes, groups and names so far, the steps that they took, what is wrong with it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ..geometry import EmptyOutput, GeometryError, KernelTooLarge, RankMismatch
from ..inference import Inference
from ..layers.base import Layer
from ..limits import LAYERS, NESTING, PATH_CHARACTERS, STEPS
from ..marked import Marked
from ..network import BlockParam, Node, channels_first
from ..network import Group as NodeGroup
from .document import Document
from .items import Item, LayerProblems
from .names import FAILED, FAILURE, Nodes, Place, Unknown, note, shown
from .problems import Problem

GROUP_STEPS = 3
"""Steps that a group counts as, beside what stands in it: it holds names of its own."""
SHAPE_STEPS = 8
"""Steps that working out a shape counts as; equal layers on equal shapes are worked out once."""
PENDING = NodeGroup("", "", 0, 0, 0)


class Stop(Exception):
    """A limit is reached; the findings say which."""


class Unfinished:
    """What there is of a network while a document is expanded."""

    def __init__(self, document: Document, most: int | None = None) -> None:
        self.document = document
        self.left = STEPS - document.reading if most is None else most
        """Steps that it may take."""
        self.limit = f"{STEPS:,} steps" if most is None else f"the {most:,} steps that are left for this file"
        self.findings = document.findings.fresh()
        self.nodes: list[Node] = []
        self.places: list[Marked] = []
        """Where each node is written."""
        self.groups: list[NodeGroup] = []
        """In the order in which they begin."""
        self.passed: set[int] = set()
        """The numbers of the groups that are passed over."""
        self.group_places: list[Marked] = []
        """Where each group is written."""
        self.inference = Inference()
        self.steps = 0
        self.calls: list[tuple[str, Marked]] = []
        """The blocks that are being expanded, and where they are called."""
        self.held: dict[tuple[int, tuple[int, ...]], Layer] = {}
        """Tensors that layers hold, along batch axes: a layer's id and the axes' sizes -> the layer."""
        self.batch_axes = 0
        """How many of the first axes count as batch where items are being expanded."""
        self.depth = 0
        self.written: dict[Place, list[Item]] = {}
        """The items whose names stand in each place that is not complete."""
        self.by_name: dict[int, dict[str, list[tuple[int, int, Item]]]] = {}
        """The same of lists that were searched, by the list's id: name -> lines, columns and items, in this order."""

    def append(self, name: str, layer: Layer | None, inputs: Nodes, shape: tuple[int, ...], at: Marked) -> int:
        index = len(self.nodes)
        if index > LAYERS:
            self.stop(f"more than {LAYERS:,} layers", at, name)
        self.nodes.append(Node(name, layer, inputs, shape))
        self.places.append(at)
        return index

    def open(self, item: Item, place: Place, name: str, outer: Place, inputs: Nodes | None = None) -> Place:
        """Start the group `name` in `place`; names inside it are looked for in `outer` next."""
        path = place.prefix + name
        inner = Place(path, outer, inputs, len(self.groups))
        if len(path) > PATH_CHARACTERS:
            self.stop(f"a path of more than {PATH_CHARACTERS} characters", item.at, path[:60] + "...")
        self.depth += 1
        self.steps += GROUP_STEPS
        if self.taken > self.left:
            self.stop(f"its groups take more than {self.limit}", item.at, path)
        if self.depth > NESTING:
            self.stop(f"nested deeper than {NESTING} blocks, branches and groups", item.at, path)
        self.groups.append(PENDING)
        self.group_places.append(item.at)
        place.names[name] = inner
        return inner

    def close(
        self,
        inner: Place,
        kind: str,
        start: int,
        value: Nodes,
        repeats: int = 1,
        made: type[NodeGroup] = NodeGroup,
        params: tuple[BlockParam, ...] = (),
    ) -> Nodes:
        """Complete a group with what it puts out."""
        self.depth -= 1
        self.groups[inner.group] = made(inner.path, kind, start, len(self.nodes), value[-1], repeats, params)
        inner.complete(value)
        self.written.pop(inner, None)
        return value

    def count(self, item: Item, repetitions: int, place: Place) -> None:
        """Count steps before they are taken."""
        if self.steps + SHAPE_STEPS * self.inference.computed + repetitions * item.size > self.left:
            times = f"{repetitions:,} repetitions of " if repetitions > 1 else ""
            message = f"{times}{item.size:,} steps would make more than {self.limit}"
            self.stop(message, item.repeat[1] if item.repeat else item.at, place.prefix + (item.name or item.kind))
        self.steps += item.weight

    @property
    def taken(self) -> int:
        """The steps so far."""
        return self.steps + SHAPE_STEPS * self.inference.computed

    def spend(self, steps: int, what: str, at: Marked, path: str) -> None:
        """Count steps that are not known before."""
        self.steps += steps
        if self.taken > self.left:
            self.stop(f"{what} takes more than {self.limit}", at, path)

    def stop(self, message: str, at: Marked, where: str) -> None:
        """Report a limit that is reached. Raises Stop."""
        self.report(Problem("CC111", message, "the limit keeps a slip from filling the memory"), at, where)
        raise Stop

    def report(self, problem: Problem, at: Marked, where: str) -> None:
        block, called_at = self.calls[-1] if self.calls else ("", None)
        self.findings.problem(problem, at, where, note(problem.at or at, called_at, block))

    def fail(
        self,
        item: Item,
        place: Place,
        name: str,
        error: GeometryError | Problem | LayerProblems,
        inputs: Sequence[str] = (),
    ) -> Nodes:
        """Report an error of an item, whose inputs are called by these names, and register its failure."""
        path = place.prefix + name
        if isinstance(error, LayerProblems):
            for problem in error.problems:
                self.report(problem, item.at, path)
        elif isinstance(error, GeometryError):
            self.report(Problem(error.code, error.said(inputs), self._input_hint(error) or error.hint), item.at, path)
        else:
            self.report(error, item.at, path)
        if place.names.get(name) is None:
            place.names[name] = FAILED
        return FAILURE

    def _input_hint(self, error: GeometryError) -> str | None:
        """The hint for a layer that does not fit where the input is written with its batch, or its channels last."""
        shape = next((node.shape for node in self.nodes if node.layer is None), ())
        if isinstance(error, KernelTooLarge | EmptyOutput) and (first := channels_first(shape)):
            return f"the channels of an input stand first: {list(first)}"
        rank, axes = error.numbers.get("rank"), error.numbers.get("axes")
        if not (isinstance(error, RankMismatch) and isinstance(rank, int) and axes == rank + 1):
            return None
        if len(shape) - 1 != axes or (shape[0] != 1 and shape[1] not in (1, 3)):
            return None
        return f"an input is written without the batch: {list(shape[1:])}"

    def channels(self, node: int) -> int:
        """What `in_channels` means behind a node: the axis after the batch axes; without such an axis, 1."""
        shape, axes = self.nodes[node].shape, self.batch_axes
        return shape[axes] if axes < len(shape) else 1

    def batched(self, layer: Layer) -> Layer:
        """The model with the batch axes of where items are being expanded; equal ones are one."""
        axes = self.batch_axes
        if not axes:
            return layer
        found = self.document.batched.get((id(layer), axes))
        if found is None:
            from ..layers.batched import batched

            found = self.document.batched[id(layer), axes] = batched(layer, axes)
        return found

    def repeated(self, layer: Layer, arriving: tuple[int, ...]) -> Layer:
        """A layer that reads nothing, along the batch axes of what arrives; equal ones are one."""
        key = (id(layer), arriving[: self.batch_axes])
        found = self.held.get(key)
        if found is None:
            found = self.held[key] = layer.repeated(arriving, self.batch_axes)
        return found

    def pass_over(self, item: Item, place: Place) -> None:
        """Note that an item is not there."""
        if item.number is not None:
            place.number = item.number - 1
        if item.name is not None:
            place.names.setdefault(item.name, None)

    def refuse_name(self, item: Item, place: Place) -> None:
        name = item.name or ""
        entry = place.names.get(name)
        if entry is not None and entry != FAILED:
            at = self.places[entry] if isinstance(entry, int) else self.group_places[entry.group]
            message = f"the name '{name}' stands twice, first on line {at.line}"
            problem = Problem("CC105", message, "names are unique in their block or branch")
            self.report(problem, item.name_at, place.prefix + name)

    def explained(self, problem: Unknown, item: Item, path: tuple[str, ...], place: Place, key: str) -> Problem:
        """The problem of a name that nothing above has: where it stands below, that is said."""
        below = self._below(item, path, place)
        if below is None:
            return problem
        message = f"{shown(path[0])} stands below, on line {below.at.line}"
        return Problem("CC106", message, f"'{key}' sees what stands above: move one of the two")

    def _below(self, item: Item, path: tuple[str, ...], place: Place) -> Item | None:
        """The item of a name that stands below an item that names it."""
        at: Place | None = place
        while at is not None:
            named = self._named(at).get(path[0], [])
            after = bisect_right(named, (item.at.line, item.at.column), key=lambda entry: entry[:2])
            if after < len(named):
                return named[after][2]
            at = at.outer
        return None

    def _named(self, place: Place) -> dict[str, list[tuple[int, int, Item]]]:
        """The items that are written in a place, by name; those without one by their kind."""
        items = self.written.get(place)
        if items is None:
            return {}
        found = self.by_name.get(id(items))
        if found is None:
            found = self.by_name[id(items)] = {}
            for item in sorted(items, key=lambda item: (item.at.line, item.at.column)):
                found.setdefault(item.name or item.kind, []).append((item.at.line, item.at.column, item))
        return found
