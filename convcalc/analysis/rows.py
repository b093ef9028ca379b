"""Layers and groups as the JSON contract of `convcalc table` has them: a large network has many, and many are alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..network import works
from .alike import Alike, Keys, Part
from .cost import Cost, total
from .quantity import plain_figure

if TYPE_CHECKING:
    from ..network import Network
    from .figures import Figures, Subject
    from .receptive_field import Fields

Key = TypeVar("Key")

MOST_PLANNED = 10_000
"""Layers up to which the contract has offsets: to plan an arena takes long in large networks."""
MOST_SHARED = 4096
"""Parts of one kind that are kept to be shared."""

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


def layer_rows(figures: Figures, layers: Sequence[Subject] | None = None) -> Alike:
    """Layers, all of them for None. What can fail has been done before there is one of them."""
    nodes = figures.network.nodes
    _ = figures.costs, figures.receptive_fields, figures.liveness, figures.moved
    indices = (
        (index for index, node in enumerate(nodes) if node.layer is not None)
        if layers is None
        else (layer.nodes[0] for layer in layers)
    )
    return Alike(LAYER, _layers(figures, indices))


def _layers(figures: Figures, indices: Iterable[int]) -> Iterator[tuple[object, ...]]:
    nodes, fields, moved = figures.network.nodes, figures.receptive_fields.fields, figures.moved
    numbers = works(figures.network).numbers
    live, _, last, storages = figures.liveness
    alive = figures.batch * figures.item
    names = [*[node.name for node in nodes], None]
    """The last stands for nobody: an output of the network is read by no layer."""
    offsets = _offsets(figures)
    begun: dict[tuple[str, str], Part] = {}
    middle: dict[tuple[int | None, int, int | None], Part] = {}
    worked: dict[tuple[int, bool, int | None, int], Part] = {}
    """What layers of equal work have in common, those that hold their weights and those that do not."""
    seen: Fields | None = None
    field = _field(seen)
    for index in indices:
        name, layer, sources, _, shares = nodes[index]
        assert layer is not None
        kind = (name.partition(".")[0], layer.kind)
        start = begun.get(kind) or _kept(begun, kind, Part(*kind))
        view = None if storages[index] == index else storages[index]
        place = (shares, live[index], view)
        held = middle.get(place)
        if held is None:
            holder = None if shares is None else names[shares]
            held = _kept(middle, place, Part(holder, live[index] * alive, None if view is None else names[view]))
        offset = None if offsets is None else offsets[index]
        done = (numbers[index], shares is None, offset, moved[index])
        work = worked.get(done) or _kept(worked, done, _work(figures, index, offset))
        if fields[index] is not seen:
            seen = fields[index]
            field = _field(seen)
        yield name, start, [names[i] for i in sources], held, names[last[storages[index]]], work, field


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
    from .device import intensity

    node, moved = figures.node(index), figures.moved[index]
    cost = total((figures.costs[index],), figures.batch)
    shapes = [list(shape) for shape in figures.network.input_shapes(node)]
    return Part(offset, moved, plain_figure(intensity(cost.flops, moved)), shapes, list(node.shape), *cost)


def _field(fields: Fields | None) -> Part:
    """Extent, jump and start of the receptive field on each space axis of the network's input."""
    if not fields:
        return Part(None, None, None)
    sizes: list[object] = []
    jumps: list[object] = []
    starts: list[object] = []
    for field in fields:
        _, first, _, jump, size, phases, exact = field
        if jump is not None and phases is None and exact:  # as most are: whole pixels
            sizes.append(size)
            jumps.append(jump)
            starts.append(first)
        else:
            sizes.append(plain_figure(size))
            jumps.append(plain_figure(jump))
            starts.append(None if jump is None else plain_figure(field.start))
    return Part(sizes, jumps, starts)
