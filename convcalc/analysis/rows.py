"""Layers, groups and stages as the JSON contract of `convcalc table` has them: many, and many of them alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..network import works
from .alike import Alike, Keys, Part
from .cost import Cost
from .device import intensity
from .quantity import plain_figure
from .receptive_field import Square

if TYPE_CHECKING:
    from ..network import Network, Node, Tied
    from .figures import Figures, Subject
    from .receptive_field import AxisField, Fields

    Ties = tuple[Tied, ...]
    Facts = tuple[Node, int, int, int, int, Fields | None]
    """A node, the number of what it does, elements alive while it runs, whose memory holds its output, the bytes that
    it moves, its receptive field."""

Key = TypeVar("Key")

MOST_PLANNED = 10_000
"""Layers up to which the contract has offsets: to plan an arena takes long in large networks."""
MOST_SHARED = 4096
"""Parts of one kind that are kept to be shared."""

WITHOUT_BUFFERS = tuple(name for name in Cost._fields if name != "buffers")
GROUP: Keys = ("path", ("kind",), "first", "last", "output", ("repeats",))
"""Keys of a group; the parts are those of one kind, and of as many repetitions."""
LAYER: Keys = (
    "name",
    ("stage", "kind"),
    "from",
    ("shares", "live", "view_of"),
    "last_reader",
    ("offset", "bytes_moved", "intensity", "input_shapes", "output_shape", *Cost._fields),
    ("receptive_field", "jump", "start"),
)
"""Keys of a layer; the parts are those of equal kinds, of what is alive, of equal work, of one receptive field."""

STAGE: Keys = ("name", ("output_shape", *WITHOUT_BUFFERS, "depth"))
"""Keys of a stage; the parts are those of stages of one layer that do equal work."""


def group_rows(network: Network) -> Alike:
    """Blocks, branches, joins, repeated items: from which layer to which, and which of them is the output."""
    return Alike(GROUP, _groups(network))


def _groups(network: Network) -> Iterator[tuple[object, ...]]:
    nodes = network.nodes
    kinds: dict[str, Part] = {}
    repeated: dict[int, Part] = {}
    for path, kind, start, stop, output, repeats, _ in network.groups.values():
        first, last = (nodes[start].name, nodes[stop - 1].name) if start < stop else (None, None)
        of_kind = kinds.get(kind) or _kept(kinds, kind, Part(kind))
        often = repeated.get(repeats) or _kept(repeated, repeats, Part(repeats))
        yield path, of_kind, first, last, nodes[output].name, often


def stage_rows(figures: Figures, stages: Sequence[Subject] | None = None) -> Alike:
    """The top-level items, all of them for None. What can fail has been done before there is one of them."""
    _ = figures.totals
    found = figures.network.stages() if stages is None else [(each.name, each.nodes, each.output) for each in stages]
    return Alike(STAGE, _stages(figures, found))


def _stages(figures: Figures, stages: Iterable[tuple[str, Sequence[int], int | None]]) -> Iterator[tuple[object, ...]]:
    nodes, numbers = figures.network.nodes, works(figures.network).numbers
    worked: dict[tuple[int, Ties | None], Part] = {}
    for name, members, output in stages:
        if len(members) == 1 and members[0] == output:
            done = (numbers[output], nodes[output].tied if nodes[output].shares is None else None)
            yield name, worked.get(done) or _kept(worked, done, _stage(figures, members, output))
        else:
            yield name, _stage(figures, members, output)


def _stage(figures: Figures, members: Sequence[int], output: int | None) -> Part:
    """What layers put out, hold and do together."""
    cost = figures.cost_of(members)._asdict()
    shape = None if output is None else list(figures.node(output).shape)
    return Part(shape, *[cost[name] for name in WITHOUT_BUFFERS], figures.depth(members))


def layer_rows(figures: Figures, layers: Sequence[Subject] | None = None) -> Alike:
    """Layers, all of them for None. What can fail has been done before there is one of them."""
    network, (live, _, _, storages) = figures.network, figures.liveness
    _ = figures.costs
    found = enumerate(
        zip(
            network.nodes,
            works(network).numbers,
            live,
            storages,
            figures.moved,
            figures.receptive_fields.fields,
            strict=True,
        )
    )
    if layers is None:
        return Alike(LAYER, _layers(figures, found))
    known = list(found)
    return Alike(LAYER, _layers(figures, (known[layer.nodes[0]] for layer in layers)))


def _layers(figures: Figures, found: Iterable[tuple[int, Facts]]) -> Iterator[tuple[object, ...]]:
    nodes, last = figures.network.nodes, figures.liveness.last
    item = figures.batch * figures.item
    names = [*[node.name for node in nodes], None]
    """The last stands for nobody: an output of the network is read by no layer."""
    offsets = _offsets(figures)
    begun: dict[tuple[str, str], Part] = {}
    middle: dict[tuple[int | None, int, int | None], Part] = {}
    worked: dict[tuple[int, Ties | None, int | None, int], Part] = {}
    """What layers of equal work have in common, those that hold their weights and those that do not."""
    seen: Fields | None = None
    field = _field(seen)
    for index, ((name, layer, sources, _, shares, ties), number, live, storage, moved, fields) in found:
        if layer is None:
            continue
        kind = (name.partition(".")[0], layer.kind)
        start = begun.get(kind) or _kept(begun, kind, Part(*kind))
        view = None if storage == index else storage
        lender = ties[0].node if ties else shares
        place = (lender, live, view)
        held = middle.get(place)
        if held is None:
            holder = None if lender is None else names[lender]
            held = _kept(middle, place, Part(holder, live * item, None if view is None else names[view]))
        offset = None if offsets is None else offsets[index]
        done = (number, ties if shares is None else None, offset, moved)
        work = worked.get(done) or _kept(worked, done, _work(figures, index, offset))
        if fields is not seen:
            seen, field = fields, _field(fields)
        read = [names[sources[0]]] if len(sources) == 1 else [names[i] for i in sources]
        yield name, start, read, held, names[last[storage]], work, field


def _kept(known: dict[Key, Part], key: Key, part: Part) -> Part:
    """A part that is shared from now on."""
    if len(known) == MOST_SHARED:
        known.clear()
    known[key] = part
    return part


def _offsets(figures: Figures) -> list[int] | None:
    """Where the output of each node lies in a planned arena, in bytes; None where none is planned."""
    plan = figures.arena if len(figures.network.nodes) <= MOST_PLANNED else None
    return None if plan is None or plan.offsets is None else [plan.offsets[held] for held in plan.holds]


def _work(figures: Figures, index: int, offset: int | None) -> Part:
    """What a layer takes, and what it does: bytes, shapes, costs."""
    network, moved = figures.network, figures.moved[index]
    _, read, shape = works(network).different[works(network).numbers[index] - 1]
    cost = figures.costs[index].times(figures.batch)
    ratio = plain_figure(intensity(cost.flops, moved))
    return Part(offset, moved, ratio, list(map(list, read)), list(shape), *cost)


def _field(fields: Fields | None) -> Part:
    """Extent, jump and start of the receptive field on each space axis of the network's input."""
    if not fields:
        return Part(None, None, None)
    if type(fields) is Square:
        extent, jump, start = _figures(fields.first)
        axes = len(fields.axes)
        return Part([extent] * axes, [jump] * axes, [start] * axes)
    return Part(*map(list, zip(*map(_figures, fields), strict=True)))


def _figures(field: AxisField) -> tuple[object, object, object]:
    """Extent, jump and start on one axis."""
    _, first, _, jump, size, phases, exact = field
    if jump is not None and phases is None and exact:  # as most are: whole pixels
        return size, jump, first
    start = None if jump is None else plain_figure(field.start)
    return plain_figure(size), plain_figure(jump), start
