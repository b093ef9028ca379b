"""What `table` is asked to show: the quantities of its columns, of `--sort` and of `--plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..hints import suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..analysis.quantity import Quantity

MOST_DRAWN = 2
"""Columns of `--plot`: one is drawn as bars, two as a scatter."""


class View(NamedTuple):
    """What is shown of rows, whatever they stand for."""

    quantities: list[Quantity]
    asked: bool
    """Whether `--columns` named them."""
    by: Quantity | None
    """Of `--sort`."""
    top: int | None
    drawn: list[Quantity]
    """Of `--plot`."""
    exact: bool
    legend: bool
    format: str

    @property
    def everything(self) -> list[Quantity]:
        """All quantities that it needs."""
        return [*self.quantities, *self.drawn, *([] if self.by is None else [self.by])]


def view(
    columns: str | None,
    usual: Sequence[str],
    sort: str | None,
    top: int | None,
    plot: str | None,
    exact: bool,
    legend: bool,
    format: str,
    on_device: bool,
) -> View:
    """The view of these options, with the `usual` columns where none are asked for. Raises UsageError."""
    quantities = [column(name.strip()) for name in (usual if columns is None else columns.split(","))]
    by = None if sort is None else column(sort)
    drawn = [] if plot is None else [column(name.strip()) for name in plot.split(",")]
    if drawn and format != "text":
        raise UsageError("--plot draws for a terminal: it goes without --format")
    if len(drawn) > MOST_DRAWN:
        raise UsageError("--plot takes one column for bars, or two for a scatter", "for example --plot params,macs")
    found = View(quantities, columns is not None, by, top, drawn, exact, legend, format)
    for quantity in found.everything:
        if quantity.needs == "--device" and not on_device:
            raise UsageError(f"the column {quantity.heading} needs --device", "for example --device v100")
    return found


def column(name: str) -> Quantity:
    """The quantity of a name. Raises UsageError for an unknown one."""
    from ..analysis.quantities import QUANTITY_NAMES, quantity

    known = quantity(name)
    if not name:
        raise UsageError("a comma without a column before or behind it", "names stand without spaces: params,macs")
    if known is None:
        hint = suggest(name, QUANTITY_NAMES, "")
        raise UsageError(f"there is no column '{name}'", f"{hint} --columns help lists them all".strip())
    return known if name == known.name else known._replace(asked=name)
