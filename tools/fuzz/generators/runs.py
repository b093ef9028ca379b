"""Runs of sweeps: files of SQLite that the program made, with rows, words, tables, pages and journals of others."""

from __future__ import annotations

import json
import sqlite3
import struct
import tempfile
from contextlib import closing, suppress
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from convcalc.cli.output import FORMATS
from convcalc.findings import SpecError, UsageError
from convcalc.sweep.join import joined
from convcalc.sweep.layout import statements
from convcalc.sweep.opening import JOURNAL_MAGIC
from convcalc.sweep.plan import Plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Store

from ..case import Case
from . import sweeps, words
from .keras_files import damage
from .mutations import changed_bytes, changed_text

RUN = "run.sqlite"
SPEC = sweeps.SPEC.decode()
TIMES = b"width,lat\n1,2.5\n2,1e-3\n4,7\n"
MADE: tuple[dict[str, tuple[str, ...]], ...] = (
    {"grid": ("width=1:6",), "columns": ("params,macs,receptive_field",)},
    {"grid": ("width=2:8:2", "depths=[1,2],[2,1]"), "where": ("macs<=40K",), "pareto": ("params,macs",)},
    {"grid": ("act=relu,gelu", "width=2,4"), "input": ("3,16,16;3,1,1",), "let": ("_x=2*width",)},
    {"range": ("width=2:64:1",), "near": ("macs=40K,50%",), "minimize": ("params",)},
    {"grid": ("width=1,2,4",), "join": ("times.csv",), "where": ("lat<5",), "sort": ("lat",)},
    {"grid": ("variant=wide,odd",), "columns": ("conv1.macs,params",), "maximize": ("depth",)},
)
"""The words of the runs that are made."""
DRAWN = 3
"""Candidates of a range that are drawn."""
SMALL_PAGE = 512
"""Bytes of a page, of which a small run has fewer than of SQLite's own."""
VERSION = slice(96, 100)
"""Where a file says which SQLite wrote it, which is not the same everywhere."""

CELLS: tuple[int | float | str | bytes | None, ...] = (
    *(0, 1, -1, 2, 7, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), None, "", "x", "٣", "7×7×64", "3×5", "9×" * 400 + "9"),
    *(0.5, -0.0, 1e308, 5e-324, float("inf"), float("-inf"), "nan", "9" * 19 + "×1", "[3, true]", "1e999", "a\nb"),
    *(b"", b"\x01", b"\x09\x01" + bytes(8), b"\xff" * 300, b"\xff" * 70_000, "y" * 70_000, "\ud7ff", "'; --", "a\0b"),
)
"""What may stand in a row."""
STATEMENTS = (
    *("CREATE TABLE more (x)", "CREATE INDEX i ON candidates (fits)", "CREATE UNIQUE INDEX i ON candidates (refusal)"),
    *("CREATE INDEX i ON candidates (abs(number))", "CREATE VIEW v AS SELECT * FROM results", "DROP VIEW results"),
    "CREATE TRIGGER t AFTER INSERT ON chunks BEGIN DELETE FROM candidates; END",
    "CREATE TRIGGER t INSTEAD OF INSERT ON results BEGIN SELECT load_extension('x'); END",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    *("DROP TABLE chunks", "DROP TABLE refusals", "DROP TABLE candidates", "DROP TABLE manifest", "VACUUM", "REINDEX"),
    *("ALTER TABLE candidates ADD COLUMN q9", "ALTER TABLE chunks RENAME TO c", "ALTER TABLE refusals ADD x AS (id)"),
    *("PRAGMA user_version = 9", "PRAGMA user_version = -1", "PRAGMA application_id = 7", "PRAGMA page_size = 65536"),
    *("ANALYZE", "DELETE FROM manifest", "DELETE FROM manifest WHERE key = 'joined'", "PRAGMA auto_vacuum = FULL"),
    "CREATE TABLE sequence (x INTEGER PRIMARY KEY AUTOINCREMENT)",
)
"""What another program does to the schema."""
WRITTEN = (
    "UPDATE sqlite_master SET sql = replace(sql, 'candidates', 'results') WHERE type = 'view'",
    "UPDATE sqlite_master SET sql = 'CREATE VIEW results AS SELECT * FROM results' WHERE type = 'view'",
    "UPDATE sqlite_master SET sql = 'CREATE TABLE candidates (number, fits)' WHERE name = 'candidates'",
    "UPDATE sqlite_master SET sql = upper(sql)",
    "UPDATE sqlite_master SET sql = sql || ' -- x'",
    "UPDATE sqlite_master SET sql = NULL WHERE name = 'chunks'",
    "UPDATE sqlite_master SET sql = zeroblob(300) WHERE name = 'manifest'",
    "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'manifest') WHERE rootpage",
    "UPDATE sqlite_master SET rootpage = 1 WHERE name = 'candidates'",
    "UPDATE sqlite_master SET rootpage = 99999999 WHERE name = 'refusals'",
    "UPDATE sqlite_master SET name = 'x', tbl_name = 'x' WHERE name = 'refusals'",
    "UPDATE sqlite_master SET type = 'index' WHERE name = 'refusals'",
    "INSERT INTO sqlite_master SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master",
    "INSERT INTO sqlite_master VALUES ('table', 'sqlite_stat1', 'sqlite_stat1', 2, 'CREATE TABLE sqlite_stat1(a,b,c)')",
)
"""What is written into SQLite's own table of the tables."""
HEADER = (
    *((16, ">H"), (18, ">B"), (19, ">B"), (20, ">B"), (21, ">B"), (24, ">I"), (28, ">I"), (32, ">I"), (36, ">I")),
    *((40, ">I"), (44, ">I"), (48, ">I"), (52, ">I"), (56, ">I"), (60, ">I"), (64, ">I"), (68, ">I"), (92, ">I")),
)
"""Places of the numbers in the header of a file, and how they are written."""
SEEN = {
    "where": ("params>=1", "macs<=1M", "params<9K", *sweeps.WHERES),
    "pareto": ("params,macs", "macs,-params", "params", *sweeps.FRONTS),
    "sort": ("macs", "params", "-params", *sweeps.SORTS),
    "columns": ("params,macs", "params", "macs", *sweeps.COLUMNS),
}
"""Under which other words a run is seen; the first ones most often."""
COMMANDS = (
    *(("table",), ("check",), ("explain",), ("export", "--to", "torch"), ("export", "--to", "svg"), ("report",)),
    *(("verify", "--quick", "--max-memory", "50M"), ("sizes",), ("diff", "lenet5"), ("arena",)),
    *(
        ("table", "--format", "json"),
        ("check", "--format", "sarif"),
        ("table", "--format", "markdown"),
        ("draw", "conv1"),
    ),
)
"""What reads a row as a spec."""


@cache
def made(number: int) -> bytes:
    """A run as the program made it, in small pages."""
    words_of = MADE[number]
    plan = Plan("a.yaml", SPEC, random=DRAWN if "range" in words_of else None, **words_of)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        times, path = Path(folder, "times.csv"), Path(folder, RUN)
        times.write_bytes(TIMES)
        join = None
        if plan.join:
            plan, join = joined(replace(plan, join=()), str(times))
            plan = replace(plan, join=("times.csv", *plan.join[1:]))
        with Store.create(str(path), plan, join=join) as store:
            sweep(plan, store=store)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA page_size = {SMALL_PAGE}")
            connection.execute("VACUUM")
        return stamped(path.read_bytes())


def stamped(data: bytes) -> bytes:
    """A file that does not say which SQLite wrote it."""
    return data[: VERSION.start] + bytes(VERSION.stop - VERSION.start) + data[VERSION.stop :]


def case(random: Random) -> Case:
    """A command on a run to which something was done, or nothing."""
    number = random.randrange(len(MADE))
    data = made(number)
    resumed = random.random() < 0.15
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(data)
        if not resumed and random.random() < 0.3:
            another(random, connection)
        for _ in range(random.choice((0, 0, 1, 1, 1, 2, 4))):
            with suppress(sqlite3.Error):
                random.choice(CHANGES)(random, connection)
        data = stamped(connection.serialize())
    chance = random.random()
    if chance < 0.12:
        data = random.choice((changed_bytes, changed_header, changed_page, cut))(random, data)
    files = {"a.yaml": sweeps.SPEC, "times.csv": TIMES, RUN: data}
    if random.random() < 0.04:
        files[f"{RUN}-journal"] = journal(data, random.choice(("", "", "", "a.yaml", "times.csv", RUN)))
        if random.random() < 0.4:
            files[f"{RUN}-journal"] = changed_bytes(random, files[f"{RUN}-journal"])
    if random.random() < 0.01:
        files[f"{RUN}-wal"] = random.choice((b"", data, b"\x37\x7f\x06\x82" + bytes(28)))
    return Case(asked(random, resumed, MADE[number]), files=files, ci=random.random() < 0.5)


def asked(random: Random, resumed: bool, made_of: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A command that reads a run."""
    if resumed:
        if random.random() < 0.5:
            return ("sweep", RUN, "--resume")
        given = [f for name, texts in made_of.items() for text in texts for f in (f"--{name}", text)]
        drawn = ["--random", str(DRAWN)] if "range" in made_of else []
        return ("sweep", "a.yaml", *given, *drawn, "-o", RUN, "--resume")
    chance, row = random.random(), random.choice(("0", "0", "0", "1", "1", "2", random.choice(("7", "99", str(2**63)))))
    if chance < 0.3:
        name, *options = random.choice(COMMANDS)
        return (name, f"{RUN}:{row}", *options)
    if chance < 0.4:
        return ("sweep", RUN, "--row", row)
    if chance < 0.44:
        return ("sweep", "a.yaml", "--grid", "width=1,2", "--join", RUN)
    if chance < 0.47:
        return ("sweep", "a.yaml", "--grid", "width=1,2", "-o", RUN, *random.choice(((), ("--force",), ("--resume",))))
    if chance < 0.5:
        return ("sweep", f"{RUN}:{row}", "--grid", "width=1,2")
    given = []
    for name, choices in SEEN.items():
        if random.random() < 0.12:
            given += [f"--{name}", sweeps.one(random, choices, random.random() < 0.8)]
    if random.random() < 0.2:
        given += ["--top", random.choice(("all", "1", "3"))]
    chance = random.random()
    if chance < 0.15:
        given += ["--plot", random.choice(("params,macs", "params,macs", "macs,params", "width,macs"))]
    elif chance < 0.25:
        given += ["--page", "-"]
    elif chance < 0.4:
        given += ["--export", "rows.csv"]
    elif chance < 0.8:
        given += ["--format", random.choice(FORMATS["sweep"])]
    return ("sweep", RUN, *given)


def rows(random: Random, connection: sqlite3.Connection) -> None:
    """Cells of some rows become others; rows come and go."""
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(candidates)")] or ["number"]
    which, of = random.choice(("=", ">", "<")), random.choice((0, 1, 2, 5))
    chance = random.random()
    if chance < 0.7:
        query = f"UPDATE candidates SET {random.choice(columns)} = ? WHERE number {which} ?"
        connection.execute(query, (random.choice(CELLS), of))
    elif chance < 0.8:
        connection.execute(f"DELETE FROM candidates WHERE number {which} ?", (of,))
    elif chance < 0.9:
        values = [random.choice((2, 3, 6, 40, -1, 2**40)), *[random.choice(CELLS) for _ in columns[1:]]]
        connection.execute(f"INSERT INTO candidates VALUES ({', '.join('?' * len(columns))})", values)
    else:
        count = random.choice((20, 300, 3000))
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT {count})"
        cell = random.choice(CELLS[:30])
        columns_said = ", ".join(columns[3:]) or "refusal"
        marks = ", ".join(["?"] * max(len(columns) - 3, 1))
        connection.execute(
            f"{numbers} INSERT OR IGNORE INTO candidates (number, fits, {columns_said}) SELECT i, 1, {marks} FROM n",
            [cell] * max(len(columns) - 3, 1),
        )


def ranges(random: Random, connection: sqlite3.Connection) -> None:
    """What is said to be done becomes something else."""
    connection.execute("DELETE FROM chunks")
    done = random.choice(((), ((0, 1),), ((0, 2),), ((1, 2),), ((0, 1), (1, 2))))
    if random.random() < 0.3:
        edges = (0, 1, 2, 3, 6, 7, -1, 2**62, 2**63 - 1, "x", None, 1.5, b"\x01")
        done = ((random.choice(edges), random.choice(edges)),)
    connection.executemany("INSERT OR REPLACE INTO chunks VALUES (?, ?)", done)


def reasons(random: Random, connection: sqlite3.Connection) -> None:
    """Candidates are refused, with words of others."""
    said = [random.choice((words.text(random, 0.9), random.choice(CELLS))) for _ in range(2)]
    number = random.choice((1, 7, -1, 2**63 - 1))
    connection.execute("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)", (number, *map(_storable, said)))
    connection.execute("UPDATE candidates SET refusal = ? WHERE number % 2", (random.choice((number, "x", 9)),))


def manifest(random: Random, connection: sqlite3.Connection) -> None:
    """Something of what a run is of becomes something else: most often no run is left."""
    key = random.choice(("plan", "plan", "text", "convcalc", "joined", "other"))
    found = connection.execute("SELECT value FROM manifest WHERE key = ?", (key,)).fetchone()
    value: object = found[0] if found else ""
    if key == "plan" and isinstance(value, str) and random.random() < 0.6:
        with suppress(ValueError):
            root = json.loads(value)
            damage(random, root)
            value = json.dumps(root)
    elif isinstance(value, str) and random.random() < 0.5:
        value = changed_text(random, value)
    else:
        value = random.choice((*CELLS, "[" * 9999, "{" * 99, "1" * 5000, words.text(random, 0.9)))
    connection.execute("INSERT OR REPLACE INTO manifest VALUES (?, ?)", (key, _storable(value)))


def named(random: Random, connection: sqlite3.Connection) -> None:
    """What is shown of a plan, and is no part of its tables, becomes a text of others."""
    root, text = _plan_of(connection)
    key = random.choice(("spec", "spec", "name", "name", "name", "convcalc", "join", "seed", "top"))
    said = words.text(random, 0.95)
    if key == "convcalc":
        connection.execute("UPDATE manifest SET value = ? WHERE key = 'convcalc'", (_storable(said),))
        return
    if key == "name":
        text = text.replace("name: Net", f"name: {words.quoted(said)}")
        root["sha256"] = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    elif key in ("seed", "top"):
        root[key] = random.choice((1, 2, 2**63, 2**70, 10**4000, random.choice((None, 0, -1))))
    else:
        root[key] = [said, "width"] if key == "join" else said
    _keep(connection, root, text)


def schema(random: Random, connection: sqlite3.Connection) -> None:
    """Tables, indices, views and triggers come, go and change: most often no run is left."""
    if random.random() < 0.6:
        connection.execute(random.choice(STATEMENTS))
        if random.random() < 0.3:
            connection.execute("UPDATE sqlite_stat1 SET stat = '0 99999999999999999999 x'")
        return
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(random.choice(WRITTEN))


CHANGES = (rows, rows, rows, rows, ranges, reasons, reasons, named, named, named, manifest, schema)
"""What is done to a run."""


def another(random: Random, connection: sqlite3.Connection) -> None:
    """The run of another plan, which nobody worked out: its words, the tables that it has, and rows of any cells."""
    calm = random.random() < 0.75
    root, text = _plan_of(connection)
    axes = sweeps.drawn(random, calm)
    found: dict[str, Any] = {**root, "grid": [f"{name}={value}" for name, value in axes.items()]}
    for key in ("range", "input", "near", "where", "let", "require", "sort", "columns", "pareto", "minimize"):
        found[key] = []
    found |= {"join": [], "joined": [], "random": random.choice((None, None, 3))}
    if random.random() < 0.4:
        found["joined"] = [words.text(random, 0.8) for _ in range(random.choice((1, 1, 2, 40)))]
        found["join"] = [random.choice(("times.csv", "/etc/passwd", "-", words.text(random))), "width"]
    for key, said in sweeps.said(random, calm):
        found[key] = [said]
    if random.random() < 0.2:
        found["grid"] += [random.choice(("width=1:999999999", "drop=0:0.9:0.0000001", "width=1:99:1"))]
    if random.random() < 0.2:
        text = changed_text(random, text)
        found["sha256"] = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        plan = Plan.from_dict({**found, "text": text})
        figures = [*(asked.name for asked in plan.asked), *plan.joined]
        tables = statements(plan.space.names, figures)
        for name in ("VIEW results", "TABLE candidates"):
            connection.execute(f"DROP {name}")
        for statement in tables[3:]:
            connection.execute(statement)
    except (SpecError, UsageError, ValueError, sqlite3.Error):
        tables = []  # no plan: what is kept of it is not what the tables are of
    _keep(connection, found, text)
    if tables:
        done = min(plan.space.size, random.choice((1, 3, 6)))
        connection.execute("DELETE FROM chunks")
        connection.execute("INSERT INTO chunks VALUES (0, ?)", (done,))
        for number in range(done):
            cells = [random.choice(CELLS) for _ in range(len(plan.space.names) + len(figures))]
            marks = ", ".join("?" * (3 + len(cells)))
            connection.execute(f"INSERT INTO candidates VALUES ({marks})", (number, 1, None, *cells))


def _plan_of(connection: sqlite3.Connection) -> tuple[dict[str, Any], str]:
    """The words of a run's plan, and the spec's text; sqlite3.Error where it has lost them."""
    found = dict(connection.execute("SELECT key, value FROM manifest"))
    try:
        root, text = json.loads(found["plan"]), found["text"]
        if isinstance(root, dict) and isinstance(text, str):
            return root, text
    except (KeyError, TypeError, ValueError):
        pass
    raise sqlite3.DataError("no plan")


def _keep(connection: sqlite3.Connection, root: dict[str, Any], text: str) -> None:
    for key, value in (("plan", json.dumps(root)), ("text", text)):
        connection.execute("INSERT OR REPLACE INTO manifest VALUES (?, ?)", (key, _storable(value)))


def _storable(value: object) -> object:
    """A value that SQLite takes: half characters are none."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def changed_header(random: Random, data: bytes) -> bytes:
    """A file whose header says something else."""
    content = bytearray(data)
    for _ in range(random.choice((1, 1, 2))):
        place, form = random.choice(HEADER)
        most = 256 ** struct.calcsize(form) - 1
        struct.pack_into(form, content, place, min(most, random.choice((0, 1, 2, 3, 4, 255, 512, 65535, most))))
    return bytes(content)


def changed_page(random: Random, data: bytes) -> bytes:
    """A file in which the head of a page, or one of its pointers to cells, says something else."""
    content = bytearray(data)
    page = SMALL_PAGE * random.randrange(max(len(data) // SMALL_PAGE, 1))
    place = page + (100 if not page else 0) + random.choice((0, 1, 3, 5, 7, 8, 9, 10, 12, random.randrange(400)))
    if place + 2 <= len(content):
        struct.pack_into(">H", content, place, random.choice((0, 1, 2, 5, 10, 13, 255, 511, 512, 65535)))
    return bytes(content)


def cut(random: Random, data: bytes) -> bytes:
    """A file that lacks pages, or has more than it knows of."""
    at = random.choice((0, 16, 99, 100, SMALL_PAGE, len(data) // 2, len(data) - SMALL_PAGE, len(data) - 1))
    return random.choice((data[:at], data[:at], data + data[at:], data + bytes(SMALL_PAGE)))


SECTOR = 512
LOCKED = 1 << 30
"""Bytes of a file before the page that SQLite locks."""


def journal(data: bytes, several: str = "") -> bytes:
    """A journal that brings back the first page of a file, as SQLite's documentation of its format has it.

    It may name the journal of several files.
    """
    (said,) = struct.unpack(">H", data[16:18]) if len(data) > SECTOR else (SECTOR,)
    size = max(said, SECTOR)
    page = data[:size].ljust(size, b"\0")
    found = (JOURNAL_MAGIC + struct.pack(">5I", 1, 0, len(data) // size, SECTOR, size)).ljust(SECTOR, b"\0")
    found += struct.pack(">I", 1) + page + struct.pack(">I", sum(page[size - 200 : 0 : -200]))
    if several:
        name = several.encode()
        found += struct.pack(">I", LOCKED // size + 1) + name
        found += struct.pack(">2I", len(name), sum(name)) + JOURNAL_MAGIC
    return found
