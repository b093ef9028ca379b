"""`convcalc arena`: where each tensor lies in a microcontroller's memory, and what the params take of its flash."""

from typing import TYPE_CHECKING, Annotated

from .options import (
    ArgOption,
    BatchOption,
    DtypeOption,
    InputOption,
    RunOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_network,
)
from .output import format_option, write

if TYPE_CHECKING:
    from ..render.document import Document


def command(
    spec: SpecArgument,
    format: Annotated[str, format_option("arena")] = "text",
    input: InputOption = None,
    arg: ArgOption = None,
    device: RunOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
    batch: BatchOption = 1,
    dtype: DtypeOption = "int8",
) -> None:
    from ..api.arena import arena

    plan = arena(load_network(spec, set, variant, input, arg, device), batch=batch, dtype=dtype)

    def document() -> "Document":
        from ..render.arena import arena_document, arena_rows

        return arena_rows(plan) if format == "csv" else arena_document(plan)

    write(format, document, plan.to_dict)
