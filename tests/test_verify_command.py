"""`convcalc verify` as people run it: what it prints, when it refuses, and what it loads."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from convcalc.cli.app import main
from convcalc.cli.verify import byte_size
from convcalc.findings import UsageError
from convcalc.layers.activation import Activation
from tests.loaded_modules import loaded, unwanted
from tests.test_table_command import run

SPEC = """convcalc: 1
name: Small
input: [3, 32, 32]
layers:
  - {conv2d: {out: 8, k: 3, s: 2, p: 1}, name: conv}
  - {batch_norm: {}, name: norm}
  - {relu: {}, name: relu}
  - global_avg_pool
  - flatten
  - {linear: {out: 10}, name: fc}
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return str(path)


def test_what_is_confirmed_is_said_in_a_few_lines(spec: str) -> None:
    done = run("verify", spec)
    assert (done.returncode, done.stderr) == (0, "")
    title, blank, confirmed, largest, last = done.stdout.splitlines()
    assert (title, blank) == ("Small  input 3×32×32, float32, seed 0", "")
    assert confirmed == "confirmed: 6 of 6 layers, 330 params, 55,376 macs counted"
    assert largest == "largest: conv (55.3 K macs), fc (80 macs), norm"
    assert last.endswith(" s, arrays of up to 9 MiB (estimate); --all shows every layer")


def test_text(spec: str) -> None:
    done = run("verify", spec, "--all")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Small  input 3×32×32, float32, seed 0"
    assert lines[2].split() == ["layer", "shape", "actual", "params", "actual", "macs", "counted", "verdict"]
    assert lines[4].split() == ["conv", "8×16×16", "8×16×16", "224", "224", "55,296", "55,296", "ok"]
    assert "confirmed: 6 of 6 layers, 330 params, 55,376 macs counted" in lines
    assert "\x1b" not in done.stdout


def test_a_narrow_terminal_shows_equal_numbers_once(spec: str) -> None:
    done = run("verify", spec, "--all", COLUMNS="50")
    assert "conv             8×16×16     224  55,296  ok" in done.stdout.splitlines()
    assert max(map(len, done.stdout.splitlines())) <= 50


def test_json_is_the_contract(spec: str) -> None:
    data = json.loads(run("verify", spec, "--format", "json", "--quick", "--batch", "2").stdout)
    required = {"format", "spec", "input", "ok", "seconds", "layers", "gradients"}
    assert required <= set(data)
    assert (data["format"], data["spec"], data["ok"], data["gradients"]) == (1, "Small", True, None)
    assert data["input"] == {"input": [3, 2, 2]} and data["full_input"] == {"input": [3, 32, 32]}
    for layer in data["layers"]:
        assert layer["predicted_shape"] == layer["actual_shape"]
        assert layer["predicted_params"] == layer["actual_params"]
        assert layer["predicted_macs"] == layer["counted_macs"]


def test_googlenet_in_a_process() -> None:
    done = run("verify", "googlenet.yaml", "--quick")
    assert (done.returncode, done.stderr) == (0, "")
    assert "confirmed: 143 of 143 layers, 6,998,552 params, 1,582,671,872 macs counted" in done.stdout
    assert "quick: no smaller input of the same residue class" in done.stdout


def test_quick_says_what_it_ran() -> None:
    done = run("verify", "resnet", "--variant", "resnet18", "--quick")
    assert "ResNet (resnet18)  input 3×32×32" in done.stdout
    assert "quick: 3×32×32 in place of 3×224×224" in done.stdout


def test_backward(spec: str) -> None:
    done = run("verify", spec, "--backward", "--init", "xavier", "--activation", "tanh")
    assert (done.returncode, done.stderr) == (0, "")
    assert "weights by xavier. gradient: " in done.stdout
    assert "expected: a prediction" in done.stdout
    data = json.loads(run("verify", spec, "--backward", "--format", "json").stdout)
    assert [row["name"] for row in data["gradients"]] == ["conv", "norm", "relu", "global_avg_pool", "flatten", "fc"]
    assert set(data["gradients"][0]) == {
        "name",
        "kind",
        "activation_rms",
        "activation_ratio",
        "predicted_activation_ratio",
        "gradient_rms",
        "gradient_ratio",
        "predicted_gradient_ratio",
        "weight_gradient_rms",
        "saturated",
        "gradient_log10",
        "weight_gradient_log10",
    }
    (loss,) = data["losses"]
    assert (loss["loss"], loss["loss_weight"], loss["reads"]) == ("cross_entropy", 1, "fc")
    assert data["extremes"] == {
        "dtype": "float32",
        "activation_overflow": None,
        "gradient_overflow": None,
        "gradient_underflow": None,
        "gradient_zero": None,
    }
    other = json.loads(run("verify", spec, "--backward", "--loss", "mean_square", "--format", "json").stdout)
    assert other["losses"][0]["loss"] == "mean_square"


def test_saturated_shares_stand_under_the_weights_where_there_is_no_room(spec: str) -> None:
    wide = run("verify", spec, "--backward").stdout
    assert "weights  saturated" in wide and " sat\n" not in wide
    narrow = run("verify", spec, "--backward", COLUMNS="82").stdout
    (row,) = [line for line in narrow.splitlines() if line.startswith("relu ")]
    assert row.endswith("% sat") and all(len(line) <= 82 for line in narrow.splitlines())


def test_a_seed_repeats(spec: str) -> None:
    first, again, other = (
        json.loads(run("verify", spec, "--backward", "--format", "json", "--seed", seed).stdout)["gradients"]
        for seed in ("1", "1", "2")
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--max-memory", "1MiB"], ["this takes up to 9 MiB, more than 1 MiB", "--quick", "--max-memory 9MiB"]),
        (["--max-memory", "1M"], ["this takes up to 9 MiB, more than 976 KiB"]),
        (["--quick", "--max-memory", "1M"], ["hint: use a smaller --batch or --input"]),
        (["--batch", "1000000000"], ["more than half of the free memory", "a smaller --batch"]),
        (["--max-memory", "much"], ["--max-memory takes a size, not 'much'", "500M or 2G"]),
        (["--init", "xavier"], ["--init changes numbers, not shapes: it needs --backward"]),
        (["--activation", "tanh"], ["--activation changes numbers, not shapes: it needs --backward"]),
        (["--loss", "linear"], ["--loss changes numbers, not shapes: it needs --backward"]),
        (["--compare", "activation=relu,tanh"], ["--compare changes numbers, not shapes: it needs --backward"]),
        (
            ["--backward", "--loss", "cross-entropy"],
            ["there is no loss 'cross-entropy'", "did you mean 'cross_entropy'?"],
        ),
        (["--backward", "--compare", "activation=relu,tanh", "--max-memory", "1M"], ["--quick", "--max-memory 17MiB"]),
        (["--backward", "--init", "he"], ["'he' is none of kaiming, xavier, torch and normal:STD"]),
        (["--backward", "--activation", "relo"], ["there is no activation 'relo'", "did you mean 'relu'?"]),
        (["--backward", "--input", "3,1,1"], ["norm: batch norm in training needs more than one value", "--batch 2"]),
        (["--dtype", "int8"], ["int8"]),
        (["--seed", "-1"], ["--seed"]),
    ],
)
@pytest.mark.slow
def test_refusals(spec: str, arguments: list[str], expected: list[str]) -> None:
    done = run("verify", spec, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    for text in expected:
        assert text in done.stderr


def test_a_limit_that_fits_is_kept(spec: str) -> None:
    assert run("verify", spec, "--max-memory", "9M").returncode == 0


def test_a_wrong_rule_fails_with_its_place(
    spec: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Activation, "output_shape", lambda self, inputs: (*inputs[0][:-1], inputs[0][-1] + 1))
    for options in ([], ["--format", "json"]):
        monkeypatch.setattr(sys, "argv", ["convcalc", "verify", spec, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        printed = capsys.readouterr()
        assert f"{spec}:7:6: error CC501 relu: relu is not confirmed: the output is [8, 16, 16]" in printed.err
        assert "predicted [8, 16, 17]" in printed.err and "hint: " in printed.err
        if options:
            data: Any = json.loads(printed.out)
            assert data["ok"] is False
            assert [layer["name"] for layer in data["layers"] if not layer["ok"]] == ["relu"]
            assert data["findings"][0]["line"] == 7
        else:
            assert "NOT confirmed: 1 of 6 layers differ" in printed.out
            assert "8×16×17  8×16×16" in printed.out
            assert "differs" in printed.out and "  ok\n" not in printed.out, "the rows that differ, and no others"


@pytest.mark.parametrize(
    ("text", "size"), [("500", 500), ("1k", 1000), ("1.5Gi", 3 << 29), ("20 MiB", 20 << 20), ("2TB", 2 * 10**12)]
)
def test_sizes(text: str, size: int) -> None:
    assert byte_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "1e", "1e99", "1.M", "M", "1X", "9" * 20])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        byte_size(text)


def test_no_rich_in_a_pipe() -> None:
    modules = loaded("verify", "lenet5")
    assert "numpy" in modules
    assert unwanted(modules, "rich", "convcalc.reference.identity", "convcalc.verify.flow") == set()
