"""Runs in SQLite: what is kept comes back, what was broken off goes on, and no file is believed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from convcalc.findings import UsageError
from convcalc.sweep import opening
from convcalc.sweep.asked import Asked, Options
from convcalc.sweep.cells import Cell
from convcalc.sweep.chunks import Worker
from convcalc.sweep.conditions import Condition, read_conditions
from convcalc.sweep.faults import Busy, FullDisk
from convcalc.sweep.layout import LAYOUT, statements
from convcalc.sweep.objectives import Objective, read_objective
from convcalc.sweep.opening import is_run
from convcalc.sweep.plan import Plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Row, Store
from convcalc.sweep.words import Piece

from .sweep_plans import GRID, SPEC, made_chunk, small_plan


def finished_run(path: Path, **words: object) -> Path:
    """A run of the small plan in a file."""
    plan = small_plan(**words)
    with Store.create(str(path), plan) as store:
        sweep(plan, store=store)
    return path


WORDS = {"where": ("macs<=1M",), "columns": ("params,macs,receptive_field",)}


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("run") / "run.sqlite", **WORDS)


@pytest.fixture
def copied(run_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(run_file, tmp_path / "run.sqlite"))


def changed(path: Path, *statements: str) -> str:
    """The file with something done to it by another program."""
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return str(path)


def test_what_is_kept_is_what_was_worked_out(run_file: Path) -> None:
    with Store.open(str(run_file)) as store:
        worker = Worker(store.plan)
        rows = list(store.rows())
        assert [row.number for row in rows] == list(range(50))
        for row in rows:
            chunk = worker.chunk(row.number, row.number + 1)
            assert row.values == tuple(column[0] for column in chunk.values)
            assert row.figures == tuple(column[0] for column in chunk.figures)
            assert row.fits == chunk.fits[0]
            assert [(0, row.code, row.message)] == chunk.refused or (row.code is None and not chunk.refused)
        assert store.row(7) == rows[7]
        assert store.axes == ("width", "kernel") and store.figures == ("params", "macs", "receptive_field")


def test_a_run_says_what_it_has_come_to(run_file: Path) -> None:
    with Store.open(str(run_file)) as store:
        summary, rows = store.summary(), list(store.rows())
        refused = [row for row in rows if row.code]
        assert (summary.candidates, summary.tried, summary.kept) == (50, 50, 50)
        assert summary.built == 50 - len(refused) and summary.refused == {"CC201": len(refused)}
        assert summary.fitting == sum(row.fits for row in rows) == store.fitting
        assert summary.best == next(row for row in rows if row.fits)
        (reason,) = store.refusals()
        assert (reason.code, reason.candidates) == ("CC201", len(refused))
        assert (reason.number, reason.message) == (refused[0].number, refused[0].message)
        assert store.finished()


def test_rows_are_chosen_and_put_in_order(run_file: Path) -> None:
    with Store.open(str(run_file)) as store:
        rows = [row for row in store.rows() if not row.code]
        conditions = read_conditions("100K<=macs<=900K")
        found = list(store.rows(conditions, [read_objective(Piece("-params", 0))]))
        wanted = [row for row in rows if 100_000 <= row.figures[1] <= 900_000]  # type: ignore[operator]
        assert found == sorted(wanted, key=lambda row: (-row.figures[0], row.number))  # type: ignore[operator]
        assert list(store.rows(conditions, [read_objective(Piece("-params", 0))], 3)) == found[:3]
        assert store.count(conditions) == len(found)
        assert list(store.rows(fitting=True)) == [row for row in rows if row.fits]
        width = Condition(Asked("width"), "==", 12)
        assert {row.values[0] for row in store.rows([width])} == {12}


def test_conditions_on_sizes_hold_for_all_axes(run_file: Path) -> None:
    with Store.open(str(run_file)) as store:
        rows = list(store.rows(read_conditions("receptive_field>=5"), [Objective(Asked("receptive_field"), True)]))
        sizes = [int(str(row.figures[2]).split("×")[0]) for row in rows]
        assert sizes == sorted(sizes, reverse=True) and min(sizes) == 5 and max(sizes) == 11
        assert len(rows) == sum(1 for row in store.rows() if row.figures[2] in ("5×5", "11×11"))


def test_a_front_of_a_run_is_of_what_fits(run_file: Path) -> None:
    with Store.open(str(run_file)) as store:
        objectives = [Objective(Asked("macs")), Objective(Asked("receptive_field"), True)]
        fitting = list(store.rows(fitting=True))

        def beats(one: Row, other: Row) -> bool:
            a, b = ((row.figures[1], -int(str(row.figures[2]).split("×")[0])) for row in (one, other))
            return a != b and a[0] <= b[0] and a[1] <= b[1]  # type: ignore[operator]

        wanted = [row.number for row in fitting if not any(beats(other, row) for other in fitting)]
        assert store.front(objectives) == wanted
        narrow = [Condition(Asked("width"), ">=", 8)]
        assert all(store.row(number).values[0] >= 8 for number in store.front(objectives, narrow))  # type: ignore[operator]


def test_a_name_that_the_run_has_not_is_refused_with_the_nearest(run_file: Path) -> None:
    with Store.open(str(run_file)) as store:
        for ask in (
            lambda: list(store.rows(sort=[Objective(Asked("parms"))])),
            lambda: store.count([Condition(Asked("parms"), "<=", 1)]),
            lambda: store.front([Objective(Asked("parms"))]),
        ):
            with pytest.raises(UsageError, match="no column 'parms'") as caught:
                ask()
            assert caught.value.hint == "did you mean 'params'?"
        with pytest.raises(UsageError, match="no row 50"):
            store.row(50)


def test_all_kinds_of_cells_come_back() -> None:
    plan = small_plan(columns=("macs,receptive_field",))
    kept: list[Cell] = [2**63 - 1, 2**63, 2**70, 0.1, None, "3×3", "a word", 0]
    with Store.memory(plan) as store:
        store.add(made_chunk(plan, 0, 8, [(each, None) for each in kept]))
        assert [row.figures[0] for row in store.rows()] == kept
        ordered = [row.figures[0] for row in store.rows(sort=[Objective(Asked("macs"))])]
        assert ordered == [0, 0.1, "3×3", 2**63 - 1, 2**63, 2**70, "a word", None]
        assert [row.number for row in store.rows([Condition(Asked("macs"), ">=", 2**63)])] == [1, 2]
        assert [row.number for row in store.rows([Condition(Asked("macs"), "<", Fraction(1, 2))])] == [3, 7]


def test_long_values_are_made_again_of_the_number(tmp_path: Path) -> None:
    long = f"[{', '.join(['1'] * 40)}]"
    path = finished_run(tmp_path / "run.sqlite", grid=(f"depths=[1,2],{long}", "width=4,8"))
    with Store.open(str(path)) as store:
        assert [row.values[0] for row in store.rows()] == ["[1, 2]", "[1, 2]", long, long]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT depths FROM results").fetchall() == [("[1, 2]",)] * 2 + [(None,)] * 2
    connection.close()


def test_other_programs_find_the_columns_by_their_names(run_file: Path) -> None:
    with sqlite3.connect(run_file) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM results WHERE number = 3").fetchone())
    connection.close()
    assert list(row) == ["number", "fits", "width", "kernel", "params", "macs", "receptive_field", "code", "message"]
    assert row["width"] == 4 and row["code"] == "CC201"


def test_names_that_are_no_sql() -> None:
    axes = ["width", "WIDTH", 'a"b); DROP TABLE chunks --', "number", "a\nb"]
    with sqlite3.connect(":memory:") as connection:
        for statement in statements(axes, ["code", "macs"]):
            connection.execute(statement)
        names = [row[1] for row in connection.execute("PRAGMA table_info(results)")]
    connection.close()
    assert names[2:7] == ["width", "WIDTH_2", 'a"b); DROP TABLE chunks --', "number_2", r"a\nb"]
    assert names[7:] == ["code_2", "macs", "code", "message"]


def test_a_run_is_whole_between_two_chunks_and_goes_on(tmp_path: Path) -> None:
    path, plan = str(tmp_path / "run.sqlite"), small_plan()
    worker = Worker(plan)
    with Store.create(path, plan) as store:
        store.add(worker.chunk(10, 30))
        assert os.listdir(tmp_path) == ["run.sqlite"]  # noqa: PTH208
        with Store.open(path) as reader:
            assert [row.number for row in reader.rows()] == list(range(10, 30))
            assert not reader.finished() and list(reader.missing()) == [(0, 10), (30, 50)]
    with Store.resume(path, plan) as store:
        assert store.tried == 20 and list(store.missing()) == [(0, 10), (30, 50)]
        assert sweep(plan, store=store).here == 30
        assert sweep(plan, store=store).here == 0
    with Store.open(path) as store, Store.memory(plan) as other:
        sweep(plan, store=other)
        assert list(store.rows()) == list(other.rows())


def test_a_run_that_is_not_there_is_begun(tmp_path: Path) -> None:
    plan, path = small_plan(), tmp_path / "run.sqlite"
    for _ in range(2):
        with Store.resume(str(path), plan) as store:
            assert store.tried == 0
        path.write_bytes(b"")


def test_a_chunk_that_cannot_be_kept_leaves_nothing_of_itself(tmp_path: Path) -> None:
    path, plan = str(tmp_path / "run.sqlite"), small_plan()
    worker = Worker(plan)
    with Store.create(path, plan) as store:
        store.add(worker.chunk(0, 10))
        with pytest.raises(UsageError):
            store.add(worker.chunk(5, 20))
        assert store.tried == 10 and len(list(store.rows())) == 10
        store.add(worker.chunk(10, 20))
    with Store.open(path) as store:
        assert store.tried == 20


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    path, plan = str(tmp_path / "run.sqlite"), small_plan()
    with Store.create(path, plan) as store:
        with pytest.raises(Busy, match="another process is writing"):
            Store.resume(path, plan)
        with pytest.raises(UsageError, match="exists already"):
            Store.create(path, plan)
        with pytest.raises(Busy, match="another process is writing"):
            Store.create(path, plan, overwrite=True)
        store.add(Worker(plan).chunk(0, 5))
        with Store.open(path) as reader:
            assert reader.tried == 5
    Store.resume(path, plan).close()


def test_who_looks_at_rows_does_not_hold_up_who_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "WRITING_PATIENCE", 0)
    path, plan = str(tmp_path / "run.sqlite"), small_plan(columns=("macs",), grid=("width=1:1000",))
    with Store.create(path, plan) as store:
        store.add(made_chunk(plan, 0, 600, [(number,) for number in range(600)]))
        with Store.open(path) as reader:
            rows = reader.rows()
            assert next(rows).number == 0
            store.add(made_chunk(plan, 600, 1000, [(number,) for number in range(600, 1000)]))
            assert [row.number for row in rows] == list(range(1, 600))
            assert len(list(reader.rows())) == 1000


def test_a_run_has_as_many_columns_as_sqlite() -> None:
    plan = Plan("small.yaml", SPEC, grid=GRID, joined=tuple(f"t{number}" for number in range(2000)))
    with pytest.raises(UsageError, match="2,004 axes and figures are more than 1,900"):
        Store.memory(plan)


DIFFERENT = {
    "where": {"where": ("macs<=2M",)},
    "grid": {"grid": ("width=4:44:4",)},
    "seed": {"seed": 3},
    "batch": {"options": Options(batch=2)},
    "columns": {"columns": ("macs",)},
}


@pytest.mark.parametrize("key", DIFFERENT)
def test_a_run_of_other_words_is_refused_with_what_differs(key: str, copied: Path) -> None:
    Store.resume(str(copied), small_plan(**WORDS)).close()
    with pytest.raises(UsageError, match=f"is another sweep: --{key} is .* there and .* here"):
        Store.resume(str(copied), small_plan(**{**WORDS, **DIFFERENT[key]}))


def test_a_run_of_another_text_or_program_is_refused(copied: Path) -> None:
    other = Plan("small.yaml", SPEC.replace("width: 8", "width: 9"), grid=GRID, **WORDS)
    with pytest.raises(UsageError, match="the spec has another text"):
        Store.resume(str(copied), other)
    changed(copied, "UPDATE manifest SET value = '0.0.1' WHERE key = 'convcalc'")
    with pytest.raises(UsageError, match=r"its rows are of convcalc 0\.0\.1, and this is"):
        Store.resume(str(copied), small_plan(**WORDS))


WRONG = {
    "another program's": ("PRAGMA application_id = 7", "is no run of a sweep"),
    "a newer one": (f"PRAGMA user_version = {LAYOUT + 1}", "is of a newer convcalc"),
    "an older one": ("PRAGMA user_version = 0", "is damaged: it has layout 0"),
    "no manifest": ("DROP TABLE manifest", "is damaged: it has no manifest"),
    "no plan": ("DELETE FROM manifest", "its manifest is no plan"),
    "no JSON": ("UPDATE manifest SET value = '{' WHERE key = 'plan'", "its manifest is no plan"),
    "deep JSON": (f"UPDATE manifest SET value = '{'[' * 100_000}' WHERE key = 'plan'", "its manifest is no plan"),
    "long JSON": (
        f"UPDATE manifest SET value = '[{'1,' * 2_100_000}1]' WHERE key = 'plan'",
        "its manifest is longer than 4 MiB",
    ),
    "a long text": ("UPDATE manifest SET value = zeroblob(9000000) WHERE key = 'text'", "string or blob too big"),
    "no batch": (
        "UPDATE manifest SET value = replace(value, '\"batch\": 1', '\"batch\": -1')",
        "its options is something",
    ),
    "no dtype": ("UPDATE manifest SET value = replace(value, '\"float32\"', '[1]')", "its options is something"),
    "no device": (
        'UPDATE manifest SET value = replace(value, \'"device": null\', \'"device": "x"\')',
        "its options is",
    ),
    "another plan": ("UPDATE manifest SET value = replace(value, 'width: 8', 'width: 9')", "its manifest is no plan"),
    "a table more": ("CREATE TABLE more (x)", "its tables are not those of its plan"),
    "a trigger": (
        "CREATE TRIGGER t AFTER INSERT ON chunks BEGIN DELETE FROM candidates; END",
        "its tables are not those of its plan",
    ),
    "a column less": ("ALTER TABLE candidates DROP COLUMN q0", "is damaged"),
    "chunks elsewhere": ("UPDATE chunks SET stop = 999999", "its chunks are no ranges of its candidates"),
    "rows without chunks": ("DELETE FROM chunks", "it has rows of candidates that are not done"),
    "no top": (
        "UPDATE manifest SET value = replace(value, '\"top\": null', '\"top\": -1')",
        "its top is something else",
    ),
    "no seed": ("UPDATE manifest SET value = replace(value, '\"seed\": 0', '\"seed\": -1')", "its seed is something"),
    "chunks of text": ("UPDATE chunks SET stop = 'x'", "its chunks are no ranges of its candidates"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_is_not_believed(what: str, copied: Path) -> None:
    statement, message = WRONG[what]
    if "DROP COLUMN" in statement:
        changed(copied, "DROP VIEW results")
    path = changed(copied, statement)
    for opens in (Store.open, lambda path: Store.resume(path, small_plan(**WORDS))):
        with pytest.raises(UsageError, match=message):
            opens(path)


def test_a_schema_with_very_many_tables_is_not_read(copied: Path) -> None:
    """SQLite takes minutes for a million: its own table of them is made for few."""
    with sqlite3.connect(copied) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        views = (("view", f"v{number}", f"CREATE VIEW v{number} AS SELECT 1") for number in range(20_000))
        connection.executemany("INSERT INTO sqlite_master VALUES (?, ?2, ?2, 0, ?3)", views)
    connection.close()
    with pytest.raises(UsageError, match="is damaged: it has far more tables than a run"):
        Store.open(str(copied))


def test_names_of_tables_that_are_no_text_are_said(copied: Path) -> None:
    """SQLite has them in what it says is wrong."""
    with sqlite3.connect(copied) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES ('table', 't', 't', 2, CAST(x'4352ff' AS TEXT))")
        connection.execute("UPDATE sqlite_master SET name = CAST(x'ff' AS TEXT) WHERE name = 't'")
    connection.close()
    with pytest.raises(UsageError, match="is damaged: its tables have names that are no text"):
        Store.open(str(copied))
    Store.create(str(copied), small_plan(), overwrite=True).close()


def test_words_of_a_file_are_as_long_as_messages_are(copied: Path) -> None:
    path = changed(
        copied,
        "INSERT INTO refusals VALUES (1, 'CC1', replace(hex(zeroblob(400000)), '0', 'y'))",
        "UPDATE candidates SET refusal = 1",
    )
    with Store.open(path) as store:
        assert len(store.refusals()[0].message) == 1000
        assert len(store.row(1).message or "") == 1000


def test_a_plan_that_is_too_long_is_no_run() -> None:
    plan = Plan("small.yaml", SPEC, grid=GRID, set=("width=8" + " " * (1 << 22),))
    with pytest.raises(UsageError, match="the plan is too long for a run"):
        Store.memory(plan)


def test_more_rows_than_there_are_may_be_asked_for(run_file: Path) -> None:
    with Store.open(str(run_file)) as store:
        assert len(list(store.rows(top=10**30))) == 50


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE candidates SET fits = 'yes' WHERE number = 3",
        "UPDATE candidates SET number = 1000 WHERE number = 3",
        "UPDATE candidates SET number = -1 WHERE number = 3",
    ],
)
def test_rows_that_are_of_no_candidate_are_said(statement: str, copied: Path) -> None:
    with Store.open(changed(copied, statement)) as store, pytest.raises(UsageError, match="a row is of no candidate"):
        list(store.rows())


def test_a_row_of_other_cells_than_a_run_has_is_read_as_text(copied: Path) -> None:
    with Store.open(changed(copied, "UPDATE candidates SET a0 = x'00', q0 = x'0102' WHERE number = 3")) as store:
        row = store.row(3)
        assert row.values[0] == 4 and row.figures[0] == 2


def test_cells_that_no_run_has_are_bounded(copied: Path) -> None:
    path = changed(
        copied,
        "UPDATE candidates SET q0 = zeroblob(2000000) WHERE number = 1",
        "UPDATE candidates SET q1 = randomblob(900000) WHERE number = 2",
        "UPDATE candidates SET q1 = 9e999, q2 = CAST(x'ff' AS TEXT) WHERE number = 5",
    )
    with Store.open(path) as store:
        for number, message in ((1, "string or blob too big"), (5, "UTF-8")):
            with pytest.raises(UsageError, match=f"is damaged: .*{message}"):
                store.row(number)
        assert len(str(store.row(2).figures[1])) < 200
    path = changed(
        copied, "UPDATE candidates SET q2 = NULL WHERE number = 5", "UPDATE candidates SET a0 = -9e999 WHERE number = 6"
    )
    with Store.open(path) as store:
        assert store.row(5).figures[1:] == (None, None)
        with pytest.raises(UsageError, match="is damaged: a row has an endless value"):
            store.row(6)


def test_bytes_that_are_not_those_of_a_run_are_said(run_file: Path, tmp_path: Path) -> None:
    data = run_file.read_bytes()
    page = 4096
    noise = data[:page] + os.urandom(len(data) - page)
    hurt = [data[:page], data[: len(data) // 2], noise, b"x" * 5000, data[:99]]
    for number, content in enumerate(hurt):
        path = tmp_path / f"{number}.sqlite"
        path.write_bytes(content)
        for opens in (Store.open, lambda path: Store.resume(path, small_plan())):
            with pytest.raises(UsageError), opens(str(path)) as store:
                list(store.rows())


def test_places_where_no_run_can_be(tmp_path: Path) -> None:
    plan = small_plan()
    os.mkfifo(tmp_path / "fifo")
    cases = [
        (tmp_path, "is a directory"),
        (tmp_path / "none" / "run.sqlite", "does not exist|there is no file"),
        (tmp_path / "fifo", "is no ordinary file|exists already"),
        (Path("/dev/null"), "is no ordinary file|exists already"),
        (tmp_path / ("x" * 300), "is too long"),
        ("a\0b", "is no path"),
    ]
    for path, message in cases:
        for opens in (Store.open, lambda path: Store.create(path, plan), lambda path: Store.resume(path, plan)):
            with pytest.raises(UsageError, match=message):
                opens(str(path))
    assert not is_run(str(tmp_path)) and not is_run("a\0b") and not is_run(str(tmp_path / "none"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written(copied: Path) -> None:
    copied.chmod(0o400)
    with pytest.raises(UsageError, match="no permission to write"):
        Store.resume(str(copied), small_plan())
    with Store.open(str(copied)) as store:
        assert store.tried == 50


def test_a_run_is_recognised(run_file: Path) -> None:
    assert is_run(str(run_file))


def test_overwriting_takes_the_place_of_a_run(copied: Path) -> None:
    plan = small_plan(where=("macs<=5M",))
    with Store.create(str(copied), plan, overwrite=True) as store:
        assert store.tried == 0
    with Store.open(str(copied)) as store:
        assert store.plan == plan


def test_a_full_disk_keeps_what_was_kept_and_says_how_to_go_on(tmp_path: Path) -> None:
    path, plan = str(tmp_path / "run.sqlite"), small_plan(columns=("macs",), grid=("width=1:4000", "kernel=1,3"))
    with Store.create(path, plan) as store:
        store.add(made_chunk(plan, 0, 100, [(number,) for number in range(100)]))
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(FullDisk, match="no space is left to write") as caught:
            store.add(made_chunk(plan, 100, 8000, [(number,) for number in range(100, 8000)]))
        assert caught.value.hint == "make room, then go on with --resume"
        assert store.tried == 100
    with Store.resume(path, plan) as store:
        assert len(list(store.rows())) == store.tried == 100


BROKEN_OFF = """
import os, sys
sys.path.append({root!r})
from tests.sweep_plans import made_chunk, small_plan
from convcalc.sweep.store import Store
plan = small_plan(columns=("macs",), grid=("width=1:4000", "kernel=1,3"))
store = Store.create(sys.argv[1], plan)
store.add(made_chunk(plan, 0, 4000, [(number,) for number in range(4000)]))
store._connection.execute("PRAGMA cache_size = 5")
store._connection.execute("UPDATE candidates SET q0 = 7")
os.kill(os.getpid(), 9)
"""


def test_a_process_that_is_killed_while_it_writes_loses_that_chunk_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    code = BROKEN_OFF.format(root=str(Path(__file__).parents[1]))
    done = subprocess.run([sys.executable, "-c", code, str(path)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "run.sqlite-journal").exists()
    with Store.open(str(path)) as store:
        assert [row.figures[0] for row in store.rows()] == list(range(4000))
    assert os.listdir(tmp_path) == ["run.sqlite"]  # noqa: PTH208


@pytest.mark.slow
def test_a_million_candidates_are_small(tmp_path: Path) -> None:
    """File and memory of a run of a hundred thousand, by candidate and quantity."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sweep_store", "100000", str(tmp_path / "run.sqlite")],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["bytes_a_candidate_and_quantity"] <= 60
    assert found["resident_mib"] <= 300
