"""`convcalc table`: a spec's layers or stages, or its published tables beside the computed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..findings import UsageError
from .options import BatchOption, InputOption, SetOption, SpecArgument, VariantOption, load_network

if TYPE_CHECKING:
    from ..analysis.quantities import Quantity
    from ..analysis.report import Report
    from ..published.compare import TableResult
    from ..render.grid import Grid


Format = Literal["rich", "markdown", "csv", "json", "latex"]
By = Literal["layer", "stage"]

DEFAULT_COLUMNS = ("name", "kind", "output", "params", "macs")


def command(
    spec: SpecArgument,
    by: Annotated[By | None, typer.Option("--by", help="Rows: layers (default) or top-level stages.")] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="A,B,…", help="Quantities to show; 'help' lists them.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "rich",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
) -> None:
    from ..render import terminal

    if columns == "help":
        terminal.write_lines(_columns_help())
        return
    chosen = _quantities(columns)
    from ..analysis.report import analyse

    network = load_network(spec, set, variant, input)
    report = analyse(network, batch)
    overridden = [
        name
        for name, given in (("--input", input), ("--set", set), ("--variant", variant), ("--batch", batch != 1))
        if given
    ]
    results, skipped = _published(report, overridden)
    if format == "json":
        import json

        data = {**report.to_dict(), "published": [result.to_dict() for result in results]}
        terminal.write_text(json.dumps(data, indent=2, ensure_ascii=False))
        return
    plain = results if by is None and columns is None and format != "csv" else ()
    _write(report, chosen, by, format, plain, skipped)


def _quantities(columns: str | None) -> list[Quantity]:
    from ..analysis.quantities import ALIASES, QUANTITIES, quantity

    found = []
    for name in columns.split(",") if columns is not None else DEFAULT_COLUMNS:
        known = quantity(name.strip())
        if known is None:
            from difflib import get_close_matches

            close = get_close_matches(name, [*QUANTITIES, *ALIASES], 1)
            hint = f"did you mean '{close[0]}'? " if close else ""
            raise UsageError(f"there is no column '{name.strip()}'", f"{hint}--columns help lists them all")
        found.append(known)
    return found


def _published(report: Report, overridden: list[str]) -> tuple[tuple[TableResult, ...], str]:
    """The published tables of the spec; none, and why, where options change what they describe."""
    origin = report.network.origin
    if origin is None or origin.section("published") is None:
        return (), ""
    if overridden:
        return (), f"published tables skipped: they describe the spec without {', '.join(overridden)}"
    from ..published.compare import compare

    return compare(report.network), ""


def _write(
    report: Report,
    chosen: list[Quantity],
    by: By | None,
    format: Format,
    results: tuple[TableResult, ...],
    skipped: str,
) -> None:
    from ..render import grid, terminal
    from ..render.table import heading, totals_line

    grids: list[Grid] = []
    notes: list[list[str]] = []
    if results:
        from ..render.published import published_grid, published_notes

        grids += [published_grid(result) for result in results]
        notes += [published_notes(result) for result in results]
    else:
        grids.append(_report_grid(report, chosen, by, raw=format == "csv"))
        notes.append([])
    footer = [totals_line(report), *([skipped] if skipped else []), *_conventions()]
    if format == "csv":
        terminal.write_text(grid.to_csv(grids[0]))
        return
    if format in ("markdown", "latex"):
        writer = grid.markdown if format == "markdown" else grid.latex
        texts = [writer([g], n) for g, n in zip(grids, notes, strict=True)]
        terminal.write_text("\n\n".join([*texts, writer([], footer).strip()]))
        return
    width = terminal.line_width()
    lines = heading(report)
    for g, n in zip(grids, notes, strict=True):
        lines += [[], *grid.layout(g, width), *([[]] if n else [])]
        lines += [line for text in n for line in grid.wrapped(text, width)]
    lines += [[], *grid.wrapped(footer[0], width, "bold")]
    lines += [line for text in footer[1:] for line in grid.wrapped(text, width, "dim")]
    terminal.write_lines(lines)


def _report_grid(report: Report, chosen: list[Quantity], by: By | None, raw: bool) -> Grid:
    from ..render.table import values_grid

    stages = by == "stage"
    subjects = report.stages if stages else report.layers
    return values_grid(report, subjects, chosen, raw=raw, total=not raw, first="stage" if stages else "layer")


def _conventions() -> list[str]:
    from ..analysis.conventions import CONVENTIONS

    return [f"{name}: {meaning}" for name, meaning in CONVENTIONS.items()]


def _columns_help() -> list[list[tuple[str, str]]]:
    from ..analysis.quantities import QUANTITIES
    from ..render.grid import Column, Grid, layout
    from ..render.terminal import line_width

    rows = [[q.name, q.unit, q.meaning] for q in QUANTITIES.values()]
    return list(layout(Grid([Column("column"), Column("unit"), Column("meaning")], rows), line_width()))
