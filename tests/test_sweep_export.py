"""Runs exported: what a reader of the format finds is what the run has."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from convcalc.findings import UsageError
from convcalc.sweep import export as exports
from convcalc.sweep.export import export
from convcalc.sweep.plan import Plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Store

from .sweep_plans import SPEC, made_chunk, small_plan


@pytest.fixture
def store() -> Store:
    """A run with candidates that do not build, numbers, sizes and lists."""
    plan = small_plan(grid=("width=4,8", "kernel=1,17", "depths=[1,1],[2,1]"), columns=("params,receptive_field",))
    run = Store.memory(plan)
    sweep(plan, store=run)
    return run


def test_csv_has_every_row(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    assert export(store, str(path)) == 8
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == [
        *("number", "fits", "width", "kernel", "depths", "params", "receptive_field", "code", "message")
    ]
    for read, row in zip(found, store.rows(), strict=True):
        written = (row.number, str(row.fits).lower(), *row.values, *row.figures, row.code, row.message)
        assert list(read.values()) == ["" if cell is None else str(cell) for cell in written]
    assert {row["code"] for row in found} == {"", "CC201"}


def test_parquet_has_every_row_with_types(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(exports, "GROUP", 3)
    path = tmp_path / "run.parquet"
    assert export(store, str(path)) == 8
    file = parquet.ParquetFile(path)
    assert file.metadata.num_row_groups == 3
    assert [str(kind) for kind in file.schema_arrow.types] == [
        *("int64", "bool", "int64", "int64", "string", "int64", "string", "string", "string")
    ]
    wanted = [(row.number, row.fits, *row.values, *row.figures, row.code, row.message) for row in store.rows()]
    assert [tuple(row.values()) for row in file.read().to_pylist()] == wanted
    file.close()


def test_columns_of_parquet_are_of_what_is_there(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    plan = small_plan(columns=("params,macs,depth,receptive_field",))
    with Store.memory(plan) as store:
        store.add(made_chunk(plan, 0, 2, [(2**70, 1, None, None), (1, 0.5, 3, None)]))
        export(store, str(tmp_path / "run.parquet"))
    table = parquet.read_table(tmp_path / "run.parquet")
    assert [str(table.schema.field(name).type) for name in ("params", "macs", "depth")] == ["string", "double", "int64"]
    assert table.column("params").to_pylist() == [str(2**70), "1"]
    assert table.column("macs").to_pylist() == [1.0, 0.5] and table.column("depth").to_pylist() == [None, 3]


def test_chosen_rows_are_exported_in_their_order(store: Store, tmp_path: Path) -> None:
    export(store, str(tmp_path / "best.csv"), reversed(list(store.rows(fitting=True))))
    lines = (tmp_path / "best.csv").read_text("utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == ["5", "4", "1", "0"]


def test_names_that_are_there_already_get_a_number(tmp_path: Path) -> None:
    spec = SPEC.replace("width: 8", "width: 8, number: 1, params: 1")
    plan = Plan("small.yaml", spec, grid=("number=1,2", "params=3"), columns=("params",))
    with Store.memory(plan) as store:
        assert exports.names(store) == ["number", "fits", "number_2", "params", "params_2", "code", "message"]


def test_no_spreadsheet_takes_a_word_for_a_formula(tmp_path: Path) -> None:
    plan = small_plan(columns=("macs",))
    with Store.memory(plan) as store:
        store.add(made_chunk(plan, 0, 2, [("=1+1",), ("a\nb",)]))
        export(store, str(tmp_path / "run.csv"))
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        assert [row["macs"] for row in csv.DictReader(file)] == ["'=1+1", r"a\nb"]


def test_no_spreadsheet_takes_a_heading_for_a_formula(tmp_path: Path) -> None:
    """A run that somebody else made has joined columns of any names."""
    with Store.memory(Plan("small.yaml", SPEC, grid=("width=4",), joined=("=1+1", "a\x1b\u202e"))) as store:
        export(store, str(tmp_path / "run.csv"))
    heading = (tmp_path / "run.csv").read_text("utf-8").splitlines()[0]
    assert heading == r"number,fits,width,params,macs,'=1+1,a\x1b\u202e,code,message"


def test_a_file_is_written_whole_or_not_at_all(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "run.csv"

    def broken_off():  # type: ignore[no-untyped-def]
        yield from store.rows(top=2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(store, str(path), broken_off())
    assert list(tmp_path.iterdir()) == []
    path.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="exists already"):
        export(store, str(path))
    assert path.read_text("utf-8") == "mine"
    export(store, str(path), overwrite=True)
    assert path.read_text("utf-8").startswith("number,fits,")


def test_places_and_formats_that_there_are_not(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"takes a \.csv or \.parquet file, not 'run\.xlsx'"):
        export(store, "run.xlsx")
    with pytest.raises(UsageError, match=r"the folder of .* does not exist"):
        export(store, str(tmp_path / "none" / "run.csv"))
    with pytest.raises(UsageError, match="is no path"):
        export(store, "a\0b.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(exports, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs pyarrow") as caught:
        export(store, str(tmp_path / "run.parquet"))
    assert caught.value.hint == 'pip install "convcalc[parquet]"' and not list(tmp_path.iterdir())
