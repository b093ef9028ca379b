"""Where a command's data goes: standard output, or a file that is whole or not there."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

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


def replace(target: Path, data: bytes) -> None:
    """Put `data` into a file at once: a reader sees the old file or the whole new one.

    What is no ordinary file (a device, a pipe) is written as it is; a symbolic link keeps pointing where it does.
    """
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    target = Path(os.path.realpath(target))
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
