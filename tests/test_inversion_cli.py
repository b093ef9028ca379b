"""`invert` and `solve` as commands: what they print, what they refuse, what they load."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from convcalc.cli.app import build_app
from convcalc.findings import UsageError
from convcalc.reference import identity

from .golden_output import COMMANDS, Golden

APP = build_app()


def output_of(line: str) -> str:
    result = CliRunner().invoke(APP, line.split())
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def usage_error(line: str) -> UsageError:
    result = CliRunner().invoke(APP, line.split())
    assert isinstance(result.exception, UsageError), (result.output, result.exception)
    assert result.stdout == ""
    return result.exception


@pytest.mark.parametrize(
    "golden", [g for g in COMMANDS if g.arguments[0] in ("invert", "solve")], ids=lambda g: g.path.name
)
def test_golden(golden: Golden) -> None:
    printed = output_of(" ".join(golden.arguments))
    assert printed == golden.expected and printed.isascii()
    assert "markdown" in golden.path.name or max(map(len, printed.splitlines())) <= 80


def test_letters_are_the_words() -> None:
    word = output_of("invert --k 5 --s 3 --p 2 --d 2 --size 30 --format json")
    assert word == output_of("invert -k 5 -s3 -p 2 -d 2 --size 30 -f json")
    assert output_of("solve --in 9 --out 5 --k 3 --s 2 --p 1 --d 1") == output_of(
        "solve --in 9 --out 5 -k3 -s2 -p1 -d1"
    )


def test_axes_are_separated_by_commas_and_crosses() -> None:
    commas = output_of("invert --k 3,5 --p 1:2,2 --size 224,320 -f json")
    for cross in ("x", "X", "×"):
        assert output_of(f"invert --k 3{cross}5 --p 1:2{cross}2 --size 224{cross}320 -f json") == commas
    assert output_of("solve --in 9x9 --out 5×5 --k 3") == output_of("solve --in 9,9 --out 5,5 --k 3")


def test_json_of_invert() -> None:
    data = json.loads(output_of("invert --k 7 --s 2 --p 3 --size 223 --size 224 --format json --verify"))
    assert [(row["input"], row["conv_output"], row["output_padding"]) for row in data["sizes"]] == [
        (223, 112, 0),
        (224, 112, 1),
    ]
    assert [found["ok"] for found in data["verified"]] == [True, True]
    differing = json.loads(output_of("invert --k 3,5 --p 1:2,2 --size 224,320 --format json"))
    assert [axis["transposed_padding"] for axis in differing["axes"]] == [[1, 0], [2, 2]]
    assert [axis["sizes"][0]["input"] for axis in differing["axes"]] == [224, 320]


def test_json_and_csv_of_solve_hold_every_solution() -> None:
    data = json.loads(output_of("solve --in 5 --out 3 --format json"))
    rows = list(csv.DictReader(io.StringIO(output_of("solve --in 5 --out 3 --format csv"))))
    assert len(rows) == len(data["solutions"]) > 20
    assert rows[0] == {"kernel": "1", "stride": "2", "padding": "0", "dilation": "1", "remainder": "0"}
    assert len(output_of("solve --in 5 --out 3 --top all").splitlines()) > len(rows)
    assert len(json.loads(output_of("solve --in 5 --out 3 --top 3 --format json"))["solutions"]) == 3


def test_several_axes_and_uneven_padding_in_csv() -> None:
    printed = output_of("solve --in 224,226 --out 112,113 --k 7 --s 2 --d 1 --asymmetric --format csv")
    assert printed == 'kernel,stride,padding,dilation,remainder\n7,2,3,1,"1,1"\n7,2,2:3,1,"0,0"\n'


def test_nothing_found_is_an_answer() -> None:
    assert "--transposed looks for" in output_of("solve --in 112 --out 224")
    assert "without --transposed" in output_of("solve --in 224 --out 112 --transposed")
    assert "wider range" in output_of("solve --in 224,320 --out 112,159 --k 3 --s 2")
    assert json.loads(output_of("solve --in 112 --out 500 --format json"))["solutions"] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("invert", "needs the kernel"),
        ("invert --k x", "--k: expected a whole number, or one an axis (3 or 3,5), not 'x'"),
        ("invert --k 3,", "not '3,'"),
        ("invert --k -3", "not '-3'"),
        ("invert --k 3 --s 0", "stride must be at least 1"),
        ("invert --k 3 --p same", "before:after"),
        ("invert --k 3 --p 1:2:3", "before:after"),
        ("invert --k 3,3 --s 1,2,3", "values for 2 and 3 axes"),
        ("invert --k 3,3,3,3", "at most 3 axes"),
        ("invert --k 9 --size 3", "kernel of 9 is larger than the input of 3"),
        ("invert --k 3 --size 9223372036854775808", "above 2^63 - 1"),
        ("invert --k 3 --s 1000000000", "too large to list"),
        ("invert --k 3 --size 5000 --verify", "up to 2048"),
        ("solve --in 224 --out 112 --k 7..3", "the range 7..3 is empty"),
        ("solve --in 224 --out 112 --k 3,5", "a whole number (3) or a range (3..7), not '3,5'"),
        ("solve --in 224,224 --out 112", "2 input sizes but 1 output sizes"),
        ("solve --in 0 --out 112", "a size must be at least 1"),
        ("solve --in 224 --out 112 --k 0..3", "range of the kernel"),
        ("solve --in 224 --out 112 --k 1..9999999", "combinations"),
        ("solve --in 224 --out 112 --top none", "--top: expected a number of rows, or all, not 'none'"),
        ("solve --in 224 --out 112 --top 0", "--top is at least 1, or all"),
        ("invert --k 3x", "not '3x'"),
    ],
)
def test_wrong_calls_say_what_was_expected(line: str, expected: str) -> None:
    assert expected in usage_error(line).message


@pytest.mark.parametrize("line", ["invert --k 3 --format xml", "solve --in 3", "invert --k 3 --size"])
def test_wrong_options_exit_with_2(line: str) -> None:
    assert CliRunner().invoke(APP, line.split()).exit_code == 2


def test_a_failed_verification_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    true = identity.zero_inserted
    monkeypatch.setattr(identity, "zero_inserted", lambda y, w, *rest: true(y, w[::-1], *rest))
    result = CliRunner().invoke(APP, ["invert", "--k", "3", "--s", "2", "--p", "1", "--size", "9", "--verify"])
    assert result.exit_code == 1
    assert "NOT verified" in result.stdout


LOADED = """
import sys
from convcalc.__main__ import main
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
print([name for name in ("numpy", "rich", "yaml") if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("line", "loaded"),
    [
        ("invert --k 3 --s 2 --p 1", "[]"),
        ("solve --in 224 --out 112", "[]"),
        ("invert --k 3 --s 2 --p 1 --size 9 --verify", "['numpy']"),
    ],
)
def test_the_commands_load_no_heavy_library_but_for_verify(line: str, loaded: str) -> None:
    run = subprocess.run([sys.executable, "-c", LOADED, *line.split()], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == loaded
