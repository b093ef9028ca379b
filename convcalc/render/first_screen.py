"""The first screen of a report: which quantities it has room for, and the tree that fits its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis.quantities import quantity
from ..analysis.tree import fitting
from .table import followed_line, share_of, skipped_line, tree_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..analysis.quantity import Quantity
    from ..analysis.report import Report
    from ..network import Network
    from .document import Document

DEFAULT = ("name", "kind", "patch", "output", "params", "macs")
WIDE = ("name", "kind", "patch", "output", "params", "activation", "live", "flops", "macs")
WIDE_FROM = 120
"""Columns of a terminal from which the wide default is shown."""
AROUND = 7
"""Lines of a screen that a tree leaves to its heading, its totals and the prompt."""


def first_screen(report: Report, width: int | None, lines: int) -> Document:
    """The deepest tree that a screen of so many lines shows whole, its stages at the least."""
    quantities = windowed(report.network, [found for name in usual(width) if (found := quantity(name))])
    rows = fitting(report, quantities, lines - AROUND)
    return tree_document(report, rows, quantities, share_of(quantities, None), below=about_published(report))


def usual(width: int | None, default: Sequence[str] = DEFAULT, wide: Sequence[str] = WIDE) -> Sequence[str]:
    """The columns that a terminal of so many columns has room for, where none are asked for."""
    return wide if width is not None and width >= WIDE_FROM else default


def windowed(network: Network, quantities: Sequence[Quantity]) -> list[Quantity]:
    """The quantities without the windows where no layer has one."""
    if any(node.layer is not None and node.layer.patch is not None for node in network.nodes):
        return list(quantities)
    return [found for found in quantities if found.name != "patch"]


def about_published(report: Report) -> list[str]:
    """What is said of the printed tables below a tree that stands in their place."""
    if report.skipped:
        return [skipped_line(report)]
    return [followed_line(report.published)] if report.published else []
