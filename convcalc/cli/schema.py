"""`convcalc schema`: the JSON Schema of the language, for editors."""

from __future__ import annotations

import json


def command() -> None:
    from ..check.language import language_schema
    from ..render.terminal import write_text

    write_text(json.dumps(language_schema(), indent=2, ensure_ascii=False))
