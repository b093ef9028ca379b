"""`convcalc table`: a spec as a tree, its layers or stages, or its printed tables beside the computed ones."""

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
    number,
    read_device,
)
from .output import format_option, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..analysis.quantity import Quantity
    from ..analysis.report import Report
    from ..analysis.tree import Row
    from ..render.document import Document


By = Literal["layer", "stage"]

FLAT = ("name", "kind", "output", "params", "macs")
WIDE_FLAT = ("name", "kind", "patch", "output", "receptive_field", "params", "activation", "live", "flops", "macs")
"""The defaults of rows that stand for one thing each; programs get the short one."""


def command(
    spec: SpecArgument,
    by: Annotated[
        By | None, typer.Option("--by", help="Rows: every layer, or the top-level stages; else a tree.")
    ] = None,
    depth: Annotated[
        str | None,
        typer.Option("--depth", metavar="N|all", help="Levels of the tree (default: what fits the screen)."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="A,B,…", help="Quantities to show; 'help' lists them.")
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="COLUMN", help="Sort the rows of every level: numbers from the largest."),
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, metavar="N", help="Show the first N rows of every level.")
    ] = None,
    plot: Annotated[str | None, typer.Option("--plot", metavar="COLUMN", help="Draw one column as bars.")] = None,
    published: Annotated[
        bool | None,
        typer.Option("--published/--layers", help="The paper's printed tables, or what stands in the network."),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Whole numbers instead of K, M and G.")] = False,
    legend: Annotated[bool, typer.Option("--legend", help="Say below the table what its figures mean.")] = False,
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
    asked = {"--by": by, "--depth": depth, "--columns": columns, "--sort": sort, "--top": top, "--plot": plot}
    given = [option for option, value in asked.items() if value is not None]
    _refuse_together(format, by, depth, plot, published, given)
    levels = None if depth is None else _levels(depth)
    flat = by is not None or (depth is None and format == "csv")
    quantities = _chosen(columns, flat, line_width() if format == "text" else None)
    drawn, sorted_by = (None if name is None else _column(name) for name in (plot, sort))
    if device is None:
        _refuse_without_device([*quantities, *(found for found in (drawn, sorted_by) if found is not None)])
    from ..analysis.tree import arranged, tree
    from ..api.report import analyse
    from ..render.first_screen import about_published, windowed

    network = load_network(spec, set, variant, input)
    report = analyse(network, batch, dtype=dtype, optimizer=optimizer, device=read_device(device))
    if columns is None:
        quantities = windowed(network, quantities)
    if published:
        _refuse_unpublished(report)
    shared = table.share_of(quantities, sorted_by)

    def document() -> Document:
        if published is None and not given and format != "csv" and report.outlines:
            others = [result for result in report.published if result not in report.outlines]
            below = [table.followed_line(others)] if others else []
            below.append("the network itself: --layers")
            return table.published_document(report, report.outlines, below, table.legend(()) if legend else ())
        if published:
            return table.published_document(report, report.published, (), table.legend(()) if legend else ())
        remarks = _remarks(report, quantities, legend, columns is not None)
        if flat:
            subjects = arranged(report, report.stages if by == "stage" else report.layers, sorted_by, top)
            first = "stage" if by == "stage" else "layer"
            if drawn is not None:
                return table.bars_document(report, [(subject.name, subject) for subject in subjects], drawn, remarks)
            if format == "csv":
                return table.values_rows(report, subjects, quantities, first)
            if format != "text":
                return table.values_document(report, subjects, quantities, first, remarks)
            total = columns is not None
            rows = (
                tree(report, quantities, 1, sorted_by, top)
                if by == "stage"
                else table.layer_rows(report, subjects, quantities)
            )
            return table.tree_document(
                report, rows, quantities, shared, labels=first, exact=exact, total=total, remarks=remarks
            )
        rows = _rows(report, quantities, format, depth is None, levels, sorted_by, top)
        if drawn is not None:
            return table.bars_document(report, table.labelled(rows), drawn, remarks)
        if format == "csv":
            return table.tree_rows(report, rows, quantities)
        return table.tree_document(
            report,
            rows,
            quantities,
            shared,
            exact=exact or format != "text",
            total=columns is not None or format != "text",
            remarks=remarks,
            below=[] if published is False or given not in ([], ["--depth"]) else about_published(report),
        )

    def data() -> Mapping[str, object]:
        layers, stages = (arranged(report, rows, sorted_by, top) for rows in (report.layers, report.stages))
        return report.to_dict(layers, stages, quantities if columns is not None else None)

    write(format, document, data)


def _refuse_together(
    format: str, by: str | None, depth: str | None, plot: str | None, published: bool | None, given: Sequence[str]
) -> None:
    """Raise UsageError for options that do not go together."""
    if plot is not None and format != "text":
        raise UsageError("--plot draws for a terminal: it goes without --format")
    if by is not None and depth is not None:
        raise UsageError("--depth is of the tree: it goes without --by")
    if depth is not None and format == "json":
        raise UsageError("--depth is of the tree: json has all layers and all stages")
    if published and given:
        raise UsageError(f"--published shows the tables as they are printed: it goes without {', '.join(given)}")


def _refuse_unpublished(report: Report) -> None:
    """Raise UsageError where there are no printed tables to show."""
    if report.skipped:
        raise UsageError(f"--published: the printed tables describe the spec without {', '.join(report.skipped)}")
    if not report.published:
        raise UsageError(f"--published: {report.network.name} has no printed tables")


def _levels(text: str) -> int | None:
    """The levels of `--depth`; None for all. Raises UsageError."""
    if text == "all":
        return None
    levels = number("--depth", text, "a number of levels, or all")
    if levels < 1:
        raise UsageError("--depth is at least 1: the stages")
    return levels


def _rows(
    report: Report,
    quantities: Sequence[Quantity],
    format: str,
    fits: bool,
    levels: int | None,
    by: Quantity | None,
    top: int | None,
) -> list[Row]:
    """The rows of the tree: so many levels, or those that fit the screen."""
    from ..analysis.tree import fitting, tree
    from ..render.first_screen import AROUND
    from ..render.streams import PIPED_LINES, screen_lines

    if not fits:
        return tree(report, quantities, levels, by, top)
    lines = screen_lines() if format == "text" else PIPED_LINES
    return fitting(report, quantities, lines - AROUND, by, top)


def _remarks(report: Report, quantities: Sequence[Quantity], legend: bool, asked: bool) -> list[str]:
    """What stands behind the totals: of this network under columns that were asked for, and what the figures mean."""
    if not legend and not asked:
        return []
    from ..analysis.quantities import remarks
    from ..render import table

    found = remarks(report, quantities)
    return [*found, *table.legend(quantities)] if legend else found


def _chosen(columns: str | None, flat: bool, width: int | None = None) -> list[Quantity]:
    """The quantities of `--columns`, or what fits the terminal. Raises UsageError for an unknown one."""
    from ..render.first_screen import DEFAULT, WIDE, WIDE_FROM

    if columns is None:
        wide = width is not None and width >= WIDE_FROM
        names: Sequence[str] = (WIDE_FLAT if wide else FLAT) if flat else WIDE if wide else DEFAULT
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
