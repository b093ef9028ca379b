"""The report of a network: its figures, and the JSON contract of `convcalc table`: stable keys, raw integers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..network import Network
from ..version import FORMAT, __version__
from .figures import Figures, Subject
from .quantity import Quantity, Shaped

if TYPE_CHECKING:
    from ..layers.base import Shapes
    from .cost import Cost
    from .device import Device
    from .published import TableResult
    from .receptive_field import Fields

Key = TypeVar("Key")

CONVENTIONS = {
    "params": "learnable numbers, biases included; buffers apart",
    "weights": "params in tensors named weight",
    "macs": "multiply-accumulates of conv, transposed conv and linear layers: all taps, padding included, no bias",
    "flops": "2 x macs + bias adds + elementwise and pooling operations (docs/arithmetic.md)",
    "shapes": "[channels, *space], without the batch",
    "depth": "weighted layers on the longest path; a separable convolution counts 1",
}
"""What the numbers of every report mean: printed under every table and part of the contract."""


MOST_PLANNED = 10_000
"""Layers up to which the contract has offsets: to plan an arena takes long in large networks."""


class Joined(NamedTuple):
    """An object of the contract that many are like: whole parts of it are shared.

    >>> Joined(("a", None), (1, {"b": 2, "c": 3})).whole
    {'a': 1, 'b': 2, 'c': 3}
    """

    keys: tuple[str | None, ...]
    """In their order; None where a part stands."""
    values: tuple[object, ...]
    """The values of the keys, and the parts, which are mappings."""

    @property
    def whole(self) -> dict[str, object]:
        """All of it."""
        found: dict[str, object] = {}
        for key, value in zip(self.keys, self.values, strict=True):
            found |= value if key is None and isinstance(value, dict) else {str(key): value}
        return found


GROUP = ("path", None, "first", "last", "output", None)
LAYER = ("name", None, "from", None, "last_reader", None, None)
"""Keys of groups and of layers; the parts are those of equal kinds, of equal work, of one receptive field, ..."""
MOST_SHARED = 4096
"""Parts of one kind that are kept to be shared."""


class Report(Figures):
    """The figures of one network at one batch size, and the printed tables of its spec beside them.

    Build it with `convcalc.analyse`. Every analysis is computed when it is first asked for.
    """

    @property
    def skipped(self) -> tuple[str, ...]:
        """Options that change what the printed tables describe: with them they are compared where that is asked for."""
        origin = self.network.origin
        if origin is None or origin.section("published") is None:
            return ()
        return (*origin.given.options, *(("--batch",) if self.batch != 1 else ()))

    @property
    def published(self) -> tuple[TableResult, ...]:
        """The printed tables beside the computed ones; none where they are skipped. Raises SpecError."""
        return () if self.skipped else self.judged

    @cached_property
    def judged(self) -> tuple[TableResult, ...]:
        """The printed tables under the variant, the params, the input and the batch that were given. Raises SpecError.

        A cell whose reading has its own variant, input or value of a param keeps it.
        """
        origin = self.network.origin
        if origin is None or origin.section("published") is None:
            return ()
        from .published import compare

        return compare(self.network, self.batch)

    @cached_property
    def outlines(self) -> tuple[TableResult, ...]:
        """Those of the printed tables that have this network's stages as rows. Raises SpecError."""
        if not self.published:
            return ()
        from .published import outlines

        return tuple(result for result in self.published if outlines(result.table, self))

    def to_dict(
        self,
        layers: Sequence[Subject] | None = None,
        stages: Sequence[Subject] | None = None,
        columns: Sequence[Quantity] | None = None,
    ) -> dict[str, object]:
        """The report as the JSON contract of `convcalc table`.

        `layers` and `stages` are those that are listed, in their order (None: all); with `columns` their rows and the
        totals have these quantities alone.
        """
        found = self.streamed(layers, stages, columns)
        return {
            key: [row.whole for row in value] if isinstance(value, Iterator) else value for key, value in found.items()
        }

    def streamed(
        self,
        layers: Sequence[Subject] | None = None,
        stages: Sequence[Subject] | None = None,
        columns: Sequence[Quantity] | None = None,
        judged: bool = False,
    ) -> dict[str, object]:
        """The same, with the printed tables also where they are `judged` under other options than the file's; its
        layers and groups come one after the other: a large network has many. What can fail has been done.
        """
        network = self.network
        stages = self.stages if stages is None else stages
        nodes = network.nodes
        return {
            "format": FORMAT,
            "convcalc": __version__,
            "spec": network.name,
            "variant": network.variant,
            "input": {name: list(shape) for name, shape in network.inputs.items()},
            "batch": self.batch,
            "conventions": dict(CONVENTIONS),
            "groups": _groups(network),
            "layers": _layers(self, layers)
            if columns is None
            else [_row(self, layer, columns) for layer in (self.layers if layers is None else layers)],
            "stages": [_stage(self, stage) if columns is None else _row(self, stage, columns) for stage in stages],
            "outputs": [{"name": output.name, "shape": list(nodes[output.node].shape)} for output in network.outputs],
            "totals": total_figures(self)
            if columns is None
            else _row(self, self.whole, [column for column in columns if column.total]),
            "published": [result.to_dict() for result in (self.judged if judged else self.published)],
        }


def analyse(
    network: Network,
    batch: int = 1,
    *,
    dtype: str = "float32",
    optimizer: str = "sgd",
    device: Device | None = None,
) -> Report:
    """The report of a network: costs of every layer, totals, analyses and printed tables on demand.

    `batch` (at least 1) multiplies macs, flops and activations. `dtype` is that of activations and params in
    memory (float64, float32, float16, bfloat16, int8), `optimizer` sgd, momentum or adam, `device` what the
    roofline is drawn for. Raises SpecError where a figure is above 2^63 − 1, ValueError for a batch below 1
    or an unknown dtype or optimizer.

    >>> from convcalc import loads
    >>> report = analyse(loads("{convcalc: 1, input: [3, 32, 32], layers: [{conv2d: {out: 8, k: 3}}]}"), batch=2)
    >>> report.totals.macs, report.to_dict()["published"]
    (388800, [])
    """
    report = Report(network, batch, dtype, optimizer, device)
    _ = report.totals
    return report


def total_figures(report: Report) -> dict[str, object]:
    """The totals of a report, as its JSON has them."""
    everything = range(len(report.network.nodes))
    return {
        **_costs(report.totals),
        "activations": report.activations(everything),
        "depth": report.depth(everything),
    }


def _groups(network: Network) -> Iterator[Joined]:
    """Blocks, branches, joins, repeated items: from which layer to which, and which of them is the output."""
    nodes = network.nodes
    kinds: dict[str, dict[str, object]] = {}
    repeated: dict[int, dict[str, object]] = {}
    for path, kind, start, stop, output, repeats, _ in network.groups.values():
        first, last = (nodes[start].name, nodes[stop - 1].name) if start < stop else (None, None)
        of_kind = kinds.get(kind) or _kept(kinds, kind, {"kind": kind})
        often = repeated.get(repeats) or _kept(repeated, repeats, {"repeats": repeats})
        yield Joined(GROUP, (path, of_kind, first, last, nodes[output].name, often))


def _kept(known: dict[Key, dict[str, object]], key: Key, part: dict[str, object]) -> dict[str, object]:
    """A part that is shared from now on."""
    if len(known) == MOST_SHARED:
        known.clear()
    known[key] = part
    return part


def _layers(report: Report, layers: Sequence[Subject] | None) -> Iterator[Joined]:
    """The layers, all of them for None. Raises before there is one of them."""
    nodes = report.network.nodes
    _ = report.costs, report.receptive_fields, report.liveness, report.moved
    indices = (
        (index for index, node in enumerate(nodes) if node.layer is not None)
        if layers is None
        else (layer.nodes[0] for layer in layers)
    )
    return _rows(report, indices)


def _rows(report: Report, indices: Iterable[int]) -> Iterator[Joined]:
    from .device import intensity

    nodes, costs, fields = report.network.nodes, report.costs, report.receptive_fields.fields
    batch, moved = report.batch, report.moved
    live, _, last, storages = report.liveness
    alive = report.batch * report.item
    names = [*[node.name for node in nodes], None]
    """The last stands for nobody: an output of the network is read by no layer."""
    offsets = _offsets(report)
    begun: dict[tuple[str, str], dict[str, object]] = {}
    middle: dict[tuple[int | None, int, int | None], dict[str, object]] = {}
    worked: dict[tuple[int, Shapes, bool, int | None, int], dict[str, object]] = {}
    """What equal layers on equal shapes have in common, those that hold their weights and those that do not."""
    seen: Fields | None = None
    field = _field(seen)
    for index in indices:
        name, layer, sources, shape, shares = nodes[index]
        assert layer is not None
        stage, kind = name.partition(".")[0], layer.kind
        start = begun.get((stage, kind)) or _kept(begun, (stage, kind), {"stage": stage, "kind": kind})
        storage = storages[index]
        place = (shares, live[index], storage if storage != index else None)
        held = middle.get(place)
        if held is None:
            held = {
                "shares": None if shares is None else names[shares],
                "live": live[index] * alive,
                "view_of": None if storage == index else names[storage],
            }
            _kept(middle, place, held)
        shapes = (nodes[sources[0]].shape,) if len(sources) == 1 else tuple([nodes[i].shape for i in sources])
        offset = None if offsets is None else offsets[index]
        done = (id(layer), shapes, shares is None, offset, moved[index])
        work = worked.get(done)
        if work is None:
            work = {
                "offset": offset,
                "bytes_moved": moved[index],
                "intensity": plain_figure(intensity(costs[index].flops * batch, moved[index])),
                "input_shapes": [list(shape) for shape in shapes],
                "output_shape": list(shape),
                **_costs(costs[index], batch),
            }
            _kept(worked, done, work)
        if fields[index] is not seen:
            seen = fields[index]
            field = _field(seen)
        sent = [names[i] for i in sources]
        yield Joined(LAYER, (name, start, sent, held, names[last[storage]], work, field))


def _offsets(report: Report) -> list[int] | None:
    """Where the output of each node lies in a planned arena, in bytes; None where none is planned."""
    plan = report.arena if len(report.network.nodes) <= MOST_PLANNED else None
    return None if plan is None or plan.offsets is None else [plan.offsets[held] for held in plan.holds]


def _row(report: Report, subject: Subject, columns: Sequence[Quantity]) -> dict[str, object]:
    """The quantities of a subject."""
    return {column.heading: plain_figure(column.get(report, subject)) for column in columns}


def plain_figure(value: object) -> object:
    """A value as JSON has it: integers, words, lists of sizes, exact fractions as "p/q"."""
    if isinstance(value, Shaped):
        return plain_figure(value.raw)
    if isinstance(value, tuple):
        return [plain_figure(part) for part in value]
    return str(value) if isinstance(value, Fraction) else value


def _stage(report: Report, stage: Subject) -> dict[str, object]:
    shape = report.shape(stage)
    cost = _costs(report.cost(stage))
    del cost["buffers"]
    return {
        "name": stage.name,
        "output_shape": None if shape is None else list(shape),
        **cost,
        "depth": report.depth(stage.nodes),
    }


def _field(fields: Fields | None) -> dict[str, object]:
    """Extent, jump and start of the receptive field on each space axis of the network's input; fractions as "p/q"."""
    if not fields:
        return {"receptive_field": None, "jump": None, "start": None}
    return {
        "receptive_field": [_exact(field.size) for field in fields],
        "jump": [_exact(field.jump) for field in fields],
        "start": [None if field.jump is None else _exact(field.start) for field in fields],
    }


def _exact(value: int | Fraction | None) -> int | str | None:
    return value if value is None or isinstance(value, int) else str(value)


def _costs(cost: Cost, batch: int = 1) -> dict[str, int]:
    return {
        "params": cost.params,
        "weights": cost.weights,
        "buffers": cost.buffers,
        "macs": cost.macs * batch,
        "flops": cost.flops * batch,
    }
