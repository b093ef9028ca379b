"""`convcalc sizes` and `convcalc invert SPEC`: what they print, in each format, and how wrong calls end."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from convcalc import loads
from convcalc.cli.app import main

from .small_architectures import ALEXNET, RESNET, VGG16, spec

Call = Callable[..., tuple[int, str, str]]


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of a call."""
    monkeypatch.setattr(sys, "argv", ["convcalc", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    def called(text: str, command: str, *options: str) -> tuple[int, str, str]:
        path = tmp_path / "net.yaml"
        path.write_text(text, encoding="utf-8")
        return run(capsys, monkeypatch, command, str(path), *options)

    return called


def test_text_names_each_answer_and_its_layer(call: Call) -> None:
    code, out, _ = call(ALEXNET, "sizes")
    assert code == 0
    assert "exact    31 mod 32, from 63: 63, 95, 127" in out
    assert "conv1: its output is (i - 3)//4, where the ratio asks for i/4" in out
    assert "output   (i - 31)//32 (after pool5)" in out


def test_from_and_to_choose_what_is_listed(call: Call) -> None:
    assert "31 mod 32, from 63: 223, 255\n" in call(ALEXNET, "sizes", "--from", "200", "--to", "256")[1]


def test_json_is_one_object(call: Call) -> None:
    data = json.loads(call(VGG16, "sizes", "--format", "json")[1])
    assert (data["format"], data["minimum"], data["period"], data["output"]) == (1, 32, 32, "i//32")
    assert data["exact"]["residue"] == 0 and data["exact"]["modulus"] == 32 and "sizes" not in data
    listed = json.loads(call(VGG16, "sizes", "--format", "json", "--all", "--from", "31", "--to", "32")[1])["sizes"]
    assert [(row["size"], row["builds"], row["output"]) for row in listed] == [(31, False, None), (32, True, 1)]


def test_csv_has_a_row_for_every_size(call: Call) -> None:
    rows = list(
        csv.DictReader(io.StringIO(call(RESNET, "sizes", "--format", "csv", "--from", "224", "--to", "225")[1]))
    )
    assert [(row["size"], row["output"], row["exact"], row["ratio"]) for row in rows] == [
        ("224", "7", "no", "yes"),
        ("225", "8", "yes", "no"),
    ]
    assert rows[0]["leaves unread"].split() == [f"l{n}.shortcut.conv2d" for n in (2, 3, 4)]


def test_markdown_has_a_table_an_answer(call: Call) -> None:
    out = call(RESNET, "sizes", "--format", "markdown", "--all", "--to", "3")[1]
    assert "| exact | 1 mod 32, from 1: 1 |" in out and "| size | output |" in out


def test_axes_that_differ_are_printed_apart(call: Call) -> None:
    text = spec([3, 32, 32], [{"max_pool2d": {"k": [2, 3]}}])
    out = call(text, "sizes")[1]
    assert (
        "sizes i of space axis 1" in out and "0 mod 2" in out and "sizes i of space axis 2" in out and "0 mod 3" in out
    )
    assert len(json.loads(call(text, "sizes", "--format", "json")[1])["axes"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "9", "--to", "8"], "--to 8 lies below --from 9"),
        (["--to", "1000000"], "more than 100,000 sizes"),
    ],
)
def test_wrong_ranges(call: Call, options: list[str], message: str) -> None:
    code, out, err = call(VGG16, "sizes", *options)
    assert (code, out) == (2, "") and message in err


def test_a_spec_is_inverted_to_a_spec(call: Call) -> None:
    code, out, err = call(ALEXNET, "invert", "--until", "pool5")
    assert (code, err) == (0, "")
    decoder = loads(out)
    assert decoder.inputs == {"input": (256, 6, 6)} and decoder.nodes[-1].shape == (3, 224, 224)
    assert loads(call(ALEXNET, "invert", "--skips", "--resize", "--input", "3,256,192")[1]).nodes[-1].shape == (
        3,
        256,
        192,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--k", "3"], "--k does not go with a SPEC"),
        (["--format", "json"], "--format does not go with a SPEC"),
        (["--until", "nowhere"], "no layer or group 'nowhere'"),
    ],
)
def test_wrong_calls_of_a_spec(call: Call, options: list[str], message: str) -> None:
    code, out, err = call(VGG16, "invert", *options)
    assert (code, out) == (2, "") and message in err


def test_options_of_a_spec_need_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run(capsys, monkeypatch, "invert", "--k", "3", "--skips")
    assert code == 2 and "--skips needs a SPEC" in err
