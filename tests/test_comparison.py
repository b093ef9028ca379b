"""`convcalc table` of several specs: a row a network, in every format; what goes with it and what does not."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from convcalc import load
from convcalc.analysis.report import analyse

from .command import Done, run

MINE = """\
convcalc: 1
name: mine
input: [3, 64, 64]
params: {width: 16, classes: 10}
variants: {small: {width: 8}, none: {width: 0}}
layers:
  - {conv2d: {out: width, k: 3, p: 1}, name: stem}
  - global_avg_pool
  - flatten
  - {linear: {out: classes}, name: fc}
"""
TWO = """\
convcalc: 1
name: two
input: {left: [3, 32, 32], right: [3, 32, 32]}
layers:
  - {conv2d: {out: 8, k: 3, p: 1}, from: left, name: a}
  - {conv2d: {out: 8, k: 3, p: 1}, from: right, name: b}
  - {add: , from: [a, b], name: sum}
outputs: [a, sum]
"""
WRONG = "{convcalc: 1, name: wrong, input: [3, 8, 8], layers: [{conv2d: {out: 8, k: 13}}]}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name, text in (("mine", MINE), ("other", MINE), ("two", TWO), ("wrong", WRONG)):
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


def out(*arguments: str) -> str:
    done = run("table", *arguments)
    assert (done.code, done.stderr) == (0, "")
    return done.stdout


def rows(*arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out(*arguments, "--format", "csv"))))


class TestRows:
    def test_a_row_has_the_figures_of_a_network_as_a_whole(self) -> None:
        (resnet, unet) = rows("resnet", "unet")
        report = analyse(load("unet"))
        assert resnet["network"] == "ResNet" and resnet["receptive_field"] == "224×224"
        assert unet == {
            "network": "U-Net",
            "input": "1×572×572",
            "params": str(report.totals.params),
            "macs": str(report.totals.macs),
            "flops": str(report.totals.flops),
            "params_memory": str(4 * report.totals.params),
            "peak_memory": str(4 * max(report.liveness.live)),
            "depth": "23",
            "receptive_field": "204×204",
        }

    def test_variants_follow_their_network(self, folder: Path) -> None:
        done = run("table", "mine.yaml", "lenet5", "--variants", "--format", "csv")
        assert [line.split(",")[:2] for line in done.stdout.splitlines()] == [
            *(["network", "variant"], ["mine", ""], ["mine", "small"], ["LeNet-5", ""]),
            ["LeNet-5", "original"],
        ]
        found = out("resnet", "--variants").splitlines()
        assert found[0].startswith("ResNet   12 networks, 3×224×224  ")
        assert found[4].startswith("ResNet   ") and found[5].startswith("  resnet18  ")

    def test_sorted_rows_say_whose_variant_they_are(self) -> None:
        found = out("resnet", "--variants", "--sort", "params", "--top", "2")
        assert "ResNet · wide_resnet101_2" in found and "ResNet · wide_resnet50_2" in found
        assert "resnet18" not in found

    def test_specs_of_one_name_are_told_apart(self, folder: Path) -> None:
        assert [row["network"] for row in rows("mine.yaml", "other.yaml", "two.yaml")] == [
            *("mine (mine.yaml)", "mine (other.yaml)", "two"),
        ]

    def test_standard_input_onnx_files_and_revisions_are_specs(self, folder: Path) -> None:
        done = run("table", "-", "lenet5", "--format", "csv", data=MINE.encode())
        assert [line.partition(",")[0] for line in done.stdout.splitlines()] == ["network", "mine", "LeNet-5"]
        for command in ("init -q", "add mine.yaml", "-c user.name=a -c user.email=a@b commit -qm a"):
            subprocess.run(["git", *command.split()], check=True)
        assert [row["network"] for row in rows("git:HEAD:mine.yaml", "mine.yaml")] == [
            *("mine (git:HEAD:mine.yaml)", "mine (mine.yaml)"),
        ]
        pytest.importorskip("onnx")
        assert run("export", "mine.yaml", "--to", "onnx", "-o", "mine.onnx").code == 0
        first, second = rows("mine.onnx", "mine.yaml")
        assert {**first, "network": ""} == {**second, "network": ""}

    def test_several_inputs_are_counted_or_named(self, folder: Path) -> None:
        assert "two      2 inputs" in out("two.yaml", "lenet5")
        asked = out("two.yaml", "lenet5", "--columns", "name,input,output")
        assert "left 3×32×32, right 3×32×32" in asked and "a 8×32×32, sum 8×32×32" in asked


class TestColumns:
    def test_an_input_that_all_read_stands_in_the_heading_alone(self) -> None:
        found = out("resnet", "vgg")
        assert found.splitlines()[0] == "2 networks   3×224×224" and "input" not in found
        asked = out("resnet", "vgg", "--columns", "name,input")
        assert asked.count("3×224×224") == 3

    def test_flops_give_way_where_a_terminal_is_too_narrow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        narrow = out("mobilenet_v2", "unet")
        assert "flops" not in narrow and max(map(len, narrow.splitlines())) <= 80
        assert "flops" in out("mobilenet_v2", "unet", "--columns", "name,flops")
        monkeypatch.setenv("COLUMNS", "100")
        assert "flops" in out("mobilenet_v2", "unet")

    def test_options_of_figures_hold(self, folder: Path) -> None:
        columns = ("--columns", "name,macs,params_memory,optimizer,time")
        (plain, _) = rows("mine.yaml", "two.yaml", *columns, "--device", "v100")
        (given, _) = rows(
            *("mine.yaml", "two.yaml", *columns, "--device", "k80"),
            *("--batch", "2", "--dtype", "float16", "--optimizer", "adam"),
        )
        assert int(given["macs"]) == 2 * int(plain["macs"])
        assert 2 * int(given["params_memory"]) == int(plain["params_memory"])
        # Two moments and the master weights, of 4 bytes each beside params of 2.
        assert int(given["optimizer"]) == 6 * int(given["params_memory"]) and plain["optimizer"] == "0"
        assert int(given["time"]) > int(plain["time"])
        assert "2 networks   batch 2, float16" in out("mine.yaml", "two.yaml", "--batch", "2", "--dtype", "float16")

    def test_exact_and_other_formats_have_integers(self, folder: Path) -> None:
        for options in (("--exact",), ("--format", "markdown"), ("--format", "latex")):
            found = out("mine.yaml", "resnet", "--columns", "name,params,live", *options)
            assert "25,557,032" in found and "9,633,792 B" in found
        assert "25.6 M" in out("mine.yaml", "resnet")

    def test_a_legend_says_what_is_shown(self, folder: Path) -> None:
        legend = out("mine.yaml", "two.yaml", "--columns", "name,params", "--legend")
        assert "params (numbers): learnable numbers" in legend and "macs" not in legend

    def test_bars_and_scatters_draw_the_networks(self, folder: Path) -> None:
        assert "ResNet  ███" in out("resnet", "two.yaml", "--plot", "macs")
        drawn = out("resnet", "two.yaml", "--plot", "params,macs")
        assert "macs (MACs, log)" in drawn and "a  ResNet   25.6 M  4.09 G" in drawn
        assert "25,557,032" in out("resnet", "two.yaml", "--plot", "params,macs", "--exact")

    def test_help_on_columns_needs_no_spec(self) -> None:
        assert "multiply-accumulates" in out("--columns", "help")


class TestJson:
    def test_totals_have_the_keys_of_a_report(self) -> None:
        data = json.loads(out("resnet", "unet", "--format", "json"))
        one = json.loads(out("resnet", "--format", "json"))
        entry = data["networks"][0]
        assert data["format"] == 1 and data["failed"] == [] and len(data["networks"]) == 2
        assert {key: entry["totals"][key] for key in one["totals"]} == one["totals"]
        assert entry["totals"]["params_memory"] == 102228128 and entry["totals"]["peak_memory"] == 9633792
        assert entry["totals"]["receptive_field"] == [224, 224]
        assert (entry["spec"], entry["path"], entry["variant"]) == ("ResNet", "resnet", None)
        assert (entry["input"], entry["outputs"]) == (one["input"], one["outputs"])
        assert data["conventions"] == one["conventions"]

    def test_it_obeys_columns_sort_and_top(self, folder: Path) -> None:
        arguments = ("lenet5", "two.yaml", "resnet", "--columns", "name,live,input", "--sort", "macs", "--top", "2")
        data = json.loads(out(*arguments, "--format", "json"))
        assert [(entry["spec"], entry["totals"]["live"]) for entry in data["networks"]] == [
            *(("ResNet", 9633792), ("two", 98304)),
        ]
        assert data["networks"][1]["totals"]["input"] == [[3, 32, 32], [3, 32, 32]]

    def test_what_does_not_build_is_named(self, folder: Path) -> None:
        done = run("table", "mine.yaml", "wrong.yaml", "--variants", "--format", "json")
        data = json.loads(done.stdout)
        assert [entry["variant"] for entry in data["networks"]] == [None, "small"]
        assert data["failed"] == [
            {"path": "mine.yaml", "variant": "none"},
            {"path": "wrong.yaml", "variant": None},
        ]


class TestWhatFails:
    def test_findings_are_printed_and_the_others_shown(self, folder: Path) -> None:
        done = run("table", "mine.yaml", "wrong.yaml", "two.yaml")
        assert done.code == 1 and "wrong.yaml:1:56: error CC201 conv2d: kernel of 13" in done.stderr
        assert "mine" in done.stdout and done.stdout.endswith("not shown, with findings: wrong.yaml\n")

    def test_a_variant_that_does_not_build_is_named(self, folder: Path) -> None:
        done = run("table", "mine.yaml", "--variants")
        assert done.code == 1 and done.stderr.startswith("mine.yaml, variant none:\nmine.yaml:7:")
        assert "  small" in done.stdout and "not shown, with findings: mine.yaml, variant none" in done.stdout

    def test_where_none_builds_nothing_is_shown(self, folder: Path) -> None:
        (folder / "worse.yaml").write_text(WRONG, "utf-8")
        done = run("table", "wrong.yaml", "worse.yaml")
        assert (done.code, done.stdout) == (1, "") and done.stderr.count("CC201") == 2

    def test_a_total_that_is_too_large_is_a_finding_of_its_spec(self, folder: Path) -> None:
        done = run("table", "mine.yaml", "two.yaml", "--batch", str(2**62))
        assert done.code == 1 and done.stderr.count("error CC") == 2 and done.stdout == ""


class TestWhatGoesTogether:
    def test_set_input_and_variant_are_given_to_every_spec(self, folder: Path) -> None:
        given = rows("mine.yaml", "other.yaml", "--set", "classes=100", "--input", "3,32,32", "--variant", "small")
        assert [(row["variant"], row["input"], row["params"]) for row in given] == [("small", "3×32×32", "1124")] * 2

    def test_what_is_set_holds_for_variants(self, folder: Path) -> None:
        done = run("table", "mine.yaml", "--variants", "--set", "classes=100", "--format", "csv")
        assert [line.split(",")[3] for line in done.stdout.splitlines()[1:]] == ["2148", "1124"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("mine.yaml", "two.yaml", "--set", "width=4"), "two.yaml: there is no parameter 'width'"),
            (("mine.yaml", "two.yaml", "--variant", "small"), "two.yaml: there is no variant 'small'"),
            (("mine.yaml", "two.yaml", "--input", "3,8,8"), "two.yaml: the spec has 2 inputs: left, right"),
            (("mine.yaml", "nowhere.yaml"), "there is no file 'nowhere.yaml'"),
            (("mine.yaml", "mine.yaml"), "mine.yaml is given twice"),
            (("-", "-"), "standard input (-) is given twice"),
            (("mine.yaml", "--variants", "--variant", "small"), "--variants shows every variant"),
            (("mine.yaml", "two.yaml", "--by", "layer"), "--by is of one network"),
            (("mine.yaml", "--variants", "--depth", "2"), "--depth is of one network"),
            (("mine.yaml", "two.yaml", "--published"), "--published is of one network"),
            (("mine.yaml", "two.yaml", "--layers"), "--layers is of one network"),
            (("mine.yaml", "two.yaml", "--columns", "name,kind"), "the column kind is of layers and blocks"),
            (("mine.yaml", "two.yaml", "--columns", "time"), "the column time needs --device"),
            (("mine.yaml", "two.yaml", "--plot", "params", "--format", "csv"), "--plot draws for a terminal"),
            (("mine.yaml", "two.yaml", "--plot", "params,macs,flops"), "--plot takes one column for bars, or two"),
            (("mine.yaml", "two.yaml", "--plot", "params,name"), "--plot draws numbers above 0, and nothing here has"),
            ((), "table takes a SPEC"),
        ],
    )
    def test_what_does_not_is_refused_with_a_sentence(
        self, folder: Path, arguments: tuple[str, ...], message: str
    ) -> None:
        done: Done = run("table", *arguments)
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {message}")
