"""`convcalc schema`: the JSON Schema of the language, for editors."""

from __future__ import annotations


def command() -> None:
    from ..analysis.quantities import QUANTITY_NAMES
    from ..language.json_schema import language_schema
    from ..render.streams import json_text, write_text

    write_text(json_text(language_schema(QUANTITY_NAMES)))
