"""`convcalc solve`: every layer that maps one size to another."""

from typing import Annotated

import typer

from ..api.solve import SHOWN
from ..api.solve import solve as search_layers
from ..findings import UsageError
from ..geometry.errors import GeometryError
from ..geometry.solve import DILATIONS, KERNELS, STRIDES
from .options import PER_AXIS, first_rows, numbers, span
from .output import format_option, write


def command(
    input_size: Annotated[str, typer.Option("--in", metavar="I", help="Input size, one an axis: 224 or 224x320.")],
    output_size: Annotated[str, typer.Option("--out", metavar="O", help="Output size.")],
    kernel_size: Annotated[
        str | None,
        typer.Option("--k", "-k", metavar="K", help="Kernel or range of kernels: 3, 3..7. Default: 1..16."),
    ] = None,
    stride: Annotated[
        str | None,
        typer.Option("--s", "-s", metavar="S", help="Stride or range. Default: 1..16."),
    ] = None,
    padding: Annotated[
        str | None,
        typer.Option("--p", "-p", metavar="P", help="Padding of each side, or range. Default: 0 to d(k - 1)."),
    ] = None,
    dilation: Annotated[
        str | None,
        typer.Option("--d", "-d", metavar="D", help="Dilation or range. Default: 1..4."),
    ] = None,
    transposed: Annotated[bool, typer.Option("--transposed", help="Look for transposed convolutions.")] = False,
    asymmetric: Annotated[
        bool, typer.Option("--asymmetric", help="Also paddings with one more after than before (`same` gives those).")
    ] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Only layers that leave nothing over (no output_padding).")
    ] = False,
    top: Annotated[
        str | None,
        typer.Option("--top", metavar="N|all", help="Show the N most usual. Default: 20, all in csv and json."),
    ] = None,
    format: Annotated[str, format_option("solve")] = "text",
) -> None:
    """Every (k, s, p, d) that maps one size to another, the most usual first.

    A comma or an x separates axes, which one layer must serve at once; dots make a range: -k 3..7
    """
    try:
        search = search_layers(
            numbers("--in", input_size, PER_AXIS),
            numbers("--out", output_size, PER_AXIS),
            kernel=KERNELS if kernel_size is None else span("--k", kernel_size),
            stride=STRIDES if stride is None else span("--s", stride),
            padding=None if padding is None else span("--p", padding),
            dilation=DILATIONS if dilation is None else span("--d", dilation),
            transposed=transposed,
            asymmetric=asymmetric,
            exact=exact,
        )
    except GeometryError as error:
        raise UsageError(error.message, hint=error.hint) from error
    default = None if format in ("csv", "json") else SHOWN
    count = default if top is None else first_rows("--top", top)
    found = search.best(count)
    from ..render.solve import solutions_document

    write(
        format,
        lambda: solutions_document(search, found, search.count() if count else len(found)),
        lambda: search.to_dict(found),
    )
