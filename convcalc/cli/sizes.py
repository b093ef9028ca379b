"""`convcalc sizes`: which input sizes build, leave nothing over, keep the ratios; and which layer decides."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ..findings import UsageError
from .options import InputOption, SetOption, SpecArgument, VariantOption, load_network

LONGEST_LIST = 100_000


Format = Literal["text", "json", "markdown", "csv"]


def command(
    spec: SpecArgument,
    first: Annotated[int, typer.Option("--from", min=1, metavar="SIZE", help="First size listed.")] = 1,
    last: Annotated[int, typer.Option("--to", min=1, metavar="SIZE", help="Last size listed.")] = 1024,
    all: Annotated[bool, typer.Option("--all", help="A row for every size; csv always has them.")] = False,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "text",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    if last < first:
        raise UsageError(f"--to {last} lies below --from {first}")
    if last - first >= LONGEST_LIST:
        raise UsageError(f"--from {first} --to {last} lists more than {LONGEST_LIST:,} sizes")
    from ..analysis.sizes import sizes
    from ..render import sizes as render
    from ..render import terminal

    found = sizes(load_network(spec, set, variant, input))
    listed = range(first, last + 1)
    if format == "json":
        data = found.to_dict(listed if all else None)
        terminal.write_text(terminal.json_text(data))
    elif format == "csv":
        terminal.write_text(render.as_csv(found, listed))
    elif format == "markdown":
        terminal.write_text(render.as_markdown(found, listed, all))
    else:
        terminal.write_lines(render.as_lines(found, listed, all, terminal.line_width()))
