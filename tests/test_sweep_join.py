"""Measured columns joined to candidates by the axes that a CSV file names."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from convcalc.findings import UsageError
from convcalc.sweep.join import MOST_BYTES, Join, joined
from convcalc.sweep.plan import Plan
from convcalc.sweep.running import sweep
from convcalc.sweep.store import Store

from .sweep_plans import SPEC, small_plan

TIMES = """\
width,depths,latency,phone
4,"[1, 1]",0.5,Pixel 8
4,"[1,2]",1.25,
8,"[1, 1]",1e0,Pixel 8
16,"[1, 1]",,Pixel 8
"""


def timed(path: Path, text: str = TIMES, **words: object) -> tuple[Plan, Join]:
    """A plan with what a file says."""
    path.write_text(text, "utf-8")
    plan = Plan("small.yaml", SPEC, grid=("width=4,8,12,16", "depths=[1,1],[1,2]"))
    known, join = joined(plan, str(path))
    with_words = Plan.from_dict({**known.to_dict(), **words})
    with_words.validate()
    return with_words, join


def test_columns_are_joined_where_the_key_is_the_same(tmp_path: Path) -> None:
    plan, join = timed(tmp_path / "times.csv")
    assert (join.keys, join.columns) == (("width", "depths"), ("latency", "phone"))
    assert plan.join == (str(tmp_path / "times.csv"), "width", "depths") and plan.joined == ("latency", "phone")
    with Store.memory(plan, join=join) as store:
        sweep(plan, store=store)
        assert store.figures == ("params", "macs", "latency", "phone")
        cells = {(row.values): row.figures[2:] for row in store.rows()}
    assert cells[4, "[1, 1]"] == (0.5, "Pixel 8") and cells[4, "[1, 2]"] == (1.25, None)
    assert cells[8, "[1, 1]"] == (1, "Pixel 8") and isinstance(cells[8, "[1, 1]"][0], int)
    assert cells[16, "[1, 1]"] == (None, "Pixel 8") and cells[12, "[1, 2]"] == (None, None)


def test_what_is_joined_is_a_condition_an_objective_and_an_order(tmp_path: Path) -> None:
    words = {"where": ["latency<=1", "params<=1M"], "pareto": ["-latency,macs"], "sort": ["-latency"]}
    plan, join = timed(tmp_path / "times.csv", **words)
    with Store.memory(plan, join=join) as store:
        sweep(plan, store=store)
        assert [row.values for row in store.rows(sort=plan.order, fitting=True)] == [(8, "[1, 1]"), (4, "[1, 1]")]
        assert [store.row(number).values[0] for number in store.front(plan.objectives)] == [4, 8]
        assert store.count(plan.conditions) == 2


def test_rows_are_the_same_by_processes(tmp_path: Path) -> None:
    plan, join = timed(tmp_path / "times.csv", where=["latency<=1"])
    found = []
    for jobs in (1, 2):
        with Store.memory(plan, join=join) as store:
            sweep(plan, store=store, jobs=jobs)
            found.append(list(store.rows()))
    assert found[0] == found[1]


def test_another_content_is_another_run(tmp_path: Path) -> None:
    plan, join = timed(tmp_path / "times.csv")
    path = str(tmp_path / "run.sqlite")
    with Store.create(path, plan, join=join) as store:
        sweep(plan, store=store)
    with Store.resume(path, plan, join=join) as store:
        assert store.finished()
    plan, join = timed(tmp_path / "times.csv", TIMES.replace("0.5", "0.6"))
    with pytest.raises(UsageError, match="the file that is joined has another content"):
        Store.resume(path, plan, join=join)
    with Store.open(path) as store:
        assert store.row(0).figures[2:] == (0.5, "Pixel 8")


WRONG = {
    "": ":1: no column has a name",
    ",,\n": ":1: no column has a name",
    "latency\n3\n": ":1: no column is an axis",
    "width;latency\n4;3\n": ":1: there is one column: commas part columns",
    "width\n4\n": ":1: all columns are axes",
    "width,width,t\n": ":1: column 'width' is there twice",
    "width,t,t\n": ":1: column 't' is there twice",
    "width,,t\n": ":1: column 2 has no name",
    "width,dephts,t\n": ":1: column 'dephts' is no axis",
    "width,macs\n": ":1: column 'macs' is a quantity that is computed",
    "width,t\n4,3\n8,x\n": ":3: column 't': 'x' is no number",
    "width,t\n4,3\n8,nan\n": ":3: column 't': 'nan' is no number",
    "width,t\n4,3\n4,4\n": ":3: the same width as line 2",
    "width,t\n4,3\n4.0,4\n": ":3: the same width as line 2",
    "width,t\n4,3\n8\n": ":3: 1 values for 2 columns",
    'width,t\n4,"3\n': ":2: this is no CSV",
    "width," + ",".join(f"t{n}" for n in range(200)) + "\n": ":1: 201 columns are more than 200",
}


LARGE = {
    ",".join(["width", *["a"] * 600_000]): ":1: a row has more than 1,048,576 characters",
    "width,t\n1," + '"a\n",' * 300_000 + "\n": ":1: a row has more than 1,048,576 characters",
    "width,t\n" + "\n" * 200_001: ":200002: more than 200,000 rows",
    "width" + "".join(f",t{n}" for n in range(199)) + "".join(f"\n{n}" + "," * 199 for n in range(5_001)): (
        ":5002: more than 1,000,000 values"
    ),
}


@pytest.mark.parametrize("text", LARGE, ids=["names", "lines", "nothing", "values"])
def test_files_that_are_too_large_are_refused_soon(text: str, tmp_path: Path) -> None:
    before = time.process_time()
    with pytest.raises(UsageError) as caught:
        timed(tmp_path / "times.csv", text)
    assert time.process_time() - before < 5, "on a machine that does much else"
    assert f"{tmp_path}/times.csv{LARGE[text]}" in caught.value.message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_value_may_have_several_lines(end: str, tmp_path: Path) -> None:
    _, join = timed(tmp_path / "times.csv", f'\ufeffwidth,board{end}4,"a{end}b"{end}')
    assert list(join.rows.values()) == [(f"a{end}b",)]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_with_its_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        timed(tmp_path / "times.csv", text)
    assert f"{tmp_path}/times.csv{WRONG[text]}" in caught.value.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    plan = small_plan()
    large, binary = tmp_path / "large.csv", tmp_path / "binary.csv"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    binary.write_bytes(b"width,t\n4,\xff\n")
    os.mkfifo(tmp_path / "fifo")
    cases = {
        str(tmp_path / "none.csv"): "there is no file",
        str(tmp_path): "directory",
        str(tmp_path / "fifo"): "it is a fifo",
        str(large): "is larger than 32 MiB",
        str(binary): "is no UTF-8: byte 11",
        "a\0b": "is no path",
    }
    for path, message in cases.items():
        with pytest.raises(UsageError) as caught:
            joined(plan, path)
        assert message in caught.value.message, path
