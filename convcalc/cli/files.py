"""Where a command's data goes: standard output, or a file that is whole or not there."""

from __future__ import annotations

import sys
from pathlib import Path

from ..files import replace
from ..findings import UsageError


def write(data: str | bytes, target: str | None) -> None:
    """Write to the file `target`, or to standard output for None and `-`. Bytes are never written to a terminal."""
    if target is not None and target != "-":
        replace(Path(target), data.encode() if isinstance(data, str) else data)
    elif isinstance(data, str):
        sys.stdout.write(data)
    elif sys.stdout.isatty():
        raise UsageError("this is no text for a terminal", "-o FILE writes it to a file")
    else:
        sys.stdout.buffer.write(data)
