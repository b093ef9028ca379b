"""Files that are written whole or not at all, read without waiting and within bounds; an OSError in a sentence."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

MODELS = (".onnx", ".keras", ".h5", ".hdf5", ".pt2")
"""Suffixes of the files of models that are read beside specs."""
_AS_IT_IS = getattr(os, "O_BINARY", 0)
_STREAM = r"/dev/(?:stdout|stderr|fd/(\d+))|/proc/self/fd/(\d+)"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})
"""What a file system says that has no hard links."""

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
        data: bytes | None = file.read(most + 1)
    if data is None:  # it says that it is ordinary, and waits for what comes: /proc/kmsg
        raise NotRegular(path, "a stream")
    return data


def real_path(path: str) -> str:
    """A path without links; as it is where it is no path, and where a link on it may not be read (/proc/1/cwd)."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path


def exists(path: str) -> bool:
    """Whether something stands at a path; not where it is no path."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _refuse_special(path: str, mode: int) -> None:
    for test, what in _KINDS:
        if test(mode):
            raise NotRegular(path, what)


def write(target: Path, data: bytes | Iterable[bytes], *, overwrite: bool = False) -> None:
    """Put `data`, whole or in pieces, into a file at once: a reader sees the old file, no file, or the whole new one.

    What is no ordinary file (a device, a pipe) is written as it is, and `/dev/stdout` is standard output. With
    `overwrite` a file keeps its mode, and a symbolic link keeps pointing where it does; without it, what stands at the
    target, a link that leads nowhere included, raises FileExistsError, also where it came while this was writing.
    Every other OSError is the system's own, with the target as its file name.
    """
    pieces = (data,) if isinstance(data, bytes) else data
    try:
        stream = re.fullmatch(_STREAM, str(target))
        if stream is not None:
            with os.fdopen(os.dup(_descriptor(stream)), "wb") as file:
                file.writelines(pieces)
        elif _is_special(target):
            with os.fdopen(os.open(target, os.O_WRONLY), "wb") as file:
                file.writelines(pieces)
        else:
            _write_whole(target, pieces, overwrite)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error


def _descriptor(stream: re.Match[str]) -> int:
    number = stream[1] or stream[2]
    return int(number) if number else 2 if stream[0].endswith("stderr") else 1


def taken(target: Path) -> bool:
    """Whether writing there takes `overwrite`: a file or a link stands there, and no device, pipe or stream."""
    try:
        return not re.fullmatch(_STREAM, str(target)) and stat.S_ISREG(target.stat().st_mode)
    except FileNotFoundError:
        return target.is_symlink()
    except OSError:
        return False


def _is_special(target: Path) -> bool:
    """Whether something stands there that is neither a file nor a folder. Raises OSError for a folder."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return not stat.S_ISREG(mode)


def _write_whole(target: Path, pieces: Iterable[bytes], overwrite: bool) -> None:
    if not overwrite:
        _refuse_existing(target)
    place = Path(os.path.realpath(target)) if overwrite else target
    # The name is known before there is a file of it, so that an interruption leaves none wherever it comes.
    made = place.with_name(f".{place.name[:50]}.{os.urandom(8).hex()}")
    try:
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _AS_IT_IS, 0o600), "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        made.chmod(place.stat().st_mode & 0o7777 if overwrite and place.exists() else 0o666 & ~_umask())
        if overwrite:
            made.replace(place)
        else:
            _give_name(made, place)
    finally:
        with suppress(OSError):
            made.unlink()


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _give_name(written: Path, target: Path) -> None:
    """Give a finished file its name, unless another took it; where there are no hard links, with a moment between."""
    try:
        os.link(written, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _refuse_existing(target)
        written.replace(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sentence(error: OSError, doing: Literal["read", "write", "run"], what: str) -> str:
    """What the system refused, in words: `what` is the file as messages name it.

    >>> sentence(PermissionError(errno.EACCES, "Permission denied"), "read", "'net.yaml'")
    "no permission to read 'net.yaml'"
    """
    missing = {
        "read": f"there is no file {what}",
        "write": f"the folder of {what} does not exist",
        "run": f"there is no program {what}",
    }
    reasons = {
        errno.EACCES: f"no permission to {doing} {what}",
        errno.EPERM: f"no permission to {doing} {what}",
        errno.EBADF: f"{what} is closed",
        errno.EEXIST: f"{what} exists already",
        errno.EISDIR: f"{what} is a directory, not a file",
        errno.ELOOP: f"{what} is a symbolic link that leads in a circle",
        errno.ENAMETOOLONG: f"{what} is too long for a path",
        errno.ENOENT: missing[doing],
        errno.ENOTDIR: f"{what} goes through something that is no directory",
        errno.ENOSPC: f"no space is left to {doing} {what}",
        errno.EDQUOT: f"no space is left to {doing} {what}",
        errno.EFBIG: f"{what} would be larger than a file may be",
        errno.EROFS: f"{what} lies on a file system that cannot be written",
        errno.EIO: f"the device failed to {doing} {what}",
        errno.EMFILE: f"too many files are open to {doing} {what}",
        errno.ENFILE: f"too many files are open to {doing} {what}",
    }
    known = reasons.get(error.errno or 0)
    return known or f"cannot {doing} {what}: {(error.strerror or str(error) or 'the system refused').lower()}"
