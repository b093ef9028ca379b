"""A mirrored decoder as the text of a spec."""

from __future__ import annotations

import textwrap

from ..analysis.decoder import Mirror
from ..language.write import write
from .escape import printable

WIDTH = 78


def decoder_text(mirror: Mirror) -> str:
    """The spec, under comments that name the layers without an answer."""
    comments = [line for text in mirror.summary() for line in textwrap.wrap(printable(text), WIDTH)]
    return "".join(f"# {line}\n" for line in comments) + write(mirror.network)
