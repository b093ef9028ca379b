"""What changed between two networks: layers added, removed, renamed and changed, and what it costs.

`matching.py` says which layer is which. A layer has changed where its fields, what it reads, whose weights it has, its
output, its params or its macs have.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..findings import UsageError
from ..network import Network, Node
from ..units import NoAmount, read_amount
from .figures import Subject
from .matching import Pairs, match
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
    pairs: Pairs
    """Nodes of the former network -> nodes of the later one that are the same layers."""

    @property
    def empty(self) -> bool:
        """Whether nothing changed."""
        return not self.layers and self.only_names

    @property
    def only_names(self) -> bool:
        """Whether nothing changed but names of layers."""
        renamed = all(layer.status == "renamed" for layer in self.layers)
        return renamed and not self.stages and all(change.before == change.after for change in self.totals)


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
    pairs = match(before.network, after.network)
    return Difference(
        before,
        after,
        tuple(_layers(before, after, pairs)),
        tuple(_stages(before, after, pairs)),
        tuple(_values(before, before.whole, after, after.whole, compared())),
        pairs,
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


def _stages(before: Report, after: Report, pairs: Pairs) -> Iterator[StageChange]:
    """The stages that changed, were added or removed; what groups the same layers otherwise is none of these.

    Most layers of what was added or removed are in one network alone.
    """
    same = _stage_pairs(before.stages, after.stages, pairs)
    new = {stage.name: stage for stage in after.stages}
    taken = set(same.values())
    left = {name: stage for name, stage in new.items() if name not in taken}
    matched = set(pairs.values())
    for stage in before.stages:
        other = new[same[stage.name]] if stage.name in same else left.pop(stage.name, None)
        if stage.name not in same and _stands(stage, pairs.keys(), other, matched):
            continue
        changes = _changed_values(before, stage, after, other)
        if other is None:
            yield StageChange(stage.name, "removed", changes)
        elif changes:
            name = stage.name if stage.name == other.name else f"{stage.name} → {other.name}"
            yield StageChange(name, "changed", changes)
    for stage in left.values():
        if not _stands(stage, matched):
            yield StageChange(stage.name, "added", _changed_values(before, None, after, stage))


def _stands(stage: Subject, paired: Container[int], other: Subject | None = None, matched: Container[int] = ()) -> bool:
    """Whether the layers of a stage stand in both networks: most of them, or all where there is another of its name."""
    alone = sum(i not in paired for i in stage.nodes)
    if other is None:
        return 2 * alone < len(stage.nodes)
    return alone == 0 and all(j in matched for j in other.nodes)


def _changed_values(before: Report, a: Subject | None, after: Report, b: Subject | None) -> tuple[Change, ...]:
    """What of a stage's figures has changed."""
    values = _values(before, a, after, b, compared(stages=True))
    return tuple([change for change in values if change.before != change.after])


def _stage_pairs(before: Sequence[Subject], after: Sequence[Subject], pairs: Pairs) -> dict[str, str]:
    """Old name -> new name of the stages that have the same layers."""
    placed = {tuple(stage.nodes): stage.name for stage in after}
    found: dict[str, str] = {}
    for stage in before:
        now = placed.get(tuple(sorted([pairs.get(i, -1) for i in stage.nodes])))
        if now is not None:
            found[stage.name] = now
    return found


def _layers(before: Report, after: Report, pairs: Pairs) -> Iterator[LayerChange]:
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
    before: Network, former: Node, after: Network, node: Node, pairs: Pairs, matched: set[int]
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
    held = None if former.shares is None else pairs.get(former.shares, -1)
    tied = [(tensor, pairs.get(held_by, -1)) for tensor, held_by in former.tied]
    if (held, tied) != (node.shares, list(node.tied)):
        yield Change("shares", _shared(before, former), _shared(after, node))


def _shared(network: Network, node: Node) -> str | None:
    """The layer whose weights a node has, or those of its tensors."""
    if node.tied:
        return ", ".join([f"{tensor} of {network.nodes[held_by].name}" for tensor, held_by in node.tied])
    return None if node.shares is None else network.nodes[node.shares].name


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
    layer = node.layer
    batch_axes = {"batch_axes": layer.batch_axes} if layer.batch_axes else {}
    return {name: _listed(value) for name, value in layer.inside if name != "kind"} | batch_axes


def _listed(value: object) -> object:
    if isinstance(value, tuple):
        items = [_listed(item) for item in value]
        return items[0] if items and all(item == items[0] for item in items) else items
    return value
