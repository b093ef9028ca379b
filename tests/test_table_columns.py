"""`convcalc table`: columns, sorting, the first rows, bars; and `convcalc explain` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from convcalc.analysis.quantities import QUANTITIES
from convcalc.cli.app import build_app
from convcalc.findings import SpecError, UsageError
from convcalc.render.lines import bar_text

SPEC = """\
convcalc: 1
name: small
input: [3, 16, 16]
layers:
  - {conv2d: {out: 8, k: 3, p: 1}, name: wide}
  - {conv2d: {out: 2, k: 1}, name: thin}
  - {conv2d: {out: 8, k: 3, s: 2, p: 1}, name: last}
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(SPEC, "utf-8")
    return str(path)


def run(*arguments: str, columns: int = 80) -> str:
    result = CliRunner().invoke(build_app(), list(arguments), env={"COLUMNS": str(columns)})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def rows(text: str) -> list[str]:
    """The first word of each row between the headings and the totals."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("layer ")) + 1
    last = next(n for n, line in enumerate(lines) if " params · " in line)
    return [line.split()[0] for line in lines[first:last]]


def test_every_column_can_be_shown(spec: str) -> None:
    text = run("table", spec, "--columns", ",".join(QUANTITIES), "--device", "v100", columns=2000)
    assert all(name in text for name in QUANTITIES if name != "name")


def test_columns_help_lists_them_all_with_unit_and_meaning() -> None:
    text = run("table", "unused", "--columns", "help", columns=140)
    assert all(q.name in text and q.meaning in text for q in QUANTITIES.values())


def test_wide_terminals_show_more(spec: str) -> None:
    assert " live " not in run("table", spec) and " live " in run("table", spec, columns=160)
    layers = ("table", spec, "--by", "layer")
    assert "receptive_field" not in run(*layers) and "receptive_field" in run(*layers, columns=160)


def test_sort_takes_the_largest_first_and_words_from_a(spec: str) -> None:
    assert rows(run("table", spec, "--sort", "macs")) == ["wide", "last", "thin"]
    assert rows(run("table", spec, "--sort", "output", "--top", "2")) == ["wide", "thin"]
    assert rows(run("table", spec, "--sort", "name")) == ["last", "thin", "wide"]


def test_top_keeps_the_networks_total(spec: str) -> None:
    text = run("table", spec, "--top", "1")
    assert rows(text) == ["wide"]
    macs = f"{3 * 8 * 9 * 256 + 16 * 256 + 2 * 8 * 9 * 64:,}"
    assert f" · {macs} macs · " in text
    asked = run("table", spec, "--top", "1", "--columns", "name,macs", "--exact")
    assert next(line for line in asked.splitlines() if line.startswith("total ")).split()[-1] == macs


def test_every_format_but_the_tree_has_whole_bytes_and_numbers_stand_right(spec: str) -> None:
    asked = ("table", spec, "--by", "layer", "--columns", "name,live,intensity")
    assert "| wide | 11,264 B | 9.26 |" in run(*asked, "--format", "markdown")
    assert "|---|---:|---:|" in run(*asked, "--format", "markdown")
    assert "11,264 B" in run(*asked, "--exact") and "11.0 KiB" in run(*asked)


def test_long_labels_of_bars_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    name = "a_name_of_a_layer_that_is_much_too_long_to_stand_beside_a_bar_of_a_terminal"
    path.write_text(f"{{convcalc: 1, input: [3, 8, 8], layers: [{{conv2d: {{out: 8, k: 3}}, name: {name}}}]}}", "utf-8")
    assert f"\n{name}\n" in run("table", str(path), "--plot", "macs")
    assert name in run("table", str(path), columns=40)


def test_a_long_tree_says_how_it_gets_short(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_text("convcalc: 1\ninput: [3, 8, 8]\nlayers:\n" + "  - relu\n" * 60, "utf-8")
    assert run("table", str(path)).endswith("the rows with most macs alone: --sort macs --top 10\n")
    assert "alone" not in run("table", str(path), "--sort", "macs", "--top", "10")


def test_what_a_long_total_leaves_out_keeps_it_on_one_line(spec: str) -> None:
    last = run("table", spec, "--batch", str(10**13), columns=70).splitlines()[-2:]
    assert last[0].startswith("394 params · ") and "flops" not in last[0] and last[0].endswith(" · depth 3")


def test_plot_draws_the_largest_full(spec: str) -> None:
    text = run("table", spec, "--plot", "macs", "--sort", "macs")
    lengths = [line.count("█") for line in text.splitlines() if line[:4] in ("wide", "last", "thin")]
    assert lengths[0] > lengths[1] > 0 and all(len(line) <= 80 for line in text.splitlines())


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 100))
def test_bars_never_exceed_their_share(value: int, largest: int, length: int) -> None:
    value = min(value, largest)
    bar = bar_text(value, largest, length)
    assert length * value // largest <= len(bar) <= -(-length * value // largest)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--columns", "mac"), "there is no column 'mac'"),
        (("--sort", "weigths"), "there is no column 'weigths'"),
        (("--plot", "kind"), "'kind' has none here"),
        (("--plot", "macs", "--format", "csv"), "--plot draws for a terminal"),
        (("--columns", "name,time"), "needs --device"),
        (("--device", "fast"), "'fast' is no device"),
    ],
)
def test_wrong_calls_say_what_is_wrong(spec: str, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run("table", spec, *arguments)


def test_notes_name_the_peak_and_the_controller(spec: str) -> None:
    text = run("table", spec, "--columns", "name,live", "--dtype", "int8")
    assert "peak: 2.75 KiB at wide; alive there: input, wide" in text
    assert "microcontroller: flash" in text


def test_json_has_receptive_fields_and_jumps(spec: str) -> None:
    layers = json.loads(run("table", spec, "--format", "json"))["layers"]
    assert [(layer["receptive_field"], layer["jump"]) for layer in layers] == [
        ([3, 3], [1, 1]),
        ([3, 3], [1, 1]),
        ([5, 5], [2, 2]),
    ]


def test_explain_takes_a_layer_or_one_item(spec: str) -> None:
    assert "thin: conv2d  8×16×16 -> 2×16×16" in run("explain", spec, "thin")
    inline = run("explain", "--input", "3,16,16", "conv2d: {out: 2, k: 1}")
    assert "conv2d: conv2d  3×16×16 -> 2×16×16" in inline
    assert json.loads(run("explain", spec, "--format", "json"))["kind"] == "network"
    assert run("explain", spec, "wide", "--format", "markdown").startswith("## wide")
    assert run("explain", spec, "wide", "--format", "latex").startswith("\\section*{wide")


def test_explain_refuses_what_it_cannot_place(spec: str) -> None:
    for arguments, message in (
        ((spec, "wid"), "did you mean|no layer 'wid'"),
        ((spec, "wide", "--at", "16,0"), "no position"),
        (("relu",), "needs the shape"),
        (("relu", "--input", "0,3"), "at least 1"),
        (("relu", "--input", "3", "--set", "a=1"), "--set, --variant"),
    ):
        with pytest.raises(UsageError, match=message):
            run("explain", *arguments)
    with pytest.raises(SpecError, match="kernel of 7 is larger"):
        run("explain", "--input", "3,2,2", "conv2d: {out: 1, k: 7}")


def test_the_default_table_loads_no_analysis_that_it_does_not_show(spec: str) -> None:
    code = (
        "import sys; sys.argv = ['convcalc', 'table', sys.argv[1], *sys.argv[2:]]\n"
        "from convcalc.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(','.join(sorted(m for m in sys.modules if m.startswith('convcalc.analysis.') or m == 'numpy')))"
    )

    def loaded(*more: str) -> set[str]:
        done = subprocess.run([sys.executable, "-c", code, spec, *more], capture_output=True, text=True, check=True)
        return set(done.stdout.splitlines()[-1].split(","))

    needed = {"cost", "figures", "memory", "quantities", "quantity", "quantity_values", "report", "tree"}
    assert {module.rpartition(".")[2] for module in loaded()} <= needed
    assert "convcalc.analysis.receptive_field" in loaded("--columns", "name,jump")
