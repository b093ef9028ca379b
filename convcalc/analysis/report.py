"""The report of a network: its figures, and the JSON contract of `convcalc table`: stable keys, raw integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ..network import Network
from ..version import FORMAT, __version__
from .figures import Figures, Subject
from .quantity import Quantity, plain_figure

if TYPE_CHECKING:
    from .device import Device
    from .published import TableResult

CONVENTIONS = {
    "params": "learnable numbers, biases included; buffers apart",
    "weights": "params in tensors named weight",
    "macs": "multiply-accumulates of conv, transposed conv and linear layers: all taps, padding included, no bias",
    "flops": "2 x macs + bias adds + elementwise and pooling operations (docs/arithmetic.md)",
    "shapes": "[channels, *space], without the batch",
    "depth": "weighted layers on the longest path; a separable convolution counts 1",
}
"""What the numbers of every report mean: printed under every table and part of the contract."""


class Report(Figures):
    """The figures of one network at one batch size, and the printed tables of its spec beside them.

    `convcalc.analyse` shows what a version keeps of it. Every analysis is computed when it is first asked for.
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
        return {key: list(value) if isinstance(value, Iterator) else value for key, value in found.items()}

    def streamed(
        self,
        layers: Sequence[Subject] | None = None,
        stages: Sequence[Subject] | None = None,
        columns: Sequence[Quantity] | None = None,
        judged: bool = False,
    ) -> dict[str, object]:
        """The same, with the printed tables also where they are `judged` under other options than the file's; its
        layers, groups and stages come one after the other: a large network has many. What can fail has been done.
        """
        from .rows import group_rows, layer_rows, stage_rows

        network = self.network
        nodes = network.nodes
        return {
            "format": FORMAT,
            "convcalc": __version__,
            "spec": network.name,
            "variant": network.variant,
            "input": {name: list(shape) for name, shape in network.inputs.items()},
            "batch": self.batch,
            "conventions": dict(CONVENTIONS),
            "groups": group_rows(network),
            "layers": layer_rows(self, layers)
            if columns is None
            else [_row(self, layer, columns) for layer in (self.layers if layers is None else layers)],
            "stages": stage_rows(self, stages)
            if columns is None
            else [_row(self, stage, columns) for stage in (self.stages if stages is None else stages)],
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
        **report.totals._asdict(),
        "activations": report.activations(everything),
        "depth": report.depth(everything),
    }


def _row(report: Report, subject: Subject, columns: Sequence[Quantity]) -> dict[str, object]:
    """The quantities of a subject."""
    return {column.heading: plain_figure(column.get(report, subject)) for column in columns}
