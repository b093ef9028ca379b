"""What changed between two networks: layers added, removed, renamed and changed, and what it costs.

Layers are matched in this order: the same name and the same layer; the same given name; the same layer
under another name, in the order of the networks; the same automatic name (`conv2d_2`), which says little.
Linear in the layers. A layer has changed where its fields, what it reads, its output, its params or its macs have.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..findings import UsageError
from ..network import Network, Node
from ..units import NoAmount, read_amount
from .figures import Subject
from .quantities import QUANTITIES, quantity
from .quantity import Quantity, Shaped, Value
from .report import Report

if TYPE_CHECKING:
    from ..layers.base import Shapes

Status = Literal["added", "removed", "renamed", "changed"]


class Change(NamedTuple):
    """One value before and after; None where it does not exist."""

    what: str
    before: object
    after: object


class LayerChange(NamedTuple):
    """What happened to one layer."""

    status: Status
    before: str | None
    """Its name before; None where it is new."""
    after: str | None
    kind: str
    changes: tuple[Change, ...] = ()


class StageChange(NamedTuple):
    """A top-level item, and its figures that changed."""

    name: str
    status: Literal["added", "removed", "changed"]
    changes: tuple[Change, ...]


class Difference(NamedTuple):
    """What changed between two reports."""

    before: Report
    after: Report
    layers: tuple[LayerChange, ...]
    stages: tuple[StageChange, ...]
    totals: tuple[Change, ...]
    """Every compared quantity of the whole network, changed or not."""

    @property
    def empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.layers or self.stages or any(change.before != change.after for change in self.totals))


class Threshold(NamedTuple):
    """The most that a quantity may grow: by a number, or by so many per cent of what it was."""

    quantity: str
    limit: Fraction
    relative: bool
    text: str
    """The limit as it is written."""

    def broken(self, difference: Difference) -> tuple[int, int] | None:
        """The totals before and after where they differ by more; None where they do not, or are no numbers."""
        change = next(change for change in difference.totals if change.what == self.quantity)
        before, after = change.before, change.after
        if not isinstance(before, int) or not isinstance(after, int):
            return None
        allowed = before * self.limit / 100 if self.relative else self.limit
        return (before, after) if after - before > allowed else None


def diff(before: Report, after: Report) -> Difference:
    """What changed from one report to the other."""
    return Difference(
        before,
        after,
        tuple(_layers(before, after)),
        tuple(_stages(before, after)),
        tuple(_values(before, before.whole, after, after.whole, compared())),
    )


def plain(value: Value) -> object:
    """A value as JSON holds it: shapes as lists, fractions as "p/q"."""
    if isinstance(value, Shaped):
        raw = value.raw
        return [part if isinstance(part, int) else str(part) for part in raw] if isinstance(raw, tuple) else str(raw)
    return f"{value.numerator}/{value.denominator}" if isinstance(value, Fraction) else value


def compared(stages: bool = False) -> list[Quantity]:
    """The quantities that are compared: of the network, or of its stages too."""
    return [q for q in QUANTITIES.values() if q.compared == "stages" or (q.compared == "network" and not stages)]


def limited() -> list[Quantity]:
    """The compared quantities whose growth can be limited: those that are one number of the network."""
    return [quantity for quantity in compared() if quantity.total]


def read_limits(given: Iterable[str] | Mapping[str, object]) -> list[Threshold]:
    """The limits of `--fail-over NAME=N[%]`, as such texts or as a mapping of names to limits. Raises UsageError.

    >>> [(limit.quantity, limit.limit, limit.relative) for limit in read_limits({"params": "1%", "macs": 1000})]
    [('params', Fraction(1, 1), True), ('macs', Fraction(1000, 1), False)]
    """
    if isinstance(given, str):
        given = [given]
    texts = [f"{name}={limit}" for name, limit in given.items()] if isinstance(given, Mapping) else given
    return [_threshold(text) for text in texts]


def _threshold(text: str) -> Threshold:
    name, _, limit = text.partition("=")
    number = limit.strip()
    try:
        most = read_amount(number.removesuffix("%"))
    except NoAmount as error:
        hint = "for example --fail-over params=1%"
        raise UsageError(f"--fail-over takes NAME=N or NAME=N%, not '{text}'", hint) from error
    wanted, known = quantity(name.strip()), limited()
    if wanted is None or wanted not in known:
        names = ", ".join(each.name for each in known)
        raise UsageError(f"--fail-over knows no '{name.strip()}'", f"one of {names}")
    return Threshold(wanted.name, most, number.endswith("%"), number)


def _values(
    before: Report, a: Subject | None, after: Report, b: Subject | None, quantities: Sequence[Quantity]
) -> Iterator[Change]:
    for found in quantities:
        yield Change(
            found.name,
            None if a is None else plain(found.get(before, a)),
            None if b is None else plain(found.get(after, b)),
        )


def _stages(before: Report, after: Report) -> Iterator[StageChange]:
    old = {stage.name: stage for stage in before.stages}
    new = {stage.name: stage for stage in after.stages}
    for name in [*old, *(name for name in new if name not in old)]:
        values = _values(before, old.get(name), after, new.get(name), compared(stages=True))
        changes = tuple(change for change in values if change.before != change.after)
        if name not in new:
            yield StageChange(name, "removed", changes)
        elif name not in old:
            yield StageChange(name, "added", changes)
        elif changes:
            yield StageChange(name, "changed", changes)


def _layers(before: Report, after: Report) -> Iterator[LayerChange]:
    pairs = match(before.network, after.network)
    matched = {b: a for a, b in pairs.items()}
    known = set(matched)
    old, new = before.network.nodes, after.network.nodes
    for i, node in enumerate(old):
        if node.layer is not None and i not in pairs:
            yield LayerChange("removed", node.name, None, node.kind, (Change("output", list(node.shape), None),))
    for j, node in enumerate(new):
        if node.layer is None:
            continue
        if j not in matched:
            yield LayerChange("added", None, node.name, node.kind, (Change("output", None, list(node.shape)),))
            continue
        former = old[matched[j]]
        changes = (
            *_changes(before.network, former, after.network, node, pairs, known),
            *_costs(before, matched[j], after, j),
        )
        if changes:
            yield LayerChange("changed", former.name, node.name, node.kind, changes)
        elif former.name != node.name:
            yield LayerChange("renamed", former.name, node.name, node.kind)


def _changes(
    before: Network, former: Node, after: Network, node: Node, pairs: dict[int, int], matched: set[int]
) -> Iterator[Change]:
    if former.kind != node.kind:
        yield Change("kind", former.kind, node.kind)
    elif former.layer != node.layer:
        old, new = _fields(former), _fields(node)
        for name in [*old, *(name for name in new if name not in old)]:
            if old.get(name) != new.get(name):
                yield Change(name, old.get(name), new.get(name))
    if former.shape != node.shape:
        yield Change("output", list(former.shape), list(node.shape))
    else:
        old_shapes, new_shapes = before.input_shapes(former), after.input_shapes(node)
        if old_shapes != new_shapes:
            yield Change("input", _shapes(old_shapes), _shapes(new_shapes))
    sources = [pairs.get(i, -1) for i in former.inputs]
    if sources != list(node.inputs) and -1 not in sources and matched.issuperset(node.inputs):
        # Where a source was added or removed, that is the change.
        old_names = [before.nodes[i].name for i in former.inputs]
        yield Change("from", old_names, [after.nodes[i].name for i in node.inputs])


def _shapes(shapes: Shapes) -> list[object]:
    """The shapes that a layer reads as JSON holds them: one as a list of sizes."""
    return list(shapes[0]) if len(shapes) == 1 else [list(shape) for shape in shapes]


def _costs(before: Report, i: int, after: Report, j: int) -> Iterator[Change]:
    old, new = before.costs[i], after.costs[j]
    if old.params != new.params:
        yield Change("params", old.params, new.params)
    if old.macs * before.batch != new.macs * after.batch:
        yield Change("macs", old.macs * before.batch, new.macs * after.batch)


def _fields(node: Node) -> dict[str, object]:
    """The fields of a layer as JSON holds them."""
    if node.layer is None:
        return {}
    return {name: _listed(value) for name, value in node.layer if name != "kind"}


def _listed(value: object) -> object:
    if isinstance(value, tuple):
        items = [_listed(item) for item in value]
        return items[0] if items and all(item == items[0] for item in items) else items
    return value


Key = Callable[[Network, Node], object]


def match(before: Network, after: Network) -> dict[int, int]:
    """Node of the first network -> the node of the second that is taken to be the same."""
    found: dict[int, int] = {}
    taken: set[int] = set()
    for key in (_name_and_layer, _given_name, _layer_and_shapes, _layer, _automatic_name):
        waiting: dict[object, deque[int]] = defaultdict(deque)
        for i, node in enumerate(before.nodes):
            if i not in found and (value := key(before, node)) is not None:
                waiting[value].append(i)
        for j, node in enumerate(after.nodes):
            if j not in taken and (queue := waiting.get(key(after, node))):
                found[queue.popleft()] = j
                taken.add(j)
    return found


def _name_and_layer(network: Network, node: Node) -> object:
    return (node.name, node.kind, node.layer)


def _given_name(network: Network, node: Node) -> object:
    return None if node.layer is None or automatic(node) else node.name


def _layer_and_shapes(network: Network, node: Node) -> object:
    return None if node.layer is None else (node.layer, network.input_shapes(node))


def _layer(network: Network, node: Node) -> object:
    return node.layer


def _automatic_name(network: Network, node: Node) -> object:
    return (node.name, node.kind)


def automatic(node: Node) -> bool:
    """Whether the node's own name was not given: its kind, or its kind and a number."""
    own = node.name.rpartition(".")[2]
    return own == node.kind or re.fullmatch(rf"{re.escape(node.kind)}_\d+", own) is not None
