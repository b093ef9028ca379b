"""`convcalc table`: a spec as a tree, its layers or stages, or its printed tables; several specs beside each other."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..findings import UsageError
from .columns import view
from .options import (
    ArgOption,
    BatchOption,
    DeviceOption,
    DtypeOption,
    InputOption,
    OptimizerOption,
    SetOption,
    StrictOption,
    VariantOption,
    load_network,
    read_devices,
    refuse_unknown_costs,
)
from .output import format_option, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..analysis.report import Report
    from ..network import Network


By = Literal["layer", "stage"]

SpecsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SPEC",
        help="A spec, ONNX or Keras file, - for standard input, git:REV:PATH, a gallery name, or a model in code:"
        " ./net.py:Net, whose code then runs; several are compared.",
    ),
]

FLAT = ("name", "kind", "output", "params", "macs")
WIDE_FLAT = ("name", "kind", "patch", "output", "receptive_field", "params", "activation", "live", "flops", "macs")
"""The defaults of rows that stand for one thing each; programs get the short one."""


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
    arg: ArgOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    variants: Annotated[
        bool, typer.Option("--variants", help="A row for every variant too, the networks beside each other.")
    ] = False,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    optimizer: OptimizerOption = "sgd",
    device: DeviceOption = None,
    strict: StrictOption = False,
) -> None:
    from ..render import table

    if columns == "help":
        from ..analysis.quantities import GROUPS
        from ..render.streams import line_width

        write("text", lambda: table.columns_document(GROUPS, line_width()), dict)
        return
    if not specs:
        raise UsageError("table takes a SPEC", "for example convcalc table resnet; convcalc specs lists the gallery")
    several = len(specs) > 1 or variants
    flat = by is not None or (depth is None and format == "csv")
    usual = _usual(several, flat, format)
    machine, run = read_devices(device)
    shown = view(columns, usual, sort, top, plot, exact, legend, format, machine is not None)

    def analysed(network: "Network") -> "Report":
        from ..analysis.report import analyse

        if strict:
            refuse_unknown_costs(network)

        return analyse(network, batch, dtype=dtype, optimizer=optimizer, device=machine)

    if several:
        from .comparison import Specs, compare

        if not any(word.isdigit() for word in specs):  # sizes of an input: reading says so
            _refuse_for_several(by, depth, published)

        compare(Specs(specs, variants, set, variant, input, arg, run), shown, analysed)
        return
    from .single import Rows, show

    asked = {"--by": by, "--depth": depth, "--columns": columns, "--sort": sort, "--top": top, "--plot": plot}
    given = [option for option, value in asked.items() if value is not None]
    rows = Rows(by, depth, published, flat, given, format)
    show(analysed(load_network(specs[0], set, variant, input, arg, run)), shown, rows)


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


def _usual(several: bool, flat: bool, format: str) -> "Sequence[str]":
    """The columns that are shown where none are asked for: on a terminal, what it has room for."""
    if several:
        from ..analysis.comparison import COLUMNS

        return COLUMNS
    from ..render.first_screen import usual
    from ..render.streams import line_width

    room = line_width() if format == "text" else None
    return usual(room, FLAT, WIDE_FLAT) if flat else usual(room)
