"""`convcalc table`: a spec's layers or stages, or its published tables beside the computed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..findings import UsageError
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
    from collections.abc import Sequence

    from ..render.document import Document


By = Literal["layer", "stage"]


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
    from ..render.streams import line_width
    from .columns import arranged, chosen, lengths

    if columns == "help":
        _write_help()
        return
    quantities = chosen(columns, line_width() if format == "text" else None)
    shown = {quantity.name for quantity in quantities} | {plot, sort}
    if device is None and (needed := shown & {"time", "bound"}):
        raise UsageError(f"the column {min(filter(None, needed))} needs --device", "for example --device v100")
    if plot is not None and format != "text":
        raise UsageError("--plot draws for a terminal: it goes without --format")
    from ..published.report import analyse

    network = load_network(spec, set, variant, input)
    report = analyse(network, batch, dtype=dtype, optimizer=optimizer, device=read_device(device))
    compared = not (by or columns or sort or top or plot or format == "csv")

    def document() -> Document:
        from ..render import table

        subjects = arranged(report, report.stages if by == "stage" else report.layers, sort, top)
        first = "stage" if by == "stage" else "layer"
        if plot is not None:
            return table.bars_document(report, subjects, *lengths(report, subjects, plot))
        if format == "csv":
            return table.values_rows(report, subjects, quantities, first)
        if compared and report.published:
            return table.published_document(report, report.published)
        remarks = [_skipped(report.skipped)] if compared and report.skipped else []
        return table.values_document(report, subjects, quantities, first, remarks)

    write(format, document, report.to_dict)


def _skipped(overridden: Sequence[str]) -> str:
    return f"published tables skipped: they describe the spec without {', '.join(overridden)}"


def _write_help() -> None:
    """Print every column with its unit and meaning."""
    from ..analysis.quantity.registry import QUANTITIES
    from ..render.table import columns_document

    write("text", lambda: columns_document(QUANTITIES.values()), dict)
