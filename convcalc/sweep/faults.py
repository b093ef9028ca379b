"""What SQLite refuses, in a sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ..findings import UsageError
from ..terminal import printable

Doing = Literal["read", "write"]


class FullDisk(UsageError):
    """There is no room for the next chunk."""


class Busy(UsageError):
    """Another process has the file."""


LONGEST_PATH = 300
"""Characters of a path that are shown."""


def quoted(path: str) -> str:
    """A path as messages name it.

    >>> quoted("run\\n.sqlite")
    "'run\\\\n.sqlite'"
    """
    return f"'{printable(path if len(path) <= LONGEST_PATH else f'…{path[-LONGEST_PATH:]}')}'"


@contextmanager
def said(path: str | None, doing: Doing) -> Iterator[None]:
    """Turn errors of SQLite about the file of a run into sentences; `path` None is a run in memory."""
    try:
        yield
    except sqlite3.Error as error:
        raise refusal(error, path, doing) from None
    except UnicodeDecodeError:  # what SQLite says is wrong has names of the file in it, which need not be text
        raise damaged(path, "its tables have names that are no text") from None


def refusal(error: sqlite3.Error, path: str | None, doing: Doing) -> UsageError:
    """The sentence about an error of SQLite."""
    what = "the run in memory" if path is None else quoted(path)
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return damaged(path, str(error))
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return FullDisk(f"no space is left to write {what}", "make room, then go on with --resume")
    if code in _FAILED_WRITES:
        return FullDisk(f"the device failed to write {what}", "is there room, and no limit? then go on with --resume")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(f"another process is writing {what}", "wait until it has ended, or name another file")
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return UsageError(f"no permission to write {what}")
    if primary == sqlite3.SQLITE_CANTOPEN:
        return UsageError(f"cannot {doing} {what}", "may its folder be read and written?")
    if primary == sqlite3.SQLITE_NOTADB:
        return no_run(path)
    if primary == sqlite3.SQLITE_INTERRUPT:
        return damaged(path, "it has far more tables than a run")
    if primary == sqlite3.SQLITE_NOMEM:
        raise MemoryError from error
    if primary == sqlite3.SQLITE_IOERR:
        return UsageError(f"the device failed to {doing} {what}")
    return damaged(path, str(error))


_FAILED_WRITES = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
)


def no_run(path: str | None) -> UsageError:
    """What is said of a file that is no run of a sweep; a spec may be named with the line of a finding."""
    hint = "a run is what 'convcalc sweep SPEC -o run.sqlite' writes"
    if path is not None and path.lower().endswith((".yaml", ".yml")):
        hint = f"the spec alone, without a line: {path}"
    return UsageError(f"{quoted(path or '')} is no run of a sweep", hint)


def damaged(path: str | None, why: str) -> UsageError:
    """What is said of a run that cannot be read."""
    reason = " ".join(why.split())[:200]
    return UsageError(f"{quoted(path or 'the run in memory')} is damaged: {reason}", "sweep again, to another file")
