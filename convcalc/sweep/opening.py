"""The file of a run, made and opened: it is checked before anything of it is believed."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ..files import read_regular, real_path, sentence
from ..findings import SpecError, UsageError
from ..language.names import shown
from ..limits import SPEC_BYTES
from ..terminal import printable
from ..version import __version__
from .faults import Busy, damaged, no_run, quoted, refusal, said
from .layout import APPLICATION, LAYOUT, statements
from .plan import Plan

WRITING_PATIENCE = 60.0
"""Seconds that a chunk waits for those who read the file."""
READING_PATIENCE = 10.0
"""Seconds that reading waits while a chunk is written."""
LONGEST_WORDS = 1 << 22
"""Bytes of what a manifest says beside the spec's text, as JSON."""
LONGEST_VALUE = SPEC_BYTES + 1024
"""Bytes of a value of a file's manifest, the spec's text among them."""
LONGEST_ROW = 1 << 20
"""Bytes of any other row."""
CACHE_KIB = 16 << 10
MOST_COLUMNS = 1900
"""Axes and figures of a run; SQLite has 2000 columns."""
MOST_STEPS = 10_000
"""Steps that SQLite takes to read the schema, which is some time longer the more tables there are."""
MAGIC = b"SQLite format 3\0"
"""How files of SQLite begin."""
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""How a journal begins, and how one ends that names the journal of several files."""
LOGGED = 2
"""The byte at `FORMATS` of a file that is kept with a write-ahead log."""
FORMATS = slice(18, 20)


class Manifest(NamedTuple):
    """What a run is of: everything that its rows follow from."""

    plan: dict[str, Any]
    version: str
    """Of the convcalc that makes the rows."""
    joined: str
    """The hash of the file that is joined; empty without one."""


def is_run(path: str) -> bool:
    """Whether a path is a file of SQLite: a run of a sweep, or what is refused as none."""
    try:
        return read_regular(path, len(MAGIC) - 1)[: len(MAGIC)] == MAGIC
    except (OSError, ValueError):
        return False


def is_nothing(path: str) -> bool:
    """Whether there is no file, or one whose making was broken off before anything was in it."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def manifest_of(plan: Plan, joined: str) -> Manifest:
    """The manifest of a run that this program makes."""
    return Manifest(json.loads(json.dumps(plan.to_dict())), __version__, joined)


def in_memory(plan: Plan, manifest: Manifest) -> sqlite3.Connection:
    """A run that no file has."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _make(connection, plan, manifest)
    return connection


def created(path: str, plan: Plan, manifest: Manifest, overwrite: bool) -> sqlite3.Connection:
    """A new file for a run, which this process alone may write. Raises UsageError, and leaves nothing where it does."""
    if overwrite:
        _remove(path)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        if Path(path).is_dir():
            raise UsageError(f"{quoted(path)} is a directory, not a file") from None
        raise UsageError(f"{quoted(path)} exists already", "--resume goes on with it; else name another file") from None
    except (OSError, ValueError) as error:
        raise _unwritable(error, path) from None
    try:
        with said(path, "write"):
            connection = _connected(path, "rw", WRITING_PATIENCE)
            try:
                _make(connection, plan, manifest)
            except BaseException:
                connection.close()
                raise
    except BaseException:
        with suppress(OSError):
            Path(path).unlink()
        raise
    return connection


def opened(path: str, *, write: bool) -> tuple[sqlite3.Connection, Manifest, Plan]:
    """The file of a run that is there, checked. Raises UsageError."""
    _require_file(path)
    with said(path, "write" if write else "read"):
        connection = _for_writing(path) if write else _for_reading(path)
        try:
            manifest, plan = _checked(connection, path, thoroughly=write)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_ROW)
        except BaseException:
            connection.close()
            raise
    return connection, manifest, plan


def _remove(path: str) -> None:
    """Remove the file that is to be overwritten."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            _require_no_writer(path)
            Path(path).unlink()
            with suppress(FileNotFoundError):
                Path(f"{path}-journal").unlink()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise _unwritable(error, path) from None


def _require_no_writer(path: str) -> None:
    """Raise UsageError where another process writes a run; whatever else is wrong with it, it may be overwritten."""
    if not is_run(path) or _beside(path):
        return
    try:
        _for_writing(path).close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        found = refusal(error, path, "write") if isinstance(error, sqlite3.Error) else None
        if isinstance(found, Busy):
            raise found from None


def _unwritable(error: OSError | ValueError, path: str) -> UsageError:
    if isinstance(error, OSError):
        return UsageError(sentence(error, "write", quoted(path)))
    return UsageError(f"{quoted(path)} is no path")


def _require_file(path: str) -> None:
    try:
        mode = Path(path).stat().st_mode
    except ValueError:
        raise UsageError(f"{quoted(path)} is no path") from None
    except OSError as error:
        raise UsageError(sentence(error, "read", quoted(path))) from None
    if stat.S_ISDIR(mode):
        raise UsageError(f"{quoted(path)} is a directory, not a file")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{quoted(path)} is no ordinary file")
    if not os.access(path, os.R_OK):
        raise UsageError(f"no permission to read {quoted(path)}")


def _beside(path: str) -> str:
    """What is wrong with how a file is kept; empty where it is kept as a run is.

    SQLite obeys what stands beside a file, and does more for it than roll back a chunk: it removes the file that a
    journal names as that of several files, wherever it is, writes a log, and waits for a FIFO.
    """
    real = real_path(path)
    try:
        logged = LOGGED in read_regular(real, FORMATS.stop)[FORMATS]
    except (OSError, ValueError):
        logged = False  # who opens it says what is wrong
    if logged or os.path.lexists(f"{real}-wal"):
        return "it is kept with a write-ahead log, and no run is"
    journal = f"{real}-journal"
    try:
        found = os.lstat(journal)
        if not stat.S_ISREG(found.st_mode):
            return "its journal is no ordinary file"
        with Path(journal).open("rb") as file:
            file.seek(max(0, found.st_size - len(JOURNAL_MAGIC)))
            return "its journal is one of several files" if file.read() == JOURNAL_MAGIC else ""
    except (OSError, ValueError):
        return ""


def _connected(path: str, mode: str, patience: float) -> sqlite3.Connection:
    """A connection that trusts nothing of what the file says."""
    beside = _beside(path)
    if beside:
        raise damaged(path, beside)
    uri = f"{Path(path).absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.set_progress_handler(lambda: 1, MOST_STEPS)
    try:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", f"cache_size = -{CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.set_progress_handler(None, 0)
    except BaseException:
        connection.close()
        raise
    return connection


def _for_writing(path: str) -> sqlite3.Connection:
    if not os.access(path, os.W_OK):
        raise UsageError(f"no permission to write {quoted(path)}")
    connection = _connected(path, "rw", 0)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA busy_timeout = {int(1000 * WRITING_PATIENCE)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _for_reading(path: str) -> sqlite3.Connection:
    """A connection that reads; a chunk that was broken off is rolled back first, where this may be."""
    try:
        connection = _connected(path, "ro", READING_PATIENCE)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) not in (sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_CANTOPEN):
            raise
        connection = _connected(path, "rw", READING_PATIENCE)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _make(connection: sqlite3.Connection, plan: Plan, manifest: Manifest) -> None:
    count = sum(map(len, _columns(plan)))
    if count > MOST_COLUMNS:
        raise UsageError(f"{count:,} axes and figures are more than {MOST_COLUMNS:,}", "ask for fewer --columns")
    text = manifest.plan["text"]
    words = json.dumps({key: value for key, value in manifest.plan.items() if key != "text"})
    if len(words) > LONGEST_WORDS or len(text.encode("utf-8", "surrogatepass")) > SPEC_BYTES:
        raise UsageError("the plan is too long for a run", "progressions say much in little: width=32:256:8")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {LAYOUT}")
    for statement in statements(*_columns(plan)):
        connection.execute(statement)
    rows = [("plan", words), ("text", text), ("convcalc", manifest.version), ("joined", manifest.joined)]
    connection.executemany("INSERT INTO manifest VALUES (?, ?)", rows)
    connection.execute("COMMIT")
    connection.execute("BEGIN IMMEDIATE")


def _columns(plan: Plan) -> tuple[list[str], list[str]]:
    return list(plan.space.names), [*(asked.name for asked in plan.asked), *plan.joined]


def _checked(connection: sqlite3.Connection, path: str, thoroughly: bool) -> tuple[Manifest, Plan]:
    """The manifest of a file, and its plan; raises UsageError unless its tables are the ones that this plan has."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise no_run(path)
    if layout > LAYOUT:
        raise UsageError(f"{quoted(path)} is of a newer convcalc", "pip install --upgrade convcalc")
    if layout < LAYOUT:
        raise damaged(path, f"it has layout {layout}")
    schema = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' LIMIT 10"
    made = dict(connection.execute(schema))
    if made.get("manifest") != statements((), ())[0]:
        raise damaged(path, "it has no manifest")
    found = dict(connection.execute("SELECT key, value FROM manifest LIMIT 4"))
    if len(found.get("plan") or "") > LONGEST_WORDS:
        raise damaged(path, f"its manifest is longer than {LONGEST_WORDS >> 20} MiB")
    try:
        words = {**json.loads(found["plan"]), "text": found["text"]}
        manifest = Manifest(words, str(found["convcalc"]), str(found["joined"]))
        plan = Plan.from_dict(manifest.plan)
        columns = _columns(plan)
        if sum(map(len, columns)) > MOST_COLUMNS or len({*plan.joined}) < len(plan.joined):
            raise UsageError("its columns are not those of a run")
        wanted = statements(*columns)
    except (UsageError, SpecError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        why = str(error).partition("\n")[0]
        raise damaged(path, f"its manifest is no plan of a sweep: {printable(why)}") from None
    wrong = sorted(set(wanted) - set(made.values()))
    if wrong or len(made) > len(wanted):
        raise damaged(path, "its tables are not those of its plan")
    if thoroughly:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(path, verdict)
    return manifest, plan


def differing(there: Manifest, here: Manifest) -> list[str]:
    """How two manifests differ, in words."""
    found: list[str] = []
    before, now = _words(there.plan), _words(here.plan)
    for key in dict.fromkeys((*before, *now)):
        if before.get(key) != now.get(key):
            if key == "text":
                found.append("the spec has another text")
            elif key == "spec":
                found.append(f"the spec is called {_said(before.get(key))} there and {_said(now.get(key))} here")
            elif key not in ("sha256", "joined"):
                found.append(f"--{key} is {_said(before.get(key))} there and {_said(now.get(key))} here")
    if there.version != here.version:
        found.append(f"its rows are of convcalc {printable(there.version[:40])}, and this is {here.version}")
    if there.joined != here.joined:
        found.append("the file that is joined has another content")
    return found


def _words(plan: dict[str, Any]) -> dict[str, Any]:
    """The words of a plan by name, options among them."""
    options = plan.get("options")
    return {**{key: value for key, value in plan.items() if key != "options"}, **(options or {})}


def _said(value: object) -> str:
    if value is None or value == []:
        return "not given"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return shown(text)
