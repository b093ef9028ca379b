"""`convcalc forensics`: which single reading gives most cells of a printed table, and what chance gives."""

from typing import Annotated

import typer

from ..findings import UsageError
from .options import (
    ArgOption,
    InputOption,
    RunOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_network,
    number,
)
from .output import format_option, write


def command(
    spec: SpecArgument,
    table: Annotated[
        str | None, typer.Option("--table", metavar="N|TITLE", help="One table: its number, or how its title begins.")
    ] = None,
    rows: Annotated[
        list[str] | None, typer.Option("--rows", metavar="A,B,…", help="Rows by key or label; repeatable.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--columns", metavar="A,B,…", help="Columns of the table; repeatable.")
    ] = None,
    width: Annotated[
        list[str] | None,
        typer.Option("--width", metavar="LAYER=A:B[:STEP]", help="Widths of a layer to try; repeatable."),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Search cells too that all follow: what else gives them?")] = False,
    top: Annotated[int, typer.Option("--top", min=1, metavar="N", help="Readings shown of each question.")] = 10,
    format: Annotated[str, format_option("forensics")] = "text",
    input: InputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    from ..api.forensics import plan
    from ..render.forensics import forensics_document
    from ..render.progress import Plan, progress

    network = load_network(spec, set, variant, input, arg, device)
    widths = read_widths(width or ())
    search = plan(network, table=table, rows=named(rows or ()), columns=named(columns or ()), widths=widths, every=all)
    with progress(f"readings of {network.name}", lambda: Plan(search.parts, "network", search.parts)) as starts:
        found = search.run(top, starts)
    write(format, lambda: forensics_document(found), found.to_dict)


def named(texts: list[str] | tuple[()]) -> list[str]:
    """The names between commas; a comma inside double quotes is part of one.

    >>> named(["params,ops", '"3×3, 64",conv1'])
    ['params', 'ops', '3×3, 64', 'conv1']
    """
    import csv

    lines = [" ".join(text.split()) for text in texts]
    return [name.strip() for row in csv.reader(lines, skipinitialspace=True) for name in row]


def read_widths(texts: list[str] | tuple[()]) -> dict[str, range]:
    """The widths of `--width LAYER=A:B[:STEP]`, with both ends. Raises UsageError.

    >>> read_widths(["conv1=16:64:16", "fc=10"])
    {'conv1': range(16, 65, 16), 'fc': range(10, 11)}
    """
    found: dict[str, range] = {}
    for text in texts:
        path, equals, said = text.rpartition("=")
        ends = said.split(":")
        if not equals or not path.strip() or len(ends) > 3 or ".." in said:
            raise UsageError(f"--width takes LAYER=A:B:STEP, not '{text}'", "for example --width conv1=16:64:8")
        if path.strip() in found:
            raise UsageError(f"--width gives '{path.strip()}' twice")
        first, last, step = (number("--width", ends[min(place, len(ends) - 1)]) for place in (0, 1, 2))
        every = step if len(ends) == 3 else 1
        if every < 1 or first < 1:
            raise UsageError(f"--width: {'a step' if every < 1 else 'a width'} is at least 1, not 0")
        if last < first:
            raise UsageError(f"--width: the range {said} is empty", f"write {last}:{first}")
        found[path.strip()] = range(first, last + 1, every)
    return found
