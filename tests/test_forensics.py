"""The search for single readings: what is tried, how it is ranked, what chance gives, what is written for the spec."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
import yaml

from convcalc import UsageError, forensics, load, loads
from convcalc.analysis import forensics as search
from convcalc.analysis.conventions import candidates, writings
from convcalc.analysis.forensic_answers import entry, plain
from convcalc.analysis.permuted import permuted
from convcalc.analysis.published import Comparison
from convcalc.check.run import Task, check_file
from convcalc.language.published import Reading

from .command import run

SPEC = """
convcalc: 1
name: net
params: {width: 4, extra: false, stem: plain}
variants: {wide: {width: 8, stem: deep}}
input: [3, 32, 32]
layers:
  - {layers: [{conv2d: {out: width, k: 3, p: 1}}, batch_norm, relu], name: a, repeat: 3}
  - {layers: [{conv2d: {out: 2 * width, k: 3, p: 1, bias: false}}, relu], name: b}
  - {conv2d: {out: 2, k: 1}, name: more, when: extra}
  - {max_pool2d: {k: 2, s: 2}, name: c, when: stem == 'plain'}
  - {global_avg_pool: {}, name: pool}
  - flatten
  - {linear: {out: 10}, name: fc}
published:
  - title: Table 1
    columns:
      layer: ~
      output: {value: output_size}
      params: {value: params}
      work: {value: macs, unit: {K: 1000}}
    rows:
      a: [first, 32×32×4, "PA", "WA"]
      b: [second, 32×32×8, "PB", "WB"]
      fc: [last, 1×1×10, "PF", ""]
"""


def spec(**cells: str) -> str:
    text = SPEC
    for name, printed in {"PA": "1", "PB": "2", "PF": "3", "WA": "1K", "WB": "2K", **cells}.items():
        text = text.replace(name, printed)
    return text


def test_it_finds_how_a_paper_counted() -> None:
    """In the wide variant a, b and fc have 1,392, 1,152 and 170 params without batch norm; divided by 1024, cut off."""
    text = spec(PA="1.35K", PB="1.12K", PF="0.16K").replace("{value: params}", "{value: params, unit: {K: 1000}}")
    (answer,) = forensics(loads(text), columns=["params"]).answers
    assert answer.now == (False, False, False) and answer.best == 3
    assert plain(answer.found[0].reading) == {
        "variant": "wide",
        "value": "filter_params",
        "unit": {"K": 1024},
        "round": "down",
    }


@pytest.mark.parametrize("printed", [{"PA": "408", "PB": "288", "PF": "90"}, {"PA": "432", "PB": "1152", "PF": "30"}])
def test_every_reading_that_was_tried_is_what_the_comparison_gives(printed: dict[str, str]) -> None:
    """By brute force: each change of the network, value and way to write, compared as text."""
    network = loads(spec(**printed))
    (answer,) = forensics(network, columns=["params"], every=True, top=10_000).answers
    cells = answer.question.cells
    first = cells[0].reading
    assert first.value is not None
    comparison = Comparison(network)
    changes: list[dict[str, object]] = [{}, {"variant": "wide"}]
    settings = product([None, "true", "false"], [None, "plain", "deep"])
    names = ("extra", "stem")
    changes += [{"with": {n: v for n, v in zip(names, pair, strict=True) if v}} for pair in settings if any(pair)]
    best, count = 0, 0
    for change, value, way in product(changes, candidates(first.value), writings(first.unit, first.round)):
        reading = Reading({**change, "value": value, "round": way.round})
        given = sum(comparison.text(c.printed, c.reading.merged(reading)) == c.printed.text for c in cells)
        best, count = max(best, given), count + 1
    assert (answer.best, answer.tried) == (best, count)
    for found in answer.found:
        texts = [comparison.text(c.printed, c.reading.merged(found.reading)) for c in cells]
        assert found.gives == tuple(text == c.printed.text for text, c in zip(texts, cells, strict=True))
    scores = [found.cells for found in answer.found]
    assert scores == sorted(scores, reverse=True) and answer.as_good == scores.count(best)


def test_widths_of_single_layers() -> None:
    """The linear layer has 16 · 10 + 10 params, and b 4 · 16 · 9: b is 16 wide, not 8."""
    network = loads(spec(PA="432", PB="576", PF="170"))
    (plainly,) = forensics(network, columns=["params"]).answers
    (wider,) = forensics(network, columns=["params"], widths={"b": range(8, 21, 4)}).answers
    assert (plainly.best, wider.best) == (1, 3)
    assert plain(wider.found[0].reading)["widths"] == {"b": 16}
    assert wider.tried == 5 * plainly.tried


def test_questions_are_cells_that_are_read_in_one_way() -> None:
    found = forensics(loads(spec()), every=True)
    assert [(a.question.columns, a.question.rows) for a in found.answers] == [
        (["params"], ["a", "b", "fc"]),
        (["work"], ["a", "b"]),
    ]
    assert found.left_out == 3
    only = forensics(loads(spec()), rows=["b"], columns=["work"], every=True)
    assert [(a.question.columns, a.question.rows) for a in only.answers] == [(["work"], ["b"])]


def test_what_follows_already_is_searched_when_that_is_asked_for() -> None:
    network = loads(spec(PA="432", PB="288", PF="90"))
    found = forensics(network, columns=["params"])
    assert found.answers == () and [len(question.cells) for question in found.whole] == [3]
    (answer,) = forensics(network, columns=["params"], every=True).answers
    assert answer.now == (True, True, True) and answer.found[0].cells == 3
    assert plain(answer.found[0].reading) == {"value": "params"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"table": "2"}, "there is no printed table '2'"),
        ({"table": "0"}, "there is no printed table '0'"),
        ({"table": ""}, "there is no printed table ''"),
        ({"rows": ["d"]}, "no printed row is called 'd'"),
        ({"columns": ["work", "wrok"]}, "no printed column is called 'wrok'"),
        ({"columns": ["output"]}, "no cell there is a count: sizes, words and shares are not searched"),
        ({"widths": {"b": range(0)}}, "the range of widths of 'b' is empty"),
        ({"widths": {"pool": range(1, 3)}}, "'pool' has no width of its own"),
        ({"widths": {"b": range(1, 50_000)}}, "that is 499,990 networks; the most is 20,000"),
    ],
)
def test_what_cannot_be_searched(call: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        forensics(loads(spec()), **call)  # type: ignore[arg-type]
    assert caught.value.message == message


def test_networks_without_printed_tables() -> None:
    with pytest.raises(UsageError, match=r"Network in network \(CIFAR-10\) has no printed tables"):
        forensics("nin_cifar")
    with pytest.raises(UsageError, match="no printed cell of net is a count"):
        forensics(loads(spec().split("      params:")[0] + "    rows: {a: [first, 1×1]}\n"))


def test_more_cells_and_readings_than_are_searched_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_READINGS", 100)
    with pytest.raises(UsageError, match="the most is 100"):
        forensics(loads(spec()), columns=["work"])
    rows = "".join(f"      r{n}: {{at: a, cells: [x, y, '1', '']}}\n" for n in range(1001))
    with pytest.raises(UsageError, match="1,004 cells of 'Table 1' are read in one way"):
        forensics(loads(spec() + rows), columns=["params"])


def test_networks_that_do_not_build_are_counted() -> None:
    """With one channel more its input does not fit: `more` is 2 wide, and a width of 2^61 is too large."""
    found = forensics(loads(spec()), columns=["params"], widths={"b": [8, 2**61]})
    assert (
        found.unbuilt == 10
        and found.answers[0].tried == 2 * forensics(loads(spec()), columns=["params"]).answers[0].tried
    )


def test_permuted_tables_keep_sizes_and_exchange_deviations() -> None:
    (way, *_) = writings({"K": Fraction(1000)}, None)
    computed = [Fraction(1000), Fraction(20_000), Fraction(300_000)]
    tables = list(permuted(["2K", "20K", "300K"], computed, way, 100))
    assert sorted(tables) == sorted(
        [["1K", "40K", "300K"], ["1K", "20K", "600K"], ["1K", "40K", "300K"], ["1K", "20K", "600K"]]
    )
    assert list(permuted(["1K", "20K"], computed[:2], way, 100)) == []
    many = [Fraction(1000 * n) for n in range(1, 21)]
    texts = [f"{n + n % 3}K" for n in range(1, 21)]
    drawn = list(permuted(texts, many, way, 30))
    assert len(drawn) == 30 and drawn == list(permuted(texts, many, way, 30)) and texts not in drawn


def test_the_control_of_a_table_of_noise_finds_as_much() -> None:
    """Cells that follow from nothing are reached by chance; those of a real convention are not."""
    noise = forensics(loads(spec(PA="351", PB="287", PF="93")), columns=["params"]).answers[0]
    assert noise.best == 0 and noise.control.tables == 0
    ops = forensics("googlenet", columns=["ops"]).answers[0]
    assert (ops.best, ops.control.reaching, ops.control.tables) == (10, 0, 100)
    params = forensics("googlenet", columns=["params"]).answers[0]
    assert params.best == 4 and params.control.reaching > 5


def test_what_is_written_for_the_spec_makes_it_pass(tmp_path: Path) -> None:
    text = spec(PA="408", PB="288", PF="91").replace("{value: macs, unit: {K: 1000}}", "~")
    (answer,) = forensics(loads(text)).answers
    lines = entry(answer)
    made = yaml.safe_load("\n".join(lines))
    assert made["reading"] == {"value": "filter_params"}
    assert made["differs"] == [
        {"row": "fc", "column": "params", "reason": "not given by the reading of the other cells"}
    ]
    start = lines[0].removeprefix("reading: ")
    changed = text.replace("params: {value: params}", f"params: {start}") + "".join(
        f"    {line}\n" for line in lines[1:]
    )
    path = tmp_path / "net.yaml"
    path.write_text(changed, "utf-8")
    assert check_file(Task(str(path))).findings == ()


@pytest.mark.slow
def test_others_that_give_as_much_are_written_too() -> None:
    (answer,) = forensics("resnet", table="Table 1: FLOPs", every=True).answers
    made = yaml.safe_load("\n".join(entry(answer)))
    assert list(made) == ["also"] and len(made["also"]) == 3
    assert all(other["row"] == "total" and other["unit"] == {"×10^9": 10**9} for other in made["also"])
    assert entry(forensics("mobilenet_v2", rows=["wide"], columns=["Params"]).answers[0]) == []


def test_starts_are_told_and_counted() -> None:
    network = loads(spec())
    told: list[str] = []
    made = search.Search(network, columns=["params"])
    made.run(starts=lambda name, work: told.append(name))
    assert len(told) == made.parts == 1 + 1 + 8 + 1
    assert told[0] == "the networks as they are" and told[1] == "variant wide" and told[-1] == "permuted tables"


def test_a_param_of_a_cell_stays_beside_those_that_are_tried() -> None:
    text = spec(PA="432", PB="1152", PF="30").replace("      b: [second", "      b: {with: {width: 8}, cells: [second")
    text = text.replace('"2K"]', '"2K"]}')
    (answer,) = forensics(loads(text), columns=["params"]).answers
    assert answer.now == (True, True, False)
    assert answer.best == 3 and plain(answer.found[0].reading)["with"] == {"extra": "true"}


def test_the_json_has_all_of_it() -> None:
    done = run("forensics", "googlenet", "--columns", "params", "--format", "json")
    data = json.loads(done.stdout)
    assert (data["format"], data["spec"], data["left_out"], data["unbuilt"]) == (1, "GoogLeNet", 0, 0)
    (question,) = data["questions"]
    assert list(question) == [
        "table", "rows", "columns", "cells", "now", "searched", "tried", "distinct", "best", "as_good", "control",
        "readings", "entry",
    ]  # fmt: skip
    assert question["readings"][0] == {
        "cells": 4,
        "reading": {"variant": "separable_stem", "value": "params", "unit": {"K": 1024}, "round": "down"},
        "missed": [
            {"row": f"inception_{name}", "column": "params"}
            for name in ("3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
        ],
    }
    whole_one = json.loads(run("forensics", "se_resnet", "--format", "json").stdout)["questions"]
    assert [(q["searched"], q["now"], q["cells"]) for q in whole_one] == [(False, 3, 3), (False, 1, 1)]


def test_the_text_says_what_was_tried_and_what_chance_gives() -> None:
    done = run("forensics", "googlenet", "--columns", "params", "--top", "2")
    assert done.stdout.startswith("GoogLeNet\n\nTable 1: GoogLeNet incarnation")
    assert " 4/12  variant separable_stem" in done.stdout and "+ conv1" in done.stdout
    assert "tried: 1,856 readings, 208 of them different; 6 give 4 of 12 cells" in done.stdout
    assert "by chance: 10 of 100 permuted tables have a reading that gives 4" in done.stdout
    assert "  reading: {variant: separable_stem, value: params, unit: {K: 1024}, round: down}" in done.stdout
    done = run("forensics", "se_resnet")
    assert done.stdout == "SE-ResNet\n4 cells of 2 readings follow already: --all searches them too\n"
    assert "nothing to permute" in run("forensics", "resnext", "--table", "2", "--all").stdout


@pytest.mark.parametrize(("columns", "against"), [(80, "+ 2; - 1"), (120, "+ conv1, inception_3b; - inception_3a")])
def test_cells_beyond_the_room_are_counted(monkeypatch: pytest.MonkeyPatch, columns: int, against: str) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = run("forensics", "googlenet", "--columns", "params").stdout
    assert "…" not in text and against in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--width conv1", "--width takes LAYER=A:B:STEP, not 'conv1'"),
        ("--width conv1=1..3", "--width takes LAYER=A:B:STEP, not 'conv1=1..3'"),
        ("--width conv1=1:2:3:4", "--width takes LAYER=A:B:STEP, not 'conv1=1:2:3:4'"),
        ("--width conv1=9:3", "--width: the range 9:3 is empty"),
        ("--width conv1=0:3", "--width: a width is at least 1, not 0"),
        ("--width conv1=1:3:0", "--width: a step is at least 1, not 0"),
        ("--width conv1=x", "--width: expected a whole number, not 'x'"),
        ("--width a=1 --width a=2", "--width gives 'a' twice"),
        ("--table 3", "there is no printed table '3'"),
        ("--rows zzz", "no printed row is called 'zzz'"),
        ("--top 0", "--top is at least 1, not 0"),
    ],
)
def test_wrong_calls(options: str, message: str) -> None:
    done = run("forensics", "googlenet", *options.split())
    assert (done.code, done.stdout) == (2, "") and f"error: {message}\n" in done.stderr


def test_names_with_commas_are_quoted() -> None:
    text = spec().replace("      a: [first", '      "a, x": {at: a, cells: [first').replace('"1K"]', '"1K"]}')
    done = run("forensics", "-", "--rows", '"a, x",b', "--columns", "params", "--format", "json", data=text.encode())
    assert json.loads(done.stdout)["questions"][0]["rows"] == ["a, x", "b"]


def test_a_variant_of_the_call_is_what_is_searched() -> None:
    (answer,) = forensics(load("googlenet", variant="separable_stem"), columns=["params"]).answers
    assert sum(answer.now) == 4
