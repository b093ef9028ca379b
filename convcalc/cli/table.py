"""`convcalc table`: a spec as a tree, its layers or stages, or its printed tables; several specs beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..findings import UsageError
from .columns import view
from .options import (
    BatchOption,
    DeviceOption,
    DtypeOption,
    InputOption,
    OptimizerOption,
    SetOption,
    VariantOption,
    load_network,
    number,
    read_device,
)
from .output import format_option, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..analysis.figures import Subject
    from ..analysis.quantity import Quantity
    from ..analysis.report import Report
    from ..analysis.tree import Row
    from ..network import Network
    from ..render.document import Document
    from .columns import View


By = Literal["layer", "stage"]

SpecsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SPEC",
        help="A spec file, an ONNX file, - for standard input, git:REV:PATH or a gallery name; several are compared.",
    ),
]

DEFAULT = ("name", "kind", "patch", "output", "params", "macs")
WIDE = ("name", "kind", "patch", "output", "params", "activation", "live", "flops", "macs")
WIDE_FROM = 120
"""Columns of a terminal from which the wide default is shown."""
FLAT = ("name", "kind", "output", "params", "macs")
WIDE_FLAT = ("name", "kind", "patch", "output", "receptive_field", "params", "activation", "live", "flops", "macs")
"""The defaults of rows that stand for one thing each; programs get the short one."""
AROUND = 7
"""Lines of a screen that a tree leaves to its heading, its totals and the prompt."""


def command(
    specs: SpecsArgument = None,
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
    plot: Annotated[
        str | None,
        typer.Option(
            "--plot",
            metavar="COLUMN|X,Y",
            help="Draw a column as bars, or two as a scatter: the rows, or the networks.",
        ),
    ] = None,
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
    variants: Annotated[
        bool, typer.Option("--variants", help="A row for every variant too, the networks beside each other.")
    ] = False,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimizer: OptimizerOption = "sgd",
    device: DeviceOption = None,
) -> None:
    from ..render import table

    if columns == "help":
        from ..analysis.quantities import QUANTITIES

        write("text", lambda: table.columns_document(QUANTITIES.values()), dict)
        return
    if not specs:
        raise UsageError("table takes a SPEC", "for example convcalc table resnet; convcalc specs lists the gallery")
    several = len(specs) > 1 or variants
    flat = by is not None or (depth is None and format == "csv")
    usual = _usual(several, flat, format)
    shown = view(columns, usual, sort, top, plot, exact, legend, format, device is not None)
    machine = read_device(device)

    def analysed(network: Network) -> Report:
        from ..analysis.report import analyse

        return analyse(network, batch, dtype=dtype, optimizer=optimizer, device=machine)

    if several:
        _refuse_for_several(by, depth, published)
        from .comparison import Specs, compare

        compare(Specs(specs, variants, set, variant, input), shown, analysed)
        return
    asked = {"--by": by, "--depth": depth, "--columns": columns, "--sort": sort, "--top": top, "--plot": plot}
    given = [option for option, value in asked.items() if value is not None]
    _refuse_together(format, by, depth, published, given)
    levels = None if depth is None else _levels(depth)
    from ..analysis.tree import arranged, tree

    report = analysed(load_network(specs[0], set, variant, input))
    quantities = shown.quantities
    if columns is None and not any(
        node.layer is not None and node.layer.patch is not None for node in report.network.nodes
    ):
        quantities = [quantity for quantity in quantities if quantity.name != "patch"]
    if published:
        _refuse_unpublished(report)
    shared = table.share_of(quantities, shown.by)

    def document() -> Document:
        if published is None and not given and format != "csv" and report.outlines:
            return table.published_document(
                report, report.outlines, [_others(report)], table.legend(()) if legend else ()
            )
        if published:
            return table.published_document(report, report.published, (), table.legend(()) if legend else ())
        remarks = _remarks(report, shown.drawn or quantities, legend, columns is not None)
        if flat:
            subjects = arranged(report, report.stages if by == "stage" else report.layers, shown.by, top)
            first = "stage" if by == "stage" else "layer"
            if shown.drawn:
                return _drawn(report, [(subject.name, subject) for subject in subjects], shown, first, remarks)
            if format == "csv":
                return table.values_rows(report, subjects, quantities, first)
            if format != "text":
                return table.values_document(report, subjects, quantities, first, remarks)
            rows = (
                tree(report, quantities, 1, shown.by, top)
                if by == "stage"
                else table.layer_rows(report, subjects, quantities)
            )
            return table.tree_document(
                report, rows, quantities, shared, labels=first, exact=exact, total=shown.asked, remarks=remarks
            )
        rows = _rows(report, quantities, format, depth is None, levels, shown.by, top)
        if shown.drawn:
            found = table.labelled(rows) if len(shown.drawn) == 1 else table.leaves(rows)
            return _drawn(report, found, shown, "layer", remarks)
        if format == "csv":
            return table.tree_rows(report, rows, quantities)
        return table.tree_document(
            report,
            rows,
            quantities,
            shared,
            exact=exact or format != "text",
            total=shown.asked or format != "text",
            remarks=remarks,
            below=_below(report, rows, shown, given) if published is not False else [],
        )

    def data() -> Mapping[str, object]:
        layers, stages = (arranged(report, rows, shown.by, top) for rows in (report.layers, report.stages))
        return report.to_dict(layers, stages, quantities if shown.asked else None)

    write(format, document, data)


def _refuse_together(
    format: str, by: str | None, depth: str | None, published: bool | None, given: Sequence[str]
) -> None:
    """Raise UsageError for options that do not go together."""
    if by is not None and depth is not None:
        raise UsageError("--depth is of the tree: it goes without --by")
    if depth is not None and format == "json":
        raise UsageError("--depth is of the tree: json has all layers and all stages")
    if published and given:
        raise UsageError(f"--published shows the tables as they are printed: it goes without {', '.join(given)}")


def _refuse_for_several(by: str | None, depth: str | None, published: bool | None) -> None:
    """Raise UsageError for options that show the inside of one network."""
    given = {
        "--by": by is not None,
        "--depth": depth is not None,
        "--published": published is True,
        "--layers": published is False,
    }
    for option, used in given.items():
        if used:
            raise UsageError(f"{option} is of one network: several are compared in a row each", "give one SPEC for it")


def _usual(several: bool, flat: bool, format: str) -> Sequence[str]:
    """The columns that are shown where none are asked for: on a terminal, what it has room for."""
    if several:
        from ..analysis.comparison import COLUMNS

        return COLUMNS
    from ..render.streams import line_width

    room = line_width() if format == "text" else None
    wide = room is not None and room >= WIDE_FROM
    if flat:
        return WIDE_FLAT if wide else FLAT
    return WIDE if wide else DEFAULT


def _drawn(
    report: Report, subjects: Sequence[tuple[str, Subject]], view: View, first: str, remarks: list[str]
) -> Document:
    """One quantity of labelled subjects as bars, or the second over the first as a scatter."""
    from ..render import table

    x, y = view.drawn[0], view.drawn[-1]
    if len(view.drawn) == 1:
        block = table.bars(x, [(label, x.get(report, subject)) for label, subject in subjects])
        return table.drawn_document(report, block, (), remarks)
    values = [(label, x.get(report, subject), y.get(report, subject)) for label, subject in subjects]
    return table.drawn_document(report, *table.scatter(x, y, values, first, view.exact), remarks)


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
    from ..render.streams import PIPED_LINES, screen_lines

    if not fits:
        return tree(report, quantities, levels, by, top)
    lines = screen_lines() if format == "text" else PIPED_LINES
    return fitting(report, quantities, lines - AROUND, by, top)


def _others(report: Report) -> str:
    """What is said below the printed tables that are the first screen."""
    from ..render import table

    others = [result for result in report.published if result not in report.outlines]
    return f"{table.followed_line(others)}; the network: --layers" if others else "the network itself: --layers"


def _below(report: Report, rows: Sequence[Row], view: View, given: Sequence[str]) -> list[str]:
    """What is said below a tree: of the printed tables that it stands for, else how a long one gets short."""
    from ..analysis.tree import size
    from ..render import table
    from ..render.streams import screen_lines

    if given not in ([], ["--depth"]):
        return []
    if report.skipped:
        return [table.skipped_line(report)]
    if report.published:
        return [table.followed_line(report.published)]
    long = view.format == "text" and size(rows) > screen_lines()
    return ["the rows with most macs alone: --sort macs --top 10"] if long else []


def _remarks(report: Report, quantities: Sequence[Quantity], legend: bool, asked: bool) -> list[str]:
    """What stands behind the totals: of this network under columns that were asked for, and what the figures mean."""
    if not legend and not asked:
        return []
    from ..analysis.quantities import remarks
    from ..render import table

    found = remarks(report, quantities)
    return [*found, *table.legend(quantities)] if legend else found
