"""`convcalc sizes`: which input sizes build, leave nothing over, keep the ratios; and which layer decides."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import UsageError
from .options import ArgOption, InputOption, RunOption, SetOption, SpecArgument, VariantOption, load_network
from .output import format_option, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..render.document import Document

LONGEST_LIST = 100_000


def command(
    spec: SpecArgument,
    first: Annotated[int, typer.Option("--from", min=1, metavar="SIZE", help="First size listed.")] = 1,
    last: Annotated[int, typer.Option("--to", min=1, metavar="SIZE", help="Last size listed.")] = 1024,
    all: Annotated[bool, typer.Option("--all", help="A row for every size; csv always has them.")] = False,
    format: Annotated[str, format_option("sizes")] = "text",
    input: InputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    if last < first:
        raise UsageError(f"--to {last} lies below --from {first}")
    if last - first >= LONGEST_LIST:
        raise UsageError(f"--from {first} --to {last} lists more than {LONGEST_LIST:,} sizes")
    from ..api.sizes import sizes
    from ..render.progress import progress
    from ..render.sizes import sizes_document, sizes_rows

    network = load_network(spec, set, variant, input, arg, device)
    listed = range(first, last + 1)

    def document() -> "Document":
        with progress(f"sizes of {network.name}"):
            found = sizes(network)
            return sizes_rows(found, listed) if format == "csv" else sizes_document(found, listed, all)

    def data() -> "Mapping[str, object]":
        with progress(f"sizes of {network.name}"):
            return sizes(network).to_dict(listed if all else None)

    write(format, document, data)
