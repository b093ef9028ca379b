"""`convcalc schema`: the JSON Schema of the language, or of plans of sweeps, for editors."""

from typing import Annotated, Literal

import typer

from .output import ForceOption, OutputOption, refuse_existing, write_file


def command(
    what: Annotated[
        Literal["spec", "sweep"], typer.Argument(metavar="[spec|sweep]", help="Of specs, or of plans of sweeps.")
    ] = "spec",
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    refuse_existing(output, force)
    from ..analysis.quantities import QUANTITY_NAMES
    from ..render.streams import json_text

    if what == "sweep":
        from ..sweep.plan_file import plan_schema as schema
    else:
        from ..language.json_schema import language_schema as schema
    write_file(json_text(schema(QUANTITY_NAMES)) + "\n", output, force, "json")
