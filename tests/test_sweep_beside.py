"""What stands beside the file of a run: SQLite obeys it, and a run is read all the same, or refused."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from convcalc.findings import UsageError
from convcalc.sweep.plan import Plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Store
from tools.fuzz.generators.runs import journal

from .command import run

SPEC = "convcalc: 1\ninput: [3, 16, 16]\nparams: {width: 4}\nlayers: [{conv2d: {out: width, k: 3}}]\n"
PLAN = Plan("small.yaml", SPEC, grid=("width=1:6",))


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.sqlite"
    with Store.create(str(path), PLAN) as store:
        sweep(PLAN, store=store)
    return path


def test_a_chunk_that_was_broken_off_is_rolled_back(run_file: Path) -> None:
    whole = run_file.read_bytes()
    Path(f"{run_file}-journal").write_bytes(journal(whole))
    run_file.write_bytes(whole[:100] + bytes(100) + whole[200:])
    with Store.open(str(run_file)) as store:
        assert store.tried == 6
    assert run_file.read_bytes() == whole and not Path(f"{run_file}-journal").exists()


def test_sqlite_removes_what_a_journal_names(run_file: Path, tmp_path: Path) -> None:
    """That is why such a journal is refused."""
    other = tmp_path / "other.txt"
    other.write_text("mine")
    Path(f"{run_file}-journal").write_bytes(journal(run_file.read_bytes(), str(other)))
    connection = sqlite3.connect(run_file)
    connection.execute("SELECT count(*) FROM manifest").fetchone()
    connection.close()
    assert not other.exists()


@pytest.mark.parametrize("arguments", [("sweep", "{}"), ("table", "{}:1"), ("sweep", "{}", "--resume")])
@pytest.mark.parametrize("linked", [False, True])
def test_a_journal_removes_no_other_file(arguments: tuple[str, ...], linked: bool, run_file: Path) -> None:
    other = run_file.with_name("other.txt")
    other.write_text("mine")
    Path(f"{run_file}-journal").write_bytes(journal(run_file.read_bytes(), str(other)))
    named = run_file
    if linked:
        (run_file.parent / "below").mkdir()
        named = run_file.parent / "below" / "link.sqlite"
        named.symlink_to(run_file)
    result = run(*(argument.format(named) for argument in arguments))
    assert result.code == 2 and "is damaged: its journal is one of several files" in result.stderr
    assert other.read_text() == "mine"


def fifo(path: Path) -> None:
    os.mkfifo(f"{path}-journal")


def link(path: Path) -> None:
    Path(f"{path}-journal").symlink_to(path.with_name("elsewhere"))


def log(path: Path) -> None:
    Path(f"{path}-wal").write_bytes(b"")


def logged(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


@pytest.mark.parametrize("strange", [fifo, link, log, logged])
def test_what_no_run_has_beside_it_is_refused(strange: Callable[[Path], None], run_file: Path) -> None:
    """A FIFO is not waited for, and no log is written."""
    strange(run_file)
    before = sorted(run_file.parent.iterdir())
    for opens in (Store.open, lambda path: Store.resume(path, PLAN)):
        with pytest.raises(UsageError, match=r"its journal is no ordinary|it is kept with a write"):
            opens(str(run_file))
    assert sorted(run_file.parent.iterdir()) == before


def test_what_is_kept_otherwise_may_be_overwritten(run_file: Path) -> None:
    fifo(run_file)
    with Store.create(str(run_file), PLAN, overwrite=True) as store:
        assert store.tried == 0
    assert sorted(path.name for path in run_file.parent.iterdir()) == ["run.sqlite"]
