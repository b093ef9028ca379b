"""`convcalc table`: a spec's layers or stages, or its published tables beside the computed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..findings import UsageError
from ..hints import suggest
from .options import (
    BatchOption,
    DeviceOption,
    DtypeOption,
    InputOption,
    OptimizerOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_network,
    read_device,
)
from .output import format_option, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..analysis.quantity import Quantity
    from ..render.document import Document


By = Literal["layer", "stage"]

DEFAULT = ("name", "kind", "output", "params", "macs")
WIDE = ("name", "kind", "patch", "output", "receptive_field", "params", "macs", "flops", "activation")
WIDE_FROM = 140
"""Columns of a terminal from which the wide default is shown."""


def command(
    spec: SpecArgument,
    by: Annotated[By | None, typer.Option("--by", help="Rows: layers (default) or top-level stages.")] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="A,B,…", help="Quantities to show; 'help' lists them.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="COLUMN", help="Sort the rows: numbers from the largest.")
    ] = None,
    top: Annotated[int | None, typer.Option("--top", min=1, metavar="N", help="Show the first N rows.")] = None,
    plot: Annotated[str | None, typer.Option("--plot", metavar="COLUMN", help="Draw one column as bars.")] = None,
    format: Annotated[str, format_option("table")] = "text",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimizer: OptimizerOption = "sgd",
    device: DeviceOption = None,
) -> None:
    from ..render import table
    from ..render.streams import line_width

    if columns == "help":
        from ..analysis.quantities import QUANTITIES

        write("text", lambda: table.columns_document(QUANTITIES.values()), dict)
        return
    quantities = _chosen(columns, line_width() if format == "text" else None)
    drawn, sorted_by = (None if name is None else _column(name) for name in (plot, sort))
    if device is None:
        _refuse_without_device([*quantities, *(found for found in (drawn, sorted_by) if found is not None)])
    if drawn is not None and format != "text":
        raise UsageError("--plot draws for a terminal: it goes without --format")
    from ..analysis.report import analyse

    network = load_network(spec, set, variant, input)
    report = analyse(network, batch, dtype=dtype, optimizer=optimizer, device=read_device(device))
    compared = not (by or columns or sort or top or plot or format == "csv")

    def document() -> Document:
        subjects = table.arranged(report, report.stages if by == "stage" else report.layers, sorted_by, top)
        first = "stage" if by == "stage" else "layer"
        if drawn is not None:
            return table.bars_document(report, subjects, drawn)
        if format == "csv":
            return table.values_rows(report, subjects, quantities, first)
        if compared and report.published:
            return table.published_document(report, report.published)
        skipped = f"published tables skipped: they describe the spec without {', '.join(report.skipped)}"
        return table.values_document(
            report, subjects, quantities, first, [skipped] if compared and report.skipped else []
        )

    write(format, document, report.to_dict)


def _chosen(columns: str | None, width: int | None = None) -> list[Quantity]:
    """The quantities of `--columns`, or what fits the terminal. Raises UsageError for an unknown one."""
    if columns is None:
        names: Sequence[str] = WIDE if width is not None and width >= WIDE_FROM else DEFAULT
    else:
        names = columns.split(",")
    return [_column(name.strip()) for name in names]


def _column(name: str) -> Quantity:
    """The quantity of a name. Raises UsageError for an unknown one."""
    from ..analysis.quantities import QUANTITY_NAMES, quantity

    known = quantity(name)
    if known is None:
        hint = suggest(name, QUANTITY_NAMES, "")
        raise UsageError(f"there is no column '{name}'", f"{hint} --columns help lists them all".strip())
    return known if name == known.name else known._replace(asked=name)


def _refuse_without_device(quantities: Iterable[Quantity]) -> None:
    """Raise UsageError where a quantity has no value without `--device`."""
    for quantity in quantities:
        if quantity.needs == "--device":
            raise UsageError(f"the column {quantity.heading} needs --device", "for example --device v100")
