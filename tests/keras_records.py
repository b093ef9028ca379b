"""What Keras says of models, as `tools/keras_models.py` recorded it."""

from __future__ import annotations

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "oracle" / "keras"


@cache
def records(file: str) -> dict[str, Any]:
    """Name of a model -> its record: `applications` or `layers`."""
    models: dict[str, Any] = json.loads(lzma.decompress((FOLDER / f"{file}.json.xz").read_bytes()))["models"]
    return models


def configuration(file: str, name: str) -> str:
    """The JSON of a model."""
    return json.dumps(records(file)[name]["config"])
