"""`convcalc table` as people run it: what it prints, in every format, and how it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from .command import run as command
from .golden_output import COMMANDS, Golden


def run(*arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    env = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "convcalc", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        input=stdin,
        env={**env, "PYTHONIOENCODING": "utf-8", **environment},
        timeout=60,
    )


@pytest.mark.parametrize("golden", [g for g in COMMANDS if g.arguments[0] == "table"], ids=lambda g: g.path.name)
def test_golden(golden: Golden) -> None:
    environment = {"COLUMNS": str(golden.columns)} if golden.columns else {}
    environment["PYTHONIOENCODING"] = golden.encoding
    done = run(*golden.arguments, stdin=golden.data.decode(), **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == golden.expected
    if golden.columns:
        assert max(map(len, done.stdout.splitlines())) <= golden.columns


def test_json_is_the_contract() -> None:
    data = json.loads(run("table", "googlenet", "--format", "json").stdout)
    assert data["format"] == 1
    assert data["spec"] == "GoogLeNet"
    assert data["input"] == {"input": [3, 224, 224]}
    assert data["totals"]["params"] == 6_998_552
    assert data["totals"]["macs"] == 1_582_671_872
    assert data["totals"]["depth"] == 22
    layer = data["layers"][0]
    assert {"name", "stage", "kind", "from", "input_shapes", "output_shape"} <= set(layer)
    assert layer["from"] == ["input"]
    for key in ("params", "weights", "buffers", "macs", "flops"):
        assert sum(row[key] for row in data["layers"]) == data["totals"][key]
        if key != "buffers":
            assert sum(row[key] for row in data["stages"]) == data["totals"][key]
    published = data["published"][0]
    assert (published["cells"], published["reproduced"]) == (125, 113)
    first = published["differences"][0]
    assert first["printed"] == "2.7K"
    assert first["computed"] == "9.2K"
    assert first["reproduced_with"] == "with stem: separable"


def test_csv_rows_are_raw_and_add_up() -> None:
    rows = list(csv.DictReader(io.StringIO(run("table", "googlenet", "--format", "csv").stdout)))
    assert sum(int(row["params"]) for row in rows) == 6_998_552
    assert rows[0]["output"] == "64×112×112"


def test_variants_params_batch_and_input() -> None:
    separable = json.loads(run("table", "googlenet", "--variant", "separable_stem", "--format", "json").stdout)
    assert separable["totals"]["macs"] == 1_498_677_248
    torchvision = json.loads(run("table", "googlenet", "--variant", "torchvision", "--format", "json").stdout)
    assert torchvision["totals"]["params"] == 6_624_904
    heads = json.loads(run("table", "googlenet", "--set", "aux=true", "--format", "json").stdout)
    params = {row["name"]: row["params"] for row in heads["stages"]}
    assert (params["aux1"], params["aux2"]) == (3_188_840, 3_190_888)
    batch = json.loads(run("table", "googlenet", "--batch", "2", "--format", "json").stdout)
    assert batch["totals"]["macs"] == 2 * 1_582_671_872
    assert batch["totals"]["params"] == 6_998_552
    small = run("table", "googlenet", "--input", "3,100,100")
    assert small.returncode == 1
    assert "error CC207 pool5: no window of 7 fits into the input of 3" in small.stderr


def test_overrides_say_which_claims_they_skip() -> None:
    done = run("table", "googlenet", "--variant", "separable_stem")
    assert "published tables skipped: they describe the spec without --variant" in done.stdout


def test_tables_are_judged_under_a_variant_when_that_is_asked_for() -> None:
    """With the separable first layer of the sources GoogLeNet's table has two cells more."""
    options = ("table", "googlenet", "--variant", "separable_stem", "--published")
    done = run(*options)
    assert "reproduced: 115 of 125 printed cells" in done.stdout
    assert done.stdout.endswith("\ncomputed under --variant; the printed tables describe the spec without\n")
    (table,) = json.loads(run(*options, "--format", "json").stdout)["published"]
    assert (table["cells"], table["reproduced"]) == (125, 115)
    by_param = run("table", "googlenet", "--set", "stem=separable", "--published")
    assert "reproduced: 115 of 125 printed cells" in by_param.stdout
    assert json.loads(run(*options[:-1], "--format", "json").stdout)["published"] == []


def test_what_a_call_gives_reaches_readings_of_variants() -> None:
    """A reading of its own wins over the call, which wins over the spec; a batch multiplies the work."""
    spec = """
convcalc: 1
input: [3, 224, 224]
params: {width: 8, classes: 5}
variants: {wide: {width: 16}}
layers: [global_avg_pool, flatten, {linear: {out: width}}, {linear: {out: classes}}]
published:
  columns: {n: {at: total, value: params}, m: {at: total, value: macs}, w: {at: total, value: params, variant: wide}}
  title: T
  rows: {a: ["1", "1", "1"], b: {with: {classes: 7}, cells: ["1", "1", "1"]}}
"""
    done = run("table", "-", "--set", "classes=6", "--batch", "2", "--published", "--format", "json", stdin=spec)
    (table,) = json.loads(done.stdout)["published"]
    computed = [difference["computed"] for difference in table["differences"]]
    assert computed == [str(n) for n in (32 + 54, 2 * (24 + 48), 64 + 102, 32 + 63, 2 * (24 + 56), 64 + 119)]


def test_no_colours_in_a_pipe() -> None:
    assert "\x1b" not in run("table", "googlenet").stdout


def test_columns() -> None:
    done = run("table", "googlenet", "--by", "stage", "--columns", "layer,out_channels,patch,depth,weights")
    assert done.stdout.splitlines()[2].split()[:5] == ["stage", "out_channels", "patch", "depth", "weights"]
    helped = run("table", "googlenet", "--columns", "help")
    assert "multiply-accumulates" in helped.stdout


WRONG = """convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 8, k: 3}, name: stem}
  - concat:
      branches:
        a: [{conv2d: {out: 8, k: 3}}]
        b: [{conv2d: {out: 8, k: 5}}]
"""


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "expected"),
    [
        (["-"], WRONG, 1, ["<stdin>:5:5: error CC203", "  - concat:", "^^^^^^", "hint:"]),
        (["-"], WRONG.replace("conv2d: {out: 8, k: 5}", "conv2d: {out: 8, k: 50}"), 1, ["error CC201", "8:", "hint:"]),
        (["-"], WRONG.replace("concat:", "concta:"), 1, ["error CC102", "did you mean 'concat'"]),
        (["-"], "", 1, ["CC006"]),
        (["nothing.yaml"], None, 2, ["error: ", "nothing.yaml"]),
        (["googlenet", "--columns", "parms"], None, 2, ["did you mean 'params'"]),
        (["googlenet", "--set", "clases=10"], None, 2, ["classes"]),
        (["googlenet", "--set", "classes"], None, 2, ["NAME=VALUE"]),
        (["googlenet", "--input", "3,x"], None, 2, ["--input: expected sizes"]),
        (["googlenet", "--variant", "seperable_stem"], None, 2, ["separable_stem"]),
        (["googlenet", "--frobnicate"], None, 2, ["--frobnicate"]),
        (["."], None, 2, ["directory"]),
    ],
)
def test_errors_have_place_and_remedy(arguments: list[str], stdin: str | None, code: int, expected: list[str]) -> None:
    done = run("table", *arguments, stdin=stdin)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for text in expected:
        assert text in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="the bash of Windows runs another system")
def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m convcalc table googlenet --by layer | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_int8_says_what_has_to_fit_into_a_microcontroller() -> None:
    line = "microcontroller: flash 61.87 KiB · RAM 9.19 KiB (tanh)"
    for options in ((), ("--by", "stage"), ("--columns", "name,live")):
        assert run("table", "lenet5", "--dtype", "int8", *options).stdout.count(line) == 1
        assert "microcontroller" not in run("table", "lenet5", *options).stdout


@pytest.mark.parametrize("sizes", ["3,64,64", "3x64x64", "3X64×64", " 3 × 64, 64 "])
def test_sizes_are_separated_by_commas_and_crosses(sizes: str) -> None:
    first = command("table", "alexnet", "--input", "3,64,64", "--set", "classes=7", "-f", "csv")
    assert command("table", "alexnet", "--input", sizes, "--set", "classes=7", "-f", "csv") == first
    layer = "conv2d: {out: 8, k: 3}"
    assert command("explain", layer, "--input", sizes, "--at", "1x2") == command(
        "explain", layer, "--input", "3,64,64", "--at", "1,2"
    )


@pytest.mark.parametrize("sizes", ["3,64,", "3xx64", "3*64*64", "3;64", "-3,64,64", "a", "", "3,²,1", "1e3"])
def test_what_is_no_size_is_shown_whole(sizes: str) -> None:
    done = command("table", "alexnet", "--input", sizes)
    assert done.code == 2
    assert done.stderr == f"error: --input: expected sizes like 3,224,224 or 3x224x224, not {sizes!r}\n"
