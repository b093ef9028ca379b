"""`convcalc schema`: the JSON Schema of the language, for editors."""

from __future__ import annotations

from .output import ForceOption, OutputOption, refuse_existing, write_file


def command(output: OutputOption = None, force: ForceOption = False) -> None:
    refuse_existing(output, force)
    from ..analysis.quantities import QUANTITY_NAMES
    from ..language.json_schema import language_schema
    from ..render.streams import json_text

    write_file(json_text(language_schema(QUANTITY_NAMES)) + "\n", output, force, "json")
