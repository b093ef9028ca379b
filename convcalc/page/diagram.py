"""The graph that the page's diagram draws: boxes of layers in the groups of the tree, and what each reads.

What is a box, what stands in which and what equal repetitions are one is said by `analysis/tree.py`. A comparison is
one graph of both networks: that of the later one, with what was removed where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ..analysis.quantities import quantity
from ..analysis.quantity import Quantity, Shaped
from ..analysis.tree import Row, fitting, size, tree
from ..export.drawing import shape_text
from ..terminal import printable

if TYPE_CHECKING:
    from ..analysis.diff import Difference
    from ..analysis.figures import Figures, Subject
    from ..analysis.report import Report
    from ..layers.base import Shape
    from ..network import Node

Change = Literal["added", "removed", "changed", "same"]
Status = Callable[[int], Change]
"""What happened to a node, by its index."""

COSTS = ("macs", "params", "flops", "activations")
"""What boxes can be coloured by, the first at first."""
SEEN = ("patch", "dilation", "output")
"""What else repetitions that are one box have in common."""
MOST_BOXES = 2000
"""Boxes and groups from which on small groups are one box."""
MOST_STAGES = 5000
"""Stages of the network above which there is no diagram."""


@dataclass(slots=True)
class _Box:
    """A layer, an input or an output; or several equal repetitions of a layer."""

    label: str
    path: str
    kind: str
    window: str
    shape: Shape
    figures: dict[str, int]
    group: int | None
    times: int = 1
    change: Change = "same"
    sources: dict[int, None] = field(default_factory=dict)
    """Numbers of the boxes that it reads, in order."""


@dataclass(slots=True)
class _Group:
    """What stands in one box until it is opened; or several equal repetitions of it."""

    label: str
    path: str
    what: str
    shape: Shape
    figures: dict[str, int]
    parent: int | None
    times: int
    change: Change


def graph(report: Report, difference: Difference | None = None) -> dict[str, object]:
    """The boxes, groups and costs of a report, or of a comparison whose later network it has, as plain data.

    `figures` are those of one repetition; `times` says how many there are. A comparison says the `change` of each box
    and group: added, removed, changed or same. A network of more stages than a diagram can show has no boxes, and their
    number as `left_out`.

    >>> from convcalc import loads
    >>> from convcalc.analysis.report import analyse
    >>> layers = "[{conv2d: {out: 8, k: 3, p: 1}, repeat: 3, name: stem}, relu]"
    >>> found = graph(analyse(loads(f"{{convcalc: 1, input: [8, 32, 32], layers: {layers}}}")))
    >>> [(box["label"], box["kind"], box["from"], box["times"]) for box in found["nodes"][:3]]
    [('input', 'input', [], 1), ('stem.0–2', 'conv2d', [0], 3), ('relu', 'relu', [1], 1)]
    """
    if max(len(side.stages) for side in (report, *(() if difference is None else (difference.before,)))) > MOST_STAGES:
        return {"nodes": [], "groups": [], "costs": list(COSTS), "left_out": len(report.network)}
    if difference is None:
        side = _Side(report, lambda _: "same")
        side.grow()
        return _data(side.boxes, side.order, side.groups, compared=False)
    return _compared(difference)


class _Side:
    """The boxes and groups of one network."""

    def __init__(self, figures: Figures, status: Status) -> None:
        self.figures = figures
        self.status = status
        self.boxes: list[_Box] = []
        self.groups: list[_Group] = []
        self.order: list[int] = []
        """Numbers of the boxes in the order in which they are drawn: an output behind the stage that it comes from."""
        self.box_of = [-1] * len(figures.network.nodes)
        """Index of a node -> the number of the box that it is in, or whose repetition is."""
        names = (*SEEN, *COSTS)
        change = Quantity("change", "", "what happened to it", lambda _, subject: self.of(subject))
        self._quantities = [*(found for name in names if (found := quantity(name))), change]

    def of(self, subject: Subject) -> Change:
        """What happened to all nodes of a subject; `changed` where it is not the same."""
        found = {self.status(index) for index in subject.nodes}
        return found.pop() if len(found) == 1 else "changed"

    def rows(self) -> list[Row]:
        """The rows of the tree down to the layers, or as deep as a diagram has room for."""
        rows = tree(self.figures, self._quantities, None)
        return rows if size(rows) <= MOST_BOXES else fitting(self.figures, self._quantities, MOST_BOXES)

    def grow(self) -> None:
        """Make the boxes and groups of the whole network."""
        nodes = self.figures.network.nodes
        for index, node in enumerate(nodes):
            if node.layer is None:
                self._end(node.name, node.name, "input", node.shape, self.status(index))
                self.box_of[index] = len(self.boxes) - 1
        rows = self.rows()
        if rows:
            self._boxes(rows, [row.subject.nodes[0] for row in rows[1:]] + [len(nodes)], None)
        for index, node in enumerate(nodes):
            self._reads(index, node)
        self.order = list(range(len(self.boxes)))
        last = {node.stage: self.box_of[index] for index, node in enumerate(nodes)}
        for output in self.figures.network.outputs:
            source, node = self.box_of[output.node], nodes[output.node]
            self.order.insert(self.order.index(last[node.stage]) + 1, len(self.boxes))
            self._end(output.name, self.boxes[source].path, "output", node.shape, "same")
            self.boxes[-1].sources[source] = None

    def _reads(self, index: int, node: Node) -> None:
        target = self.box_of[index]
        for source in map(self.box_of.__getitem__, node.inputs):
            # The repetitions after the first read what comes before them in the box of the first.
            if source < target:
                self.boxes[target].sources[source] = None

    def _end(self, label: str, path: str, kind: str, shape: Shape, change: Change) -> None:
        self.boxes.append(_Box(label, path, kind, "", shape, dict.fromkeys(COSTS, 0), None, change=change))

    def _boxes(self, rows: Sequence[Row], stops: Sequence[int], group: int | None) -> None:
        """The boxes of rows that are siblings; each ends before the node at its stop."""
        for each, stop in zip(rows, stops, strict=True):
            row = _single(each)
            first = row.subject.nodes
            for index in range(first[0], min(first[0] + len(first), stop)):
                self.box_of[index] = len(self.boxes)
            if len(row.rows) > 1:
                self.groups.append(self._group(row, group))
                ends = [inner.subject.nodes[0] for inner in row.rows[1:]] + [first[0] + len(first)]
                self._boxes(row.rows, ends, len(self.groups) - 1)
            else:
                self.boxes.append(self._box(row, group))
            for index in range(first[0] + len(first), stop):
                self.box_of[index] = self.box_of[first[0] + (index - first[0]) % len(first)]

    def _group(self, row: Row, parent: int | None) -> _Group:
        shape = self.figures.shape(row.subject) or ()
        return _Group(row.label, row.path, row.what, shape, self._costs(row), parent, row.times, self.of(row.subject))

    def _box(self, row: Row, group: int | None) -> _Box:
        kind = self.figures.node(row.subject.nodes[0]).kind if len(row.subject.nodes) == 1 else row.what
        patch = row.values[0]
        window = patch.written().removesuffix("/1") if isinstance(patch, Shaped) else ""
        shape = self.figures.shape(row.subject) or ()
        change = self.of(row.subject)
        return _Box(row.label, row.path, kind, window, shape, self._costs(row), group, row.times, change)

    def _costs(self, row: Row) -> dict[str, int]:
        values = row.values[len(SEEN) : len(SEEN) + len(COSTS)]
        return {name: value if isinstance(value, int) else 0 for name, value in zip(COSTS, values, strict=True)}


def _single(row: Row) -> Row:
    """A row without those that hold nothing but the next: what they hold, under their path.

    Its repetitions are those of all of them.
    """
    while len(row.rows) == 1:
        (inner,) = row.rows
        row = inner._replace(label=f"{row.label}.{inner.label}", times=row.times * inner.times)
    return row


def _compared(difference: Difference) -> dict[str, object]:
    """The graph of the later network with what was removed."""
    before, after = difference.before, difference.after
    pairs = difference.pairs
    matched = set(pairs.values())
    changed = {layer.after for layer in difference.layers if layer.status == "changed"}

    def of_after(index: int) -> Change:
        if index not in matched:
            return "added"
        return "changed" if after.network.nodes[index].name in changed else "same"

    new = _Side(after, of_after)
    new.grow()
    old = _Side(before, lambda index: "same" if index in pairs else "removed")
    old.grow()
    return _Merging(old, new, pairs).merged()


class _Merging:
    """The boxes of two networks as those of one graph: the later ones, and those that were removed where they stood."""

    def __init__(self, old: _Side, new: _Side, pairs: dict[int, int]) -> None:
        self.old, self.new, self.pairs = old, new, pairs
        self.boxes = list(new.boxes)
        self.groups = list(new.groups)
        self.order = list(new.order)
        """Numbers of the boxes in the order in which they are drawn."""
        self._now: dict[int, int] = {}
        """Box of the former network -> box of the graph."""
        self._moved: dict[int, int] = {}
        """Removed group of the former network -> group of the graph."""

    def merged(self) -> dict[str, object]:
        """The graph of both."""
        old, new = self.old, self.new
        for index, other in self.pairs.items():
            self._now.setdefault(old.box_of[index], new.box_of[other])
        after = -1
        for number, box in enumerate(old.boxes):
            if box.change == "removed":
                self._now[number] = len(self.boxes)
                self.order.insert(after + 1, len(self.boxes))
                group = self._group(box.group, number)
                self.boxes.append(replace(box, group=group, sources={}))
                for around in _around(self.groups, group):
                    if self.groups[around].change == "same":
                        self.groups[around].change = "changed"
                after += 1
            elif number in self._now:
                after = self.order.index(self._now[number])
        for number, box in enumerate(old.boxes):
            for source in box.sources:
                self._join(source, number)
        return _data(self.boxes, self.order, self.groups, compared=True)

    def _join(self, source: int, target: int) -> None:
        """Draw an arrow of the former network where one of its ends was removed."""
        old = self.old.boxes
        if "removed" in (old[source].change, old[target].change) and source in self._now and target in self._now:
            self.boxes[self._now[target]].sources[self._now[source]] = None

    def _group(self, group: int | None, box: int) -> int | None:
        """The group of the graph in which a removed box of a former group stands."""
        if group is None:
            return None
        former = self.old.groups[group]
        if former.change == "removed":
            if group not in self._moved:
                parent = self._group(former.parent, box)
                self.groups.append(replace(former, parent=parent))
                self._moved[group] = len(self.groups) - 1
            return self._moved[group]
        depth = len(list(_around(self.old.groups, group)))
        beside = self._beside(group, box)
        around = [] if beside is None else list(_around(self.new.groups, self.boxes[beside].group))
        return around[-depth:][0] if around else None

    def _beside(self, group: int, box: int) -> int | None:
        """The box of the graph for a kept box of a former group: the nearest before a box, else the first."""
        members = self._kept.get(group, [])
        return self._now[max([number for number in members if number < box], default=members[0])] if members else None

    @cached_property
    def _kept(self) -> dict[int, list[int]]:
        """Former group -> the boxes in it that were not removed."""
        found: dict[int, list[int]] = {}
        for number, box in enumerate(self.old.boxes):
            if box.change != "removed" and number in self._now:
                for group in _around(self.old.groups, box.group):
                    found.setdefault(group, []).append(number)
        return found


def _around(groups: Sequence[_Group], group: int | None) -> Iterator[int]:
    """A group and those around it, from the inside."""
    while group is not None:
        yield group
        group = groups[group].parent


def _data(
    boxes: Sequence[_Box], order: Sequence[int], groups: Sequence[_Group], *, compared: bool
) -> dict[str, object]:
    """Boxes in this order, and groups, as JSON holds them; their ids are their places."""
    place = {number: at for at, number in enumerate(order)}
    nodes: list[dict[str, object]] = []
    for at, number in enumerate(order):
        box = boxes[number]
        nodes.append(
            {
                "id": at,
                "path": printable(box.path),
                "label": printable(box.label),
                "kind": printable(box.kind),
                "window": box.window,
                "group": box.group,
                "from": [place[source] for source in box.sources],
                "shape": list(box.shape),
                "shape_text": shape_text(box.shape),
                "times": box.times,
                "figures": box.figures,
                **({"change": box.change} if compared else {}),
            }
        )
    found = [
        {
            "id": number,
            "path": printable(group.path),
            "label": printable(group.label),
            "what": printable(group.what),
            "parent": group.parent,
            "times": group.times,
            "shape_text": shape_text(group.shape),
            "figures": group.figures,
            **({"change": group.change} if compared else {}),
        }
        for number, group in enumerate(groups)
    ]
    return {"nodes": nodes, "groups": found, "costs": list(COSTS)}
