"""The report of a network: its figures, and the JSON contract of `convcalc table`: stable keys, raw integers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ..network import Group, Network
from ..version import FORMAT, __version__
from .figures import Figures, Subject
from .quantity import Quantity, Shaped

if TYPE_CHECKING:
    from ..layers.base import Shapes
    from .cost import Cost
    from .device import Device
    from .published import TableResult
    from .receptive_field import Fields

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
    """An object of the contract whose parts many share; its keys are those of all parts, one after the other."""

    own: dict[str, object]
    shared: tuple[dict[str, object], ...]

    @property
    def whole(self) -> dict[str, object]:
        """All of it."""
        return {key: value for part in (self.own, *self.shared) for key, value in part.items()}


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
            "groups": (Joined(_group(network, group), ()) for group in network.groups.values()),
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


def _group(network: Network, group: Group) -> dict[str, object]:
    """A block, a branch, a join or a repeated item: from which layer to which, and which of them is its output."""
    nodes = network.nodes
    return {
        "path": group.path,
        "kind": group.kind,
        "first": nodes[group.start].name if group.start < group.stop else None,
        "last": nodes[group.stop - 1].name if group.start < group.stop else None,
        "output": nodes[group.output].name,
        "repeats": group.repeats,
    }


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
    worked: dict[tuple[int, Shapes, bool], dict[str, object]] = {}
    """What equal layers on equal shapes have in common, those that hold their weights and those that do not."""
    seen: Fields | None = None
    field = _field(seen)
    memory = _Memory(report)
    intensities: dict[tuple[int, int], object] = {}
    """FLOPs and bytes -> the first for each of the second: many layers have the same."""
    for index in indices:
        name, layer, sources, shape, shares = nodes[index]
        assert layer is not None
        shapes = tuple([nodes[i].shape for i in sources])
        key = (id(layer), shapes, shares is None)
        work = worked.get(key)
        if work is None:
            work = worked[key] = {
                "input_shapes": [list(shape) for shape in shapes],
                "output_shape": list(shape),
                **_costs(costs[index], batch),
            }
        if fields[index] is not seen:
            seen = fields[index]
            field = _field(seen)
        passed = (costs[index].flops * batch, moved[index])
        if passed not in intensities:
            intensities[passed] = plain_figure(intensity(*passed))
        named: dict[str, object] = {
            "name": name,
            "stage": name.partition(".")[0],
            "kind": layer.kind,
            "from": [nodes[i].name for i in sources],
            "shares": None if shares is None else nodes[shares].name,
            **memory.of(index),
            "bytes_moved": passed[1],
            "intensity": intensities[passed],
        }
        yield Joined(named, (work, field))


class _Memory:
    """From when to when outputs are alive at inference, in bytes, and where they lie in a planned arena."""

    def __init__(self, report: Report) -> None:
        self._nodes = report.network.nodes
        self._facts = report.liveness
        self._scale = report.batch * report.item
        plan = report.arena if len(self._nodes) <= MOST_PLANNED else None
        self._offsets = None if plan is None or plan.offsets is None else [plan.offsets[held] for held in plan.holds]

    def of(self, index: int) -> dict[str, object]:
        """Of the layer at an index."""
        live, _, last, storages = self._facts
        nodes, storage = self._nodes, storages[index]
        freed = last[storage]
        return {
            "live": live[index] * self._scale,
            "view_of": None if storage == index else nodes[storage].name,
            "last_reader": nodes[freed].name if freed < len(nodes) else None,
            "offset": None if self._offsets is None else self._offsets[index],
        }


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
