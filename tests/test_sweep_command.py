"""`convcalc sweep` from end to end: what it prints, what it keeps, rows as specs, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from pathlib import Path

import pytest

import convcalc
from convcalc import UsageError, load
from convcalc.analysis.figures import find
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import analyse
from convcalc.language import gallery_names
from convcalc.sweep.cells import cell

from .command import run
from .terminal import at_terminal

SPEC = """\
# of ours
convcalc: 1
name: ours
input: [3, 16, 16]
params:
  width: 8       # of both
  k: 3
  act: relu
variants: {sharp: {act: gelu}, extra-wide: {width: 32}}
layers:
  - {conv2d: {out: width, k: k}, name: first}
  - {relu: {}, when: act == 'relu'}
  - {gelu: {}, when: act == 'gelu'}
  - {conv2d: {out: 2 * width, k: k}, name: second}
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "ours.yaml"
    path.write_text(SPEC, "utf-8")
    return str(path)


@pytest.fixture
def kept(spec: str, tmp_path: Path) -> str:
    """A run of sixteen candidates, of which four do not build."""
    path = str(tmp_path / "run.sqlite")
    done = run("sweep", spec, "--grid", "width=4:16:4", "--grid", "k=1,3,5,9", "--where", "params<=10K", "-o", path)
    assert done.code == 0
    return path


def rows(*arguments: str) -> list[dict[str, str]]:
    done = run("sweep", *arguments, "--format", "csv")
    assert done.code == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_it_answers_the_question(spec: str) -> None:
    words = ["--grid", "width=4:16:4", "--grid", "k=1,3,5,9", "--where", "params<=2K", "--maximize", "params"]
    done = run("sweep", spec, *words)
    assert done.code == 0 and done.stderr == ""
    shown = done.stdout.splitlines()
    assert shown[0].startswith("ours swept")
    assert "candidates  16" in shown and "built       12 (75.0%)" in shown
    assert "refused     4 with CC201, as row 3: kernel of 9 is larger than the input of 8" in shown
    best = next(line for line in shown if line.startswith("most params"))
    first = shown[shown.index(best) + 3].split()
    every = [
        (convcalc.analyse(load(spec, params={"width": width, "k": k})).totals.params, width, k)
        for width in (4, 8, 12, 16)
        for k in (1, 3, 5)
    ]
    params, width, k = max(one for one in every if one[0] <= 2000)
    assert first[1:3] == [str(width), str(k)] and rows(spec, *words)[0]["params"] == str(params)


@pytest.mark.slow
def test_a_terminal_is_told_how_long_it_took_and_a_pipe_is_not(spec: str) -> None:
    words = ["sweep", spec, "--grid", "k=1,3", "--where", "params<=1"]
    seen = at_terminal(*words, columns=100)
    assert re.search(r"candidates\S*\s+2 in [\d.]+ s, [\d,.]+ a second", seen.stdout) and "\x1b[1m" in seen.stdout
    plain = at_terminal(*words, columns=100, NO_COLOR="1")
    assert "\x1b[" not in plain.stdout
    assert "a second" not in run(*words).stdout


def test_a_kept_run_is_seen_under_other_words(kept: str) -> None:
    assert len(rows(kept)) == 11
    few = rows(kept, "--where", "macs<=100K", "--sort", "-macs")
    macs = [int(row["macs"]) for row in few]
    assert macs == sorted(macs, reverse=True) and max(macs) <= 100_000
    data = json.loads(run("sweep", kept, "--pareto", "params,max:macs", "--format", "json").stdout)
    assert data["finished"] and data["run"] == kept and data["seconds"] is None
    front = {(row["figures"]["params"], row["figures"]["macs"]) for row in data["rows"]}
    all_rows = {(int(row["params"]), int(row["macs"])) for row in rows(kept)}
    assert front == {
        one for one in all_rows if not any(o[0] <= one[0] and o[1] >= one[1] and o != one for o in all_rows)
    }


def test_a_row_is_a_spec_wherever_one_is_read(kept: str, spec: str, tmp_path: Path) -> None:
    text = run("sweep", kept, "--row", "9").stdout
    assert text.startswith(f"# row 9 of {kept}: width 12, k 3\n# of ours\n".replace(str(tmp_path), str(tmp_path)))
    assert "  width: 12       # of both" in text and "variants" not in text
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    named = f"{kept}:9"
    (row,) = [row for row in rows(kept) if row["row"] == "9"]
    for each in (named, str(tmp_path / "net.yaml")):
        assert analyse(load(each)).totals.params == int(row["params"])
        assert run("check", each).code == 0
    assert run("table", named).stdout == run("table", str(tmp_path / "net.yaml")).stdout
    assert run("diff", named, spec).code == 0
    assert "conv2d" in run("explain", named, "first").stdout
    assert load(named, params={"k": 1})["first"].shape == (12, 16, 16)
    wrong = run("table", named, "--set", "nothing=1")
    assert wrong.code == 2 and "there is no parameter 'nothing'" in wrong.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("{run}:16", "there is no row 16 in '{run}'"),
        ("{run}:3", "there is no network of row 3 in '{run}': CC201 kernel of 9 is larger than the input of 8"),
        ("{folder}/none.sqlite:3", "there is no file '{folder}/none.sqlite'"),
        ("{folder}/ours.yaml:3", "'{folder}/ours.yaml' is no run of a sweep"),
        ("{folder}/other.db:3", "'{folder}/other.db' is no run of a sweep"),
    ],
)
def test_what_is_no_row_is_refused(kept: str, tmp_path: Path, name: str, said: str) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    given = name.format(run=kept, folder=tmp_path)
    for command in ("table", "check"):
        done = run(command, given)
        assert done.code == 2 and f"error: {said.format(run=kept, folder=tmp_path)}" in done.stderr, done.stderr


def test_a_run_that_is_named_as_a_spec_is_told_what_is_one(kept: str) -> None:
    for command in ("table", "check"):
        done = run(command, kept)
        assert done.code == 2 and "is a database, not a spec" in done.stderr and f"{kept}:0" in done.stderr


def test_a_file_of_that_name_is_that_file(spec: str, tmp_path: Path) -> None:
    (tmp_path / "net:3").write_text(SPEC, "utf-8")
    assert load(str(tmp_path / "net:3")).name == "ours"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["{spec}", "--grid", "wdth=1,2"],
            "--grid: there is no parameter 'wdth'\n  wdth=1,2\n  ^^^^\n  hint: did you mean 'width'?",
        ),
        (["{spec}", "--row", "1"], "--row is of a run that is kept"),
        (["{spec}", "--resume"], "--resume goes on with a run that is kept"),
        (["{spec}", "-o", "-"], "a run is kept in a file, not on standard output"),
        (["{spec}", "-o", "{run}"], "'{run}' exists already\n  hint: --resume goes on with it, --force overwrites it"),
        (["{spec}", "--plot", "params"], "--plot takes two columns"),
        (["{spec}", "--plot", "params,nothing"], "--plot: the run has no column 'nothing'"),
        (["{spec}", "--plot", "params,macs", "--format", "json"], "--plot draws for a terminal"),
        (["{run}", "--grid", "k=1"], "--grid is of a new sweep, and '{run}' is a run that is kept"),
        (["{run}", "--columns", "receptive_field"], "the run has no column 'receptive_field'"),
        (["{run}", "--sort", "receptive_field"], "the run has no column 'receptive_field'"),
        (["{run}", "--export", "rows.txt"], "--export takes a .csv or .parquet file"),
        (["net.onnx"], "net.onnx is an ONNX file, which has no params to sweep"),
    ],
)
def test_a_wrong_call_is_told(kept: str, spec: str, arguments: list[str], said: str) -> None:
    done = run("sweep", *(each.format(spec=spec, run=kept) for each in arguments))
    assert done.code == 2 and said.format(run=kept) in done.stderr and "Traceback" not in done.stderr


def test_nothing_is_written_over(kept: str, spec: str, tmp_path: Path) -> None:
    page, before = tmp_path / "front.html", Path(kept).read_bytes()
    page.write_text("mine")
    assert run("sweep", kept, "--page", str(page)).code == 2 and page.read_text() == "mine"
    assert run("sweep", spec, "-o", kept).code == 2 and Path(kept).read_bytes() == before
    assert run("sweep", kept, "--page", str(page), "--force").code == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert run("sweep", spec, "-o", kept, "--force").code == 0 and len(rows(kept)) == 1


def test_a_run_goes_on_by_its_own_name(kept: str) -> None:
    connection = sqlite3.connect(kept)
    connection.executescript(
        "DELETE FROM candidates WHERE number >= 8; DELETE FROM chunks; INSERT INTO chunks VALUES (0, 8);"
    )
    connection.close()
    shown = run("sweep", kept)
    assert "8 of 16, not finished" in shown.stdout and "--resume goes on" in shown.stdout
    assert run("sweep", kept, "--resume").code == 0
    assert len(rows(kept)) == 11


def test_what_could_not_be_shown_is_refused_before_the_work(spec: str, tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    for words in (["--plot", "params,live"], ["--export", "rows.txt"]):
        assert run("sweep", spec, "--grid", "k=1,3", "-o", str(path), *words).code == 2 and not path.exists()


def test_a_plan_says_how_many_rows_programs_get(spec: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("sweep: 1\nspec: ours.yaml\ngrid: {k: [1, 3, 5]}\ntop: 2\n")
    assert len(rows(str(plan))) == 2 and len(rows(str(plan), "--top", "all")) == 3


def test_where_nothing_fits_the_worst_condition_is_named(spec: str) -> None:
    done = run("sweep", spec, "--grid", "k=1,3", "--where", "params<=1", "--where", "macs<=100G")
    assert done.code == 0 and "no candidate fits: params<=1 leaves out all 2; row 0 comes nearest: " in done.stdout
    done = run("sweep", spec, "--grid", "k=17,19")
    assert done.code == 0 and "no candidate builds" in done.stdout
    assert (
        "nothing is searched: --grid NAME=VALUES goes through width, k, act, variant, input"
        in run("sweep", spec).stdout
    )


def test_variants_are_an_axis_whatever_they_are_called(spec: str) -> None:
    found = rows(spec, "--grid", "variant=sharp,extra-wide", "--columns", "params")
    assert [row["variant"] for row in found] == ["sharp", "extra-wide"]
    for row in found:
        assert int(row["params"]) == analyse(load(spec, variant=row["variant"])).totals.params
    assert [row.number for row in convcalc.sweep(spec, {"variant": ["sharp", "extra-wide"]})] == [0, 1]


def test_the_same_from_python(spec: str, kept: str, tmp_path: Path) -> None:
    found = convcalc.sweep(spec, {"width": range(4, 17, 4), "k": [1, 3, 5, 9]}, where="params<=10K", maximize="macs")
    numbers = [row.number for row in found]
    assert sorted(numbers) == [int(row["row"]) for row in rows(kept)] and len(found) == 11
    assert found.best is not None and found.best.number == numbers[0]
    assert found.network(9).nodes == load(f"{kept}:9").nodes and found.spec(9).count("\n") == SPEC.count("\n")
    assert {row.number for row in found.front("params", "max:macs")} < set(numbers)
    assert repr(found) == "<Sweep ours: 11 of 16 fit>" and "most macs" in str(found) and "<table" in found._repr_html_()
    assert found.export(tmp_path / "rows.csv") == 16
    again = convcalc.sweep(kept, where="macs<=100K", sort="macs")
    assert all(row.figures["macs"] <= 100_000 for row in again)  # type: ignore[operator]
    with pytest.raises(UsageError, match="a front is of objectives"):
        again.front()
    with pytest.raises(UsageError, match="is a run, whose axes are its own"):
        convcalc.sweep(kept, {"k": [1]})
    with pytest.raises(UsageError, match="an axis goes through"):
        convcalc.sweep(spec, {"k": 3})
    assert [row.values["input"] for row in convcalc.sweep(load(spec), {"input": [[3, 16, 16], [3, 20, 20]]})] == [
        "[3, 16, 16]",
        "[3, 20, 20]",
    ]
    frame = pytest.importorskip("pandas") and found.to_frame()
    assert list(frame.columns) == ["width", "k", "params", "macs"] and frame.index.tolist() == numbers


def searched(name: str) -> list[str]:
    """Axes of a spec: its variants, or its numbers, each as it is and a step on."""
    base = load(name)
    assert base.origin is not None
    if base.origin.variants:
        return [f"variant={','.join(base.origin.variants)}"]
    numbers = {param: value for param, value in base.origin.params.items() if type(value) is int}
    return [f"{param}={value},{value + 1},{2 * value}" for param, value in list(numbers.items())[:2]]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(each, marks=[] if each in ("lenet5", "squeezenet") else pytest.mark.slow)
        for each in gallery_names()
    ],
)
def test_rows_of_the_gallery_load_to_their_figures(name: str, tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    columns = ("params", "macs", "peak_memory", "receptive_field")
    records = {each: each if each in QUANTITIES else "live" for each in columns}
    axes = {axis: values for axis, _, values in (text.partition("=") for text in searched(name))}
    found = convcalc.sweep(name, axes, columns=columns, output=path)
    assert any(found)
    for row in found:
        report = analyse(load(f"{path}:{row.number}"))
        whole = find(report, "total")
        assert whole is not None
        assert {each: cell(QUANTITIES[records[each]].get(report, whole)) for each in columns} == row.figures


def test_a_spec_that_is_not_there_has_the_hint_of_every_command() -> None:
    said = run("sweep", "resnt", "--grid", "width=8,16").stderr
    assert said == run("table", "resnt").stderr and "did you mean 'resnet'?" in said
    assert "None" not in run("sweep", "nothing/of/it.yaml").stderr


def test_at_what_the_figures_are_taken_is_said_where_it_is_not_the_usual(spec: str) -> None:
    said = run("sweep", spec, "--grid", "k=1,3", "--dtype", "int8", "--batch", "2").stdout.splitlines()
    assert said[1:4] == ["k           1,3", "batch       2", "dtype       int8"]
    assert said[4].startswith("candidates")
    assert run("sweep", spec, "--grid", "k=1,3", "--dtype", "float32").stdout.splitlines()[2].startswith("candidates")
