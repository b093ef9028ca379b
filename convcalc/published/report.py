"""The report that `convcalc.analyse` gives: the figures of a network, and its spec's printed tables compared."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..analysis.report import Report
from ..network import Network

if TYPE_CHECKING:
    from ..analysis.cost.device import Device
    from .compare import TableResult


class FullReport(Report):
    """A report with the published tables, compared when they are first asked for."""

    @property
    def skipped(self) -> tuple[str, ...]:
        """What keeps the printed tables from being compared: options that change what they describe."""
        origin = self.network.origin
        if origin is None or origin.section("published") is None:
            return ()
        return (*origin.overridden, *(("--batch",) if self.batch != 1 else ()))

    @cached_property
    def published(self) -> tuple[TableResult, ...]:
        """The printed tables beside the computed ones; none where they are skipped. Raises SpecError."""
        origin = self.network.origin
        if origin is None or origin.section("published") is None or self.skipped:
            return ()
        from .compare import compare

        return compare(self.network)

    def to_dict(self) -> dict[str, object]:
        """The whole JSON contract of `convcalc table`."""
        return {**super().to_dict(), "published": [result.to_dict() for result in self.published]}


def analyse(
    network: Network,
    batch: int = 1,
    *,
    dtype: str = "float32",
    optimizer: str = "sgd",
    device: Device | None = None,
) -> FullReport:
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
    report = FullReport(network, batch, dtype, optimizer, device)
    _ = report.totals
    return report
