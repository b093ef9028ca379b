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

if TYPE_CHECKING:
    from ..analysis.figures import Subject
    from ..analysis.published import TableResult
    from ..analysis.quantity import Quantity
    from ..analysis.report import Report
    from ..render.grid import Grid


Format = Literal["rich", "markdown", "csv", "json", "latex"]
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
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "rich",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimizer: OptimizerOption = "sgd",
    device: DeviceOption = None,
) -> None:
    from ..render import terminal
    from .columns import arranged, chosen, column, help_lines, refuse_without_device

    if columns == "help":
        terminal.write_lines(help_lines())
        return
    quantities = chosen(columns, terminal.line_width() if format == "rich" else None)
    if device is None:
        refuse_without_device([*quantities, *(column(name) for name in (plot, sort) if name is not None)])
    if plot is not None and format != "rich":
        raise UsageError("--plot draws for a terminal: it goes without --format")
    from ..analysis.report import analyse

    network = load_network(spec, set, variant, input)
    report = analyse(network, batch, dtype=dtype, optimizer=optimizer, device=read_device(device))
    shaping = bool(by or columns or sort or top or plot)
    compared = not (shaping or format == "csv")
    if format == "json":
        terminal.write_text(terminal.json_text(report.to_dict()))
        return
    results = report.published if compared else ()
    skipped = f"published tables skipped: they describe the spec without {', '.join(report.skipped)}"
    skipped = skipped if compared and report.skipped else ""
    subjects = arranged(report, report.stages if by == "stage" else report.layers, sort, top)
    if plot is not None:
        _write_plot(report, subjects, plot)
    elif format == "csv" or not results:
        _write_values(report, subjects, quantities, by, format, skipped)
    else:
        _write_published(report, results, format)


def _write_plot(report: Report, subjects: list[Subject], plot: str) -> None:
    from ..render import terminal
    from ..render.table import heading
    from .columns import plot_lines

    drawn = plot_lines(report, subjects, plot, terminal.line_width())
    terminal.write_lines([*heading(report, terminal.line_width()), [], *drawn])


def _write_values(
    report: Report, subjects: list[Subject], quantities: list[Quantity], by: By | None, format: Format, skipped: str
) -> None:
    from ..analysis.quantities import notes as notes_of
    from ..render import grid
    from ..render.table import values_grid

    raw = format == "csv"
    first = "stage" if by == "stage" else "layer"
    table = values_grid(report, subjects, quantities, raw=raw, total=not raw, first=first)
    if raw:
        from ..render import terminal

        terminal.write_text(grid.to_csv(table))
        return
    notes = notes_of(report, quantities)
    _write(report, [(table, [])], [*notes, *([skipped] if skipped else [])], format)


def _write_published(report: Report, results: tuple[TableResult, ...], format: Format) -> None:
    from ..render.published import published_grid, published_notes

    _write(report, [(published_grid(result), published_notes(result)) for result in results], [], format)


def _write(report: Report, tables: list[tuple[Grid, list[str]]], notes: list[str], format: Format) -> None:
    """Tables with the notes under each, then the totals and what the numbers mean."""
    from ..analysis.report import CONVENTIONS
    from ..render import grid, terminal
    from ..render.table import heading, totals_line

    conventions = [f"{name}: {meaning}" for name, meaning in CONVENTIONS.items()]
    footer = [totals_line(report), *notes, *conventions]
    if format in ("markdown", "latex"):
        writer = grid.markdown if format == "markdown" else grid.latex
        texts = [writer([table], below) for table, below in tables]
        terminal.write_text("\n\n".join([*texts, writer([], footer).strip()]))
        return
    width = terminal.line_width()
    lines = heading(report, width)
    for table, below in tables:
        lines += [[], *grid.layout(table, width), *([[]] if below else [])]
        lines += [line for text in below for line in grid.wrapped(text, width)]
    lines += [[], *grid.wrapped(footer[0], width, "bold")]
    lines += [line for text in footer[1:] for line in grid.wrapped(text, width, "dim")]
    terminal.write_lines(lines)
