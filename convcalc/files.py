"""Files that are written whole or not at all, and read without waiting and within bounds."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_DESCRIPTOR = re.compile(r"/dev/stdin|/(?:dev|proc/self)/fd/(\d{1,9})")


class NotRegular(OSError):
    """What is no ordinary file: reading it could wait for ever, never end, or do something."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(errno.EINVAL, f"it is {what}", path)
        self.what = what


def read_regular(path: str, most: int, *, links: bool = True) -> bytes:
    """The content of an ordinary file, at most one byte above `most`; `links` says whether a link is followed.

    A pipe that this process was given (`/dev/fd/63`, as a shell writes `<(command)`) is read as well. Raises
    NotRegular for what else is no ordinary file, OSError for what cannot be read, ValueError for what is no path.
    """
    given = _DESCRIPTOR.fullmatch(path)
    if given is not None and stat.S_ISFIFO(os.fstat(int(given[1] or 0)).st_mode):
        with os.fdopen(os.dup(int(given[1] or 0)), "rb") as pipe:
            return pipe.read(most + 1)
    _refuse_special(path, os.stat(path, follow_symlinks=links).st_mode)  # noqa: PTH116
    flags = ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", *(() if links else ("O_NOFOLLOW",)))
    descriptor = os.open(path, os.O_RDONLY | sum(getattr(os, flag, 0) for flag in flags))
    with os.fdopen(descriptor, "rb") as file:
        _refuse_special(path, os.fstat(descriptor).st_mode)
        return file.read(most + 1)


def _refuse_special(path: str, mode: int) -> None:
    for test, what in _KINDS:
        if test(mode):
            raise NotRegular(path, what)


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
            file.flush()
            os.fsync(file.fileno())
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
